//! What residual stream, attention outputs and MLP outputs do, by layer and token.

use burn::tensor::Tensor;
use twinbeam_core::wire::probes::{Stream, StreamMap};
use twinbeam_core::words::{ComponentKind, Direction, Method};

use crate::integrate::integrate_lines;
use crate::line::Line;
use crate::patch::sweep;
use crate::site::{Depth, Site, changed, put_in};
use crate::suffix::Contributions;
use crate::{Error, Nodes, Progress, RunPair};

/// What the residual stream, attention outputs and MLP outputs do, layer by layer and token by token: of each
/// stream a map by patching one place at a time, and one by integrated gradients of all positions of a layer
/// together.
///
/// Where both runs are equal, and where nothing reads a position, effects are exactly 0.
///
/// # Units
/// The metric's. Positive: the place supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Meng et al. (2022), arXiv:2202.05262 (causal tracing); TransformerLens's `get_act_patch_resid_pre`,
/// `get_act_patch_attn_out`, `get_act_patch_mlp_out`.
pub async fn streams(
    pair: &RunPair<'_>,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Vec<StreamMap>, Error> {
    let mut maps = Vec::new();
    for stream in Stream::ALL {
        maps.push(patched(pair, stream, direction, progress).await?);
        maps.push(integrated(pair, stream, direction, nodes, progress).await?);
    }
    Ok(maps)
}

async fn patched(
    pair: &RunPair<'_>,
    stream: Stream,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<StreamMap, Error> {
    let n_pos = pair.n_pos;
    let depths: Vec<Depth> = (0..pair.n_layers()).map(|layer| place(stream, layer)).collect();
    let start = |depth: &Depth| pair.cost.start(*depth, false);
    let all = || {
        let of_layer = |(layer, depth): (usize, &Depth)| {
            (*depth, Box::new(parts(pair, stream, layer, direction)) as Box<_>)
        };
        depths.iter().enumerate().map(of_layer).collect()
    };
    let parts: Vec<_> = depths
        .iter()
        .flat_map(|depth| (0..n_pos - start(depth)).map(|index| (*depth, index)))
        .collect();
    let what = || format!("a run patched at one place of {}", stream.id());
    let effects = sweep(pair, &all, &parts, direction, &what, progress).await?;
    let mut effects = effects.into_iter();
    let mut values = Vec::with_capacity(depths.len() * n_pos);
    for depth in &depths {
        values.extend(std::iter::repeat_n(0.0, start(depth)));
        values.extend(effects.by_ref().take(n_pos - start(depth)));
    }
    let convergence_delta = Vec::new();
    Ok(StreamMap { stream, method: Method::Ap, direction, n_pos, values, convergence_delta })
}

async fn integrated(
    pair: &RunPair<'_>,
    stream: Stream,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<StreamMap, Error> {
    let n_pos = pair.n_pos;
    let (mut values, mut convergence_delta) = (Vec::new(), Vec::new());
    let line = |layer| {
        let moved = format!("{} of layer {layer}", stream.id());
        let of_layer = move || parts(pair, stream, layer, direction);
        Line::of_parts(pair, place(stream, layer), direction, of_layer, moved)
    };
    let mut lines: Vec<Line<'_>> = (0..pair.n_layers()).map(line).collect();
    for integral in integrate_lines(&mut lines, nodes, progress).await? {
        values.extend(std::iter::repeat_n(0.0, n_pos - integral.ig.len()));
        values.extend(integral.ig);
        convergence_delta.push(integral.convergence_delta);
    }
    Ok(StreamMap { stream, method: Method::Ig, direction, n_pos, values, convergence_delta })
}

/// What a stream of a layer differs by, position by position.
fn parts(pair: &RunPair<'_>, stream: Stream, layer: usize, direction: Direction) -> Contributions {
    Contributions::by_position(pair, difference(pair, stream, layer, direction))
}

/// Where a stream of a layer has reached the residual stream.
const fn place(stream: Stream, layer: usize) -> Depth {
    match stream {
        Stream::ResidPre => Depth::pre(layer),
        Stream::AttnOut => Depth::mid(layer),
        Stream::MlpOut => Depth::pre(layer + 1),
    }
}

/// The difference of a stream between the run whose values are put in and the changed one; `[1, run positions,
/// d_model]`.
fn difference(pair: &RunPair<'_>, stream: Stream, layer: usize, direction: Direction) -> Tensor<3> {
    let depth = place(stream, layer);
    let start = pair.cost.start(depth, false);
    let (from, to) = (changed(direction), put_in(direction));
    let of_site =
        |kind| Contributions::between(pair, Site { kind, layer }, from, Some(to), start).total();
    match stream {
        Stream::ResidPre => pair.resid(depth, to, start) - pair.resid(depth, from, start),
        Stream::AttnOut => of_site(ComponentKind::Heads),
        Stream::MlpOut => of_site(ComponentKind::Neurons),
    }
}
