use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::ops::Range;

use serde_json::{Map, json};
use twinbeam_engine::{ByteSource, SourceError};
use twinbeam_gpt2::StoredDtype;

/// Files in memory, as a folder.
#[derive(Debug, Clone, Default)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    /// With a file more, or another one of that name.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(name.to_owned(), bytes.into());
        self
    }

    /// Without a file.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    fn find(&self, name: &str) -> Result<&Vec<u8>, SourceError> {
        self.0.get(name).ok_or(SourceError::NotFound)
    }
}

impl ByteSource for Files {
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>> {
        ready(self.find(file).map(|bytes| bytes.len() as u64))
    }

    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        let part = |bytes: &Vec<u8>| {
            let part = bytes.get(range.start as usize..range.end as usize);
            part.map(<[u8]>::to_vec).ok_or_else(|| SourceError::Failed("it ends".to_owned()))
        };
        ready(self.find(file).and_then(part))
    }
}

/// A tensor as a file stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its name in the file.
    pub name: String,
    /// Its type there.
    pub dtype: StoredDtype,
    /// Its shape.
    pub dims: Vec<usize>,
    /// Its numbers, before they are rounded to the type.
    pub values: Vec<f64>,
}

impl Stored {
    /// The same under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same in another type.
    #[must_use]
    pub fn typed(self, dtype: StoredDtype) -> Self {
        Self { dtype, ..self }
    }

    /// The same with numbers that a type holds.
    #[must_use]
    pub fn rounded(self, dtype: StoredDtype) -> Self {
        let bytes: Vec<u8> = self.values.iter().flat_map(|value| dtype.encode(*value)).collect();
        Self { values: dtype.decode_exactly(&bytes).collect(), ..self }
    }
}

/// A safetensors file.
pub fn safetensors<'a>(tensors: impl IntoIterator<Item = &'a Stored>) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for Stored { name, dtype, dims, values } in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| dtype.encode(*value)));
        let offsets = [start, data.len()];
        header.insert(
            name.clone(),
            json!({"dtype": dtype.id(), "shape": dims, "data_offsets": offsets}),
        );
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [(header.len() as u64).to_le_bytes().to_vec(), header, data].concat()
}
