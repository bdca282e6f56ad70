//! Path patching: exact effects of edges.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Tensor;
use twinbeam_core::circuits::{Graph, Port, Receiver};
use twinbeam_core::wire::probes::circuits::EdgePositions;
use twinbeam_core::words::Direction;
use twinbeam_gpt2::indices;

use super::estimates::estimate_positions;
use super::senders::deltas;
use super::versions::{Mix, Versions};
use crate::patch::{Joining, sweep};
use crate::site::{Depth, changed};
use crate::suffix::{Contributions, Joins};
use crate::{Error, Nodes, Progress, RunPair};

/// Exact effects of some edges, by their numbers in the model's [`Graph`], in the order in which they are named: the
/// sender's change is added to what the receiver reads, and what is behind the receiver is computed anew.
///
/// # Units
/// The metric's. Positive: the edge supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, effects that are not finite.
///
/// # Panics
/// If the model has no such edge.
///
/// # Source
/// Wang et al. (2022), arXiv:2211.00593, with MLPs frozen like heads (docs/METHODS.md#edges).
pub async fn patch_edges(
    pair: &RunPair<'_>,
    edges: &[usize],
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let graph = Graph::new(pair.shape());
    let places: Vec<Place> =
        edges.iter().map(|edge| graph.ends(*edge)).map(|ends| Place::new(&graph, ends)).collect();
    let senders = || deltas(pair, direction);
    let what = || "a path-patched run".to_owned();
    patched(pair, &places, &senders, direction, &what, progress).await
}

/// What an edge carries at each token: its exact effect with the sender's change at one position at a time, and each
/// position's share of its estimates.
///
/// # Units
/// The metric's. Positive: the edge supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Panics
/// If the model has no such edge.
pub async fn edge_positions(
    pair: &RunPair<'_>,
    edge: usize,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<EdgePositions, Error> {
    let graph = Graph::new(pair.shape());
    let (sender, receiver) = graph.ends(edge);
    let start = pair.cost.shared_prefix_len();
    let n_run = pair.n_pos - start;
    // Each position is a sender of its own.
    let places: Vec<Place> =
        (0..n_run).map(|position| Place::new(&graph, (position, receiver))).collect();
    let senders = || {
        let own = deltas(pair, direction).narrow(0, sender, 1);
        let all: Vec<usize> = (0..n_run).collect();
        Contributions::by_position(pair, own).some(&all, n_run)
    };
    let what = || format!("a run path-patched at one position of {}", graph.edge(edge));
    let found = patched(pair, &places, &senders, direction, &what, progress).await?;
    let exact = [vec![0.0; start], found].concat();
    let [eap, eap_ig] = estimate_positions(pair, edge, direction, nodes, progress).await?;
    Ok(EdgePositions { edge: edge as u32, direction, exact, eap, eap_ig })
}

/// Where an edge joins, and which it is there: by its sender, so that what a sender does is computed once for the
/// receivers beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    depth: Depth,
    index: usize,
}

impl Place {
    fn new(graph: &Graph, (sender, receiver): (usize, usize)) -> Self {
        let to = graph.receiver(receiver);
        let index = match to {
            Receiver::Head { layer, .. } => {
                sender * graph.n_ports() + receiver - graph.first_of_layer(layer)
            }
            Receiver::Mlp { .. } => 2 * sender,
            // The last MLP joins at the same place.
            Receiver::Logits => 2 * sender + 1,
        };
        Self { depth: Depth::behind(to, graph.n_layers()), index }
    }
}

async fn patched(
    pair: &RunPair<'_>,
    places: &[Place],
    senders: &(dyn Fn() -> Tensor<3> + Sync),
    direction: Direction,
    what: &(dyn Fn() -> String + Sync),
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let depths: BTreeSet<Depth> = places.iter().map(|place| place.depth).collect();
    let making = || {
        let senders = senders();
        let joins = |depth: &Depth| -> (Depth, Box<dyn Joins + '_>) {
            let edges = Edges { pair, depth: *depth, direction, senders: senders.clone() };
            (*depth, Box::new(edges))
        };
        depths.iter().map(joins).collect::<Joining<'_>>()
    };
    let parts: Vec<_> = places.iter().map(|place| (place.depth, place.index)).collect();
    sweep(pair, &making, &parts, direction, what, progress).await
}

