//! A model from its named parameters.

use super::{Attention, Block, Conv1D, Gpt2, LayerNorm, Mlp};
use crate::embedding::Embedding;
use crate::{Gpt2Config, LoadError, Params};

impl Gpt2 {
    /// The same model cut off after its first layers, at least one; the tensors are shared, not copied.
    #[must_use]
    pub fn cut_after(&self, n_layers: usize) -> Self {
        let mut cut = self.clone();
        cut.h.truncate(n_layers.max(1));
        cut.config.shape.n_layers = cut.h.len();
        cut
    }

    /// A model of named parameters; the tensors are shared, not copied.
    ///
    /// # Errors
    /// A parameter that is missing or has another shape than `config` says.
    pub fn from_params(config: Gpt2Config, params: &Params) -> Result<Self, LoadError> {
        params.check(&config.shape)?;
        Self::with_embedding(config, Embedding::whole(params.matrix("wte.weight")?), params)
    }

    /// The same with `wte` apart; shapes are not looked at.
    pub(crate) fn with_embedding(
        config: Gpt2Config,
        wte: Embedding,
        params: &Params,
    ) -> Result<Self, LoadError> {
        let norm = |name: &str| {
            Ok::<_, LoadError>(LayerNorm {
                weight: params.vector(&format!("{name}.weight"))?,
                bias: params.vector(&format!("{name}.bias"))?,
                epsilon: config.layer_norm_epsilon,
            })
        };
        let conv = |name: &str| {
            Ok::<_, LoadError>(Conv1D {
                weight: params.matrix(&format!("{name}.weight"))?,
                bias: params.vector(&format!("{name}.bias"))?,
            })
        };
        let block = |layer: usize| {
            Ok::<_, LoadError>(Block {
                ln_1: norm(&format!("h.{layer}.ln_1"))?,
                attn: Attention {
                    c_attn: conv(&format!("h.{layer}.attn.c_attn"))?,
                    c_proj: conv(&format!("h.{layer}.attn.c_proj"))?,
                    n_heads: config.shape.n_heads,
                    scale: config.attention_scale(layer),
                },
                ln_2: norm(&format!("h.{layer}.ln_2"))?,
                mlp: Mlp {
                    act: config.activation,
                    c_fc: conv(&format!("h.{layer}.mlp.c_fc"))?,
                    c_proj: conv(&format!("h.{layer}.mlp.c_proj"))?,
                },
            })
        };
        Ok(Self {
            wte,
            wpe: params.matrix("wpe.weight")?,
            h: (0..config.shape.n_layers).map(block).collect::<Result<_, _>>()?,
            ln_f: norm("ln_f")?,
            config,
        })
    }
}
