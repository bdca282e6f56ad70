//! Why a job could not be done, with all of its cause in one message.

use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::{FetchFault, Problem};
use twinbeam_core::words::PromptError;
use twinbeam_gpt2::{ConfigError, IndexError, LoadError, NotTheFile, TokenizerError};

use crate::SourceError;

/// Why a job could not be done.
///
/// Each message says all of its cause, and none has a source: who prints a chain of causes prints none twice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("{file}: {cause}")]
    Source {
        /// Name of the file.
        file: String,
        /// Why it could not be read.
        cause: SourceError,
    },
    /// There are no weights, neither in one file nor in several.
    #[error(
        "model.safetensors: there is no such file, nor a model.safetensors.index.json of weights in several: put the \
         model’s weights beside its config.json"
    )]
    NoWeights,
    /// A file is another than it should be, or damaged.
    #[error("{file}: {cause}")]
    NotTheFile {
        /// Name of the file.
        file: String,
        /// What it is instead.
        cause: NotTheFile,
    },
    /// `config.json` is not of a GPT-2.
    #[error("config.json: {0}")]
    Config(ConfigError),
    /// A file of weights does not hold the GPT-2 that `config.json` describes.
    #[error("{file}: {cause}")]
    Load {
        /// Name of the file.
        file: String,
        /// Why it cannot be loaded.
        cause: LoadError,
    },
    /// The weights are in several files, and these are not one model.
    #[error("model.safetensors.index.json: {0}")]
    Index(IndexError),
    /// `model.safetensors` is whole and not the expected one.
    #[error("model.safetensors: expected sha256 {expected}, got {got}")]
    Digest {
        /// The expected SHA-256.
        expected: String,
        /// The SHA-256 of the file.
        got: String,
    },
    /// A file of the tokenizer cannot be used, which its error names.
    #[error(transparent)]
    Tokenizer(TokenizerError),
    /// Text was given, and the model's folder has no tokenizer.
    #[error(
        "tokenizer.json: there is none, nor vocab.json with merges.txt, so prompts can only be given as token ids"
    )]
    NoTokenizer,
    /// The prompts or answers cannot be compared.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A question about an experiment that cannot be answered on its model.
    #[error("{0}")]
    Probe(String),
    /// A method failed.
    #[error(transparent)]
    Attribution(#[from] twinbeam_attribution::Error),
    /// The wanted device cannot be used.
    #[error("{0}")]
    Device(String),
    /// The device is gone, with all that it held.
    #[error("the device was lost: {0}")]
    DeviceLost(String),
    /// The CPU comes to another result than the device.
    #[error("{what}: off by {off:.1e} of the largest value, {allowed:.0e} is allowed")]
    Untrusted {
        /// Which result.
        what: String,
        /// Difference, relative to the largest value.
        off: f32,
        /// Most that rounding explains.
        allowed: f32,
    },
}

impl Error {
    /// Whether other bytes might have worked.
    pub(crate) const fn is_of_bytes(&self) -> bool {
        matches!(
            self,
            Self::NotTheFile { .. }
                | Self::Config(_)
                | Self::Load { .. }
                | Self::Index(_)
                | Self::Tokenizer(_)
        )
    }

    /// The error as a plain value for the page.
    pub fn problem(&self) -> Problem {
        use twinbeam_attribution::Error as Method;
        match self {
            Self::NoWeights => {
                let file = ModelFiles::WEIGHTS.to_owned();
                Problem::Fetch { file, fault: FetchFault::NotFound }
            }
            Self::Source { file, cause } => {
                let file = file.clone();
                match cause {
                    SourceError::NotFound => Problem::Fetch { file, fault: FetchFault::NotFound },
                    SourceError::Fetch(fault) => Problem::Fetch { file, fault: fault.clone() },
                    SourceError::Failed(message) => {
                        Problem::File { file, message: message.clone() }
                    }
                    SourceError::TooLarge { .. } => Problem::Model { message: self.to_string() },
                }
            }
            Self::Digest { expected, got } => {
                Problem::Digest { expected: expected.clone(), got: got.clone() }
            }
            Self::NotTheFile { .. }
            | Self::Config(_)
            | Self::Load { .. }
            | Self::Index(_)
            | Self::Tokenizer(_)
            | Self::Probe(_) => Problem::Model { message: self.to_string() },
            Self::NoTokenizer => Problem::Prompt { error: PromptError::NoTokenizer },
            Self::Prompt(error) => Problem::Prompt { error: error.clone() },
            Self::Attribution(Method::Cancelled) => Problem::Cancelled,
            Self::Attribution(Method::NotFinite { what }) => {
                Problem::NotFinite { what: what.clone() }
            }
            Self::Attribution(error @ (Method::Device { .. } | Method::OutOfMemory { .. })) => {
                Problem::Device { message: error.to_string() }
            }
            Self::Device(message) => Problem::Device { message: message.clone() },
            Self::DeviceLost(message) => Problem::DeviceLost { message: message.clone() },
            Self::Untrusted { what, off, allowed } => {
                Problem::Untrusted { what: what.clone(), off: *off, allowed: *allowed }
            }
        }
    }
}
