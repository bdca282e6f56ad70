use std::collections::BTreeMap;

use twinbeam_core::{ComponentKind, Direction};

use crate::error::finite;
use crate::lanes::{each, lanes};
use crate::run::{Depth, Site, changed, put_in, sign};
use crate::suffix::{Contributions, run_sweep};
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
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let all: Vec<_> = (0..kind.width(pair.model.shape())).map(|index| (layer, index)).collect();
    patch_some(pair, kind, &all, direction, progress).await
}

/// The same of some components of any layers, each a layer and an index, in the order in which they are
/// named.
///
/// They go through the model together, each from its own layer on: few and large products, however few
/// of them a layer has.
///
/// # Errors
/// As [`patch`].
pub async fn patch_some(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    components: &[(usize, usize)],
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let mut contributions = BTreeMap::new();
    for (layer, _) in components {
        let site = Site { kind, layer: *layer };
        let (from, to) = (changed(direction), Some(put_in(direction)));
        let between = || Contributions::between(pair, site, from, to, pair.cost.same());
        contributions.entry(site.depth()).or_insert_with(between);
    }
    let place = |(layer, index): &(usize, usize)| (Site { kind, layer: *layer }.depth(), *index);
    let parts: Vec<_> = components.iter().map(place).collect();
    let what = || format!("a patched {} run", kind.one());
    sweep(pair, &contributions, &parts, direction, &what, progress).await
}

/// The effect of adding one part of a contribution at a time, each a place and an index there, in the order in
/// which they are named. All contributions are of the positions that can differ.
pub(crate) async fn sweep(
    pair: &RunPair<'_>,
    contributions: &BTreeMap<Depth, Contributions>,
    parts: &[(Depth, usize)],
    direction: Direction,
    what: &dyn Fn() -> String,
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|place| parts[*place]);
    let mut effects = vec![0.0; parts.len()];
    let part = |place: &usize| parts[order[*place]];
    for batches in pair.cost.deal(order.len(), lanes(&pair.model.device())) {
        let gains = each(&batches, |batch| {
            let (first, _) = part(&batch[0]);
            let unchanged = pair.resid(first, changed(direction), pair.cost.start(first, false));
            let joining: Vec<_> = batch
                .chunk_by(|a, b| part(a).0 == part(b).0)
                .map(|places| {
                    let (depth, _) = part(&places[0]);
                    let indices = places.iter().map(|place| part(place).1).collect();
                    (depth, &contributions[&depth], indices)
                })
                .collect();
            run_sweep(pair, first, unchanged, &joining)
        });
        for (batch, gains) in batches.iter().zip(gains) {
            let data = gains.into_data_async().await;
            let data = data.map_err(|source| pair.device_error(&source))?;
            let gains = finite(&data, what)?;
            for (place, gain) in batch.iter().zip(&gains[1..]) {
                // `+ 0.0`: an effect of nothing is 0, not -0.
                effects[order[*place]] = (sign(direction) * gain + 0.0) as f32;
            }
            let units = batch.iter().map(|place| pair.cost.joined(part(place).0)).sum();
            progress.advance(units).await?;
        }
    }
    Ok(effects)
}
