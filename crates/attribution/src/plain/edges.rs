//! Edges and parts of heads: full runs with hooks, one at a time.

use burn::tensor::Tensor;
use twinbeam_core::circuits::{Edge, Part, Port, Receiver, Sender};
use twinbeam_core::models::HookName;
use twinbeam_core::words::{Direction, TokenPair};
use twinbeam_gpt2::{Activations, Gpt2, Hooks};

use super::{activation, effect, ends, integrated, number, numbers, of_side, part, run};
use crate::site::{changed, put_in, sign};
use crate::{Error, RunPair};

/// Path patching of one edge: one full run in which its receiver, and nothing else, reads the sender's change too. With
/// a position, the change is at that one only.
///
/// # Errors
/// A device that fails.
pub async fn patch_edge(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    edge: Edge,
    position: Option<usize>,
    direction: Direction,
) -> Result<f32, Error> {
    let ids = of_side(tokens, changed(direction));
    let mut delta = delta(pair.model, tokens, edge.from, direction);
    if let Some(position) = position {
        let [_, pos, _] = delta.dims();
        let zeros = delta.zeros_like();
        let pieces = (0..pos).map(|i| if i == position { &delta } else { &zeros });
        let pieces = pieces.enumerate().map(|(i, of)| of.clone().narrow(1, i, 1));
        delta = Tensor::cat(pieces.collect(), 1);
    }
    let into = |added| Into { model: pair.model, to: edge.to, added, read: None, embed: None };
    let before = number(pair, run(pair, ids, &mut into(delta.zeros_like()))).await?;
    let after = number(pair, run(pair, ids, &mut into(delta))).await?;
    Ok((sign(direction) * (after - before)) as f32)
}

/// Where the rate of an edge is taken.
#[derive(Debug, Clone, Copy)]
pub struct EdgePoint {
    /// How far the embeddings have gone from the changed run's to the others'; 0 is where EAP is taken.
    pub alpha: f64,
    /// How much of the sender's change the receiver reads there.
    pub t: f64,
}

/// How fast the effect grows with the part of the sender's change that the receiver reads, by automatic differentiation:
/// EAP at the changed run, EAP-IG as its mean over `alpha`; over `t` it integrates to the exact effect.
///
/// # Errors
/// A device that fails.
pub async fn edge_rate(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    edge: Edge,
    at: EdgePoint,
    direction: Direction,
) -> Result<f32, Error> {
    let model = pair.model;
    let ids = of_side(tokens, changed(direction));
    let delta = delta(model, tokens, edge.from, direction);
    let embedded = |side| stream(model, of_side(tokens, side), HookName::Embed);
    let (from, to) = (embedded(changed(direction)), embedded(put_in(direction)));
    let embed = Some(from.clone() + (to - from) * at.alpha);
    let t = model.vector(&[at.t as f32]).reshape([1, 1, 1]).autodiff().require_grad();
    let added = delta * t.clone();
    let mut hooks = Into { model, to: edge.to, added, read: None, embed };
    let gradients = run(pair, ids, &mut hooks).backward();
    let rate = match t.grad(&gradients) {
        Some(rate) => number(pair, rate.reshape([1])).await?,
        None => 0.0,
    };
    Ok((sign(direction) * rate) as f32)
}

/// What a sender writes differently in the two runs; `[1, pos, d_model]`.
fn delta(model: &Gpt2, tokens: &TokenPair, sender: Sender, direction: Direction) -> Tensor<3> {
    let of = |side| {
        let ids = of_side(tokens, side);
        match sender {
            Sender::Embed => stream(model, ids, HookName::Embed),
            Sender::Mlp { layer } => stream(model, ids, HookName::MlpOut(layer)),
            Sender::Head { layer, head } => {
                let z = activation(model, ids, HookName::Z(layer)); // [1, pos, n_heads, d_head]
                model.head_results(layer, z).narrow(1, head, 1).squeeze_dim(1)
            }
        }
    };
    of(put_in(direction)) - of(changed(direction))
}

