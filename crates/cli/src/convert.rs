//! `twinbeam convert`: a model's weights in another type of number, and what that costs.

mod cost;
mod pairs;
mod weights;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_batch::store::{NewFile, sha256_of, size_and_digest};
use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::Expected;
use twinbeam_engine::{DeviceKind, Model};
use twinbeam_gpt2::{Gpt2Config, ShardIndex, StoredDtype};

use crate::stored::{CONFIG, INDEX, Stored, WEIGHTS};
use crate::terminal::Terminal;
pub use cost::{Cost, LogitDiffs, PairCost};

/// What to convert, and into what.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder with config.json, model.safetensors, or model.safetensors.index.json and the files that it lists, and the
    /// tokenizer's files, if there are any.
    #[arg(long)]
    pub model: PathBuf,
    /// Folder to write to; it is made if it is not there, and must not hold a model.
    #[arg(long)]
    pub out: PathBuf,
    /// Type of the stored numbers.
    #[arg(long, value_enum, default_value_t = Stored::F16)]
    pub dtype: Stored,
}

/// A conversion that has been done.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The weights that were read.
    pub from: WeightFile,
    /// The weights that were written.
    pub to: WeightFile,
    /// What the conversion changes in the model's answers.
    pub cost: Cost,
}

/// Weights on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightFile {
    /// Path of the weights: a `model.safetensors`, or the index of several files.
    pub path: PathBuf,
    /// Size of the weights in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal: of the file, or of the list of all files' as `sha256sum` prints it.
    pub sha256: String,
    /// Number of files that the weights are in; `None`: one, and no index says so.
    pub shards: Option<usize>,
}

/// Converts a model and prints what that costs.
///
/// # Errors
/// The errors of [`convert`].
#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
pub fn run(options: &Options) -> anyhow::Result<()> {
    print!("{}", convert(options)?);
    Ok(())
}

/// Writes a model's folder anew with its weights in another type, and compares both models' answers.
///
/// # Errors
/// A model that cannot be loaded, a folder that has one already or cannot be written, a number that the type
/// cannot hold. Until the new weights are whole, nothing looks like a model.
pub fn convert(options: &Options) -> anyhow::Result<Report> {
    let Options { model, out, dtype } = options;
    check_folders(model, out)?;
    // One model in memory at a time; the first one also shows that there is something to convert.
    let (asked, before, shards) = {
        let model = load(model)?;
        let asked = pairs::draw(&model)?;
        let before = cost::logit_diffs(&model, &asked)?;
        (asked, before, model.shards())
    };
    write(model, out, (*dtype).into())?;
    let after = cost::logit_diffs(&load(out)?, &asked)?;
    let (from, to) = (WeightFile::of(model, shards), WeightFile::of(out, None));
    Ok(Report { from: from?, to: to?, cost: Cost::new(asked, &before, &after) })
}

/// Refuses to write where a model is, the original above all.
fn check_folders(model: &Path, out: &Path) -> anyhow::Result<()> {
    if let (Ok(model), Ok(out)) = (model.canonicalize(), out.canonicalize()) {
        ensure!(model != out, "{} is the model's own folder: choose another", out.display());
    }
    for file in [CONFIG, WEIGHTS, INDEX].into_iter().chain(ModelFiles::OF_TEXT) {
        let path = out.join(file);
        // A link that leads nowhere is there, too.
        let is_free = path.symlink_metadata().is_err();
        ensure!(is_free, "{} is there already: choose another folder", path.display());
    }
    Ok(())
}

fn load(folder: &Path) -> anyhow::Result<Model> {
    let source = Folder(folder.to_path_buf());
    let device = DeviceKind::cpu("converting");
    let mut terminal = Terminal::new();
    let model = block_on(Model::load(&source, &Expected::default(), &device, &mut terminal));
    terminal.finish();
    model.with_context(|| format!("loading {}", folder.display()))
}

fn write(model: &Path, out: &Path, dtype: StoredDtype) -> anyhow::Result<()> {
    let config = model.join(CONFIG);
    let json = fs::read(&config).with_context(|| format!("reading {}", config.display()))?;
    let read =
        Gpt2Config::from_json(&json).with_context(|| format!("reading {}", config.display()))?;
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    // The original's own bytes: what this program does not read must survive as well.
    let mut files = vec![NewFile::copy(&config, &out.join(CONFIG))?];
    for file in ModelFiles::OF_TEXT {
        let path = model.join(file);
        if path.exists() {
            files.push(NewFile::copy(&path, &out.join(file))?);
        }
    }
    // The weights get their name last: without them nothing is taken for a model.
    files.push(weights::rewrite(model, out, read, dtype)?);
    Ok(files.into_iter().try_for_each(NewFile::name)?)
}

impl WeightFile {
    /// The weights of a folder, which have been read: in one file, or in several that an index lists.
    fn of(folder: &Path, shards: Option<usize>) -> anyhow::Result<Self> {
        if shards.is_none() {
            let path = folder.join(WEIGHTS);
            let (bytes, sha256) = size_and_digest(&path)?;
            return Ok(Self { path, bytes, sha256, shards });
        }
        let path = folder.join(INDEX);
        let json = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let index = ShardIndex::from_json(&json)?;
        let (mut bytes, mut list) = (0, String::new());
        for shard in index.shards() {
            let (size, sha256) = size_and_digest(&folder.join(shard))?;
            bytes += size;
            list.extend([sha256.as_str(), "  ", shard, "\n"]);
        }
        let sha256 = sha256_of(list.as_bytes());
        Ok(Self { path, bytes, sha256, shards })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, WeightFile { path, bytes, sha256, shards }) in
            [("from", &self.from), ("to", &self.to)]
        {
            let megabytes = *bytes as f64 / 1e6;
            writeln!(f, "{word:<4} {}: {bytes} bytes ({megabytes:.1} MB)", path.display())?;
            match shards {
                None => writeln!(f, "     sha256 {sha256}")?,
                Some(n) => writeln!(f, "     sha256 {sha256} of the list of {n} files' digests")?,
            }
        }
        write!(f, "\n{}", self.cost)
    }
}
