//! Files on the visitor's own disk, which came with a message and are read piece by piece.

use std::ops::Range;

use js_sys::Uint8Array;
use twinbeam_engine::{ByteSource, SourceError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use crate::browser::describe;

/// Files that a visitor chose, found by their names.
#[derive(Debug)]
pub(crate) struct Chosen(pub(crate) Vec<File>);

impl Chosen {
    fn find(&self, name: &str) -> Result<&File, SourceError> {
        self.0.iter().find(|file| file.name() == name).ok_or(SourceError::NotFound)
    }
}

impl ByteSource for Chosen {
    async fn size(&self, file: &str) -> Result<u64, SourceError> {
        Ok(self.find(file)?.size() as u64)
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        let failed = |error: JsValue| SourceError::Failed(describe(&error));
        let file = self.find(file)?;
        let piece = file.slice_with_f64_and_f64(range.start as f64, range.end as f64);
        let buffer = JsFuture::from(piece.map_err(failed)?.array_buffer()).await.map_err(failed)?;
        let bytes = Uint8Array::new(&buffer);
        // A slice of a file that has become shorter is shorter, and no error.
        if u64::from(bytes.length()) != range.end - range.start {
            return Err(SourceError::Failed(format!("the file ends at byte {}", file.size())));
        }
        Ok(bytes.to_vec())
    }
}
