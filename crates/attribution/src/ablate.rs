//! Sets of components of any layers replaced together, in full runs: ablation and faithfulness.

use burn::tensor::{Tensor, TensorData};
use twinbeam_core::models::{HookName, ModelShape};
use twinbeam_core::wire::probes::{Ablation, Faithfulness};
use twinbeam_core::words::{Component, ComponentKind, Direction, Side};
use twinbeam_gpt2::Hooks;

use crate::batches::{Batch, Work, in_batches};
use crate::error::finite;
use crate::lanes::lanes;
use crate::pace::Size;
use crate::site::{changed, put_in};
use crate::{Error, Means, Progress, RunPair};

/// What ablated activations are replaced by.
#[derive(Debug)]
pub enum Values {
    /// The other run's activations.
    OtherRun,
    /// Zero.
    Zero,
    /// Means over prompts and positions.
    Mean(Means),
}

/// The metric with each of some sets of components replaced at all positions, heads at `hook_z` and neurons at
/// `hook_post`: one row of a full run per set. What is downstream of a replaced component and replaced itself
/// keeps the value put in.
///
/// A set of nothing changes nothing, to the bit.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Wang et al. (2022), arXiv:2211.00593 (knockouts by mean ablation); Zhang and Nanda (2023), arXiv:2309.16042.
pub async fn ablate(
    pair: &RunPair<'_>,
    sets: &[Vec<Component>],
    with: &Values,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<Ablation, Error> {
    let rows: Vec<_> = sets.iter().map(|set| Replaced::These(set)).collect();
    let gains = replace(pair, &rows, with, direction, progress).await?;
    let after = gains.into_iter().map(|gain| pair.after(direction, gain)).collect();
    Ok(Ablation { direction, before: pair.after(direction, 0.0), after })
}

/// The metric of the clean run with all components of a kind replaced but the first of an order; `sizes` says how
/// many are kept. Orders are of places in a score table.
///
/// With all of them kept it is the clean run's, to the bit.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Marks et al. (2024), arXiv:2403.19647 (faithfulness); Hanna et al. (2024), arXiv:2403.17806.
pub async fn faithfulness(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    orders: &[Vec<usize>],
    sizes: &[usize],
    with: &Values,
    progress: &mut dyn Progress,
) -> Result<Faithfulness, Error> {
    let kept = |order: &[usize], n: usize| order[..n.min(order.len())].to_vec();
    let rows: Vec<_> = orders
        .iter()
        .flat_map(|order| sizes.iter().map(|n| Replaced::AllBut(kind, kept(order, *n))))
        .collect();
    let gains = replace(pair, &rows, with, Direction::Noising, progress).await?;
    let metric: Vec<f32> =
        gains.into_iter().map(|gain| pair.after(Direction::Noising, gain)).collect();
    let list = |order: usize| metric[order * sizes.len()..(order + 1) * sizes.len()].to_vec();
    Ok(Faithfulness { kind, sizes: sizes.to_vec(), metric: (0..orders.len()).map(list).collect() })
}

/// What is replaced in one row of a batch.
enum Replaced<'a> {
    /// Components of any layers and kinds.
    These(&'a [Component]),
    /// Every component of a kind, but for some places of a score table.
    AllBut(ComponentKind, Vec<usize>),
}

impl Replaced<'_> {
    /// Writes 1 where a component of a kind is replaced, 0 where it is not; `[n_layers * width]`.
    fn write(&self, kind: ComponentKind, width: usize, mask: &mut [f32]) {
        match self {
            Self::These(components) => {
                for component in components.iter().filter(|component| component.kind == kind) {
                    mask[component.layer * width + component.index] = 1.0;
                }
            }
            Self::AllBut(of, kept) if *of == kind => {
                mask.fill(1.0);
                for place in kept {
                    mask[*place] = 0.0;
                }
            }
            Self::AllBut(..) => {}
        }
    }
}

