//! The rest of the model after a place in the residual stream, for many streams at once.

use burn::tensor::{Int, Tensor};
use twinbeam_core::words::{ComponentKind, Side};
use twinbeam_gpt2::kernels::product::product;
use twinbeam_gpt2::{Joined, indices, join};

use crate::RunPair;
use crate::site::{Depth, Half, Site};

/// What each of several parts would add to the residual stream of the changed run: each component of a site,
/// or each position.
#[derive(Clone)]
pub(crate) enum Contributions {
    /// Written by each head; `[n_heads, pos, d_model]`.
    Heads(Tensor<3>),
    /// Activation differences `[pos, d_mlp]`, written along `[d_mlp, d_model]`.
    Neurons { difference: Tensor<2>, directions: Tensor<2> },
    /// One change `[pos, d_model]`, of which each position is a part; the identity `[pos, pos]` picks them.
    Positions { difference: Tensor<2>, identity: Tensor<2> },
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

    /// The positions of a change; `[1, pos, d_model]`.
    pub(crate) fn by_position(pair: &RunPair<'_>, difference: Tensor<3>) -> Self {
        let [_, n, _] = difference.dims();
        let ones = (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0 } else { 0.0 });
        let identity = pair.model.vector(&ones.collect::<Vec<f32>>()).reshape([n, n]);
        Self::Positions { difference: difference.squeeze_dim(0), identity }
    }

    /// Number of parts.
    pub(crate) fn parts(&self) -> usize {
        match self {
            Self::Heads(results) => results.dims()[0],
            Self::Neurons { difference, .. } => difference.dims()[1],
            Self::Positions { difference, .. } => difference.dims()[0],
        }
    }

    /// Numbers per position that a gradient is looked at with.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Heads(_) | Self::Neurons { .. } => self.parts(),
            Self::Positions { .. } => 1,
        }
    }

    /// The sum of all contributions; `[1, pos, d_model]`.
    pub(crate) fn total(&self) -> Tensor<3> {
        match self {
            Self::Heads(results) => results.clone().sum_dim(0),
            Self::Neurons { difference, directions } => {
                product(difference.clone(), directions.clone(), None).unsqueeze_dim(0)
            }
            Self::Positions { difference, .. } => difference.clone().unsqueeze_dim(0),
        }
    }

    /// Indices of parts, on the device.
    fn pick(&self, parts: &[usize]) -> Tensor<1, Int> {
        let device = match self {
            Self::Heads(results) => results.device(),
            Self::Neurons { difference, .. } | Self::Positions { difference, .. } => {
                difference.device()
            }
        };
        indices(parts.iter().map(|index| *index as u32), &device)
    }

    /// Each contribution's product with gradients, summed over positions and dimensions;
    /// `[gradients, pos, d_model]` to `[gradients, parts]`.
    pub(crate) fn dot(&self, gradients: Tensor<3>) -> Tensor<2> {
        let [n, pos, d_model] = gradients.dims();
        match self {
            Self::Heads(results) => {
                let [n_heads, _, _] = results.dims();
                let results = results.clone().reshape([n_heads, pos * d_model]);
                product(gradients.reshape([n, pos * d_model]), results.transpose(), None)
            }
            Self::Neurons { difference, directions } => {
                let flat = gradients.reshape([n * pos, d_model]);
                let at_post = product(flat, directions.clone().transpose(), None); // [n * pos, d_mlp]
                let [_, d_mlp] = at_post.dims();
                let at_post = at_post.reshape([n, pos, d_mlp]);
                (at_post * difference.clone().unsqueeze_dim(0)).sum_dim(1).squeeze_dim(1)
            }
            Self::Positions { difference, .. } => {
                (gradients * difference.clone().unsqueeze_dim(0)).sum_dim(2).squeeze_dim(2)
            }
        }
    }
}

/// What streams that join a batch add to the first of it, part by part.
pub(crate) trait Joins: Send + Sync {
    /// What some parts add at the last `pos` positions; `[parts, pos, d_model]`.
    fn some(&self, parts: &[usize], pos: usize) -> Tensor<3>;

    /// Streams `[n, pos, d_model]`, and behind them the first one with each of some parts added.
    fn join(&self, streams: Tensor<3>, parts: &[usize]) -> Tensor<3> {
        let [_, pos, _] = streams.dims();
        let joined = streams.clone().narrow(0, 0, 1) + self.some(parts, pos);
        Tensor::cat(vec![streams, joined], 0)
    }
}

impl Joins for Contributions {
    fn some(&self, parts: &[usize], pos: usize) -> Tensor<3> {
        match self {
            Self::Heads(results) => Joined::Whole(results).picked(self.pick(parts), pos),
            Self::Neurons { difference, directions } => {
                Joined::Along(difference, directions).picked(self.pick(parts), pos)
            }
            Self::Positions { difference, identity } => {
                let [all, _] = difference.dims();
                let difference = difference.clone().narrow(0, all - pos, pos);
                let at = identity.clone().narrow(1, all - pos, pos); // [all, pos]
                let at = at.select(0, self.pick(parts)); // [parts, pos]
                difference.unsqueeze_dim::<3>(0) * at.unsqueeze_dim::<3>(2)
            }
        }
    }

    fn join(&self, streams: Tensor<3>, parts: &[usize]) -> Tensor<3> {
        let joined = match self {
            Self::Heads(results) => Joined::Whole(results),
            Self::Neurons { difference, directions } => Joined::Along(difference, directions),
            Self::Positions { .. } => {
                let [_, pos, _] = streams.dims();
                let joined = streams.clone().narrow(0, 0, 1) + self.some(parts, pos);
                return Tensor::cat(vec![streams, joined], 0);
            }
        };
        join(streams, joined, self.pick(parts))
    }
}

/// The gain of the oriented metric of residual streams at a place over the first of them; `[batch, run positions,
/// d_model]` to `[batch]`.
pub(crate) fn run_suffix(pair: &RunPair<'_>, depth: Depth, resid: Tensor<3>) -> Tensor<1> {
    run_sweep(pair, depth, resid, &[])
}

/// The gain of the oriented metric in one sweep through the model, which streams join at several places from `depth`
/// on: first the unchanged stream, then at each place of `joining` one per part, with its contribution added.
///
/// A stream is added to what the unchanged one has become in the same batch, so that a part which differs
/// nowhere gains exactly 0.
pub(crate) fn run_sweep(
    pair: &RunPair<'_>,
    depth: Depth,
    unchanged: Tensor<3>,
    joining: &[(Depth, &dyn Joins, Vec<usize>)],
) -> Tensor<1> {
    let [_, n_run, _] = unchanged.dims();
    let prefix = pair.prefix(pair.n_pos - n_run);
    let mut joining = joining.iter().peekable();
    let (mut streams, mut at) = (unchanged, depth); // [1 + joined, run positions, d_model]
    loop {
        if let Some((_, joins, parts)) = joining.next_if(|(place, ..)| *place == at) {
            streams = joins.join(streams, parts);
        }
        if at == Depth::pre(pair.n_layers()) {
            return pair.measure.gain(pair.model, streams);
        }
        let (half, next) = at.step();
        streams = match half {
            Half::Attention(layer) => pair.model.attend(layer, streams, prefix),
            Half::Mlp(layer) => pair.model.transform(layer, streams),
        };
        at = next;
    }
}
