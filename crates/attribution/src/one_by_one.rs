//! A model that is too large to be held: its blocks are brought one at a time, and everything that is asked of it
//! goes through each of them before the next one comes.
//!
//! Two passes, whatever is asked. Forward, patched streams and points of lines join at their places, and what each half
//! of a block was given is kept of the lines. Then back, with the gradient of each half by itself: a graph of the
//! whole model would hold all of its weights.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use twinbeam_core::words::{Component, ComponentKind, Direction, Steps};

use crate::error::finite;
use crate::integrate::inside;
use crate::line::Line;
use crate::progress::Advance;
use crate::run::read;
use crate::site::{Depth, Half, Site, changed, put_in, sign};
use crate::suffix::{Contributions, Joins as _};
use crate::{Baseline, Error, LayerIntegral, Nodes, RunPair};

/// Brings blocks to a model ([`twinbeam_gpt2::Gpt2::bring`]).
pub trait Blocks {
    /// The block of a layer is the one that is here when this is done.
    ///
    /// # Errors
    /// A block that cannot be had; [`Error::Cancelled`] stops what is computed.
    fn bring(&mut self, layer: usize) -> Advance<'_>;
}

/// One component that is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patched {
    /// The component.
    pub component: Component,
    /// Which run is changed.
    pub direction: Direction,
}

/// One layer that is integrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Integrated {
    /// What moves.
    pub kind: ComponentKind,
    /// The layer.
    pub layer: usize,
    /// What the layer moves to.
    pub baseline: Baseline,
    /// Number of points. It cannot be found on the way here: [`Nodes::Until`] takes as many as there may be.
    pub nodes: Nodes,
}

/// The effects of some patches, and the integrals of some layers, of a pair that was run by [`RunPair::one_by_one`]. Of
/// the lines at most `most_bytes` are kept on their way forward: points that do not fit go through the model another
/// time.
///
/// # Units
/// The metric's. Positive: the component supports the clean behaviour.
///
/// # Errors
/// Blocks that cannot be brought, numbers that are not finite.
pub async fn sample(
    pair: &RunPair<'_>,
    blocks: &mut dyn Blocks,
    patches: &[Patched],
    layers: &[Integrated],
    most_bytes: usize,
) -> Result<(Vec<f32>, Vec<LayerIntegral>), Error> {
    let mut effects = vec![0.0; patches.len()];
    let mut walks: Vec<Walk<'_>> = layers.iter().map(|asked| Walk::new(pair, *asked)).collect();
    let mut sweeps: Vec<Sweep> =
        Direction::ALL.into_iter().flat_map(|direction| sweeps(pair, direction, patches)).collect();
    let at_once = points_at_once(pair, layers, most_bytes);
    loop {
        forward(pair, blocks, &mut sweeps, &mut walks, at_once).await?;
        for sweep in sweeps.drain(..) {
            sweep.end(pair, &mut effects).await?;
        }
        backward(pair, blocks, &mut walks).await?;
        if walks.iter().all(Walk::is_done) {
            break;
        }
    }
    Ok((effects, walks.into_iter().map(Walk::integral).collect()))
}

impl Patched {
    const fn depth(&self) -> Depth {
        Site::of(self.component).depth()
    }
}

/// How many points of each line fit.
fn points_at_once(pair: &RunPair<'_>, layers: &[Integrated], most_bytes: usize) -> usize {
    let halves = |asked: &Integrated| asked.depth().halves_left(pair.n_layers());
    let halves: usize = layers.iter().map(halves).sum();
    let of_point = 4 * pair.n_pos * pair.model.shape().d_model * halves.max(1);
    // Two at least: the metric at the second is compared with that at the first.
    (most_bytes / of_point).max(2)
}

impl Integrated {
    const fn site(&self) -> Site {
        Site { kind: self.kind, layer: self.layer }
    }

    const fn depth(&self) -> Depth {
        self.site().depth()
    }
}

