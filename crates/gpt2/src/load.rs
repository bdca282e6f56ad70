use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::TensorCreationOptions;
use safetensors::tensor::Metadata;
use twinbeam_core::ModelShape;

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

/// What to read of a safetensors file, in the order of the file; causal masks are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightPlan {
    /// The tensors to read.
    pub tensors: Vec<PlannedTensor>,
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
        for full_name in metadata.offset_keys() {
            let Some(info) = metadata.info(&full_name) else { continue };
            let name = full_name.strip_prefix("transformer.").unwrap_or(&full_name).to_owned();
            if is_causal_mask(&name, shape) {
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
            let (start, end) = info.data_offsets;
            let range = data_start + start as u64..data_start + end as u64;
            tensors.push(PlannedTensor { name, dtype, dims: info.shape.clone(), range });
        }
        if let Some(name) =
            expected.keys().find(|name| !tensors.iter().any(|tensor| tensor.name == **name))
        {
            return Err(LoadError::MissingTensor { tensor: name.clone() });
        }
        tensors.sort_by_key(|tensor| tensor.range.start);
        Ok(Self { tensors })
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
fn is_causal_mask(name: &str, shape: &ModelShape) -> bool {
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
    embedding_digest: Option<u64>,
    unembedding_digest: Option<u64>,
}

impl Gpt2Builder {
    /// A builder without tensors, for a device and a type of number.
    pub fn new(config: Gpt2Config, options: TensorCreationOptions) -> Self {
        Self {
            config,
            options,
            params: Params::default(),
            embedding_digest: None,
            unembedding_digest: None,
        }
    }

    /// Takes the bytes of one tensor.
    ///
    /// # Errors
    /// Bytes of another length than planned, or numbers that are not finite.
    pub fn push(&mut self, tensor: &PlannedTensor, bytes: &[u8]) -> Result<(), LoadError> {
        let expected = tensor.range.end - tensor.range.start;
        if bytes.len() as u64 != expected {
            return Err(LoadError::Length { expected, got: bytes.len() as u64 });
        }
        let values = tensor.dtype.decode(bytes);
        if let Some(got) = values.iter().find(|value| !value.is_finite()) {
            return Err(LoadError::NotFinite { tensor: tensor.name.clone(), got: *got });
        }
        match tensor.name.as_str() {
            "wte.weight" => self.embedding_digest = Some(digest(bytes)),
            "lm_head.weight" => {
                self.unembedding_digest = Some(digest(bytes));
                return Ok(());
            }
            _ => {}
        }
        let param = Param::from_values(&tensor.name, &tensor.dims, &values, &self.options)?;
        self.params.insert(tensor.name.clone(), param);
        Ok(())
    }

    /// The model.
    ///
    /// # Errors
    /// A tensor that was not pushed; an output embedding that is not the input embedding.
    pub fn finish(self) -> Result<Gpt2, LoadError> {
        if self.unembedding_digest.is_some() && self.unembedding_digest != self.embedding_digest {
            return Err(LoadError::Untied);
        }
        Gpt2::from_params(self.config, &self.params)
    }
}

/// FNV-1a: tells equal tensors from unequal ones without keeping either; not a security measure.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
