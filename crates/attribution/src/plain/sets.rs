//! Sets of components of any layers, replaced in one full run.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;
use twinbeam_core::words::{Component, Direction, TokenPair};
use twinbeam_gpt2::{Gpt2, Hooks};

use super::{activation, ends, number, of_side, run, site_name, some_parts};
use crate::site::changed;
use crate::{Error, RunPair};

/// One full run with some components replaced, of any layers: what one set of [`crate::ablate()`] gives, as the
/// effect on the oriented metric.
///
/// # Errors
/// A device that fails.
pub async fn ablate_set(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    set: &[Component],
    with: PlainValues<'_>,
    direction: Direction,
) -> Result<f32, Error> {
    let mut sites = BTreeMap::new();
    let mut skip = 0;
    for Component { kind, layer, index } in set {
        let name = site_name(*kind, *layer);
        let ends = ends(pair.model, tokens, name, direction, false);
        let value = match with {
            PlainValues::OtherRun => ends.to,
            PlainValues::Zero => ends.to.zeros_like(),
            PlainValues::Mean { prompts, skip: front } => {
                skip = front;
                mean(pair.model, prompts, front, name).expand(ends.to.dims())
            }
        };
        sites.entry(name).or_insert((Vec::new(), value)).0.push(*index);
    }
    let ids = of_side(tokens, changed(direction));
    let before = number(pair, run(pair, ids, &mut ReplaceSome::default())).await?;
    let after = number(pair, run(pair, ids, &mut ReplaceSome { sites, skip })).await?;
    Ok((after - before) as f32)
}

/// What [`ablate_set`] puts in.
#[derive(Debug, Clone, Copy)]
pub enum PlainValues<'a> {
    /// The other run's activations.
    OtherRun,
    /// Zero.
    Zero,
    /// Means over token rows, without the first positions, where activations stay.
    Mean {
        /// The rows.
        prompts: &'a [Vec<u32>],
        /// How many positions.
        skip: usize,
    },
}

/// Puts some components' values in, and leaves the others as they have become.
#[derive(Default)]
struct ReplaceSome {
    /// Which components, and values `[1, pos, components, width of one]`.
    sites: BTreeMap<HookName, (Vec<usize>, Tensor<4>)>,
    /// Positions in front that stay.
    skip: usize,
}

impl ReplaceSome {
    fn mixed(&self, name: HookName, own: Tensor<4>) -> Tensor<4> {
        let Some((indices, value)) = self.sites.get(&name) else {
            return own;
        };
        let positions: Vec<usize> = (self.skip..own.dims()[1]).collect();
        let value = some_parts(value, &own, 1, &positions);
        some_parts(&value, &own, 2, indices)
    }
}

impl Hooks for ReplaceSome {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        self.mixed(name, activation.unsqueeze_dim(3)).squeeze_dim(3)
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        self.mixed(name, activation)
    }
}

/// The mean of an activation over token rows and their positions from `skip` on; `[1, 1, components, width of one]`.
fn mean(model: &Gpt2, prompts: &[Vec<u32>], skip: usize, name: HookName) -> Tensor<4> {
    let counted = |ids: &Vec<u32>| {
        let n = ids.len().checked_sub(skip).filter(|n| *n > 0)?;
        Some(activation(model, ids, name).narrow(1, skip, n))
    };
    let all: Vec<Tensor<4>> = prompts.iter().filter_map(counted).collect();
    Tensor::cat(all, 1).mean_dim(1)
}
