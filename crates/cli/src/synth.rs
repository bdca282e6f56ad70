//! `twinbeam synth`: a random model of a given size, for tests and benchmarks.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use twinbeam_core::ModelShape;
use twinbeam_gpt2::{
    Gpt2Config, INITIAL_STD, StoredDtype, random_params, safetensors_header, stored_bytes,
};

/// What to make, and where.
#[derive(Debug, Args)]
pub struct Options {
    /// Size of the model.
    #[arg(long, value_enum)]
    pub size: Size,
    /// Folder to write to; it is made if it is not there.
    #[arg(long)]
    pub out: PathBuf,
    /// Seed of the random weights.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Type of the stored numbers.
    #[arg(long, value_enum, default_value_t = Stored::F32)]
    pub dtype: Stored,
}

/// A published size, or a small one.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Size {
    /// 2 layers, 2 heads, 16 dimensions: for tests.
    Tiny,
    /// The size of the bundled model.
    Mini,
    /// DistilGPT-2: 6 layers of GPT-2 small.
    Distilgpt2,
    /// GPT-2 small, 124 million parameters.
    Gpt2,
    /// GPT-2 medium, 355 million parameters.
    Gpt2Medium,
    /// GPT-2 large, 774 million parameters.
    Gpt2Large,
}

/// Type of stored numbers.
#[derive(Debug, Clone, Copy, ValueEnum)]
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

impl Size {
    /// Sizes of such a model.
    pub fn shape(self) -> ModelShape {
        let of = |n_layers, n_heads, d_model, n_ctx, d_vocab| ModelShape {
            n_layers,
            n_heads,
            d_model,
            d_head: d_model / n_heads,
            d_mlp: 4 * d_model,
            n_ctx,
            d_vocab,
        };
        match self {
            Self::Tiny => of(2, 2, 16, 32, 64),
            Self::Mini => of(4, 8, 128, 64, 2048),
            Self::Distilgpt2 => of(6, 12, 768, 1024, 50257),
            Self::Gpt2 => of(12, 12, 768, 1024, 50257),
            Self::Gpt2Medium => of(24, 16, 1024, 1024, 50257),
            Self::Gpt2Large => of(36, 20, 1280, 1024, 50257),
        }
    }
}

/// Writes `config.json` and `model.safetensors`, one tensor in memory at a time.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let shape = options.size.shape();
    let dtype = options.dtype.into();
    fs::create_dir_all(&options.out)
        .with_context(|| format!("making {}", options.out.display()))?;
    let config = Gpt2Config::new(shape, shape.d_vocab as u32 - 1);
    fs::write(options.out.join("config.json"), config.to_json()).context("writing config.json")?;
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(options.out.join("model.safetensors"))?);
        file.write_all(&safetensors_header(&shape, dtype))?;
        for (_, _, values) in random_params(&shape, options.seed, INITIAL_STD) {
            file.write_all(&stored_bytes(&values, dtype))?;
        }
        file.flush()
    };
    write().context("writing model.safetensors")
}