/// For each row, the gain of the oriented metric over the run that is changed: how much more of the clean behaviour
/// there is; `[rows]`.
async fn replace(
    pair: &RunPair<'_>,
    rows: &[Replaced<'_>],
    with: &Values,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<Vec<f64>, Error> {
    let gains = vec![0.0; rows.len()];
    let mut runs = Runs { pair, rows, with, direction, gains };
    in_batches(pair, &mut runs, progress).await?;
    Ok(runs.gains)
}

/// Full runs, a row each.
struct Runs<'a, 'model> {
    pair: &'a RunPair<'model>,
    rows: &'a [Replaced<'a>],
    with: &'a Values,
    direction: Direction,
    gains: Vec<f64>,
}

impl Work for Runs<'_, '_> {
    fn places(&self) -> usize {
        self.rows.len()
    }

    fn has_gradients(&self) -> bool {
        false
    }

    fn deal(&self, places: &[usize], size: Size) -> Vec<Vec<Batch>> {
        let Self { pair, .. } = self;
        pair.cost.deal_runs(places, pair.n_pos, lanes(&pair.model.device()), size)
    }

    fn most(&self, _places: &[usize], size: Size) -> usize {
        self.pair.cost.batch_rows(self.pair.n_pos, None, size)
    }

    fn run(&self, places: &[usize]) -> Vec<Tensor<1>> {
        let rows: Vec<_> = places.iter().map(|place| &self.rows[*place]).collect();
        vec![batch(self.pair, &rows, self.with, self.direction)]
    }

    fn units(&self, places: &[usize]) -> u64 {
        self.pair.cost.ablations(places.len())
    }

    fn keep(&mut self, places: &[usize], numbers: &[TensorData]) -> Result<(), Error> {
        let of_rows = finite(&numbers[0], || "a run with components replaced".to_owned())?;
        for (place, gain) in places.iter().zip(&of_rows[1..]) {
            self.gains[*place] = *gain;
        }
        Ok(())
    }

    /// Does nothing: what the runs are made from was read with the runs, and with the means.
    fn renew(&mut self) {}
}

/// The unchanged run first, then one run per row; `[1 + rows]`.
fn batch(
    pair: &RunPair<'_>,
    rows: &[&Replaced<'_>],
    with: &Values,
    direction: Direction,
) -> Tensor<1> {
    let model = pair.model;
    let mask = |kind| Mask::new(pair, kind, rows);
    let mut hooks = Replacing {
        pair,
        with,
        put_in: put_in(direction),
        heads: mask(ComponentKind::Heads),
        neurons: mask(ComponentKind::Neurons),
    };
    // One row, which becomes many at the first site that is replaced: what is before it is the same in all.
    let tokens = model.tokens(&[pair.tokens(changed(direction))]);
    let resid = model.run_from_pre(0, model.embed(tokens, &mut hooks), &mut hooks);
    let [_, n_pos, d_model] = resid.dims();
    let last = resid.narrow(1, n_pos - 1, 1);
    pair.measure.gain(model, last.expand([1 + rows.len(), 1, d_model]))
}

/// Which components of a kind are replaced in which row.
struct Mask {
    /// 1 where it is; `[rows, n_layers * width]`.
    all: Tensor<2>,
    /// Layers in which any is.
    touched: Vec<bool>,
    width: usize,
}

impl Mask {
    /// None where nothing of the kind is replaced. The first row replaces nothing.
    fn new(pair: &RunPair<'_>, kind: ComponentKind, rows: &[&Replaced<'_>]) -> Option<Self> {
        let shape: &ModelShape = pair.model.shape();
        let width = kind.width(shape);
        let n = shape.n_layers * width;
        let mut mask = vec![0.0; (1 + rows.len()) * n];
        for (row, mask) in rows.iter().zip(mask.chunks_mut(n).skip(1)) {
            row.write(kind, width, mask);
        }
        let mut touched = vec![false; shape.n_layers];
        for (i, layer) in mask.chunks(width).enumerate() {
            touched[i % shape.n_layers] |= layer.contains(&1.0);
        }
        let all = || pair.model.vector(&mask).reshape([1 + rows.len(), n]);
        touched.contains(&true).then(|| Self { all: all(), touched, width })
    }

    /// A layer's part of the mask, if anything is replaced there; `[rows, width]`.
    fn layer(&self, layer: usize) -> Option<Tensor<2>> {
        let rows = || self.all.clone().narrow(1, layer * self.width, self.width);
        self.touched[layer].then(rows)
    }
}

/// Puts values in, where the masks say so.
struct Replacing<'a, 'model> {
    pair: &'a RunPair<'model>,
    with: &'a Values,
    put_in: Side,
    heads: Option<Mask>,
    neurons: Option<Mask>,
}

impl Replacing<'_, '_> {
    /// Mixes values into an activation; positions before `skip` stay as they are.
    fn mix<const D: usize>(
        &self,
        own: Tensor<D>,
        value: Option<Tensor<D>>,
        mask: Tensor<D>,
    ) -> Tensor<D> {
        let skip = if let Values::Mean(means) = self.with { means.skip } else { 0 };
        let n_pos = own.dims()[1];
        if skip >= n_pos {
            return own;
        }
        let before = (skip > 0).then(|| own.clone().narrow(1, 0, skip));
        let own = own.narrow(1, skip, n_pos - skip);
        let change = match value {
            Some(value) => value - own.clone(),
            None => own.clone().neg(),
        };
        let mixed = own + change * mask;
        let Some(before) = before else {
            return mixed;
        };
        let mut shape = mixed.dims();
        shape[1] = skip;
        Tensor::cat(vec![before.expand(shape), mixed], 1)
    }
}

impl Hooks for Replacing<'_, '_> {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        let HookName::Post(layer) = name else {
            return activation;
        };
        let Some(mask) = self.neurons.as_ref().and_then(|mask| mask.layer(layer)) else {
            return activation;
        };
        let value = match self.with {
            Values::OtherRun => Some(self.pair.post(layer, self.put_in)),
            Values::Zero => None,
            Values::Mean(means) => Some(means.post[layer].clone()),
        };
        self.mix(activation, value, mask.unsqueeze_dim(1)) // mask [rows, 1, d_mlp]
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        let HookName::Z(layer) = name else {
            return activation;
        };
        let Some(mask) = self.heads.as_ref().and_then(|mask| mask.layer(layer)) else {
            return activation;
        };
        let value = match self.with {
            Values::OtherRun => Some(self.pair.z(layer, self.put_in)),
            Values::Zero => None,
            Values::Mean(means) => Some(means.z[layer].clone()),
        };
        let [rows, n_heads] = mask.dims();
        self.mix(activation, value, mask.reshape([rows, 1, n_heads, 1]))
    }
}
