//! A model from its named parameters.

use super::blocks::Blocks;
use super::{Attention, Block, Conv1D, Gpt2, LayerNorm, Mlp};
use crate::embedding::Embedding;
use crate::{Gpt2Config, LoadError, Params};

impl Gpt2 {
    /// This model cut off after its first layers, at least one; the tensors are shared, not copied.
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

    /// A model of named parameters and an embedding apart from them; shapes are not looked at.
    pub(crate) fn with_embedding(
        config: Gpt2Config,
        wte: Embedding,
        params: &Params,
    ) -> Result<Self, LoadError> {
        let block = |layer| Block::of(&config, layer, params);
        let blocks = (0..config.shape.n_layers).map(block).collect::<Result<_, _>>()?;
        Self::with_blocks(config, wte, params, Blocks::Held(blocks))
    }

    pub(super) fn with_blocks(
        config: Gpt2Config,
        wte: Embedding,
        params: &Params,
        h: Blocks,
    ) -> Result<Self, LoadError> {
        let (wpe, ln_f) = (params.matrix("wpe.weight")?, LayerNorm::of(&config, "ln_f", params)?);
        Ok(Self { config, wte, wpe, h, ln_f })
    }
}

impl LayerNorm {
    fn of(config: &Gpt2Config, name: &str, params: &Params) -> Result<Self, LoadError> {
        Ok(Self {
            weight: params.vector(&format!("{name}.weight"))?,
            bias: params.vector(&format!("{name}.bias"))?,
            epsilon: config.layer_norm_epsilon,
        })
    }
}

impl Conv1D {
    fn of(name: &str, params: &Params) -> Result<Self, LoadError> {
        Ok(Self {
            weight: params.matrix(&format!("{name}.weight"))?,
            bias: params.vector(&format!("{name}.bias"))?,
        })
    }
}

impl Block {
    pub(super) fn of(
        config: &Gpt2Config,
        layer: usize,
        params: &Params,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            ln_1: LayerNorm::of(config, &format!("h.{layer}.ln_1"), params)?,
            attn: Attention {
                c_attn: Conv1D::of(&format!("h.{layer}.attn.c_attn"), params)?,
                c_proj: Conv1D::of(&format!("h.{layer}.attn.c_proj"), params)?,
                n_heads: config.shape.n_heads,
                scale: config.attention_scale(layer),
            },
            ln_2: LayerNorm::of(config, &format!("h.{layer}.ln_2"), params)?,
            mlp: Mlp {
                act: config.activation,
                c_fc: Conv1D::of(&format!("h.{layer}.mlp.c_fc"), params)?,
                c_proj: Conv1D::of(&format!("h.{layer}.mlp.c_proj"), params)?,
            },
        })
    }
}
