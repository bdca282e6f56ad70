//! The sizes of a GPT-2, and what follows from them.

use serde::{Deserialize, Serialize};

/// The sizes of a GPT-2, in TransformerLens's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelShape {
    /// Transformer blocks.
    pub n_layers: usize,
    /// Attention heads per block.
    pub n_heads: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of one head; `n_heads * d_head == d_model` in GPT-2.
    pub d_head: usize,
    /// Neurons per MLP.
    pub d_mlp: usize,
    /// Longest prompt in tokens.
    pub n_ctx: usize,
    /// Number of token ids.
    pub d_vocab: usize,
}

impl ModelShape {
    /// The sizes of GPT-2 small.
    pub const GPT2_SMALL: Self = Self {
        n_layers: 12,
        n_heads: 12,
        d_model: 768,
        d_head: 64,
        d_mlp: 3072,
        n_ctx: 1024,
        d_vocab: 50_257,
    };

    /// Parameters up to which a model is computed in double precision on the CPU: scores are small differences of
    /// large numbers, and for a small model the digits cost little. Above it, f32.
    pub const MOST_DOUBLE_PARAMS: usize = 20_000_000;

    /// Number of parameters, the tied unembedding counted once; the largest number there is where there are more, as
    /// files of strangers may say.
    pub fn n_params(&self) -> usize {
        let Self { n_layers, d_model: d, d_mlp, n_ctx, d_vocab, .. } = *self;
        let times = usize::saturating_mul;
        let sum =
            |terms: &[usize]| terms.iter().fold(0, |sum: usize, term| sum.saturating_add(*term));
        let attention = sum(&[times(d, times(3, d)), times(3, d), times(d, d), d]);
        let mlp = sum(&[times(d, d_mlp), d_mlp, times(d_mlp, d), d]);
        let norms = times(4, d);
        let blocks = times(n_layers, sum(&[attention, mlp, norms]));
        sum(&[times(sum(&[d_vocab, n_ctx]), d), blocks, times(2, d)])
    }

    /// Whether a visitor would wait for so many patches without being asked: each runs a part of the model, so their
    /// number times that of the parameters counts.
    pub fn is_quick(&self, patches: usize) -> bool {
        (patches as u64).saturating_mul(self.n_params() as u64) <= 10_000_000_000
    }

    /// Whether the CPU computes a model of this size in double precision, where it is not told otherwise.
    pub fn fits_double(&self) -> bool {
        self.n_params() <= Self::MOST_DOUBLE_PARAMS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2_small_has_its_published_parameter_count() {
        let small = ModelShape::GPT2_SMALL;
        assert_eq!(small.n_params(), 124_439_808);
        assert!(!small.fits_double());
        let huge = ModelShape { n_layers: 1_000_000, d_model: usize::MAX, ..small };
        assert_eq!(huge.n_params(), usize::MAX, "and no overflow");
        assert!(!huge.fits_double() && !huge.is_quick(1));
    }
}
