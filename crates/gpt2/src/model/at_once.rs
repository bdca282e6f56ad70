//! What a GPU computes in one piece.

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;

use super::{Attention, Gpt2};
use crate::kernels::{self, Inputs, Norm};
use crate::{Hooks, Prefix};

impl Attention {
    /// Head outputs of the last positions in one kernel, where there is one that takes them and no hook changes what is inside:
    /// from the product with `c_attn` `[batch * pos, 3 * d_model]` to `[batch, queries, n_heads, d_head]`.
    pub(super) fn z_at_once(
        &self,
        layer: usize,
        product: &Tensor<2>,
        [batch, queries]: [usize; 2],
        prefix: &Prefix,
        hooks: &mut dyn Hooks,
    ) -> Option<Tensor<4>> {
        let parts = [HookName::Q(layer), HookName::K(layer), HookName::V(layer)];
        let is_changed = parts.iter().any(|name| hooks.replaces(*name));
        if is_changed || hooks.reads(HookName::Pattern(layer)) {
            return None;
        }
        let Self { c_attn, n_heads, scale, .. } = self;
        let [rows, width] = product.dims();
        let (pos, d_model) = (rows / batch, width / 3);
        let d_head = d_model / n_heads;
        let z = kernels::attention(&Inputs {
            product: product.clone().reshape([batch, pos, width]),
            bias: &c_attn.bias,
            before: prefix.of(layer),
            n_heads: *n_heads,
            queries,
            scale: *scale,
        })?;
        if parts.iter().any(|name| hooks.reads(*name)) {
            let qkv = c_attn.with_bias(product.clone()).reshape([batch, pos, width]);
            for (index, name) in parts.into_iter().enumerate() {
                if !hooks.reads(name) {
                    continue;
                }
                let part = qkv.clone().narrow(2, index * d_model, d_model);
                hooks.heads(name, part.reshape([batch, pos, *n_heads, d_head]));
            }
        }
        Some(z.reshape([batch, queries, *n_heads, d_head]))
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
