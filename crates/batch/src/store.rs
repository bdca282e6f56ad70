//! Files on the disk: written whole or not at all, and their digests.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{BufWriter, Read as _};
use std::path::{Path, PathBuf};

use crate::Error;
use sha2::{Digest as _, Sha256};

/// Bytes that are read at a time where a file is too large to be held; whole numbers of every type.
pub const CHUNK: u64 = 1 << 20;

/// A file that gets its name when it is whole; until then, and for ever if that never happens, it has another, which no
/// other process has: a job that a cluster believes dead and starts anew may still be writing.
#[derive(Debug)]
pub struct NewFile {
    part: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file, and gives what it is written through.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be made.
    pub fn create(path: &Path) -> Result<(Self, BufWriter<File>), Error> {
        // Keys of hash tables are random, and another pair each.
        let random = RandomState::new().build_hasher().finish();
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{random:016x}.part"));
        let part = PathBuf::from(name);
        let writer = File::create_new(&part).map_err(Error::file("making", &part))?;
        Ok((Self { part, path: path.to_owned() }, BufWriter::new(writer)))
    }

    /// Begins a file as a copy of another.
    ///
    /// # Errors
    /// [`Error::File`]: one cannot be read, or the other not be written.
    pub fn copy(from: &Path, path: &Path) -> Result<Self, Error> {
        let (new, mut writer) = Self::create(path)?;
        let mut copy = || std::io::copy(&mut File::open(from)?, &mut writer);
        copy().map_err(Error::file("copying", from))?;
        new.written(writer)?;
        Ok(new)
    }

    /// Sees to it that everything of the file is on the disk.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be written.
    pub fn written(&self, writer: BufWriter<File>) -> Result<(), Error> {
        let sync = || writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all();
        sync().map_err(Error::file("writing", &self.part))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be renamed.
    pub fn name(self) -> Result<(), Error> {
        fs::rename(&self.part, &self.path).map_err(Error::file("naming", &self.path))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a failure; once it has its name there is nothing left to remove, nor to complain about.
        drop(fs::remove_file(&self.part));
    }
}

/// Size of a file in bytes, and its SHA-256 in hexadecimal.
///
/// # Errors
/// [`Error::File`]: it cannot be read.
pub fn size_and_digest(path: &Path) -> Result<(u64, String), Error> {
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
    read().map_err(Error::file("reading", path))
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn two_that_write_the_same_file_do_not_write_into_each_others() {
        let folder = std::env::temp_dir().join(format!("twinbeam-store-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("it can be made");
        let path = folder.join("file");
        let (one, mut of_one) = NewFile::create(&path).expect("it can be made");
        let (other, mut of_other) = NewFile::create(&path).expect("it can be made");
        writeln!(of_other, "other").expect("it can be written");
        writeln!(of_one, "one, which is longer").expect("it can be written");
        other.written(of_other).expect("it is on the disk");
        other.name().expect("it gets its name");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "other\n");
        one.written(of_one).expect("it is on the disk");
        one.name().expect("it gets its name");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "one, which is longer\n");
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
        fs::remove_dir_all(folder).expect("cleaned up");
    }
}
