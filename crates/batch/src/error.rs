//! Why a list could not be compared, with all of its cause in one message.

use std::io;
use std::path::{Path, PathBuf};

use twinbeam_core::prompts::lists::PairsError;
use twinbeam_core::wire::Problem;
use twinbeam_core::words::PromptError;

use crate::PartError;

/// Why a list could not be compared, or what was found not be written down.
///
/// Each message says all of its cause, and none has a source: who prints a chain of causes prints none twice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model, a case or a device cannot be used.
    #[error(transparent)]
    Engine(#[from] twinbeam_engine::Error),
    /// A file cannot be read or written.
    #[error("{doing} {}: {cause}", path.display())]
    File {
        /// What was being done with it.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// A list of cases cannot be read.
    #[error("{}: {cause}", path.display())]
    List {
        /// Its file.
        path: PathBuf,
        /// Why not.
        cause: PairsError,
    },
    /// A part of a result is not what it should be.
    #[error(transparent)]
    Part(#[from] PartError),
    /// The check of a GPU's result on the CPU has ended without a result.
    #[error("the check on the CPU has panicked")]
    CheckPanicked,
}

impl Error {
    /// What makes an error of a file of one of the system.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { doing, path, cause }
    }

    /// Whether it is a case's own: its prompts or answers cannot be compared, or its numbers are none. What fails otherwise is
    /// a device, a file or the program, and would fail the next case too.
    pub fn is_of_case(&self) -> bool {
        match self {
            Self::Engine(error) => matches!(
                error.problem(),
                Problem::Prompt { .. } | Problem::NotFinite { .. } | Problem::Untrusted { .. }
            ),
            Self::List { .. } => true,
            Self::File { .. } | Self::Part(_) | Self::CheckPanicked => false,
        }
    }

    /// Whether somebody has stopped the work, who is not to be told of an error.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Engine(error) if error.problem() == Problem::Cancelled)
    }
}

impl From<PromptError> for Error {
    fn from(error: PromptError) -> Self {
        Self::Engine(error.into())
    }
}
