//! The methods by their definitions: full runs of the model with hooks, one component or one step at
//! a time. Slow, and what the fast path is tested against.

mod edges;
mod sets;

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;
use twinbeam_core::wire::probes::Stream;
use twinbeam_core::words::{Component, ComponentKind, Direction, Side, TokenPair};
use twinbeam_gpt2::{Activations, Gpt2, Hooks};

pub use self::edges::{EdgePoint, edge_rate, integrate_part, patch_edge, patch_part};
pub use self::sets::{PlainValues, ablate_set};
use crate::run::read;
use crate::site::{changed, put_in, sign};
use crate::{Error, RunPair, gauss_legendre};

/// Tokens of the run that is changed, its activations at a hook point, and the values to put in.
struct Ends {
    tokens: Vec<u32>,
    name: HookName,
    from: Tensor<4>,
    to: Tensor<4>,
}

/// What the hook returns instead of the activation.
struct Replace {
    name: HookName,
    /// `[1, pos, components, width of one]`.
    with: Tensor<4>,
}

impl Hooks for Replace {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        if name == self.name { self.with.clone().squeeze_dim(3) } else { activation }
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if name == self.name { self.with.clone() } else { activation }
    }
}

/// Activation patching of one component: one full run with its activation replaced.
///
/// # Errors
/// A device that fails.
pub async fn patch_one(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    Component { kind, layer, index }: Component,
    direction: Direction,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, site_name(kind, layer), direction, false);
    let with = part(&ends.to, &ends.from, 2, index);
    effect(pair, &ends, with, direction).await
}

/// Activation patching of one component at one position: one full run with its activation there replaced.
///
/// # Errors
/// A device that fails.
pub async fn patch_position(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    Component { kind, layer, index }: Component,
    position: usize,
    direction: Direction,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, site_name(kind, layer), direction, false);
    let everywhere = part(&ends.to, &ends.from, 2, index);
    let with = part(&everywhere, &ends.from, 1, position);
    effect(pair, &ends, with, direction).await
}

/// The joint layer patch: one full run with every component of the layer replaced.
///
/// # Errors
/// A device that fails.
pub async fn patch_layer(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    kind: ComponentKind,
    layer: usize,
    direction: Direction,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, site_name(kind, layer), direction, false);
    effect(pair, &ends, ends.to.clone(), direction).await
}

/// One full run with a stream replaced at one position of a layer, or at all.
///
/// # Errors
/// A device that fails.
pub async fn patch_stream(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    (stream, layer): (Stream, usize),
    position: Option<usize>,
    direction: Direction,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, stream_name(stream, layer), direction, false);
    let at = |position| part(&ends.to, &ends.from, 1, position);
    effect(pair, &ends, position.map_or_else(|| ends.to.clone(), at), direction).await
}

/// The gain of the oriented metric where a layer has gone the part `alpha` of its way to the values put in: one full
/// run.
///
/// # Errors
/// A device that fails.
pub async fn gain_on_line(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    (kind, layer): (ComponentKind, usize),
    direction: Direction,
    alpha: f64,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, site_name(kind, layer), direction, false);
    let with = ends.from.clone() + (ends.to.clone() - ends.from.clone()) * alpha;
    Ok(effect(pair, &ends, with, direction).await? * sign(direction) as f32)
}

/// Integrated gradients of a layer, as captum computes them: one forward and backward pass per
/// node, the activation of the site replaced by its interpolation. With `only`, the line moves that
/// one component and the others stay, so that its score equals its patching effect.
///
/// # Errors
/// A device that fails.
pub async fn integrate_layer(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    (kind, layer): (ComponentKind, usize),
    direction: Direction,
    options: PlainOptions,
) -> Result<Vec<f32>, Error> {
    let name = site_name(kind, layer);
    let shares = shares(pair, tokens, name, direction, options, 1.0); // [1, pos, components, width]
    numbers(pair, shares.sum_dim(3).sum_dim(1)).await
}

/// Split IG of a layer: the same as [`integrate_layer`] of the line up to a part of the way.
///
/// # Errors
/// A device that fails.
pub async fn split_layer(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    (kind, layer): (ComponentKind, usize),
    direction: Direction,
    n_steps: usize,
    cut: f64,
) -> Result<Vec<f32>, Error> {
    let options = PlainOptions { n_steps, ..PlainOptions::default() };
    let shares = shares(pair, tokens, site_name(kind, layer), direction, options, cut);
    numbers(pair, shares.sum_dim(3).sum_dim(1)).await
}

/// Each position's share of the integrated gradients of one component.
///
/// # Errors
/// A device that fails.
pub async fn integrate_positions(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    Component { kind, layer, index }: Component,
    direction: Direction,
    options: PlainOptions,
) -> Result<Vec<f32>, Error> {
    let shares = shares(pair, tokens, site_name(kind, layer), direction, options, 1.0);
    numbers(pair, shares.narrow(2, index, 1).sum_dim(3)).await
}

/// Each position's share of the integrated gradients of a stream of a layer.
///
/// # Errors
/// A device that fails.
pub async fn integrate_stream(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    (stream, layer): (Stream, usize),
    direction: Direction,
    options: PlainOptions,
) -> Result<Vec<f32>, Error> {
    let shares = shares(pair, tokens, stream_name(stream, layer), direction, options, 1.0);
    numbers(pair, shares.sum_dim(2)).await
}

