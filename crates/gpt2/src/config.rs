//! What a `config.json` says of a GPT-2, and what of it is refused because it would compute something else.

use serde_json::{Map, Value};
use twinbeam_core::models::ModelShape;

use crate::damage::json_object;
use crate::{Activation, NotTheFile};

/// What a `config.json` says of a GPT-2, as far as the numbers depend on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpt2Config {
    /// Sizes of the model.
    pub shape: ModelShape,
    /// The number that LayerNorm adds to the variance; 1e-5 in every published GPT-2.
    pub layer_norm_epsilon: f64,
    /// What neurons make of their input.
    pub activation: Activation,
    /// Whether attention scores are divided by `sqrt(d_head)`.
    pub scale_attn_weights: bool,
    /// Whether the attention scores of a layer are also divided by its number, counted from 1.
    pub scale_attn_by_inverse_layer_idx: bool,
    /// Whether the unembedding is the embedding by definition, and not by its numbers.
    pub tie_word_embeddings: bool,
    /// Id of the beginning-of-sequence token that is put in front of prompts, `<|endoftext|>` in GPT-2.
    ///
    /// # Errors
    /// What the file says where that is no id of the vocabulary. The model runs all the same, without it.
    pub bos_token_id: Result<u32, NoBos>,
}

/// A beginning-of-sequence token that the model does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoBos {
    /// What the file says, as it is written there.
    pub got: String,
    /// Whether the file names one at all: neither nothing nor null.
    pub is_named: bool,
    /// Number of token ids.
    pub d_vocab: usize,
}

/// Why a `config.json` is not of a GPT-2 that this crate computes exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Something else stands in the file's place, or it is damaged.
    #[error(transparent)]
    NotTheFile(#[from] NotTheFile),
    /// The file describes another architecture, a variant that computes something else, or a value that cannot be.
    #[error("{field}: expected {expected}, got {got}: {way_out}")]
    Unsupported {
        /// Field of the file.
        field: &'static str,
        /// What this crate computes.
        expected: String,
        /// What the file says.
        got: String,
        /// What can be done about it.
        way_out: &'static str,
    },
}

/// The largest value accepted for any size; GPT-2's own largest is its vocabulary, 50,257.
const MAX_SIZE: usize = 1_000_000;

/// The id of `<|endoftext|>` where a file names none: that of the published GPT-2s, as in transformers.
const DEFAULT_BOS: u32 = 50_256;

/// Characters of a value that a message repeats.
const MOST_QUOTED: usize = 40;

const DAMAGED: &str = "the file is damaged, or another model’s: take the one beside the weights";
const OTHER_MODEL: &str =
    "its layers compute something else, so every score would be wrong: take a GPT-2";
const OTHER_FUNCTION: &str = "with another function every score would be wrong: take a GPT-2 that was trained with one of these";
const CROSS_ATTENTION: &str =
    "its numbers depend on an encoder’s, which is not part of a GPT-2: take a model without";

fn default_epsilon() -> f64 {
    1e-5
}

impl Gpt2Config {
    /// Reads a Hugging Face `config.json`. What it leaves out is as in transformers.
    ///
    /// # Errors
    /// Another file, another architecture, a variant of GPT-2 with other equations, sizes that cannot be.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ConfigError> {
        let json = json_object(bytes)?;
        // OK because it is an object; a reader that disagrees finds an empty one, and that is no GPT-2.
        let fields: Map<String, Value> = serde_json::from_slice(json).unwrap_or_default();
        Fields(&fields).read()
    }

    /// A configuration of a model that this project makes itself.
    pub fn new(shape: ModelShape, bos_token_id: u32) -> Self {
        Self {
            shape,
            layer_norm_epsilon: default_epsilon(),
            activation: Activation::GELU_NEW,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            tie_word_embeddings: true,
            bos_token_id: Ok(bos_token_id),
        }
    }

    /// Writes a Hugging Face `config.json` that [`Gpt2Config::from_json`] reads back.
    pub fn to_json(&self) -> String {
        let shape = self.shape;
        let bos = self.bos_token_id.as_ref().ok();
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
            "activation_function": self.activation.name(),
            "scale_attn_weights": self.scale_attn_weights,
            "scale_attn_by_inverse_layer_idx": self.scale_attn_by_inverse_layer_idx,
            "tie_word_embeddings": self.tie_word_embeddings,
            "bos_token_id": bos,
            "eos_token_id": bos,
        });
        format!("{value:#}\n")
    }

    /// What the attention scores of a layer are multiplied by.
    pub(crate) fn attention_scale(&self, layer: usize) -> f64 {
        let by_width =
            if self.scale_attn_weights { 1.0 / (self.shape.d_head as f64).sqrt() } else { 1.0 };
        if self.scale_attn_by_inverse_layer_idx { by_width / (layer + 1) as f64 } else { by_width }
    }
}

fn unsupported(
    field: &'static str,
    expected: impl ToString,
    got: &Value,
    way_out: &'static str,
) -> ConfigError {
    ConfigError::Unsupported { field, expected: expected.to_string(), got: quoted(got), way_out }
}

/// A value as it is written, if that is not long.
fn quoted(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MOST_QUOTED {
        return text;
    }
    text.chars().take(MOST_QUOTED).chain(['…']).collect()
}

/// The fields of a file.
struct Fields<'file>(&'file Map<String, Value>);

