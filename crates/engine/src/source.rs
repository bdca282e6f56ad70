//! Where the bytes of a model come from, and why they could not be had.

use std::future::Future;
use std::ops::Range;

use twinbeam_core::models::Completion;
use twinbeam_core::wire::{FetchFault, Kept};

/// A place that the bytes of a model come from: a folder, a server, the browser's storage, files that were dropped on
/// the page.
///
/// Reads are ranges, so that a large file is never held whole.
pub trait ByteSource {
    /// Size of a file in bytes.
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>>;

    /// Bytes of a file; exactly the range, or an error.
    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>>;

    /// All bytes of a file of at most `most` bytes.
    fn read_all(
        &self,
        file: &str,
        most: u64,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        async move {
            let size = self.size(file).await?;
            at_most(size, most)?;
            self.read(file, 0..size).await
        }
    }

    /// What is known of the files as they come over a network; `None`: they are at hand.
    fn downloads(&self) -> Option<&dyn Downloads> {
        None
    }

    /// What keeps the files for the next visit; `None`: nobody does.
    fn keeper(&self) -> Option<&dyn Keeper> {
        None
    }
}

/// Files that come over a network. One that is not there has to be asked for to know it.
pub trait Downloads {
    /// Says which ranges of a file will be read next, in their order, so that those side by side can
    /// be asked for at once.
    fn announce(&self, file: &str, ranges: &[Range<u64>]);

    /// Bytes that have come until now.
    fn fetched(&self) -> u64;
}

/// A place that keeps the files which it has read, for the next visit.
pub trait Keeper {
    /// Where the files are after they have been read.
    fn kept(&self) -> Kept;

    /// Whether a file that may be missing is worth asking for.
    fn may_have(&self, file: &str) -> bool;

    /// What an earlier visit found the files to be, if they were kept whole then.
    fn completed(&self) -> Option<Completion>;

    /// Remembers that what was read is a model: the SHA-256 of its weights, and whether that was the
    /// expected one.
    fn complete(&self, sha256: &str, as_expected: Option<bool>);

    /// Looks for damage in what is kept, and lets it go. Whether reading again may give other bytes.
    fn heal(&self) -> bool;

    /// Lets go of everything that is kept. Whether reading again may give other bytes.
    fn discard(&self) -> bool;
}

/// Bytes that have come over a network until now.
pub(crate) fn fetched(source: &impl ByteSource) -> u64 {
    source.downloads().map_or(0, Downloads::fetched)
}

/// Refuses a file that is larger than any of its kind.
pub(crate) fn at_most(size: u64, most: u64) -> Result<(), SourceError> {
    if size > most {
        return Err(SourceError::TooLarge { most, got: size });
    }
    Ok(())
}

/// Why bytes could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source has no such file.
    #[error("there is no such file")]
    NotFound,
    /// The file is larger than any of its kind.
    #[error("expected at most {most} bytes, got {got}: it is another file; take the model’s own")]
    TooLarge {
        /// Most that is read.
        most: u64,
        /// Size of the file.
        got: u64,
    },
    /// The server, or the way to it, failed.
    #[error(transparent)]
    Fetch(#[from] FetchFault),
    /// Anything else, in the words of the system.
    #[error("{0}")]
    Failed(String),
}

impl SourceError {
    /// Whether there is no such file, as far as one can tell: many hosts forbid what they do not have, or send a page
    /// of theirs in its place and call it a success. A file that may be missing then is.
    pub const fn is_absent(&self) -> bool {
        matches!(
            self,
            Self::NotFound | Self::Fetch(FetchFault::Forbidden { .. } | FetchFault::WebPage)
        )
    }
}
