//! A checkpoint's bytes: which tensors a safetensors file holds, which of them are a GPT-2, and the model of them.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{DType, Tensor, TensorCreationOptions};
use safetensors::tensor::Metadata;
use twinbeam_core::models::ModelShape;

use crate::embedding::{Embedding, shard_rows};
use crate::{FileKind, Gpt2, Gpt2Config, NotTheFile, Param, Params, StoredDtype, expected_params};

/// The embedding, and the output embedding, which a tied model may store under its own name.
const EMBEDDING: &str = "wte.weight";
const HEAD: &str = "lm_head.weight";

/// Longest safetensors header that is read; GPT-2's has 14,283 bytes.
pub const MAX_HEADER_BYTES: u64 = 1 << 20;

/// Why bytes could not become a model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Something else stands in the file's place, or it is damaged.
    #[error(transparent)]
    NotTheFile(#[from] NotTheFile),
    /// The weights lack a tensor that the model needs.
    #[error("tensor {tensor:?} is missing: {way_out}")]
    MissingTensor {
        /// Checkpoint name, without prefix.
        tensor: String,
        /// What can be done about it.
        way_out: &'static str,
    },
    /// The file has a tensor that a GPT-2 does not have.
    #[error("tensor {tensor:?} is not part of a GPT-2 of this configuration: {way_out}")]
    ExtraTensor {
        /// Name in the file.
        tensor: String,
        /// What can be done about it.
        way_out: &'static str,
    },
    /// Two tensors of the weights stand for the same parameter.
    #[error(
        "tensor {tensor:?} is there twice, as {names:?}: nobody knows which is meant; keep one of them"
    )]
    DuplicateTensor {
        /// Checkpoint name, without prefix.
        tensor: String,
        /// The two names of the tensor in the file or files.
        names: [String; 2],
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor {tensor:?}: expected shape {expected:?}, got {got:?}: {DIFFERENT_MODELS}")]
    Shape {
        /// Checkpoint name.
        tensor: String,
        /// Shape that the configuration asks for.
        expected: Vec<usize>,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// A tensor is stored in a type that is not read.
    #[error(
        "tensor {tensor:?}: expected type F64, F32, F16 or BF16, got {got}: save the model in one of these, without \
         quantisation"
    )]
    Dtype {
        /// Checkpoint name.
        tensor: String,
        /// Type in the file.
        got: String,
    },
    /// A tensor holds a number that is not finite.
    #[error(
        "tensor {tensor:?}: expected finite numbers, got {got}: its training went astray, or the file is damaged"
    )]
    NotFinite {
        /// Checkpoint name.
        tensor: String,
        /// The number.
        got: f64,
    },
    /// The device or the program has not enough memory for a tensor.
    #[error("tensor {tensor:?}: no memory for {bytes} bytes")]
    Memory {
        /// Checkpoint name.
        tensor: String,
        /// Bytes that the tensor needs.
        bytes: u64,
    },
    /// The output embedding is there and is not the input embedding.
    #[error(
        "tensor \"lm_head.weight\": expected the same numbers as \"wte.weight\", got others: logits are computed from the \
         embedding, so all of them would be wrong; take a GPT-2 whose embeddings are tied"
    )]
    Untied,
    /// The header is longer than any GPT-2's.
    #[error("header: expected at most {MAX_HEADER_BYTES} bytes, got {got}: {DAMAGED}")]
    HeaderTooLarge {
        /// Length that the file claims.
        got: u64,
    },
    /// The header is not a safetensors header.
    #[error("header: expected that of a safetensors file, got another ({message}): {DAMAGED}")]
    Header {
        /// What is wrong with it.
        message: String,
    },
    /// The file is shorter or longer than its header says.
    #[error(
        "file size: expected {expected} bytes, got {got}: {}; download it again",
        if got < expected { "the download was cut off" } else { "something was added" }
    )]
    Length {
        /// Bytes that the header accounts for.
        expected: u64,
        /// Bytes of the file.
        got: u64,
    },
}

