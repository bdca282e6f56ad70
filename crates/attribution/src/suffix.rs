//! The rest of the model after a site, for many residual streams at once.

use burn::tensor::Tensor;
use twinbeam_core::{ComponentKind, ModelShape};
use twinbeam_gpt2::NoHooks;

use crate::RunPair;
use crate::run::{Side, Site};

/// Memory that one batch may take, in bytes. Small enough for a browser's heap, large enough that
/// the matrix products are large.
const BATCH_BYTES: usize = 192 << 20;

/// Work of patching one layer, in residual streams times blocks run.
pub fn patch_work(shape: &ModelShape, kind: ComponentKind, layer: usize, n_pos: usize) -> u64 {
    let width = kind.width(shape);
    // Every batch also runs the unchanged stream.
    let rows = width + width.div_ceil(batch_rows(shape, n_pos, false));
    rows as u64 * blocks_after(shape, kind, layer)
}

/// Work of integrating one layer in `n_steps` steps, likewise; a backward pass counts twice.
pub fn integral_work(shape: &ModelShape, kind: ComponentKind, layer: usize, n_steps: usize) -> u64 {
    3 * (n_steps as u64 + 2) * blocks_after(shape, kind, layer)
}

/// Blocks that a batch runs through after a site; half a block is still one read-back.
pub(crate) fn blocks_after(shape: &ModelShape, kind: ComponentKind, layer: usize) -> u64 {
    let own = u64::from(kind == ComponentKind::Heads);
    (shape.n_layers - layer) as u64 - 1 + own + 1
}

/// Residual streams per batch.
pub(crate) fn batch_rows(shape: &ModelShape, n_pos: usize, gradients: bool) -> usize {
    // Per position: what one block holds at its widest, or, for gradients, what all of them keep.
    let per_block = 8 * shape.d_mlp + 16 * shape.d_model + 4 * shape.n_heads * n_pos;
    let kept = if gradients { shape.n_layers } else { 1 };
    (BATCH_BYTES / (4 * n_pos * per_block * kept)).clamp(1, 256)
}

/// What each component of a site would add to the residual stream of the changed run.
#[expect(clippy::large_enum_variant, reason = "one for each site, passed on and never kept")]
pub(crate) enum Contributions {
    /// Written by each head; `[n_heads, pos, d_model]`.
    Heads(Tensor<3>),
    /// Activation differences `[pos, d_mlp]`, written along `[d_mlp, d_model]`.
    Neurons { difference: Tensor<2>, directions: Tensor<2> },
}

impl Contributions {
    /// Activations of `to` minus those of `from`, as they reach the residual stream. `None` stands
    /// for activations of zero.
    pub(crate) fn between(pair: &RunPair<'_>, site: Site, from: Side, to: Option<Side>) -> Self {
        let Site { kind, layer } = site;
        match kind {
            ComponentKind::Heads => {
                let z = |side| pair.z(layer, side);
                let difference = to.map_or_else(|| z(from).neg(), |to| z(to) - z(from));
                Self::Heads(pair.model.head_results(layer, difference).squeeze_dim(0))
            }
            ComponentKind::Neurons => {
                let post = |side| pair.post(layer, side);
                let difference = to.map_or_else(|| post(from).neg(), |to| post(to) - post(from));
                let directions = pair.model.neuron_directions(layer);
                Self::Neurons { difference: difference.squeeze_dim(0), directions }
            }
        }
    }

    /// All of them together; `[1, pos, d_model]`.
    pub(crate) fn total(&self) -> Tensor<3> {
        match self {
            Self::Heads(results) => results.clone().sum_dim(0),
            Self::Neurons { difference, directions } => {
                difference.clone().matmul(directions.clone()).unsqueeze_dim(0)
            }
        }
    }

    /// Those of some components; `[len, pos, d_model]`.
    pub(crate) fn some(&self, start: usize, len: usize) -> Tensor<3> {
        match self {
            Self::Heads(results) => results.clone().narrow(0, start, len),
            Self::Neurons { difference, directions } => {
                let difference = difference.clone().narrow(1, start, len).transpose(); // [len, pos]
                let directions = directions.clone().narrow(0, start, len); // [len, d_model]
                difference.unsqueeze_dim::<3>(2) * directions.unsqueeze_dim::<3>(1)
            }
        }
    }

    /// Each contribution's product with gradients, summed over positions and dimensions;
    /// `[gradients, pos, d_model]` to `[gradients, components]`.
    pub(crate) fn dot(&self, gradients: Tensor<3>) -> Tensor<2> {
        let [n, pos, d_model] = gradients.dims();
        match self {
            Self::Heads(results) => {
                let [n_heads, _, _] = results.dims();
                let results = results.clone().reshape([n_heads, pos * d_model]);
                gradients.reshape([n, pos * d_model]).matmul(results.transpose())
            }
            Self::Neurons { difference, directions } => {
                let flat = gradients.reshape([n * pos, d_model]);
                let at_post = flat.matmul(directions.clone().transpose()); // [n * pos, d_mlp]
                let [_, d_mlp] = at_post.dims();
                let at_post = at_post.reshape([n, pos, d_mlp]);
                (at_post * difference.clone().unsqueeze_dim(0)).sum_dim(1).squeeze_dim(1)
            }
        }
    }
}

/// By how much the oriented metric of residual streams that leave a site is more than that of the
/// first of them; `[batch, pos, d_model]` to `[batch]`.
pub(crate) fn run_suffix(pair: &RunPair<'_>, site: Site, resid: Tensor<3>) -> Tensor<1> {
    let last = match site.kind {
        ComponentKind::Heads => pair.model.run_from_mid(site.layer, resid, &mut NoHooks),
        ComponentKind::Neurons => pair.model.run_from_pre(site.layer + 1, resid, &mut NoHooks),
    };
    pair.measure.gain(pair.model, last)
}
