//! The rest of the model after a site, for many residual streams at once.

use burn::tensor::Tensor;
use twinbeam_core::ComponentKind;
use twinbeam_gpt2::Prefix;

use crate::RunPair;
use crate::run::{Side, Site};

/// What each component of a site would add to the residual stream of the changed run.
#[expect(clippy::large_enum_variant, reason = "one for each site, passed on and never kept")]
pub(crate) enum Contributions {
    /// Written by each head; `[n_heads, pos, d_model]`.
    Heads(Tensor<3>),
    /// Activation differences `[pos, d_mlp]`, written along `[d_mlp, d_model]`.
    Neurons { difference: Tensor<2>, directions: Tensor<2> },
}

impl Contributions {
    /// Activations of `to` minus those of `from`, as they reach the residual stream from position
    /// `start` on. `None` stands for activations of zero.
    pub(crate) fn between(
        pair: &RunPair<'_>,
        site: Site,
        from: Side,
        to: Option<Side>,
        start: usize,
    ) -> Self {
        let Site { kind, layer } = site;
        let n_run = pair.n_pos - start;
        match kind {
            ComponentKind::Heads => {
                let z = |side| pair.z(layer, side).narrow(1, start, n_run);
                let difference = to.map_or_else(|| z(from).neg(), |to| z(to) - z(from));
                Self::Heads(pair.model.head_results(layer, difference).squeeze_dim(0))
            }
            ComponentKind::Neurons => {
                let post = |side| pair.post(layer, side).narrow(1, start, n_run);
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
/// first of them; `[batch, run positions, d_model]` to `[batch]`.
///
/// `prefix` holds the positions before those of `resid`.
pub(crate) fn run_suffix(
    pair: &RunPair<'_>,
    site: Site,
    prefix: &Prefix,
    resid: Tensor<3>,
) -> Tensor<1> {
    let last = match site.kind {
        ComponentKind::Heads => pair.model.last_from_mid(site.layer, resid, prefix),
        ComponentKind::Neurons => pair.model.last_from_pre(site.layer + 1, resid, prefix),
    };
    pair.measure.gain(pair.model, last)
}
