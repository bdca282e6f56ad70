//! Activation patching: components of any layers, in one sweep through the model.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use twinbeam_core::words::{Component, ComponentKind, Direction};

use crate::batches::{Batch, Work, in_batches};
use crate::error::finite;
use crate::lanes::lanes;
use crate::pace::Size;
use crate::site::{Depth, Site, changed, put_in, sign};
use crate::suffix::{Contributions, Joins, run_sweep};
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
    let all: Vec<Component> = kind.of_layer(layer, kind.width(pair.model.shape())).collect();
    patch_some(pair, &all, direction, progress).await
}

/// Activation patching of some components of any layers, heads and neurons: the effect of each, in the order in which
/// they are named.
///
/// They go through the model together, each from its own layer on: few and large products, however few
/// of them a layer has.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, effects that are not finite.
pub async fn patch_some(
    pair: &RunPair<'_>,
    components: &[Component],
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let sites: BTreeMap<Depth, Site> =
        components.iter().map(|of| Site::of(*of)).map(|site| (site.depth(), site)).collect();
    let (from, to) = (changed(direction), Some(put_in(direction)));
    let between =
        |site| Contributions::between(pair, site, from, to, pair.cost.shared_prefix_len());
    let all = || {
        let made = |(depth, site): (&Depth, &Site)| (*depth, Box::new(between(*site)) as Box<_>);
        sites.iter().map(made).collect()
    };
    let parts: Vec<_> = components.iter().map(|of| (Site::of(*of).depth(), of.index)).collect();
    let what = || "a patched run".to_owned();
    sweep(pair, &all, &parts, direction, &what, progress).await
}

/// The effect of one part that joins at a time, each a place and an index there, in the order in which they are named.
/// What is added is of the positions that can differ.
pub(crate) async fn sweep<'a>(
    pair: &'a RunPair<'_>,
    making: &'a Making<'a>,
    parts: &'a [(Depth, usize)],
    direction: Direction,
    what: &'a (dyn Fn() -> String + Sync),
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|place| parts[*place]);
    let effects = vec![0.0; parts.len()];
    let made = making();
    let mut sweep = Sweep { pair, making, made, parts, order, direction, what, effects };
    in_batches(pair, &mut sweep, progress).await?;
    Ok(sweep.effects)
}

/// What joins, by the places where it does.
pub(crate) type Joining<'a> = BTreeMap<Depth, Box<dyn Joins + 'a>>;

/// Makes what joins.
pub(crate) type Making<'a> = dyn Fn() -> Joining<'a> + Sync + 'a;

/// Parts, each of which joins the unchanged run.
struct Sweep<'a, 'model> {
    pair: &'a RunPair<'model>,
    making: &'a Making<'a>,
    made: Joining<'a>,
    parts: &'a [(Depth, usize)],
    /// The parts by depth: batches are of neighbours there.
    order: Vec<usize>,
    direction: Direction,
    what: &'a (dyn Fn() -> String + Sync),
    effects: Vec<f32>,
}

impl Sweep<'_, '_> {
    fn part(&self, place: usize) -> (Depth, usize) {
        self.parts[self.order[place]]
    }
}

impl Work for Sweep<'_, '_> {
    fn places(&self) -> usize {
        self.parts.len()
    }

    fn has_gradients(&self) -> bool {
        false
    }

    fn deal(&self, places: &[usize], size: Size) -> Vec<Vec<Batch>> {
        self.pair.cost.deal(places, lanes(&self.pair.model.device()), size)
    }

    fn most(&self, _places: &[usize], size: Size) -> usize {
        self.pair.cost.most_rows(size)
    }

    fn run(&self, batch: &[usize]) -> Vec<Tensor<1>> {
        let Self { pair, direction, .. } = *self;
        let (first, _) = self.part(batch[0]);
        let unchanged = pair.resid(first, changed(direction), pair.cost.start(first, false));
        let joining: Vec<_> = batch
            .chunk_by(|a, b| self.part(*a).0 == self.part(*b).0)
            .map(|places| {
                let (depth, _) = self.part(places[0]);
                let indices = places.iter().map(|place| self.part(*place).1).collect();
                (depth, &*self.made[&depth], indices)
            })
            .collect();
        vec![run_sweep(pair, first, unchanged, &joining)]
    }

    fn units(&self, batch: &[usize]) -> u64 {
        batch.iter().map(|place| self.pair.cost.joined(self.part(*place).0)).sum()
    }

    fn keep(&mut self, batch: &[usize], numbers: &[TensorData]) -> Result<(), Error> {
        let gains = finite(&numbers[0], self.what)?;
        for (place, gain) in batch.iter().zip(&gains[1..]) {
            // `+ 0.0`: an effect of nothing is 0, not -0.
            self.effects[self.order[*place]] = (sign(self.direction) * gain + 0.0) as f32;
        }
        Ok(())
    }

    fn renew(&mut self) {
        self.made = (self.making)();
    }
}
