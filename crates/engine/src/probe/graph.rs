//! Questions about the model's graph: parts, direct effects, edges and circuits.

use twinbeam_attribution::{
    CostModel, Nodes, Progress, RunPair, circuits, direct, edge_positions, estimate_edges, lens,
    parts, patch_edges,
};
use twinbeam_core::circuits::{Circuit, Graph, Part, Ranking};
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::circuits::{
    CircuitCurves, EdgeEffects, EdgeOrder, HeadLens, LensSide, LensToken,
};
use twinbeam_core::wire::probes::{Finding, Probe};

use crate::{Error, Model};

/// Tokens that are told of a head, of those that it raises and of those that it lowers.
const LENS_TOKENS: usize = 5;

/// Answers a question about the model's graph.
///
/// # Panics
/// If it is about something else.
pub(super) async fn answer(
    model: &Model,
    pair: &RunPair<'_>,
    probe: &Probe,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Finding, twinbeam_attribution::Error> {
    let graph = Graph::new(pair.shape());
    Ok(match probe {
        Probe::Parts { direction } => {
            Finding::Parts(parts(pair, &Part::ALL, *direction, nodes, progress).await?)
        }
        Probe::Direct { direction } => Finding::Direct(direct(pair, *direction, progress).await?),
        Probe::Lens { layer, head } => {
            let found = lens(pair, *layer, *head).await?;
            let side = |logits: &[f32]| LensSide {
                raised: strongest(model, logits, 1.0),
                lowered: strongest(model, logits, -1.0),
            };
            let (clean, corrupted) = (side(&found.clean), side(&found.corrupted));
            Finding::Lens(HeadLens { layer: *layer, head: *head, clean, corrupted })
        }
        Probe::Edges { direction } => {
            Finding::Edges(estimate_edges(pair, *direction, nodes, progress).await?)
        }
        Probe::PatchEdges { edges, direction } => {
            let numbers: Vec<usize> = edges.iter().map(|edge| *edge as usize).collect();
            let exact = patch_edges(pair, &numbers, *direction, progress).await?;
            Finding::PatchEdges(EdgeEffects { direction: *direction, edges: edges.clone(), exact })
        }
        Probe::EdgePositions { edge, direction } => {
            let found = edge_positions(pair, *edge as usize, *direction, nodes, progress).await?;
            Finding::EdgePositions(found)
        }
        Probe::CircuitCurves { orders, sizes } => {
            let grown = |order: &EdgeOrder| {
                let ranking = ranking(graph, order);
                sizes.iter().map(|size| ranking.strongest(*size)).collect::<Vec<_>>()
            };
            let grown: Vec<Vec<Circuit>> = orders.iter().map(grown).collect();
            let all: Vec<Circuit> = grown.iter().flatten().cloned().collect();
            let found = circuits(pair, &all, progress).await?;
            let n = sizes.len().max(1);
            Finding::CircuitCurves(CircuitCurves {
                sizes: sizes.clone(),
                kept: grown.iter().map(|of| of.iter().map(Circuit::len).collect()).collect(),
                metric: found.chunks(n).map(<[f32]>::to_vec).collect(),
            })
        }
        Probe::Circuits { sets } => {
            let set =
                |edges: &Vec<u32>| Circuit::new(graph, edges.iter().map(|edge| *edge as usize));
            let sets: Vec<Circuit> = sets.iter().map(set).collect();
            Finding::Circuits(circuits(pair, &sets, progress).await?)
        }
        // OK because `probe.rs` asks for these only.
        _ => unreachable!("it is about the model's graph"),
    })
}

/// An order of all edges.
fn ranking(graph: Graph, order: &EdgeOrder) -> Ranking {
    match order {
        EdgeOrder::Listed(edges) => Ranking::listed(graph, edges.iter().map(|edge| *edge as usize)),
        EdgeOrder::Random { seed } => Ranking::random(graph, *seed),
    }
}

/// The tokens whose logits are largest, or where `sign` is negative smallest.
fn strongest(model: &Model, logits: &[f32], sign: f32) -> Vec<LensToken> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    // By index where logits are equal, so that the list is the same on every device.
    order.sort_by(|a, b| (sign * logits[*b]).total_cmp(&(sign * logits[*a])).then(a.cmp(b)));
    let strongest = order.into_iter().take(LENS_TOKENS);
    strongest
        .map(|id| LensToken {
            id: id as u32,
            text: model.token_text(id as u32),
            logits: logits[id],
        })
        .collect()
}

/// Floating-point operations that are counted on, with `n` points of each line.
///
/// # Panics
/// If the question is about something else.
pub(super) fn work(cost: &CostModel, probe: &Probe, n: usize) -> u64 {
    match probe {
        Probe::Parts { .. } => cost.parts(&Part::ALL, n),
        Probe::Direct { .. } => cost.direct(),
        Probe::Lens { .. } => cost.ablations(2),
        Probe::Edges { .. } => cost.edge_estimates(n),
        Probe::PatchEdges { edges, .. } => cost.edges(edges.iter().map(|edge| *edge as usize)),
        Probe::EdgePositions { edge, .. } => cost.edge_positions(*edge as usize, n),
        Probe::CircuitCurves { orders, sizes } => cost.circuits(orders.len() * sizes.len()),
        Probe::Circuits { sets } => cost.circuits(sets.len()),
        // OK because `probe.rs` asks for these only.
        _ => unreachable!("it is about the model's graph"),
    }
}

/// Refuses edges that are not in the model, and more than there are.
pub(super) fn check(probe: &Probe, shape: &ModelShape) -> Result<(), Error> {
    let n = Graph::new(shape).n_edges();
    let known = |edge: &u32| {
        if (*edge as usize) < n {
            return Ok(());
        }
        Err(Error::Probe(format!("there is no edge {edge}: the model has {n}, counted from 0")))
    };
    match probe {
        Probe::PatchEdges { edges, .. } => edges.iter().try_for_each(known),
        Probe::EdgePositions { edge, .. } => known(edge),
        Probe::Circuits { sets } => sets.iter().flatten().try_for_each(known),
        Probe::CircuitCurves { orders, sizes } => {
            if let Some(size) = sizes.iter().find(|size| **size > n) {
                let text = format!("{size} edges cannot be kept: the model has {n}");
                return Err(Error::Probe(text));
            }
            let listed = orders.iter().filter_map(|order| match order {
                EdgeOrder::Listed(edges) => Some(edges),
                EdgeOrder::Random { .. } => None,
            });
            listed.flatten().try_for_each(known)
        }
        _ => Ok(()),
    }
}
