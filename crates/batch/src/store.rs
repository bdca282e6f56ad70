//! Files on the disk: written whole or not at all, and their digests.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::Error;
use sha2::{Digest as _, Sha256};

/// Bytes that are read at a time where a file is too large to be held; whole numbers of every type.
pub const CHUNK: u64 = 1 << 20;

/// Seconds after which a file that nobody holds is one that a dead process has left: before, somebody may be about to.
const STALE_SECONDS: u64 = 60;

/// A file that gets its name when it is whole; until then, and for ever if that never happens, it has another, which no
/// other process has: a job that a cluster believes dead and starts anew may still be writing. What is no file, as
/// `/dev/stdout`, is written to as it is.
#[derive(Debug)]
pub struct NewFile {
    /// Its other name; `None`: what has the name is no file.
    part: Option<PathBuf>,
    path: PathBuf,
    /// Kept open, and so locked, as long as it is being written.
    _held: Option<File>,
}

impl NewFile {
    /// Begins a file, and gives what it is written through. What dead processes have left of the same file is removed.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be made.
    pub fn create(path: &Path) -> Result<(Self, BufWriter<File>), Error> {
        let path = path.to_owned();
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            let file = File::create(&path).map_err(Error::file("opening", &path))?;
            return Ok((Self { part: None, path, _held: None }, BufWriter::new(file)));
        }
        remove_stale(&path);
        // Keys of hash tables are random, and another pair each.
        let random = RandomState::new().build_hasher().finish();
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{random:016x}.part"));
        let part = PathBuf::from(name);
        let writer = File::create_new(&part).map_err(Error::file("making", &part))?;
        // Where files cannot be locked nothing is ever taken for stale.
        let held = writer.try_clone().ok().filter(|file| file.try_lock().is_ok());
        Ok((Self { part: Some(part), path, _held: held }, BufWriter::new(writer)))
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
        let sync = || {
            let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            if self.part.is_some() { file.sync_all() } else { Ok(()) }
        };
        sync().map_err(Error::file("writing", self.part.as_deref().unwrap_or(&self.path)))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be renamed.
    pub fn name(self) -> Result<(), Error> {
        let Some(part) = &self.part else { return Ok(()) };
        fs::rename(part, &self.path).map_err(Error::file("naming", &self.path))?;
        // The name is the folder's, which a loss of power could take back. Not every system lets folders be opened.
        if let Ok(folder) = File::open(folder_of(&self.path)) {
            drop(folder.sync_all());
        }
        Ok(())
    }
}

/// Writes a whole file.
///
/// # Errors
/// [`Error::File`]: it cannot be written. Then whatever had the name still has it.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    let (new, mut writer) = NewFile::create(path)?;
    writer.write_all(bytes.as_ref()).map_err(Error::file("writing", path))?;
    new.written(writer)?;
    new.name()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what dead processes have begun of a file: parts of it that nobody holds.
fn remove_stale(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let is_part = |other: &OsStr| {
        let rest = other.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
        let random = rest.and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(b".part"));
        random.is_some_and(|random| random.len() == 16 && random.iter().all(u8::is_ascii_hexdigit))
    };
    let is_stale = |part: &Path| -> std::io::Result<bool> {
        let file = File::open(part)?;
        let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
        Ok(age.as_secs() >= STALE_SECONDS && file.try_lock().is_ok())
    };
    for entry in fs::read_dir(folder_of(path)).into_iter().flatten().flatten() {
        if is_part(&entry.file_name()) && is_stale(&entry.path()).unwrap_or(false) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a failure; once it has its name there is nothing left to remove, nor to complain about.
        drop(self.part.as_ref().map(fs::remove_file));
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

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

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

    #[test]
    #[expect(clippy::disallowed_methods, reason = "native: the clock is there")]
    fn what_the_dead_have_left_is_removed_and_what_is_being_written_is_not() {
        let folder = std::env::temp_dir().join(format!("twinbeam-stale-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("it can be made");
        let path = folder.join("file");
        let names = || {
            let all = fs::read_dir(&folder).expect("the folder").flatten();
            let mut all: Vec<_> = all.map(|entry| entry.file_name()).collect();
            all.sort();
            all
        };
        let long_ago = SystemTime::now() - Duration::from_secs(10 * STALE_SECONDS);
        let age = |name: &Path| File::options().append(true).open(name)?.set_modified(long_ago);
        let dead = folder.join("file.0123456789abcdef.part");
        let others = ["file.part", "file.0123456789abcdeg.part", "file2.0123456789abcdef.part"];
        for name in others.map(|name| folder.join(name)).iter().chain([&dead]) {
            fs::write(name, "left").and_then(|()| age(name)).expect("it can be written");
        }
        let (alive, writer) = NewFile::create(&path).expect("it can be made");
        assert!(!dead.exists() && names().len() == others.len() + 1, "{:?}", names());
        age(alive.part.as_deref().expect("a file")).expect("it has a time");
        write(&path, "whole").expect("it can be written");
        assert_eq!(names().len(), others.len() + 2, "{:?}", names());
        alive.written(writer).and_then(|()| alive.name()).expect("it is still there");
        fs::remove_dir_all(folder).expect("cleaned up");
    }

    #[test]
    fn what_is_no_file_keeps_its_name() {
        write(Path::new("/dev/null"), "gone").expect("it takes everything");
        assert!(fs::metadata("/dev/null").is_ok_and(|there| !there.is_file()));
    }
}
