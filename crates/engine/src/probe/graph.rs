//! Questions about the model's graph: what is made of their answers, and what is refused.

use twinbeam_attribution::{Error as MethodError, Progress, RunPair, circuits, lens, patch_edges};
use twinbeam_core::circuits::{Circuit, Graph, Ranking};
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::circuits::{
    CircuitCurves, EdgeEffects, EdgeOrder, HeadLens, LensSide, LensToken,
};
use twinbeam_core::words::Direction;

use crate::{Error, Model};

/// Tokens that are told of a head, of those that it raises and of those that it lowers.
const LENS_TOKENS: usize = 5;

/// The tokens that a head raises and lowers most.
pub(super) async fn lens_of(
    model: &Model,
    pair: &RunPair<'_>,
    layer: usize,
    head: usize,
) -> Result<HeadLens, MethodError> {
    let found = lens(pair, layer, head).await?;
    let side = |logits: &[f32]| LensSide {
        raised: strongest(model, logits, 1.0),
        lowered: strongest(model, logits, -1.0),
    };
    Ok(HeadLens { layer, head, clean: side(&found.clean), corrupted: side(&found.corrupted) })
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

/// Exact effects of some edges.
pub(super) async fn patched(
    pair: &RunPair<'_>,
    edges: &[u32],
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<EdgeEffects, MethodError> {
    let numbers: Vec<usize> = edges.iter().map(|edge| *edge as usize).collect();
    let exact = patch_edges(pair, &numbers, direction, progress).await?;
    Ok(EdgeEffects { direction, edges: edges.to_vec(), exact })
}

/// The metric of circuits of growing size, of some orders of all edges.
pub(super) async fn curves(
    pair: &RunPair<'_>,
    orders: &[EdgeOrder],
    sizes: &[usize],
    progress: &mut dyn Progress,
) -> Result<CircuitCurves, MethodError> {
    let graph = Graph::new(pair.shape());
    let grown = |order: &EdgeOrder| {
        let ranking = match order {
            EdgeOrder::Listed(edges) => {
                Ranking::listed(graph, edges.iter().map(|edge| *edge as usize))
            }
            EdgeOrder::Random { seed } => Ranking::random(graph, *seed),
        };
        sizes.iter().map(|size| ranking.strongest(*size)).collect::<Vec<_>>()
    };
    let all: Vec<Circuit> = orders.iter().flat_map(grown).collect();
    let found = circuits(pair, &all, progress).await?;
    let n = sizes.len().max(1);
    let kept: Vec<usize> = all.iter().map(Circuit::len).collect();
    Ok(CircuitCurves {
        sizes: sizes.to_vec(),
        kept: kept.chunks(n).map(<[usize]>::to_vec).collect(),
        metric: found.chunks(n).map(<[f32]>::to_vec).collect(),
    })
}

/// The metric of some circuits.
pub(super) async fn metrics(
    pair: &RunPair<'_>,
    sets: &[Vec<u32>],
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, MethodError> {
    let graph = Graph::new(pair.shape());
    let set = |edges: &Vec<u32>| Circuit::new(graph, edges.iter().map(|edge| *edge as usize));
    let sets: Vec<Circuit> = sets.iter().map(set).collect();
    circuits(pair, &sets, progress).await
}

/// Refuses edges that are not in the model.
pub(super) fn check_edges<'a>(
    edges: impl IntoIterator<Item = &'a u32>,
    shape: &ModelShape,
) -> Result<(), Error> {
    let n = Graph::new(shape).n_edges();
    let outside = edges.into_iter().find(|edge| **edge as usize >= n);
    outside.map_or(Ok(()), |edge| {
        Err(Error::Probe(format!("there is no edge {edge}: the model has {n}, counted from 0")))
    })
}

/// Refuses orders of edges that are not in the model, and more edges than there are.
pub(super) fn check_curves(
    orders: &[EdgeOrder],
    sizes: &[usize],
    shape: &ModelShape,
) -> Result<(), Error> {
    let n = Graph::new(shape).n_edges();
    if let Some(size) = sizes.iter().find(|size| **size > n) {
        return Err(Error::Probe(format!("{size} edges cannot be kept: the model has {n}")));
    }
    let listed = orders.iter().filter_map(|order| match order {
        EdgeOrder::Listed(edges) => Some(edges),
        EdgeOrder::Random { .. } => None,
    });
    check_edges(listed.flatten(), shape)
}