/// Edges that join at one place.
struct Edges<'a> {
    pair: &'a RunPair<'a>,
    depth: Depth,
    direction: Direction,
    /// What each sender writes differently; `[senders, run positions, d_model]`.
    senders: Tensor<3>,
}

impl Edges<'_> {
    /// What some of the senders write differently; `[senders, run positions, d_model]`.
    fn of(&self, senders: impl IntoIterator<Item = usize>) -> Tensor<3> {
        let device = self.pair.model.device();
        let senders = indices(senders.into_iter().map(|sender| sender as u32), &device);
        self.senders.clone().select(0, senders)
    }

    /// What is read at a place in the changed run, and behind it with each of some changes; `[changes, pos, d_model]` to
    /// `[1 + changes, pos, d_model]`.
    fn read(&self, at: Depth, changes: Tensor<3>) -> Tensor<3> {
        let [_, pos, _] = changes.dims();
        let unchanged = self.pair.resid(at, changed(self.direction), self.pair.n_pos - pos);
        Tensor::cat(vec![unchanged.clone(), unchanged + changes], 0)
    }

    /// What queries, keys and values of a layer that read more make their heads write more, edge by edge; `[parts, pos,
    /// d_model]`.
    fn heads_that_read(&self, layer: usize, parts: &[usize], pos: usize) -> Tensor<3> {
        let ports = Port::ALL.len();
        let of_sender = ports * self.pair.shape().n_heads;
        let senders: BTreeSet<usize> = parts.iter().map(|part| part / of_sender).collect();
        let versions: BTreeMap<usize, usize> =
            senders.iter().enumerate().map(|(at, sender)| (*sender, at + 1)).collect();
        let read = self.read(Depth::pre(layer), self.of(senders));
        let mixes: Vec<Mix> = parts
            .iter()
            .map(|part| {
                let (sender, at) = (part / of_sender, part % of_sender);
                let mut mix = Mix::unchanged(at / ports);
                mix.versions[at % ports] = versions[&sender];
                mix
            })
            .collect();
        Versions::of_streams(self.pair, layer, read).changes(&mixes, pos)
    }

    /// What the MLP of a layer writes more where it reads what senders write differently, one at a time; `[senders, pos,
    /// d_model]`.
    fn mlp_that_reads(&self, layer: usize, senders: &[usize], pos: usize) -> Tensor<3> {
        let changes = self.of(senders.iter().copied());
        let [n, n_run, _] = changes.dims();
        let read = self.read(Depth::mid(layer), changes.narrow(1, n_run - pos, pos));
        let out = self.pair.model.mlp_out(layer, read); // [1 + senders, pos, d_model]
        out.clone().narrow(0, 1, n) - out.narrow(0, 0, 1)
    }
}

impl Joins for Edges<'_> {
    fn some(&self, parts: &[usize], pos: usize) -> Tensor<3> {
        if let Some(layer) = self.depth.behind_attention() {
            return self.heads_that_read(layer, parts, pos);
        }
        let layer = self.depth.block();
        let senders = |of: usize| -> Vec<usize> {
            parts.iter().filter(|part| *part % 2 == of).map(|part| part / 2).collect()
        };
        let (mlp, logits) = (senders(0), senders(1));
        let straight = || {
            let changes = self.of(logits.iter().copied());
            let [_, n_run, _] = changes.dims();
            changes.narrow(1, n_run - pos, pos)
        };
        if logits.is_empty() {
            return self.mlp_that_reads(layer, &mlp, pos);
        }
        if mlp.is_empty() {
            return straight();
        }
        // In the order in which the parts are named.
        let both = Tensor::cat(vec![self.mlp_that_reads(layer, &mlp, pos), straight()], 0);
        let (mut of_mlp, mut of_logits) = (0..mlp.len(), mlp.len()..parts.len());
        let order = parts.iter().filter_map(|part| {
            let next = if part % 2 == 0 { of_mlp.next() } else { of_logits.next() };
            next.map(|row| row as u32)
        });
        both.select(0, indices(order, &self.pair.model.device()))
    }
}
