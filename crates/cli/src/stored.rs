//! Names of a model's files, and types of number in them, for the commands that write models.

use clap::ValueEnum;
use twinbeam_core::models::ModelFiles;
use twinbeam_gpt2::StoredDtype;

pub(crate) const CONFIG: &str = ModelFiles::CONFIG;
pub(crate) const WEIGHTS: &str = ModelFiles::WEIGHTS;
pub(crate) const INDEX: &str = ModelFiles::INDEX;
pub(crate) const TOKENIZER: &str = ModelFiles::TOKENIZER;

/// Type of stored numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stored {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// The upper half of single precision.
    Bf16,
}

impl From<Stored> for StoredDtype {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::F32 => Self::F32,
            Stored::F16 => Self::F16,
            Stored::Bf16 => Self::Bf16,
        }
    }
}