impl Fields<'_> {
    fn read(&self) -> Result<Gpt2Config, ConfigError> {
        // The architecture comes first: another model's file also has other fields, and "n_embd" would not
        // tell anyone that it is a BERT.
        self.check_architecture()?;
        let activation = self.activation()?;
        if self.flag("add_cross_attention", false)? {
            let got = Value::Bool(true);
            return Err(unsupported("add_cross_attention", false, &got, CROSS_ATTENTION));
        }
        let (n_layers, n_heads) = (
            self.size("n_layer", &["num_hidden_layers"], 12)?,
            self.size("n_head", &["num_attention_heads"], 12)?,
        );
        let d_model = self.size("n_embd", &["hidden_size"], 768)?;
        let d_mlp = match self.0.get("n_inner") {
            None | Some(Value::Null) => 4 * d_model,
            Some(_) => self.size("n_inner", &[], 0)?,
        };
        // `n_ctx` is what older releases wrote.
        let n_ctx = self.size("n_positions", &["max_position_embeddings", "n_ctx"], 1024)?;
        let d_vocab = self.size("vocab_size", &[], 50_257)?;
        if !d_model.is_multiple_of(n_heads) {
            let expected = format!("a multiple of n_head {n_heads}");
            return Err(unsupported("n_embd", expected, &d_model.into(), DAMAGED));
        }
        let epsilon = self.0.get("layer_norm_epsilon");
        let layer_norm_epsilon = epsilon.map_or(Some(default_epsilon()), Value::as_f64);
        let Some(layer_norm_epsilon) = layer_norm_epsilon.filter(|e| *e > 0.0 && *e < 1.0) else {
            let (expected, got) = ("a number between 0 and 1", epsilon.unwrap_or(&Value::Null));
            return Err(unsupported("layer_norm_epsilon", expected, got, DAMAGED));
        };
        Ok(Gpt2Config {
            shape: ModelShape {
                n_layers,
                n_heads,
                d_model,
                d_head: d_model / n_heads,
                d_mlp,
                n_ctx,
                d_vocab,
            },
            layer_norm_epsilon,
            activation,
            scale_attn_weights: self.flag("scale_attn_weights", true)?,
            scale_attn_by_inverse_layer_idx: self.flag("scale_attn_by_inverse_layer_idx", false)?,
            tie_word_embeddings: self.flag("tie_word_embeddings", true)?,
            bos_token_id: self.bos_token_id(d_vocab),
        })
    }

    fn check_architecture(&self) -> Result<(), ConfigError> {
        const FIELD: &str = "model_type";
        if let Some(model_type) = self.0.get(FIELD) {
            let is_gpt2 = model_type == "gpt2";
            return if is_gpt2 {
                Ok(())
            } else {
                Err(unsupported(FIELD, "gpt2", model_type, OTHER_MODEL))
            };
        }
        // The first releases wrote the architecture only, or nothing but sizes under GPT-2's names.
        let architectures = self.0.get("architectures").and_then(Value::as_array);
        let is_gpt2 = match architectures {
            Some(names) => {
                names.iter().any(|name| name.as_str().is_some_and(|n| n.starts_with("GPT2")))
            }
            None => ["n_layer", "n_head", "n_embd"].iter().all(|field| self.0.contains_key(*field)),
        };
        if is_gpt2 {
            return Ok(());
        }
        let got = architectures
            .and_then(|names| names.first())
            .cloned()
            .unwrap_or(Value::from("nothing"));
        Err(unsupported(FIELD, "gpt2", &got, OTHER_MODEL))
    }

    fn activation(&self) -> Result<Activation, ConfigError> {
        const FIELD: &str = "activation_function";
        let Some(name) = self.0.get(FIELD) else { return Ok(Activation::GELU_NEW) };
        name.as_str().and_then(Activation::from_name).ok_or_else(|| {
            let names: Vec<&str> = Activation::names().collect();
            unsupported(FIELD, format!("one of {}", names.join(", ")), name, OTHER_FUNCTION)
        })
    }

    /// A size under one of its names.
    fn size(
        &self,
        field: &'static str,
        others: &[&str],
        default: usize,
    ) -> Result<usize, ConfigError> {
        let mut names = [field].into_iter().chain(others.iter().copied());
        let Some(value) = names.find_map(|name| self.0.get(name)) else { return Ok(default) };
        let size = value.as_u64().map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        size.filter(|size| (1..=MAX_SIZE).contains(size)).ok_or_else(|| {
            unsupported(field, format!("a whole number from 1 to {MAX_SIZE}"), value, DAMAGED)
        })
    }

    /// A switch; `null` is off where that is what nothing means, and nothing certain elsewhere.
    fn flag(&self, field: &'static str, default: bool) -> Result<bool, ConfigError> {
        match self.0.get(field) {
            None => Ok(default),
            Some(Value::Null) if !default => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(unsupported(field, "true or false", other, DAMAGED)),
        }
    }

    fn bos_token_id(&self, d_vocab: usize) -> Result<u32, NoBos> {
        let default = Value::from(DEFAULT_BOS);
        let written = self.0.get("bos_token_id");
        let value = written.unwrap_or(&default);
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.filter(|id| (*id as usize) < d_vocab).ok_or_else(|| NoBos {
            got: match written {
                Some(value) => quoted(value),
                None => format!("nothing, which means {DEFAULT_BOS}"),
            },
            is_named: written.is_some_and(|value| !value.is_null()),
            d_vocab,
        })
    }
}
