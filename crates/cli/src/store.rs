//! Files of a model on the disk: their names, types of number and digests, and writing them whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use sha2::{Digest as _, Sha256};
use twinbeam_core::models::ModelFiles;
use twinbeam_gpt2::StoredDtype;

pub(crate) const CONFIG: &str = ModelFiles::CONFIG;
pub(crate) const WEIGHTS: &str = ModelFiles::WEIGHTS;
pub(crate) const INDEX: &str = ModelFiles::INDEX;
pub(crate) const TOKENIZER: &str = ModelFiles::TOKENIZER;

/// Bytes that are read at a time where a file is too large to be held; whole numbers of every type.
pub(crate) const CHUNK: u64 = 1 << 20;

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

/// A file that gets its name when it is whole; until then, and for ever if that never happens, it has another.
#[derive(Debug)]
pub(crate) struct NewFile {
    part: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file, and gives what it is written through.
    pub(crate) fn create(folder: &Path, file: &str) -> anyhow::Result<(Self, BufWriter<File>)> {
        let part = folder.join(format!("{file}.part"));
        let writer = File::create(&part).with_context(|| format!("making {}", part.display()))?;
        Ok((Self { part, path: folder.join(file) }, BufWriter::new(writer)))
    }

    /// Begins a file as a copy of another.
    pub(crate) fn copy(from: &Path, folder: &Path, file: &str) -> anyhow::Result<Self> {
        let (new, mut writer) = Self::create(folder, file)?;
        let mut copy = || std::io::copy(&mut File::open(from)?, &mut writer);
        copy().with_context(|| format!("copying {}", from.display()))?;
        new.written(writer)?;
        Ok(new)
    }

    /// Sees to it that everything of the file is on the disk.
    pub(crate) fn written(&self, writer: BufWriter<File>) -> anyhow::Result<()> {
        let sync = || writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all();
        sync().with_context(|| format!("writing {}", self.part.display()))
    }

    /// Gives the file its name.
    pub(crate) fn name(self) -> anyhow::Result<()> {
        fs::rename(&self.part, &self.path)
            .with_context(|| format!("naming {}", self.path.display()))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a failure; once it has its name there is nothing left to remove, nor to complain about.
        drop(fs::remove_file(&self.part));
    }
}

/// Size of a file in bytes, and its SHA-256 in hexadecimal.
pub(crate) fn size_and_digest(path: &Path) -> anyhow::Result<(u64, String)> {
    let read = || -> std::io::Result<(u64, String)> {
        let mut file = File::open(path)?;
        let (mut size, mut sha256) = (0, Sha256::new());
        let mut chunk = vec![0; CHUNK as usize];
        loop {
            let n = file.read(&mut chunk)?;
            if n == 0 {
                return Ok((size, hexadecimal(&sha256.finalize())));
            }
            size += n as u64;
            sha256.update(&chunk[..n]);
        }
    };
    read().with_context(|| format!("reading {}", path.display()))
}

/// SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