const DAMAGED: &str = "the file is damaged, or in another format; download it again";
const DIFFERENT_MODELS: &str =
    "config.json and the weights are of different models; take both from one place";
const IN_PART: &str =
    "the file holds a part of a model, or another one; take all of the model’s weights";

impl LoadError {
    /// A tensor that is not there.
    pub(crate) fn missing(tensor: &str) -> Self {
        Self::MissingTensor { tensor: tensor.to_owned(), way_out: IN_PART }
    }

    /// A tensor that no GPT-2 has.
    pub(crate) fn extra(tensor: String, shape: &ModelShape) -> Self {
        let layer =
            bare(&tensor).strip_prefix("h.").and_then(|rest| rest.split('.').next()?.parse().ok());
        let has = |part: &str| tensor.contains(part);
        let way_out = if has("lora_") || has(".base_layer.") {
            "it is of an adapter; merge that into the model first, with merge_and_unload of peft"
        } else if has("crossattention") || has("ln_cross_attn") {
            "the model’s numbers depend on an encoder’s, which is not here; take one without cross-attention"
        } else if has("score.") || has("classifier.") {
            "the model was trained to classify, not to say what comes next; take a language model"
        } else if QUANTISED.iter().any(|end| tensor.ends_with(end)) {
            "the weights are quantised; save them in 16 or 32 bits"
        } else if layer.is_some_and(|layer: usize| layer >= shape.n_layers) {
            "config.json says that there are fewer layers; take both files from one place"
        } else {
            DIFFERENT_MODELS
        };
        Self::ExtraTensor { tensor, way_out }
    }
}

/// How names of what belongs to quantised weights end.
const QUANTISED: [&str; 8] =
    [".SCB", ".qweight", ".qzeros", ".scales", ".g_idx", ".absmax", ".quant_map", ".weight_format"];

/// One tensor of a file: what it is and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Checkpoint name without prefix, for instance `h.0.attn.c_attn.weight`.
    pub name: String,
    /// Name of the tensor in the file.
    pub stored_name: String,
    /// How the numbers of the tensor are stored.
    pub dtype: StoredDtype,
    /// Shape of the tensor.
    pub dims: Vec<usize>,
    /// Bytes of the tensor in the file.
    pub range: Range<u64>,
}

impl PlannedTensor {
    /// The layer whose block the tensor is a part of; `None`: of none.
    pub fn layer(&self) -> Option<usize> {
        self.name.strip_prefix("h.")?.split('.').next()?.parse().ok()
    }

    /// Whether the tensor is the output embedding, a second copy of the embedding.
    pub fn is_head(&self) -> bool {
        self.name == HEAD
    }
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
    /// A buffer that is no parameter and no causal mask.
    Buffer(Range<u64>),
}