/// Integrated gradients of every number of an activation, for a part `to` of the way; `[1, pos, components, width of one]`.
fn shares(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    name: HookName,
    direction: Direction,
    options: PlainOptions,
    to: f64,
) -> Tensor<4> {
    let ends = ends(pair.model, tokens, name, direction, options.from_zero);
    integrated(pair, &ends, (options.only, 2), options.n_steps, direction, to)
}

/// Integrated gradients of every number of an activation between two ends, for a part `to` of the way; of one part of an
/// axis alone, if it is named.
fn integrated(
    pair: &RunPair<'_>,
    ends: &Ends,
    (only, axis): (Option<usize>, usize),
    n_steps: usize,
    direction: Direction,
    to: f64,
) -> Tensor<4> {
    let mut difference = ends.to.clone() - ends.from.clone();
    if let Some(only) = only {
        difference = part(&difference, &difference.zeros_like(), axis, only);
    }
    let difference = difference * to;
    let mut sum = difference.zeros_like();
    let nodes = match n_steps {
        // AtP: the gradient at the run that is changed.
        0 => vec![(0.0, 1.0)],
        n => gauss_legendre(n),
    };
    for (t, weight) in nodes {
        let point = (ends.from.clone() + difference.clone() * t).autodiff().require_grad();
        let mut hooks = Replace { name: ends.name, with: point.clone() };
        let gradients = run(pair, &ends.tokens, &mut hooks).backward();
        if let Some(gradient) = point.grad(&gradients) {
            sum = sum + gradient * weight;
        }
    }
    sum * difference * sign(direction)
}

/// How [`integrate_layer`] moves.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainOptions {
    /// Gauss-Legendre nodes; 0 is attribution patching.
    pub n_steps: usize,
    /// Move this component only.
    pub only: Option<usize>,
    /// Between the run that is changed and activations of zero.
    pub from_zero: bool,
}

fn ends(
    model: &Gpt2,
    tokens: &TokenPair,
    name: HookName,
    direction: Direction,
    from_zero: bool,
) -> Ends {
    let ids = of_side(tokens, changed(direction)).to_vec();
    let from = activation(model, &ids, name);
    let other = || activation(model, of_side(tokens, put_in(direction)), name);
    let to = if from_zero { from.zeros_like() } else { other() };
    Ends { tokens: ids, name, from, to }
}

fn of_side(tokens: &TokenPair, side: Side) -> &[u32] {
    match side {
        Side::Clean => tokens.clean(),
        Side::Corrupted => tokens.corrupted(),
    }
}

/// What a hook point is in a run; `[1, pos, components, width of one]`.
fn activation(model: &Gpt2, ids: &[u32], name: HookName) -> Tensor<4> {
    let (_, cache) = model.run_with_cache(model.tokens(&[ids]));
    match cache.get(name) {
        Some(Activations::Heads(z)) => z.clone(),
        Some(Activations::Stream(stream)) => stream.clone().unsqueeze_dim(3),
        // OK because a full cache has every hook point of every layer.
        None => unreachable!("it is a hook point"),
    }
}

/// One part of an axis from `to`, the others from `from`.
fn part(to: &Tensor<4>, from: &Tensor<4>, axis: usize, index: usize) -> Tensor<4> {
    some_parts(to, from, axis, &[index])
}

fn some_parts(to: &Tensor<4>, from: &Tensor<4>, axis: usize, indices: &[usize]) -> Tensor<4> {
    let pick = |i| if indices.contains(&i) { to } else { from };
    let pieces = (0..from.dims()[axis]).map(|i| pick(i).clone().narrow(axis, i, 1));
    Tensor::cat(pieces.collect(), axis)
}

fn site_name(kind: ComponentKind, layer: usize) -> HookName {
    match kind {
        ComponentKind::Heads => HookName::Z(layer),
        ComponentKind::Neurons => HookName::Post(layer),
    }
}

fn stream_name(stream: Stream, layer: usize) -> HookName {
    match stream {
        Stream::ResidPre => HookName::ResidPre(layer),
        Stream::AttnOut => HookName::AttnOut(layer),
        Stream::MlpOut => HookName::MlpOut(layer),
    }
}

/// The effect of putting an activation in, positive where it supports the clean behaviour.
async fn effect(
    pair: &RunPair<'_>,
    ends: &Ends,
    with: Tensor<4>,
    direction: Direction,
) -> Result<f32, Error> {
    let metric = |with| run(pair, &ends.tokens, &mut Replace { name: ends.name, with });
    let before = number(pair, metric(ends.from.clone())).await?;
    let after = number(pair, metric(with)).await?;
    Ok((sign(direction) * (after - before)) as f32)
}

/// The oriented metric of a full run; `[1]`.
fn run(pair: &RunPair<'_>, tokens: &[u32], hooks: &mut dyn Hooks) -> Tensor<1> {
    let model = pair.model;
    let embedded = model.embed(model.tokens(&[tokens]), hooks);
    let resid = model.run_from_pre(0, embedded, hooks);
    let last = model.final_norm(resid.narrow(1, tokens.len() - 1, 1));
    pair.measure.oriented(model, last).squeeze_dim(1)
}

async fn number(pair: &RunPair<'_>, metric: Tensor<1>) -> Result<f64, Error> {
    let data = read(pair.model, metric).await?;
    Ok(data.iter::<f64>().next().unwrap_or(f64::NAN))
}

async fn numbers(pair: &RunPair<'_>, of: Tensor<4>) -> Result<Vec<f32>, Error> {
    let data = read(pair.model, of).await?;
    Ok(data.iter::<f32>().collect())
}
