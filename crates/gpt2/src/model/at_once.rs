//! What a GPU computes in one piece.

use burn::tensor::Tensor;

use super::{Attention, Gpt2};
use crate::kernels::{self, Inputs, Norm};

impl Attention {
    /// Head outputs of the last `queries` positions in one kernel, where there is one that takes them: from the product with
    /// `c_attn` `[batch * pos, 3 * d_model]` to `[batch, queries, d_model]`.
    pub(super) fn z_at_once(
        &self,
        product: &Tensor<2>,
        batch: usize,
        queries: usize,
        before: Option<&[Tensor<4>; 2]>,
    ) -> Option<Tensor<3>> {
        let Self { c_attn, n_heads, scale, .. } = self;
        let [rows, width] = product.dims();
        let product = product.clone().reshape([batch, rows / batch, width]);
        let (bias, n_heads, scale) = (&c_attn.bias, *n_heads, *scale);
        kernels::attention(&Inputs { product, bias, before, n_heads, queries, scale })
    }
}

impl Gpt2 {
    /// How much further the last position of each stream, normalised, reaches along a direction than that of the
    /// first stream; `[batch, pos, d_model]` and `[d_model, 1]` to `[batch]`.
    ///
    /// Scores are differences of nearly equal numbers. The difference is taken before the sum over `d_model`, which keeps a
    /// digit that f32 would otherwise lose. No gradient flows through the first stream's part in the others.
    pub fn gain_along(&self, resid: Tensor<3>, direction: &Tensor<2>) -> Tensor<1> {
        let (weight, bias, epsilon) = (&self.ln_f.weight, &self.ln_f.bias, self.ln_f.epsilon);
        kernels::gain(resid, &Norm { weight, bias, epsilon }, direction)
    }
}
