//! A model in Python's memory as the engine's source of files.

use std::future::{Future, ready};
use std::ops::Range;

use pyo3::prelude::*;
use twinbeam_engine::{ByteSource, SourceError};

/// An object with `size(file)`, bytes or `None`, and `read(file, start, stop)`, which returns bytes. Weights are read
/// part by part, so never all of them are there twice.
pub(crate) struct InMemory(pub(crate) Py<PyAny>);

impl InMemory {
    fn size_now(&self, file: &str) -> Result<u64, SourceError> {
        let size = Python::attach(|py| {
            self.0.call_method1(py, "size", (file,))?.extract::<Option<u64>>(py)
        });
        size.map_err(failed)?.ok_or(SourceError::NotFound)
    }

    fn read_now(
        &self,
        file: &str,
        Range { start, end }: Range<u64>,
    ) -> Result<Vec<u8>, SourceError> {
        let read = |py: Python<'_>| {
            let bytes = self.0.call_method1(py, "read", (file, start, end))?;
            Ok::<_, PyErr>(bytes.extract::<&[u8]>(py)?.to_vec())
        };
        Python::attach(read).map_err(failed)
    }
}

fn failed(error: PyErr) -> SourceError {
    SourceError::Failed(error.to_string())
}

impl ByteSource for InMemory {
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>> {
        ready(self.size_now(file))
    }

    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        ready(self.read_now(file, range))
    }
}
