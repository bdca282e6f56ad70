use std::future::Future;
use std::ops::Range;

/// Where the bytes of a model come from: a folder, a server, a file that was dropped on the page.
///
/// Reads are ranges, so that a large file is never held whole.
pub trait ByteSource {
    /// Size of a file in bytes.
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>>;

    /// Bytes of a file; exactly the range, or an error.
    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>>;

    /// All bytes of a file of at most `most` bytes.
    fn read_all(
        &self,
        file: &str,
        most: u64,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        async move {
            let size = self.size(file).await?;
            if size > most {
                return Err(SourceError::Failed(format!(
                    "expected at most {most} bytes, got {size}"
                )));
            }
            self.read(file, 0..size).await
        }
    }
}

/// Why bytes could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// Anything else, in the words of the system or the server.
    #[error("{0}")]
    Failed(String),
}
