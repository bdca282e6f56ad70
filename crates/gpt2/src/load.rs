use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{Tensor, TensorCreationOptions};
use safetensors::tensor::Metadata;
use twinbeam_core::ModelShape;

use crate::embedding::{Embedding, shard_rows};
use crate::{Gpt2, Gpt2Config, Param, Params, StoredDtype, expected_params};

/// Longest safetensors header that is read; GPT-2's has 14,283 bytes.
pub const MAX_HEADER_BYTES: u64 = 1 << 20;

/// Why bytes could not become a model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file lacks a tensor that the model needs.
    #[error("tensor {tensor:?} is missing")]
    MissingTensor {
        /// Checkpoint name, without prefix.
        tensor: String,
    },
    /// The file has a tensor that a GPT-2 does not have.
    #[error("tensor {tensor:?} is not part of a GPT-2 of this configuration")]
    ExtraTensor {
        /// Name in the file.
        tensor: String,
    },
    /// Two tensors of the file stand for the same parameter.
    #[error("tensor {tensor:?} is there twice")]
    DuplicateTensor {
        /// Checkpoint name, without prefix.
        tensor: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor {tensor:?}: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// Checkpoint name.
        tensor: String,
        /// Shape that the configuration asks for.
        expected: Vec<usize>,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// A tensor is stored in a type that is not read.
    #[error("tensor {tensor:?}: expected type F32, F16 or BF16, got {got}")]
    Dtype {
        /// Checkpoint name.
        tensor: String,
        /// Type in the file.
        got: String,
    },
    /// A tensor holds a number that is not finite.
    #[error("tensor {tensor:?}: expected finite numbers, got {got}")]
    NotFinite {
        /// Checkpoint name.
        tensor: String,
        /// The number.
        got: f32,
    },
    /// There is not enough memory for a tensor.
    #[error("tensor {tensor:?}: no memory for {bytes} bytes")]
    Memory {
        /// Checkpoint name.
        tensor: String,
        /// What it needs.
        bytes: u64,
    },
    /// The output embedding is there and is not the input embedding.
    #[error("tensor \"lm_head.weight\": expected the same numbers as \"wte.weight\", got others")]
    Untied,
    /// The header is longer than any GPT-2's.
    #[error("header: expected at most {MAX_HEADER_BYTES} bytes, got {got}")]
    HeaderTooLarge {
        /// Length that the file claims.
        got: u64,
    },
    /// The header is not a safetensors header.
    #[error("header: not a safetensors header: {message}")]
    Header {
        /// What is wrong with it.
        message: String,
    },
    /// The file is shorter or longer than its header says.
    #[error("file size: expected {expected} bytes, got {got}")]
    Length {
        /// Bytes that the header accounts for.
        expected: u64,
        /// Bytes of the file.
        got: u64,
    },
    /// A placeholder that stands for the file in a Git repository.
    #[error("expected safetensors, got a Git LFS pointer: the file itself was not downloaded")]
    LfsPointer,
    /// A PyTorch file, which can run code when it is read.
    #[error("expected safetensors, got a Python pickle: convert the model to safetensors")]
    Pickle,
    /// A web page, as a login or error page is.
    #[error("expected safetensors, got a web page")]
    Html,
}

/// One tensor of a file: what it is and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Checkpoint name without prefix, for instance `h.0.attn.c_attn.weight`.
    pub name: String,
    /// How its numbers are stored.
    pub dtype: StoredDtype,
    /// Its shape.
    pub dims: Vec<usize>,
    /// Its bytes in the file.
    pub range: Range<u64>,
}

/// What to read of a safetensors file; causal masks are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightPlan {
    /// The tensors to read, in the order of the file.
    pub tensors: Vec<PlannedTensor>,
    /// The buffers that are no parameters.
    buffers: Vec<Buffer>,
}

/// A buffer of an old checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Buffer {
    range: Range<u64>,
    mask: Option<CausalMask>,
}

/// A stretch of a file's data, none of which is left out of [`WeightPlan::parts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'plan> {
    /// A tensor, or some of its rows.
    Tensor(&'plan PlannedTensor, Range<u64>),
    /// A causal mask, whose bytes are known without reading them.
    Mask(CausalMask, Range<u64>),
    /// Some other buffer.
    Buffer(Range<u64>),
}

