//! A folder on the disk as the engine's source of a model's files.

use std::fs::File;
use std::future::{Future, ready};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use twinbeam_engine::{ByteSource, SourceError};

/// Files of a folder on the disk.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    fn open(&self, file: &str) -> Result<(File, u64), SourceError> {
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => SourceError::NotFound,
            _ => SourceError::Failed(source.to_string()),
        };
        let file = File::open(self.0.join(file)).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok((file, size))
    }

    fn read_now(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        let (mut file, _) = self.open(file)?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.seek(SeekFrom::Start(range.start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|source| SourceError::Failed(source.to_string()))?;
        Ok(bytes)
    }
}

impl ByteSource for Folder {
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>> {
        ready(self.open(file).map(|(_, size)| size))
    }

    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        ready(self.read_now(file, range))
    }
}
