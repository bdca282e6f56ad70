//! The rest of the model after a site, for many residual streams at once.

use burn::tensor::{Device, Int, Tensor, TensorData};
use twinbeam_core::ComponentKind;
use twinbeam_gpt2::{Gpt2, Prefix};

use crate::RunPair;
use crate::run::{Side, Site};

/// What each component of a site would add to the residual stream of the changed run.
#[expect(clippy::large_enum_variant, reason = "one for each site of a layer")]
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

    /// Those of some components at the last `pos` positions; `[components, pos, d_model]`.
    pub(crate) fn some(&self, components: &[usize], pos: usize) -> Tensor<3> {
        let pick = |device: &Device| {
            let ids: Vec<i32> =
                components.iter().map(|index| (*index as u32).cast_signed()).collect();
            Tensor::<1, Int>::from_data(TensorData::from(ids.as_slice()), device)
        };
        match self {
            Self::Heads(results) => {
                let [_, all, _] = results.dims();
                let ids = pick(&results.device());
                results.clone().narrow(1, all - pos, pos).select(0, ids)
            }
            Self::Neurons { difference, directions } => {
                let ids = pick(&difference.device());
                let [all, _] = difference.dims();
                let difference = difference.clone().narrow(0, all - pos, pos);
                let difference = difference.select(1, ids.clone()).transpose(); // [components, pos]
                let directions = directions.clone().select(0, ids); // [components, d_model]
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
pub(crate) fn run_suffix(
    pair: &RunPair<'_>,
    Site { kind, layer }: Site,
    resid: Tensor<3>,
) -> Tensor<1> {
    let [_, n_run, _] = resid.dims();
    let prefix = pair.prefix(pair.n_pos - n_run);
    let streams = (layer + 1..pair.n_layers())
        .fold(resid, |streams, later| to_site(pair.model, kind, later, prefix, streams));
    gain(pair, kind, streams)
}

/// The same of one sweep through the model, which streams join at several sites: first the unchanged one,
/// at the first of `joining`, then at each of them one per component, with its contribution added.
///
/// A stream is added to what the unchanged one has become in the same batch, so that a component which
/// differs nowhere gains exactly 0.
pub(crate) fn run_sweep(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    unchanged: Tensor<3>,
    joining: &[(usize, &Contributions, Vec<usize>)],
) -> Tensor<1> {
    let [_, n_run, _] = unchanged.dims();
    let prefix = pair.prefix(pair.n_pos - n_run);
    let mut joining = joining.iter().peekable();
    let mut streams = unchanged; // [1 + joined, run positions, d_model]
    let first = joining.peek().map_or(0, |(layer, ..)| *layer);
    for layer in first..pair.n_layers() {
        if layer > first {
            streams = to_site(pair.model, kind, layer, prefix, streams);
        }
        if let Some((_, contributions, components)) = joining.next_if(|(site, ..)| *site == layer) {
            let [_, pos, _] = streams.dims();
            let joined = streams.clone().narrow(0, 0, 1) + contributions.some(components, pos);
            streams = Tensor::cat(vec![streams, joined], 0);
        }
    }
    gain(pair, kind, streams)
}

/// From the site of one layer to that of the next, which is `layer`.
fn to_site(
    model: &Gpt2,
    kind: ComponentKind,
    layer: usize,
    prefix: &Prefix,
    streams: Tensor<3>,
) -> Tensor<3> {
    match kind {
        ComponentKind::Heads => model.attend(layer, model.transform(layer - 1, streams), prefix),
        ComponentKind::Neurons => model.transform(layer, model.attend(layer, streams, prefix)),
    }
}

/// From the last layer's site to the metric.
fn gain(pair: &RunPair<'_>, kind: ComponentKind, streams: Tensor<3>) -> Tensor<1> {
    let [_, pos, _] = streams.dims();
    let last = streams.narrow(1, pos - 1, 1);
    let last = match kind {
        ComponentKind::Heads => pair.model.transform(pair.n_layers() - 1, last),
        ComponentKind::Neurons => last,
    };
    pair.measure.gain(pair.model, last)
}