impl Part<'_> {
    /// Its bytes in the file.
    pub const fn range(&self) -> &Range<u64> {
        match self {
            Self::Tensor(_, range) | Self::Mask(_, range) | Self::Buffer(range) => range,
        }
    }
}

/// The mask of `h.N.attn.bias`: ones on and below the diagonal of a square, zeros above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CausalMask {
    n_ctx: usize,
    one: &'static [u8],
}

impl CausalMask {
    fn new(dtype: &str, dims: &[usize], n_ctx: usize) -> Option<Self> {
        let one: &[u8] = match dtype {
            "F32" => &[0, 0, 0x80, 0x3f],
            "F16" => &[0, 0x3c],
            "U8" | "BOOL" => &[1],
            _ => return None,
        };
        (dims == [1, 1, n_ctx, n_ctx]).then_some(Self { n_ctx, one })
    }

    /// Its bytes, row by row.
    pub fn rows(self) -> impl Iterator<Item = Vec<u8>> {
        (1..=self.n_ctx).map(move |ones| {
            let mut row = self.one.repeat(ones);
            row.resize(self.n_ctx * self.one.len(), 0);
            row
        })
    }
}

impl WeightPlan {
    /// Length of the JSON header from the first bytes of a file; it follows the first 8.
    ///
    /// # Errors
    /// A file that is recognised as something else, too short, or whose header is too long.
    pub fn header_len(first: &[u8], file_len: u64) -> Result<u64, LoadError> {
        recognise(first)?;
        let Some(length) = first.first_chunk::<8>() else {
            return Err(LoadError::Length { expected: 8, got: file_len });
        };
        let length = u64::from_le_bytes(*length);
        if length > MAX_HEADER_BYTES {
            return Err(LoadError::HeaderTooLarge { got: length });
        }
        if 8 + length > file_len {
            return Err(LoadError::Length { expected: 8 + length, got: file_len });
        }
        Ok(length)
    }

    /// Compares a header with a configuration before any tensor is read.
    ///
    /// # Errors
    /// Anything that [`LoadError`] names except what only the numbers can show.
    pub fn new(header: &[u8], file_len: u64, shape: &ModelShape) -> Result<Self, LoadError> {
        let malformed = |message: String| LoadError::Header { message };
        let text = std::str::from_utf8(header).map_err(|source| malformed(source.to_string()))?;
        // Types are read by hand first: an unknown one should be named, not be "unknown variant".
        check_dtypes(text)?;
        let metadata: Metadata =
            serde_json::from_str(text).map_err(|source| malformed(source.to_string()))?;
        let data_start = 8 + header.len() as u64;
        let expected_len = data_start + metadata.data_len() as u64;
        if expected_len != file_len {
            return Err(LoadError::Length { expected: expected_len, got: file_len });
        }
        let expected: BTreeMap<String, Vec<usize>> = expected_params(shape).into_iter().collect();
        let mut tensors: Vec<PlannedTensor> = Vec::with_capacity(expected.len());
        let mut buffers = Vec::new();
        for full_name in metadata.offset_keys() {
            let Some(info) = metadata.info(&full_name) else { continue };
            let name = full_name.strip_prefix("transformer.").unwrap_or(&full_name).to_owned();
            let (start, end) = info.data_offsets;
            let range = data_start + start as u64..data_start + end as u64;
            if is_buffer(&name, shape) {
                let dtype = format!("{:?}", info.dtype);
                let mask = CausalMask::new(&dtype, &info.shape, shape.n_ctx);
                buffers.push(Buffer { range, mask });
                continue;
            }
            let wanted = match expected.get(&name) {
                Some(dims) => dims,
                None if name == "lm_head.weight" => &expected["wte.weight"],
                None => return Err(LoadError::ExtraTensor { tensor: full_name }),
            };
            if info.shape != *wanted {
                let (expected, got) = (wanted.clone(), info.shape.clone());
                return Err(LoadError::Shape { tensor: name, expected, got });
            }
            let dtype = format!("{:?}", info.dtype);
            let Some(dtype) = StoredDtype::from_id(&dtype) else {
                return Err(LoadError::Dtype { tensor: name, got: dtype });
            };
            if tensors.iter().any(|tensor| tensor.name == name) {
                return Err(LoadError::DuplicateTensor { tensor: name });
            }
            tensors.push(PlannedTensor { name, dtype, dims: info.shape.clone(), range });
        }
        if let Some(name) =
            expected.keys().find(|name| !tensors.iter().any(|tensor| tensor.name == **name))
        {
            return Err(LoadError::MissingTensor { tensor: name.clone() });
        }
        tensors.sort_by_key(|tensor| tensor.range.start);
        Ok(Self { tensors, buffers })
    }

