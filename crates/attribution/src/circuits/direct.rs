//! What goes straight to the logits: exactly, with a frozen LayerNorm, and token by token.

use burn::tensor::Tensor;
use twinbeam_core::circuits::{Graph, Sender};
use twinbeam_core::wire::probes::circuits::{DirectEffects, DirectMap};
use twinbeam_core::words::{ComponentKind, Direction, Side};

use super::paths::patch_edges;
use super::senders::deltas;
use crate::error::finite;
use crate::metric::Measure;
use crate::patch::{Joining, sweep};
use crate::run::read;
use crate::site::{Depth, Site, changed, put_in, sign};
use crate::suffix::{Contributions, Joins as _};
use crate::{Error, Progress, RunPair};

/// What goes straight to the logits, of every head, MLP and neuron: its direct path patched, with the final LayerNorm
/// computed anew; and beside it direct logit attribution, which keeps that LayerNorm's scale.
///
/// # Units
/// The metric's. Positive: the component supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// docs/METHODS.md#direct-effects.
pub async fn direct(
    pair: &RunPair<'_>,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<DirectEffects, Error> {
    let graph = Graph::new(pair.shape());
    let n_layers = graph.n_layers();
    let of_kind = |is_it: fn(Sender) -> bool| -> Vec<usize> {
        (0..graph.n_senders()).filter(|number| is_it(graph.sender(*number))).collect()
    };
    let heads = of_kind(|sender| matches!(sender, Sender::Head { .. }));
    let mlps = of_kind(|sender| matches!(sender, Sender::Mlp { .. }));
    // The logits are the last receiver, and every sender has an edge into them.
    let logits = graph.offset(graph.n_receivers() - 1);
    let edges: Vec<usize> = heads.iter().chain(&mlps).map(|sender| logits + sender).collect();
    let mut exact = patch_edges(pair, &edges, direction, progress).await?;
    let exact_mlps = exact.split_off(heads.len());
    let mut neurons =
        DirectMap { exact: Vec::new(), dla: frozen_direction(pair).map(|_| Vec::new()) };
    for layer in 0..n_layers {
        let found = of_neurons(pair, layer, direction, progress).await?;
        neurons.exact.extend(found.exact);
        if let (Some(all), Some(some)) = (&mut neurons.dla, found.dla) {
            all.extend(some);
        }
    }
    let senders = deltas(pair, direction);
    let [_, n_run, _] = senders.dims();
    let dla = frozen(pair, senders.narrow(1, n_run - 1, 1), direction).await?;
    let some = |numbers: &[usize]| {
        dla.as_ref().map(|dla| numbers.iter().map(|number| dla[*number]).collect())
    };
    Ok(DirectEffects {
        direction,
        heads: DirectMap { exact, dla: some(&heads) },
        mlps: DirectMap { exact: exact_mlps, dla: some(&mlps) },
        neurons,
    })
}

/// Direct effects of the neurons of a layer.
async fn of_neurons(
    pair: &RunPair<'_>,
    layer: usize,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<DirectMap, Error> {
    let site = Site { kind: ComponentKind::Neurons, layer };
    let end = Depth::pre(pair.n_layers());
    let (from, to) = (changed(direction), Some(put_in(direction)));
    let last = || Contributions::between(pair, site, from, to, pair.n_pos - 1);
    let making = || {
        let joins: Joining<'_> = [(end, Box::new(last()) as Box<_>)].into();
        joins
    };
    let n = pair.shape().d_mlp;
    let parts: Vec<_> = (0..n).map(|neuron| (end, neuron)).collect();
    let what = || format!("a direct effect of a neuron of layer {layer}");
    let exact = sweep(pair, &making, &parts, direction, &what, progress).await?;
    let all: Vec<usize> = (0..n).collect();
    let dla = frozen(pair, last().some(&all, 1), direction).await?;
    Ok(DirectMap { exact, dla })
}

/// The direction of the unembedding that the metric is of; `None`: it is not linear in the logits.
fn frozen_direction<'a>(pair: &'a RunPair<'_>) -> Option<&'a Tensor<2>> {
    match &pair.measure {
        Measure::LogitDiff { direction } => Some(direction),
        Measure::ProbDiff(_) | Measure::LogProb { .. } | Measure::Kl { .. } => None,
    }
}

/// Direct logit attribution of some additions to the last position; `[n, 1, d_model]`.
async fn frozen(
    pair: &RunPair<'_>,
    added: Tensor<3>,
    direction: Direction,
) -> Result<Option<Vec<f32>>, Error> {
    let Some(along) = frozen_direction(pair) else {
        return Ok(None);
    };
    let resid = pair.resid(Depth::pre(pair.n_layers()), changed(direction), pair.n_pos - 1);
    let normed = pair.model.through_frozen_norm(resid, added).squeeze_dim::<2>(1); // [n, d_model]
    let data = read(pair.model, normed.matmul(along.clone())).await?;
    let values = finite(&data, || "a direct logit attribution".to_owned())?;
    // `+ 0.0`: an effect of nothing is 0, not -0.
    Ok(Some(values.into_iter().map(|value| (sign(direction) * value + 0.0) as f32).collect()))
}

/// What a head writes at the last position, as logits of every token; `[d_vocab]` of each run.
#[derive(Debug, Clone, PartialEq)]
pub struct Lens {
    /// In the clean run.
    pub clean: Vec<f32>,
    /// In the corrupted run.
    pub corrupted: Vec<f32>,
}

/// What a head's output at the last position does to the logit of every token in each run, through the final
/// LayerNorm's scale of that run.
///
/// # Units
/// Logits.
///
/// # Errors
/// A device that fails, logits that are not finite.
///
/// # Source
/// docs/METHODS.md#direct-effects; nostalgebraist (2020), "interpreting GPT: the logit lens".
pub async fn lens(pair: &RunPair<'_>, layer: usize, head: usize) -> Result<Lens, Error> {
    let [clean, corrupted] = [Side::Clean, Side::Corrupted].map(|side| {
        let last = pair.n_pos - 1;
        let z = pair.z(layer, side).narrow(1, last, 1);
        let written = pair.model.head_results(layer, z).narrow(1, head, 1).squeeze_dim::<3>(1);
        let resid = pair.resid(Depth::pre(pair.n_layers()), side, last);
        pair.model.unembed(pair.model.through_frozen_norm(resid, written))
    });
    let of = async |logits: Tensor<3>| -> Result<Vec<f32>, Error> {
        let data = read(pair.model, logits).await?;
        let values = finite(&data, || "a logit of a head".to_owned())?;
        Ok(values.into_iter().map(|value| value as f32).collect())
    };
    Ok(Lens { clean: of(clean).await?, corrupted: of(corrupted).await? })
}