/// All streams through all blocks from the first on that is asked for.
async fn forward(
    pair: &RunPair<'_>,
    blocks: &mut dyn Blocks,
    sweeps: &mut [Sweep],
    walks: &mut [Walk<'_>],
    at_once: usize,
) -> Result<(), Error> {
    let of_sweeps = sweeps.iter().filter_map(|sweep| sweep.first);
    let of_walks = walks.iter().filter(|walk| !walk.is_done()).map(|walk| walk.asked.layer);
    let Some(first) = of_sweeps.chain(of_walks).min() else {
        return Ok(());
    };
    for layer in first..pair.n_layers() {
        blocks.bring(layer).await?;
        let halves = [
            (Half::Attention(layer), ComponentKind::Heads),
            (Half::Mlp(layer), ComponentKind::Neurons),
        ];
        for (half, kind) in halves {
            let site = Site { kind, layer };
            for sweep in sweeps.iter_mut() {
                sweep.step(pair, half);
                sweep.join(pair, site);
            }
            for walk in walks.iter_mut() {
                walk.step(pair, half);
                walk.join(site, at_once);
            }
        }
    }
    Ok(())
}

/// Gradients of all lines from the metric back to where they begin.
async fn backward(
    pair: &RunPair<'_>,
    blocks: &mut dyn Blocks,
    walks: &mut [Walk<'_>],
) -> Result<(), Error> {
    for walk in walks.iter_mut() {
        walk.turn(pair);
    }
    for layer in (0..pair.n_layers()).rev() {
        if walks.iter().all(|walk| walk.given.is_empty()) {
            break;
        }
        blocks.bring(layer).await?;
        for half in [Half::Mlp(layer), Half::Attention(layer)] {
            for walk in walks.iter_mut() {
                walk.step_back(pair, half);
            }
        }
    }
    for walk in walks.iter_mut() {
        walk.arrive().await?;
    }
    Ok(())
}

/// Half of the block that is here.
fn through(pair: &RunPair<'_>, half: Half, streams: Tensor<3>) -> Tensor<3> {
    match half {
        Half::Attention(layer) => {
            let [_, n_run, _] = streams.dims();
            pair.model.attend(layer, streams, pair.prefix(pair.n_pos - n_run))
        }
        Half::Mlp(layer) => pair.model.transform(layer, streams),
    }
}

/// All patches of one direction, in as many sweeps as it takes for none to hold more than a batch does.
fn sweeps(pair: &RunPair<'_>, direction: Direction, patches: &[Patched]) -> Vec<Sweep> {
    let own = patches.iter().enumerate().filter(|(_, patch)| patch.direction == direction);
    let mut own: Vec<(usize, &Patched)> = own.collect();
    // Neighbours in the model join the same sweep.
    own.sort_by_key(|(_, patch)| patch.depth());
    own.chunks(pair.cost.most_rows(0)).map(|patches| Sweep::new(direction, patches)).collect()
}

/// Patched streams of one direction behind the unchanged one.
struct Sweep {
    direction: Direction,
    /// Places in the list of patches, with the index of each, by where they join.
    joining: BTreeMap<Depth, Vec<(usize, usize)>>,
    /// The first layer with one of them.
    first: Option<usize>,
    /// `[1 + joined, run positions, d_model]`
    streams: Option<Tensor<3>>,
}

impl Sweep {
    fn new(direction: Direction, patches: &[(usize, &Patched)]) -> Self {
        let mut joining = BTreeMap::<_, Vec<_>>::new();
        for (place, patch) in patches {
            joining.entry(patch.depth()).or_default().push((*place, patch.component.index));
        }
        let first = patches.iter().map(|(_, patch)| patch.component.layer).min();
        Self { direction, joining, first, streams: None }
    }

    fn step(&mut self, pair: &RunPair<'_>, half: Half) {
        self.streams = self.streams.take().map(|streams| through(pair, half, streams));
    }

    fn join(&mut self, pair: &RunPair<'_>, site: Site) {
        let (depth, direction) = (site.depth(), self.direction);
        let Some(places) = self.joining.get(&depth) else {
            return;
        };
        let (from, to) = (changed(direction), Some(put_in(direction)));
        let contributions =
            Contributions::between(pair, site, from, to, pair.cost.shared_prefix_len());
        let unchanged = || pair.resid(depth, from, pair.cost.start(depth, false));
        let streams = self.streams.take().unwrap_or_else(unchanged);
        let parts: Vec<usize> = places.iter().map(|(_, index)| *index).collect();
        self.streams = Some(contributions.join(streams, &parts));
    }

    async fn end(self, pair: &RunPair<'_>, effects: &mut [f32]) -> Result<(), Error> {
        let Some(streams) = self.streams else {
            return Ok(());
        };
        let gains = read(pair.model, pair.measure.gain(pair.model, streams)).await?;
        let gains = finite(&gains, || "a patched run".to_owned())?;
        for ((place, _), gain) in self.joining.values().flatten().zip(&gains[1..]) {
            // `+ 0.0`: an effect of nothing is 0, not -0.
            effects[*place] = (sign(self.direction) * gain + 0.0) as f32;
        }
        Ok(())
    }
}

/// Some points of a line on their way through the model and back.
struct Walk<'pair> {
    pair: &'pair RunPair<'pair>,
    asked: Integrated,
    /// Made when its layer's block is here.
    line: Option<Line<'pair>>,
    ts: Vec<f64>,
    /// Points that are under way or done.
    begun: usize,
    /// What each half was given.
    given: Vec<(Half, Tensor<3>)>,
    /// Streams on the way forward, gradients on the way back.
    at: Option<Tensor<3>>,
    gains: Option<Tensor<1>>,
    joint: f64,
    slopes: Vec<Vec<f64>>,
}

impl<'pair> Walk<'pair> {
    fn new(pair: &'pair RunPair<'_>, asked: Integrated) -> Self {
        let nodes = match asked.nodes {
            Nodes::Until { .. } => Nodes::Nested(Steps::MOST_POINTS - 1),
            known => known,
        };
        let asked = Integrated { nodes, ..asked };
        let ts = [vec![0.0, 1.0], inside(nodes)].concat();
        let (given, slopes) = (Vec::new(), Vec::with_capacity(ts.len()));
        let (line, at, gains) = (None, None, None);
        Self { pair, asked, line, ts, begun: 0, given, at, gains, joint: 0.0, slopes }
    }

    fn is_done(&self) -> bool {
        self.begun == self.ts.len()
    }

    fn join(&mut self, site: Site, at_once: usize) {
        if site != self.asked.site() || self.is_done() {
            return;
        }
        let pair = self.pair;
        let line = self.line.get_or_insert_with(|| match self.asked.baseline {
            Baseline::OtherRun(direction) => Line::between(pair, site, direction),
            Baseline::Zero => Line::from_zero(pair, site),
        });
        let next = self.ts.len().min(self.begun + at_once);
        self.at = Some(line.streams(&self.ts[self.begun..next]));
        self.begun = next;
    }

    fn step(&mut self, pair: &RunPair<'_>, half: Half) {
        if let Some(streams) = self.at.take() {
            self.given.push((half, streams.clone()));
            self.at = Some(through(pair, half, streams));
        }
    }

    /// The metric, and its gradient.
    fn turn(&mut self, pair: &RunPair<'_>) {
        let Some(streams) = self.at.take() else {
            return;
        };
        let streams = streams.autodiff().require_grad();
        let gains = pair.measure.gain(pair.model, streams.clone());
        self.at = streams.grad(&gains.backward());
        self.gains = Some(gains.without_autodiff());
    }

    fn step_back(&mut self, pair: &RunPair<'_>, half: Half) {
        let Some((_, given)) = self.given.pop_if(|(of, _)| *of == half) else {
            return;
        };
        let given = given.autodiff().require_grad();
        let came_out = through(pair, half, given.clone());
        self.at = self.at.take().and_then(|gradient| {
            let gradients = (came_out * gradient.autodiff()).sum().backward();
            given.grad(&gradients)
        });
    }

    /// Keeps gains and slopes of what has come back.
    async fn arrive(&mut self) -> Result<(), Error> {
        let (Some(line), Some(gradient), Some(gains)) =
            (&self.line, self.at.take(), self.gains.take())
        else {
            return Ok(());
        };
        let gains = read(self.pair.model, gains).await?;
        let gains = finite(&gains, || line.what("metric on the line"))?;
        let ts = &self.ts[self.begun - gains.len()..self.begun];
        let slopes = read(self.pair.model, line.slopes(ts, &gradient)).await?;
        let slopes = finite(&slopes, || line.what("gradient"))?;
        if self.slopes.is_empty() {
            self.joint = gains[1];
        }
        let each = slopes.len() / gains.len();
        self.slopes.extend(slopes.chunks(each).map(<[f64]>::to_vec));
        Ok(())
    }

    fn integral(self) -> LayerIntegral {
        // OK because every line has been through its layer.
        let line = self.line.expect("the line was made");
        line.by_rule(self.asked.nodes, (self.slopes, self.joint))
    }
}