    /// Whether some of the file's data are causal masks.
    pub fn has_masks(&self) -> bool {
        self.buffers.iter().any(|buffer| buffer.mask.is_some())
    }

    /// All of the file's data in its order, large tensors in several parts of whole rows, of about
    /// `most` bytes at most.
    pub fn parts(&self, most: u64) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        for tensor in &self.tensors {
            let Range { start, end } = tensor.range;
            let row = tensor.dims.iter().skip(1).product::<usize>() * tensor.dtype.bytes();
            let step = (most / row.max(1) as u64).max(1) * row.max(1) as u64;
            let mut at = start;
            while at < end {
                let next = at.saturating_add(step).min(end);
                parts.push(Part::Tensor(tensor, at..next));
                at = next;
            }
        }
        parts.extend(self.buffers.iter().map(|Buffer { range, mask }| match mask {
            Some(mask) => Part::Mask(*mask, range.clone()),
            None => Part::Buffer(range.clone()),
        }));
        parts.sort_by_key(|part| part.range().start);
        parts
    }
}

/// Names files that people mistake for safetensors.
fn recognise(first: &[u8]) -> Result<(), LoadError> {
    if first.starts_with(b"version https://git-lfs") || first.starts_with(b"version ") {
        return Err(LoadError::LfsPointer);
    }
    // A PyTorch file is a zip archive, or in older versions a bare pickle of protocol 2 and up.
    let bare_pickle = first.len() > 1 && first[0] == 0x80 && (2..=5).contains(&first[1]);
    let is_length = first.len() >= 8 && first[2..8].iter().all(|byte| *byte == 0);
    if first.starts_with(b"PK\x03\x04") || (bare_pickle && !is_length) {
        return Err(LoadError::Pickle);
    }
    let start = first.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    if first[start..].starts_with(b"<") && !is_length {
        return Err(LoadError::Html);
    }
    Ok(())
}

/// `h.N.attn.bias` and `h.N.attn.masked_bias`: buffers of old checkpoints, not parameters.
fn is_buffer(name: &str, shape: &ModelShape) -> bool {
    let layer = name
        .strip_prefix("h.")
        .and_then(|rest| {
            rest.strip_suffix(".attn.bias").or_else(|| rest.strip_suffix(".attn.masked_bias"))
        })
        .and_then(|layer| layer.parse::<usize>().ok());
    layer.is_some_and(|layer| layer < shape.n_layers)
}

fn check_dtypes(header: &str) -> Result<(), LoadError> {
    #[derive(serde::Deserialize)]
    struct Entry {
        dtype: Option<String>,
    }
    let entries: BTreeMap<String, Entry> = serde_json::from_str(header)
        .map_err(|source| LoadError::Header { message: source.to_string() })?;
    for (tensor, entry) in entries {
        // Buffers may have any type, since they are not read; `__metadata__` has none.
        let Some(got) = entry.dtype.filter(|_| !tensor.contains(".attn.bias")) else {
            continue;
        };
        let skipped = tensor.ends_with(".attn.masked_bias");
        if !skipped && StoredDtype::from_id(&got).is_none() {
            return Err(LoadError::Dtype { tensor, got });
        }
    }
    Ok(())
}

/// Collects the tensors of a [`WeightPlan`] on a device and makes the model of them.
#[derive(Debug)]
pub struct Gpt2Builder {
    config: Gpt2Config,
    options: TensorCreationOptions,
    params: Params,
    shards: Vec<Tensor<2>>,
    /// What has come of the tensor that is being read.
    values: Vec<f32>,
    /// How many of its numbers have come in all.
    n_read: usize,
    is_twice: bool,
    embedding_digest: u64,
    unembedding_digest: u64,
}