impl Part<'_> {
    /// Bytes of the part in the file.
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

    /// The bytes of the mask, row by row.
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
        FileKind::Weights.check(first)?;
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

    /// Compares the header of a file that holds all of a model with its configuration, before any tensor is read.
    ///
    /// # Errors
    /// Anything that [`LoadError`] names except what only the numbers can show.
    pub fn new(header: &[u8], file_len: u64, config: &Gpt2Config) -> Result<Self, LoadError> {
        let mut plan = Self::of_shard(header, file_len, config)?;
        Self::complete(&mut [&mut plan], config)?;
        Ok(plan)
    }

    /// Compares the header of a file that may hold a part of a model with its configuration, before any tensor is read.
    ///
    /// # Errors
    /// The errors of [`WeightPlan::new`], but for what may be in another file.
    pub fn of_shard(header: &[u8], file_len: u64, config: &Gpt2Config) -> Result<Self, LoadError> {
        let shape = &config.shape;
        let malformed = |message: String| LoadError::Header { message };
        let text = std::str::from_utf8(header).map_err(|source| malformed(source.to_string()))?;
        // Types are read by hand first: an unknown one should be named, not be "unknown variant".
        check_dtypes(text, shape)?;
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
        for stored_name in metadata.offset_keys() {
            let Some(info) = metadata.info(&stored_name) else { continue };
            let name = bare(&stored_name);
            let (start, end) = info.data_offsets;
            let range = data_start + start as u64..data_start + end as u64;
            if is_left_out(&stored_name, shape) {
                let dtype = format!("{:?}", info.dtype);
                let mask = CausalMask::new(&dtype, &info.shape, shape.n_ctx);
                buffers.push(Buffer { range, mask });
                continue;
            }
            let wanted = match expected.get(&name) {
                Some(dims) => dims,
                None if name == HEAD => &expected[EMBEDDING],
                None => return Err(LoadError::extra(stored_name, shape)),
            };
            if info.shape != *wanted {
                let (expected, got) = (wanted.clone(), info.shape.clone());
                return Err(LoadError::Shape { tensor: name, expected, got });
            }
            let dtype = format!("{:?}", info.dtype);
            let Some(dtype) = StoredDtype::from_id(&dtype) else {
                return Err(LoadError::Dtype { tensor: name, got: dtype });
            };
            if let Some(other) = tensors.iter().find(|tensor| tensor.name == name) {
                let names = [other.stored_name.clone(), stored_name];
                return Err(LoadError::DuplicateTensor { tensor: name, names });
            }
            let dims = info.shape.clone();
            tensors.push(PlannedTensor { name, stored_name, dtype, dims, range });
        }
        tensors.sort_by_key(|tensor| tensor.range.start);
        Ok(Self { tensors, buffers })
    }

    /// Checks that files together hold all of a model, and nothing twice. A tied model's only copy of the
    /// embedding may go by the name of the output embedding.
    ///
    /// # Errors
    /// A tensor that is missing or there twice.
    pub fn complete(plans: &mut [&mut Self], config: &Gpt2Config) -> Result<(), LoadError> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for tensor in plans.iter().flat_map(|plan| &plan.tensors) {
            let (name, stored_name) = (tensor.name.clone(), tensor.stored_name.clone());
            if let Some(other) = found.insert(name.clone(), stored_name.clone()) {
                let names = [other, stored_name];
                return Err(LoadError::DuplicateTensor { tensor: name, names });
            }
        }
        let (has_embedding, has_head) = (found.contains_key(EMBEDDING), found.contains_key(HEAD));
        if has_head && !has_embedding && config.tie_word_embeddings {
            let tensors = plans.iter_mut().flat_map(|plan| &mut plan.tensors);
            for tensor in tensors.filter(|tensor| tensor.name == HEAD) {
                EMBEDDING.clone_into(&mut tensor.name);
            }
            found.insert(EMBEDDING.to_owned(), HEAD.to_owned());
        }
        if !has_head && !config.tie_word_embeddings {
            let way_out = "config.json says that it is not the embedding (tie_word_embeddings is false), and logits are \
                           computed from it; take all of the model’s weights, or say true if they are tied";
            return Err(LoadError::MissingTensor { tensor: HEAD.to_owned(), way_out });
        }
        let expected = expected_params(&config.shape);
        match expected.into_iter().find(|(name, _)| !found.contains_key(name)) {
            Some((name, _)) => Err(LoadError::missing(&name)),
            None => Ok(()),
        }
    }

    /// Whether an output embedding is in the file beside what the model is made of.
    fn has_head(&self) -> bool {
        self.tensors.iter().any(|tensor| tensor.name == HEAD)
    }

    /// Whether some of the file's data are causal masks.
    pub fn has_masks(&self) -> bool {
        self.buffers.iter().any(|buffer| buffer.mask.is_some())
    }

    /// All of the file's data in its order; large tensors in several parts of whole rows, of about `most` bytes.
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

