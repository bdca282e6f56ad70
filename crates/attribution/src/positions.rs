//! What one component does at each token, by patching and by integrated gradients.

use std::collections::BTreeMap;

use twinbeam_core::wire::probes::PositionEffects;
use twinbeam_core::words::{Component, Direction};

use crate::line::Line;
use crate::patch::sweep;
use crate::site::{Site, changed, put_in};
use crate::suffix::{Contributions, Joins as _};
use crate::{Error, Nodes, Progress, RunPair};

/// What a component does at each token: patching at one position at a time, and each position's share of its
/// integrated gradients, for which all of its layer moves at all positions.
///
/// Both are exactly 0 before the first difference of the prompts. The shares add up to the component's score of
/// [`crate::integrate()`]; with [`Nodes::Until`] the line has as many points as the scores of its layer need, and more
/// where a share needs them.
///
/// # Units
/// The metric's. Positive: the component supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// The definitions of [`crate::patch()`] and [`crate::integrate()`], without the sum over positions
/// (docs/METHODS.md#positions-and-streams).
pub async fn position_effects(
    pair: &RunPair<'_>,
    component: Component,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<PositionEffects, Error> {
    let Component { kind, layer, index } = component;
    let site = Site { kind, layer };
    let depth = site.depth();
    let start = pair.cost.start(depth, false);
    let n_run = pair.n_pos - start;
    let (from, to) = (changed(direction), Some(put_in(direction)));
    let by_position = || {
        let own = Contributions::between(pair, site, from, to, start).some(&[index], n_run);
        Contributions::by_position(pair, own)
    };
    let contributions = || BTreeMap::from([(depth, Box::new(by_position()) as Box<_>)]);
    let parts: Vec<_> = (0..n_run).map(|position| (depth, position)).collect();
    let what = || format!("a run patched at one position of {component}");
    let ap = sweep(pair, &contributions, &parts, direction, &what, progress).await?;

    // The layer is asked about with it: whether its line is fine enough shows in what adds up to its joint patch,
    // and one component's shares do not.
    let mut line = Line::between(pair, site, direction).asked_about_too(by_position);
    let mut ig = line.integrate(nodes, progress).await?.ig;
    let ig = ig.split_off(ig.len() - n_run);
    let all = |values: Vec<f32>| [vec![0.0; start], values].concat();
    Ok(PositionEffects { component, direction, ap: all(ap), ig: all(ig) })
}
