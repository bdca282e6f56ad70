//! Queries, keys, values and patterns of heads, and outputs of MLPs, by every method.

use twinbeam_core::circuits::{Part, Port};
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::words::{ComponentKind, Direction};

use burn::tensor::Tensor;

use super::curve::Curve;
use super::versions::{Mix, Versions};
use crate::integrate::integrate_lines;
use crate::line::{Line, Moves};
use crate::patch::{Joining, sweep};
use crate::site::{Depth, Site, changed, put_in};
use crate::suffix::{Contributions, Joins};
use crate::{Error, Nodes, Progress, RunPair};

/// Activation patching, integrated gradients and attribution patching of some parts, of every head or MLP of the model:
/// a map of each.
///
/// Replacing queries and keys moves what a head writes on a curve, the others move it on a straight line. The scores of
/// IG add up to the effect of replacing the part in the whole layer.
///
/// # Units
/// The metric's. Positive: the part supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// docs/METHODS.md#parts-of-a-head-and-the-mlp; TransformerLens's `hook_q`, `hook_k`, `hook_v`, `hook_pattern` and
/// `hook_mlp_out`.
pub async fn parts(
    pair: &RunPair<'_>,
    wanted: &[Part],
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Vec<PartMap>, Error> {
    let mut maps = Vec::with_capacity(wanted.len());
    for part in wanted {
        let ap = patched(pair, *part, direction, progress).await?;
        let line = |layer| line(pair, layer, *part, direction);
        let mut lines: Vec<Line<'_>> = (0..pair.n_layers()).map(line).collect();
        let found = integrate_lines(&mut lines, nodes, progress).await?;
        let all = |values: &dyn Fn(usize) -> Vec<f32>| (0..found.len()).flat_map(values).collect();
        maps.push(PartMap {
            part: *part,
            direction,
            width: part.width(pair.shape()),
            ap,
            ig: all(&|layer| found[layer].ig.clone()),
            atp: all(&|layer| found[layer].atp.clone()),
            joint: all(&|layer| vec![found[layer].joint]),
            convergence_delta: all(&|layer| vec![found[layer].convergence_delta]),
        });
    }
    Ok(maps)
}

async fn patched(
    pair: &RunPair<'_>,
    part: Part,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let making = || {
        let of_layer = |layer| {
            let joins: Box<dyn Joins + '_> = match part {
                Part::MlpOut => Box::new(mlp_out(pair, layer, direction)),
                Part::Port(_) | Part::Pattern => {
                    Box::new(Swapped { versions: versions(pair, layer, direction), part })
                }
            };
            (Depth::of_part(part, layer), joins)
        };
        (0..pair.n_layers()).map(of_layer).collect::<Joining<'_>>()
    };
    let width = part.width(pair.shape());
    let places: Vec<_> = (0..pair.n_layers())
        .flat_map(|layer| (0..width).map(move |index| (Depth::of_part(part, layer), index)))
        .collect();
    let what = || format!("a run with {} replaced", part.id());
    sweep(pair, &making, &places, direction, &what, progress).await
}

/// Queries, keys and values of both runs, those of the changed one first.
fn versions<'a>(pair: &'a RunPair<'_>, layer: usize, direction: Direction) -> Versions<'a> {
    let start = pair.cost.shared_prefix_len();
    let of = |side| pair.resid(Depth::pre(layer), side, start);
    let both = [changed(direction), put_in(direction)].map(of);
    Versions::of_streams(pair, layer, Tensor::cat(both.to_vec(), 0))
}

/// The whole change of an MLP's output, as the one part of its site.
fn mlp_out(pair: &RunPair<'_>, layer: usize, direction: Direction) -> Contributions {
    let site = Site { kind: ComponentKind::Neurons, layer };
    let start = pair.cost.start(site.depth(), false);
    let (from, to) = (changed(direction), Some(put_in(direction)));
    Contributions::Heads(Contributions::between(pair, site, from, to, start).total())
}

/// The head with one part of the other run. A pattern is that of the other run's queries and keys.
fn swapped(part: Part, head: usize) -> Mix {
    let mut mix = Mix::unchanged(head);
    match part {
        Part::Port(port) => mix.versions[port as usize] = 1,
        Part::Pattern => mix.versions = [1, 1, 0],
        // OK because an MLP has no heads.
        Part::MlpOut => unreachable!(),
    }
    mix
}

/// Heads, each with one part of the other run.
struct Swapped<'a> {
    versions: Versions<'a>,
    part: Part,
}

impl Joins for Swapped<'_> {
    fn some(&self, parts: &[usize], pos: usize) -> Tensor<3> {
        let mixes: Vec<Mix> = parts.iter().map(|head| swapped(self.part, *head)).collect();
        self.versions.changes(&mixes, pos)
    }
}

/// The line on which a part of a whole layer moves.
fn line<'a>(pair: &'a RunPair<'_>, layer: usize, part: Part, direction: Direction) -> Line<'a> {
    let depth = Depth::of_part(part, layer);
    let pos = pair.n_pos - pair.cost.start(depth, false);
    let moved = format!("{} of layer {layer}", part.id());
    match part {
        Part::Port(port @ (Port::Query | Port::Key)) => {
            let curve = move || {
                let versions = versions(pair, layer, direction);
                Box::new(Curve::new(pair, (layer, port), &versions, pos)) as Box<dyn Moves + 'a>
            };
            Line::of(pair, depth, direction, curve, moved)
        }
        Part::Port(Port::Value) | Part::Pattern => {
            let n_heads = pair.shape().n_heads;
            let heads = move || {
                let mixes: Vec<Mix> = (0..n_heads).map(|head| swapped(part, head)).collect();
                Contributions::Heads(versions(pair, layer, direction).changes(&mixes, pos))
            };
            Line::of_parts(pair, depth, direction, heads, moved)
        }
        Part::MlpOut => {
            let out = move || mlp_out(pair, layer, direction);
            Line::of_parts(pair, depth, direction, out, moved)
        }
    }
}