impl Gpt2Builder {
    /// A builder without tensors, for a device and a type of number.
    pub fn new(config: Gpt2Config, plan: &WeightPlan, options: TensorCreationOptions) -> Self {
        Self {
            config,
            options,
            params: Params::default(),
            shards: Vec::new(),
            values: Vec::new(),
            n_read: 0,
            is_twice: plan.tensors.iter().any(|tensor| tensor.name == "lm_head.weight"),
            embedding_digest: EMPTY_DIGEST,
            unembedding_digest: EMPTY_DIGEST,
        }
    }

    /// Takes the next bytes of a tensor: all of it, or whole rows in their order.
    ///
    /// # Errors
    /// More bytes than planned, or numbers that are not finite.
    pub fn push(&mut self, tensor: &PlannedTensor, bytes: &[u8]) -> Result<(), LoadError> {
        let (width, n_values) = (tensor.dtype.bytes(), tensor.dims.iter().product::<usize>());
        let n_read = self.n_read + bytes.len() / width;
        if n_read > n_values || !bytes.len().is_multiple_of(width) {
            let expected = tensor.range.end - tensor.range.start;
            return Err(LoadError::Length { expected, got: (n_read * width) as u64 });
        }
        match tensor.name.as_str() {
            "wte.weight" => {
                if self.is_twice {
                    self.embedding_digest = digest(self.embedding_digest, bytes);
                }
                let d_model = self.config.shape.d_model;
                self.fill(tensor, bytes, shard_rows(d_model) * d_model)?;
            }
            "lm_head.weight" => self.unembedding_digest = digest(self.unembedding_digest, bytes),
            _ => self.fill(tensor, bytes, n_values)?,
        }
        self.n_read = if n_read == n_values { 0 } else { n_read };
        Ok(())
    }

    /// Adds numbers to those of the tensor that have come, and puts every `full` of them, and what is left
    /// at its end, on the device.
    fn fill(&mut self, tensor: &PlannedTensor, bytes: &[u8], full: usize) -> Result<(), LoadError> {
        let n_values = tensor.dims.iter().product::<usize>();
        let (width, mut n_read, mut rest) = (tensor.dtype.bytes(), self.n_read, bytes);
        while !rest.is_empty() {
            if self.values.is_empty() {
                // Not a byte more: it is the memory that the tensor will have.
                let n = full.min(n_values - n_read);
                self.values.try_reserve_exact(n).map_err(|_source| LoadError::Memory {
                    tensor: tensor.name.clone(),
                    bytes: 4 * n as u64,
                })?;
            }
            let before = self.values.len();
            let (now, later) = rest.split_at(rest.len().min((full - before) * width));
            tensor.dtype.decode_into(now, &mut self.values);
            let new = self.values.get(before..).unwrap_or_default();
            if let Some(got) = new.iter().find(|value| !value.is_finite()) {
                return Err(LoadError::NotFinite { tensor: tensor.name.clone(), got: *got });
            }
            n_read += new.len();
            if self.values.len() == full || n_read == n_values {
                self.settle(tensor)?;
            }
            rest = later;
        }
        Ok(())
    }

    /// Puts the numbers that have come on the device: a tensor, or a shard of the embedding.
    fn settle(&mut self, tensor: &PlannedTensor) -> Result<(), LoadError> {
        let values = std::mem::take(&mut self.values);
        let mut dims = tensor.dims.clone();
        if tensor.name == "wte.weight" {
            dims[0] = values.len() / self.config.shape.d_model;
        }
        let param = Param::from_values(&tensor.name, &dims, values, &self.options)?;
        match param {
            Param::Matrix(shard) if tensor.name == "wte.weight" => self.shards.push(shard),
            param => self.params.insert(tensor.name.clone(), param),
        }
        Ok(())
    }

    /// The model.
    ///
    /// # Errors
    /// A tensor that was not pushed; an output embedding that is not the input embedding.
    pub fn finish(self) -> Result<Gpt2, LoadError> {
        if self.is_twice && self.unembedding_digest != self.embedding_digest {
            return Err(LoadError::Untied);
        }
        let missing = || LoadError::MissingTensor { tensor: "wte.weight".to_owned() };
        let wte = Embedding::new(self.shards).ok_or_else(missing)?;
        Gpt2::with_embedding(self.config, wte, &self.params)
    }
}

/// The digest of nothing.
const EMPTY_DIGEST: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: tells equal tensors from unequal ones without keeping either; not a security measure.
fn digest(before: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(before, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
