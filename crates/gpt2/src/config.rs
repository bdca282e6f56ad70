use serde::Deserialize;
use twinbeam_core::ModelShape;

/// What a `config.json` says of a GPT-2, as far as the numbers depend on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gpt2Config {
    /// Sizes.
    pub shape: ModelShape,
    /// Added to the variance in LayerNorm; 1e-5 in every published GPT-2.
    pub layer_norm_epsilon: f64,
    /// `<|endoftext|>`, put in front of prompts.
    pub bos_token_id: u32,
}

/// Why a `config.json` is not a GPT-2 that this crate computes exactly.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, or a field is missing or of another type.
    #[error("not a GPT-2 configuration")]
    Malformed(#[source] serde_json::Error),
    /// Another architecture, or a variant that computes something else.
    #[error("{field}: expected {expected}, got {got}")]
    Unsupported {
        /// Field of the file.
        field: &'static str,
        /// What this crate computes.
        expected: String,
        /// What the file says.
        got: String,
    },
}

/// The largest value accepted for any size; GPT-2's own largest is its vocabulary, 50,257.
const MAX_SIZE: usize = 1_000_000;

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the switches are the file's")]
struct Raw {
    model_type: String,
    n_layer: usize,
    n_head: usize,
    n_embd: usize,
    n_inner: Option<usize>,
    #[serde(alias = "n_ctx")]
    n_positions: Option<usize>,
    vocab_size: usize,
    #[serde(default = "default_epsilon")]
    layer_norm_epsilon: f64,
    #[serde(default = "default_activation")]
    activation_function: String,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    bos_token_id: Option<u32>,
}

fn default_epsilon() -> f64 {
    1e-5
}

fn default_activation() -> String {
    "gelu_new".to_owned()
}

fn yes() -> bool {
    true
}

impl Gpt2Config {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// Malformed JSON, another architecture, a variant of GPT-2 with other equations, sizes that
    /// cannot be.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ConfigError> {
        // The architecture comes first: another model's file also lacks our fields, and "missing
        // n_embd" would not tell anyone that it is a BERT.
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(ConfigError::Malformed)?;
        let model_type = value.get("model_type").and_then(serde_json::Value::as_str);
        expect("model_type", "gpt2", model_type.unwrap_or("nothing"))?;
        // `n_ctx` and `n_positions` stand in the same file in older releases, and say the same.
        let mut value = value;
        if let Some(fields) = value.as_object_mut()
            && fields.contains_key("n_positions")
        {
            fields.remove("n_ctx");
        }
        let raw: Raw = serde_json::from_value(value).map_err(ConfigError::Malformed)?;
        raw.check()
    }

    /// A configuration of a model that this project makes itself.
    pub fn new(shape: ModelShape, bos_token_id: u32) -> Self {
        Self { shape, layer_norm_epsilon: default_epsilon(), bos_token_id }
    }

    /// Writes a Hugging Face `config.json` that [`Gpt2Config::from_json`] reads back.
    pub fn to_json(&self) -> String {
        let shape = self.shape;
        let value = serde_json::json!({
            "model_type": "gpt2",
            "architectures": ["GPT2LMHeadModel"],
            "n_layer": shape.n_layers,
            "n_head": shape.n_heads,
            "n_embd": shape.d_model,
            "n_inner": shape.d_mlp,
            "n_positions": shape.n_ctx,
            "vocab_size": shape.d_vocab,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "activation_function": "gelu_new",
            "tie_word_embeddings": true,
            "bos_token_id": self.bos_token_id,
            "eos_token_id": self.bos_token_id,
        });
        format!("{value:#}\n")
    }
}

fn expect(
    field: &'static str,
    expected: impl ToString,
    got: impl ToString,
) -> Result<(), ConfigError> {
    let (expected, got) = (expected.to_string(), got.to_string());
    if expected == got { Ok(()) } else { Err(ConfigError::Unsupported { field, expected, got }) }
}

impl Raw {
    fn check(self) -> Result<Gpt2Config, ConfigError> {
        expect("model_type", "gpt2", self.model_type)?;
        expect("activation_function", "gelu_new", self.activation_function)?;
        expect("scale_attn_weights", true, self.scale_attn_weights)?;
        expect("scale_attn_by_inverse_layer_idx", false, self.scale_attn_by_inverse_layer_idx)?;
        expect("add_cross_attention", false, self.add_cross_attention)?;
        expect("tie_word_embeddings", true, self.tie_word_embeddings)?;
        let n_ctx = self.n_positions.unwrap_or(0);
        let d_mlp = self.n_inner.unwrap_or(self.n_embd.saturating_mul(4));
        let sizes = [
            ("n_layer", self.n_layer),
            ("n_head", self.n_head),
            ("n_embd", self.n_embd),
            ("n_inner", d_mlp),
            ("n_positions", n_ctx),
            ("vocab_size", self.vocab_size),
        ];
        for (field, got) in sizes {
            if !(1..=MAX_SIZE).contains(&got) {
                let expected = format!("1 to {MAX_SIZE}");
                return Err(ConfigError::Unsupported { field, expected, got: got.to_string() });
            }
        }
        if !self.n_embd.is_multiple_of(self.n_head) {
            return Err(ConfigError::Unsupported {
                field: "n_embd",
                expected: format!("a multiple of n_head {}", self.n_head),
                got: self.n_embd.to_string(),
            });
        }
        let epsilon = self.layer_norm_epsilon;
        if !(epsilon > 0.0 && epsilon < 1.0) {
            return Err(ConfigError::Unsupported {
                field: "layer_norm_epsilon",
                expected: "between 0 and 1".to_owned(),
                got: epsilon.to_string(),
            });
        }
        let shape = ModelShape {
            n_layers: self.n_layer,
            n_heads: self.n_head,
            d_model: self.n_embd,
            d_head: self.n_embd / self.n_head,
            d_mlp,
            n_ctx,
            d_vocab: self.vocab_size,
        };
        // GPT-2 begins every document with its last token.
        let bos_token_id = self.bos_token_id.unwrap_or(self.vocab_size as u32 - 1);
        Ok(Gpt2Config { shape, layer_norm_epsilon: epsilon, bos_token_id })
    }
}
