//! Where a model's files are, whichever place that is: what reads them is compiled once and not once for each place,
//! which saves nearly 50 kB of the download.

use std::ops::Range;

use twinbeam_core::models::ModelFiles;
use twinbeam_engine::{ByteSource, Downloads, Keeper, Remote, Shelf, SourceError};
use web_sys::File;

use crate::files::Chosen;
use crate::network::Network;
use crate::storage::{self, Stored};

/// The files of a model.
#[derive(Debug)]
pub(crate) enum Source {
    /// Files of the visitor's own.
    Chosen(Chosen),
    /// Files on a server.
    Remote(Remote<Network>),
    /// Files on a server that the browser keeps.
    Kept(Shelf<Remote<Network>, Stored>),
}

/// Does one thing with the source, whichever it is.
macro_rules! of_each {
    ($source:expr, $one:ident => $act:expr) => {
        match $source {
            Source::Chosen($one) => $act,
            Source::Remote($one) => $act,
            Source::Kept($one) => $act,
        }
    };
}

impl Source {
    /// The source of files that a request names; `chosen` came with it.
    pub(crate) async fn of(files: &ModelFiles, chosen: &[File]) -> Self {
        match files {
            ModelFiles::Local => Self::Chosen(Chosen(chosen.to_vec())),
            ModelFiles::Address { base, shelf: None } => {
                Self::Remote(Remote::new(Network { cache: true }, base.clone()).whole_first())
            }
            ModelFiles::Address { base, shelf: Some(folder) } => {
                let remote = Remote::new(Network { cache: false }, base.clone());
                Self::Kept(storage::shelf(remote, folder).await)
            }
        }
    }
}

impl ByteSource for Source {
    async fn size(&self, file: &str) -> Result<u64, SourceError> {
        of_each!(self, one => one.size(file).await)
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        of_each!(self, one => one.read(file, range).await)
    }

    async fn read_all(&self, file: &str, most: u64) -> Result<Vec<u8>, SourceError> {
        of_each!(self, one => one.read_all(file, most).await)
    }

    fn downloads(&self) -> Option<&dyn Downloads> {
        of_each!(self, one => one.downloads())
    }

    fn keeper(&self) -> Option<&dyn Keeper> {
        of_each!(self, one => one.keeper())
    }
}