fn stream(model: &Gpt2, ids: &[u32], name: HookName) -> Tensor<3> {
    let (_, cache) = model.run_with_cache(model.tokens(&[ids]));
    match cache.get(name) {
        Some(Activations::Stream(stream)) => stream.clone(),
        // OK because it is asked for streams only, and a full cache has all of them.
        Some(Activations::Heads(_)) | None => unreachable!("it is a stream"),
    }
}

/// Adds something to what one receiver reads.
struct Into<'a> {
    model: &'a Gpt2,
    to: Receiver,
    /// `[1, pos, d_model]`.
    added: Tensor<3>,
    /// The residual stream that the receiver reads.
    read: Option<Tensor<3>>,
    /// Other embeddings than the run's own.
    embed: Option<Tensor<3>>,
}

impl Into<'_> {
    fn read(&self) -> Tensor<3> {
        // OK because a block's residual stream passes before what reads it.
        self.read.clone().expect("the stream was read") + self.added.clone()
    }
}

impl Hooks for Into<'_> {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        let is_read = match self.to {
            Receiver::Head { layer, .. } => name == HookName::ResidPre(layer),
            Receiver::Mlp { layer } => name == HookName::ResidMid(layer),
            Receiver::Logits => false,
        };
        if is_read {
            self.read = Some(activation.clone());
        }
        match (self.to, name) {
            (_, HookName::Embed) => self.embed.clone().unwrap_or(activation),
            (Receiver::Mlp { layer }, HookName::MlpOut(of)) if of == layer => {
                self.model.mlp_out(layer, self.read())
            }
            (Receiver::Logits, HookName::ResidPost(of))
                if of + 1 == self.model.shape().n_layers =>
            {
                activation + self.added.clone()
            }
            _ => activation,
        }
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        let Receiver::Head { layer, head, port } = self.to else {
            return activation;
        };
        if name != port_name(port, layer) {
            return activation;
        }
        let changed = self.model.queries_keys_values(layer, self.read());
        part(&changed[port as usize], &activation, 2, head)
    }
}

const fn port_name(port: Port, layer: usize) -> HookName {
    match port {
        Port::Query => HookName::Q(layer),
        Port::Key => HookName::K(layer),
        Port::Value => HookName::V(layer),
    }
}

/// The hook point of a part, and its axis of heads. An MLP's output counts as one head's, of the axis of the batch.
const fn place(part: Part, layer: usize) -> (HookName, usize) {
    match part {
        Part::Port(port) => (port_name(port, layer), 2),
        Part::Pattern => (HookName::Pattern(layer), 1),
        Part::MlpOut => (HookName::MlpOut(layer), 0),
    }
}

/// Activation patching of a part of one head, or of an MLP: one full run with it replaced.
///
/// # Errors
/// A device that fails.
pub async fn patch_part(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    of: Part,
    (layer, index): (usize, usize),
    direction: Direction,
) -> Result<f32, Error> {
    let (name, axis) = place(of, layer);
    let ends = ends(pair.model, tokens, name, direction, false);
    let with = part(&ends.to, &ends.from, axis, index);
    effect(pair, &ends, with, direction).await
}

/// Integrated gradients of a part of all heads of a layer, or of its MLP, by Gauss-Legendre nodes; 0 of them is attribution
/// patching. With `only`, the line moves that one alone.
///
/// # Errors
/// A device that fails.
pub async fn integrate_part(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    of: Part,
    layer: usize,
    direction: Direction,
    n_steps: usize,
    only: Option<usize>,
) -> Result<Vec<f32>, Error> {
    let (name, axis) = place(of, layer);
    let ends = ends(pair.model, tokens, name, direction, false);
    let shares = integrated(pair, &ends, (only, axis), n_steps, direction, 1.0);
    let sums = (0..4).filter(|of| *of != axis).fold(shares, Tensor::sum_dim);
    numbers(pair, sums).await
}