/// What wraps a module puts its name into the middle of those of parameters.
const WRAPPERS: [&str; 4] =
    ["_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// What holds a GPT-2 puts its name in front.
const HOLDERS: [&str; 5] = ["transformer", "module", "model", "base_model", "pretrained_model"];

/// A tensor's name without what stands in front of it for reasons that have nothing to do with the model.
fn bare(stored_name: &str) -> String {
    let parts = stored_name.split('.').filter(|part| !WRAPPERS.contains(part));
    parts.skip_while(|part| HOLDERS.contains(part)).collect::<Vec<_>>().join(".")
}

/// What a file may hold that logits do not depend on: buffers of old checkpoints, and heads beside the
/// language model's.
pub(crate) fn is_left_out(stored_name: &str, shape: &ModelShape) -> bool {
    // `h.N.attn.bias` and `h.N.attn.masked_bias`, whatever stands in front.
    let mut parts = stored_name.rsplit('.');
    if let (Some("bias" | "masked_bias"), Some("attn"), Some(layer), Some("h")) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        return layer.parse().is_ok_and(|layer: usize| layer < shape.n_layers);
    }
    let name = bare(stored_name);
    name.starts_with("multiple_choice_head.") || name.starts_with("v_head.")
}

fn check_dtypes(header: &str, shape: &ModelShape) -> Result<(), LoadError> {
    #[derive(serde::Deserialize)]
    struct Entry {
        dtype: Option<String>,
    }
    let entries: BTreeMap<String, Entry> = serde_json::from_str(header)
        .map_err(|source| LoadError::Header { message: source.to_string() })?;
    for (tensor, entry) in entries {
        // What is left out may have any type, since it is not read; `__metadata__` has none.
        let Some(got) = entry.dtype.filter(|_| !is_left_out(&tensor, shape)) else {
            continue;
        };
        if StoredDtype::from_id(&got).is_none() {
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
    values: Values,
    /// How many of its numbers have come in all.
    n_read: usize,
    is_twice: bool,
    embedding_digest: u64,
    unembedding_digest: u64,
}

impl Gpt2Builder {
    /// A builder without tensors of one or more files, for a device and a type of number.
    pub fn new<'plan>(
        config: Gpt2Config,
        plans: impl IntoIterator<Item = &'plan WeightPlan>,
        options: TensorCreationOptions,
    ) -> Self {
        Self {
            config,
            options,
            params: Params::default(),
            shards: Vec::new(),
            values: Values::Single(Vec::new()),
            n_read: 0,
            is_twice: plans.into_iter().any(WeightPlan::has_head),
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
            EMBEDDING => {
                if self.is_twice {
                    self.embedding_digest = digest(self.embedding_digest, tensor.dtype, bytes);
                }
                let d_model = self.config.shape.d_model;
                self.fill(tensor, bytes, shard_rows(d_model) * d_model)?;
            }
            HEAD => {
                self.unembedding_digest = digest(self.unembedding_digest, tensor.dtype, bytes);
            }
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
            if self.values.len() == 0 {
                // Double precision is kept where it is computed in.
                let is_double = self.options.dtype_or(DType::F32) == DType::F64;
                // Not a byte more: it is the memory that the tensor will have.
                let n = full.min(n_values - n_read);
                self.values =
                    Values::with_room(n, is_double && tensor.dtype == StoredDtype::F64).map_err(
                        |bytes| LoadError::Memory { tensor: tensor.name.clone(), bytes },
                    )?;
            }
            let before = self.values.len();
            let (now, later) = rest.split_at(rest.len().min((full - before) * width));
            self.values.take(tensor.dtype, now);
            if let Some(got) = self.values.not_finite(before) {
                return Err(LoadError::NotFinite { tensor: tensor.name.clone(), got });
            }
            let n = self.values.len();
            n_read += n - before;
            if n == full || n_read == n_values {
                self.settle(tensor)?;
            }
            rest = later;
        }
        Ok(())
    }

    /// Puts the numbers that have come on the device: a tensor, or a shard of the embedding.
    fn settle(&mut self, tensor: &PlannedTensor) -> Result<(), LoadError> {
        let values = std::mem::replace(&mut self.values, Values::Single(Vec::new()));
        let mut dims = tensor.dims.clone();
        if tensor.name == EMBEDDING {
            dims[0] = values.len() / self.config.shape.d_model;
        }
        let param = match values {
            Values::Single(values) => {
                Param::from_values(&tensor.name, &dims, values, &self.options)
            }
            Values::Double(values) => {
                Param::from_values(&tensor.name, &dims, values, &self.options)
            }
        };
        match param? {
            Param::Matrix(shard) if tensor.name == EMBEDDING => self.shards.push(shard),
            param => self.params.insert(tensor.name.clone(), param),
        }
        Ok(())
    }

    /// Makes the model of what was pushed.
    ///
    /// # Errors
    /// A tensor that was not pushed; an output embedding that is not the input embedding.
    pub fn finish(self) -> Result<Gpt2, LoadError> {
        if self.is_twice && self.unembedding_digest != self.embedding_digest {
            return Err(LoadError::Untied);
        }
        let wte = Embedding::new(self.shards).ok_or_else(|| LoadError::missing(EMBEDDING))?;
        Gpt2::with_embedding(self.config, wte, &self.params)
    }

    /// Makes a model without its blocks, of those tensors that [`PlannedTensor::layer`] gives no layer.
    ///
    /// # Errors
    /// A tensor that was not pushed.
    pub fn finish_without_blocks(self) -> Result<Gpt2, LoadError> {
        let wte = Embedding::new(self.shards).ok_or_else(|| LoadError::missing(EMBEDDING))?;
        Gpt2::without_blocks(self.config, wte, &self.params)
    }

    /// The parameters that were pushed, but for the embeddings.
    pub fn into_params(self) -> Params {
        self.params
    }
}

/// Numbers of a tensor that is being read.
#[derive(Debug)]
enum Values {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Values {
    /// None yet, with room for `n`; else the bytes that there is no memory for.
    fn with_room(n: usize, is_double: bool) -> Result<Self, u64> {
        let (mut single, mut double) = (Vec::new(), Vec::new());
        if is_double {
            double.try_reserve_exact(n).map_err(|_source| 8 * n as u64)?;
            Ok(Self::Double(double))
        } else {
            single.try_reserve_exact(n).map_err(|_source| 4 * n as u64)?;
            Ok(Self::Single(single))
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    fn take(&mut self, dtype: StoredDtype, bytes: &[u8]) {
        match self {
            Self::Single(values) => dtype.decode_into(bytes, values),
            Self::Double(values) => values.extend(dtype.decode_exactly(bytes)),
        }
    }

    /// The first number from a place on that is infinite or none at all.
    fn not_finite(&self, from: usize) -> Option<f64> {
        match self {
            Self::Single(values) => values
                .iter()
                .skip(from)
                .find(|value| !value.is_finite())
                .map(|value| f64::from(*value)),
            Self::Double(values) => {
                values.iter().skip(from).find(|value| !value.is_finite()).copied()
            }
        }
    }
}

/// The digest of nothing.
const EMPTY_DIGEST: u64 = 0xcbf2_9ce4_8422_2325;

/// Tells tensors of equal values from others without keeping either, whatever types they are stored in; not a
/// security measure.
fn digest(before: u64, dtype: StoredDtype, bytes: &[u8]) -> u64 {
    dtype.decode_exactly(bytes).fold(before, |hash, value| {
        // Zero has two signs, and one value.
        let mixed = (hash ^ (value + 0.0).to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // A product carries upwards only: without this the signs of two numbers would cancel.
        mixed ^ (mixed >> 32)
    })
}
