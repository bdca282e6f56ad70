//! `twinbeam synth`: a random model of a given size, for tests and benchmarks.

mod layout;

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use twinbeam_batch::store::NewFile;
use twinbeam_core::models::ModelShape;
use twinbeam_gpt2::{Gpt2Config, INITIAL_STD, StoredDtype, Tokenizer, random_params, stored_bytes};

use crate::stored::{CONFIG, Stored, TOKENIZER, WEIGHTS};
use layout::{Layout, mask_bytes};

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
    /// Lay the file out as the Hub's GPT-2 is: causal-mask buffers between the parameters, sorted by name.
    #[arg(long)]
    pub masks: bool,
    /// Standard deviation of the weights; larger ones than GPT-2's give attention patterns that matter.
    #[arg(long, default_value_t = INITIAL_STD, value_parser = std_dev)]
    pub std: f32,
    /// Number of token ids, in place of the size's own.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub vocab: Option<u32>,
    /// A tokenizer.json to go with the model; the vocabulary must be large enough for it.
    #[arg(long)]
    pub tokenizer: Option<PathBuf>,
}

fn std_dev(text: &str) -> Result<f32, String> {
    let std: f32 = text.parse().map_err(|source| format!("{source}"))?;
    let is_possible = std.is_finite() && std >= 0.0;
    if is_possible { Ok(std) } else { Err("expected a finite number, 0 or more".to_owned()) }
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

impl Size {
    /// Sizes of a model of this size.
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

/// Writes `config.json`, `model.safetensors` and the tokenizer if there is one, one tensor in memory at a time.
///
/// # Errors
/// A folder or file that cannot be written, a tokenizer that is none or too large for the vocabulary.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut shape = options.size.shape();
    if let Some(d_vocab) = options.vocab {
        shape.d_vocab = d_vocab as usize;
    }
    let out = &options.out;
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let mut bos = shape.d_vocab as u32 - 1;
    if let Some(tokenizer) = &options.tokenizer {
        bos = bos_of(tokenizer, &shape)?.unwrap_or(bos);
        NewFile::copy(tokenizer, &out.join(TOKENIZER))?.name()?;
    }
    fs::write(out.join(CONFIG), Gpt2Config::new(shape, bos).to_json())
        .context("writing config.json")?;
    write_weights(options, &shape)
}

/// The id of a tokenizer's `<|endoftext|>`, if it has one.
fn bos_of(tokenizer: &Path, shape: &ModelShape) -> anyhow::Result<Option<u32>> {
    let of = || format!("reading {}", tokenizer.display());
    let json = fs::read(tokenizer).with_context(of)?;
    let n_tokens = Tokenizer::from_json(&json).with_context(of)?.len();
    let d_vocab = shape.d_vocab;
    ensure!(n_tokens <= d_vocab, "{n_tokens} tokens do not fit a vocabulary of {d_vocab}");
    let json: serde_json::Value = serde_json::from_slice(&json).with_context(of)?;
    let added = json["added_tokens"].as_array().into_iter().flatten();
    let id =
        added.filter(|token| token["content"] == "<|endoftext|>").find_map(|t| t["id"].as_u64());
    Ok(id.map(|id| id as u32))
}

fn write_weights(options: &Options, shape: &ModelShape) -> anyhow::Result<()> {
    let dtype: StoredDtype = options.dtype.into();
    let layout = if options.masks {
        Layout::published(shape, dtype)?
    } else {
        Layout::in_order(shape, dtype)
    };
    let (new, mut file) = NewFile::create(&options.out.join(WEIGHTS))?;
    let mut write = || -> std::io::Result<()> {
        file.write_all(&layout.header)?;
        for (name, _, values) in random_params(shape, options.seed, options.std) {
            file.seek(SeekFrom::Start(layout.starts[&name]))?;
            file.write_all(&stored_bytes(&values, dtype))?;
        }
        if options.masks {
            let mask = mask_bytes(shape.n_ctx);
            for name in layout::mask_names(shape) {
                file.seek(SeekFrom::Start(layout.starts[&name]))?;
                file.write_all(&mask)?;
            }
        }
        Ok(())
    };
    write().context("writing model.safetensors")?;
    new.written(file)?;
    Ok(new.name()?)
}
