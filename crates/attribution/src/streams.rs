use std::collections::BTreeMap;

use burn::tensor::Tensor;
use twinbeam_core::{ComponentKind, Direction, Method, Stream, StreamMap};

use crate::integrate::Line;
use crate::patch::sweep;
use crate::run::{Depth, Site, changed, put_in};
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
        let layers: BTreeMap<Depth, Contributions> = (0..pair.n_layers())
            .map(|layer| {
                let difference = difference(pair, stream, layer, direction);
                (place(stream, layer), Contributions::by_position(pair, difference))
            })
            .collect();
        let patched = patched(pair, stream, &layers, direction, progress).await?;
        let integrated = integrated(pair, stream, layers, direction, nodes, progress).await?;
        maps.extend([patched, integrated]);
    }
    Ok(maps)
}

async fn patched(
    pair: &RunPair<'_>,
    stream: Stream,
    layers: &BTreeMap<Depth, Contributions>,
    direction: Direction,
    progress: &mut dyn Progress,
) -> Result<StreamMap, Error> {
    let n_pos = pair.n_pos;
    let start = |depth: &Depth| pair.cost.start(*depth, false);
    let parts: Vec<_> = layers
        .keys()
        .flat_map(|depth| (0..n_pos - start(depth)).map(|index| (*depth, index)))
        .collect();
    let what = || format!("a run patched at one place of {}", stream.id());
    let effects = sweep(pair, layers, &parts, direction, &what, progress).await?;
    let mut effects = effects.into_iter();
    let mut values = Vec::with_capacity(layers.len() * n_pos);
    for depth in layers.keys() {
        values.extend(std::iter::repeat_n(0.0, start(depth)));
        values.extend(effects.by_ref().take(n_pos - start(depth)));
    }
    let convergence_delta = Vec::new();
    Ok(StreamMap { stream, method: Method::Ap, direction, n_pos, values, convergence_delta })
}

async fn integrated(
    pair: &RunPair<'_>,
    stream: Stream,
    layers: BTreeMap<Depth, Contributions>,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<StreamMap, Error> {
    let n_pos = pair.n_pos;
    let (mut values, mut convergence_delta) = (Vec::new(), Vec::new());
    for (layer, (depth, parts)) in layers.into_iter().enumerate() {
        let moved = format!("{} of layer {layer}", stream.id());
        let line = Line::of_parts(pair, depth, direction, parts, moved);
        let integral = line.integrate(nodes, progress).await?;
        values.extend(std::iter::repeat_n(0.0, n_pos - integral.ig.len()));
        values.extend(integral.ig);
        convergence_delta.push(integral.convergence_delta);
    }
    Ok(StreamMap { stream, method: Method::Ig, direction, n_pos, values, convergence_delta })
}

/// Where a stream of a layer has reached the residual stream.
const fn place(stream: Stream, layer: usize) -> Depth {
    match stream {
        Stream::ResidPre => Depth::pre(layer),
        Stream::AttnOut => Depth::mid(layer),
        Stream::MlpOut => Depth::pre(layer + 1),
    }
}

/// By how much a stream of the run whose values are put in is more than that of the changed one;
/// `[1, run positions, d_model]`.
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
