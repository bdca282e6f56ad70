use burn::tensor::Tensor;
use twinbeam_core::{ComponentKind, Direction};

use crate::error::finite;
use crate::run::{Site, changed, put_in, sign};
use crate::suffix::{Contributions, run_suffix};
use crate::{Error, Progress, RunPair};

/// Activation patching of every head, or every neuron, of one layer: the effect on the metric of
/// replacing one component's activation, at all positions, by its value in the other run.
///
/// # Units
/// The metric's. Positive: the component supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, effects that are not finite.
///
/// # Source
/// Zhang and Nanda (2023), arXiv:2309.16042; heads at `hook_z`, neurons at `hook_post`.
pub async fn patch(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layer: usize,
    direction: Direction,
    progress: &mut impl Progress,
) -> Result<Vec<f32>, Error> {
    let all: Vec<usize> = (0..kind.width(pair.model.shape())).collect();
    patch_some(pair, kind, (layer, &all), direction, progress).await
}

/// The same of some components of a layer, in the order in which they are named.
///
/// # Errors
/// As [`patch`].
pub async fn patch_some(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    (layer, components): (usize, &[usize]),
    direction: Direction,
    progress: &mut impl Progress,
) -> Result<Vec<f32>, Error> {
    let site = Site { kind, layer };
    let rest = pair.rest(site, pair.first_difference);
    let prefix = pair.prefix(rest.start);
    let base = pair.resid_after(site, direction, rest.start); // [1, run positions, d_model]
    let (from, to) = (changed(direction), Some(put_in(direction)));
    let contributions = Contributions::between(pair, site, from, to, rest.start);
    let mut effects = Vec::with_capacity(components.len());
    for chunk in components.chunks(rest.batch_rows(false)) {
        // The unchanged run goes first in every batch: what is subtracted went through the same
        // arithmetic, so a component that differs nowhere scores exactly 0.
        let mut rows = vec![base.clone()];
        for run in chunk.chunk_by(|a, b| a + 1 == *b) {
            rows.push(base.clone() + contributions.some(run[0], run.len()));
        }
        let batch = Tensor::cat(rows, 0); // [1 + len, run positions, d_model]
        let data = run_suffix(pair, site, &prefix, batch).into_data_async().await;
        let data = data.map_err(|source| pair.device_error(&source))?;
        let gains = finite(&data, || format!("a patched {} run of layer {layer}", kind.id()))?;
        // `+ 0.0`: an effect of nothing is 0, not -0.
        effects.extend(gains[1..].iter().map(|gain| (sign(direction) * gain + 0.0) as f32));
        progress.advance(rest.work(chunk.len() + 1, false)).await?;
    }
    Ok(effects)
}
