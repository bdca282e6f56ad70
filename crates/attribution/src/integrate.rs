use burn::tensor::{Tensor, Transaction};
use twinbeam_core::{ComponentKind, Direction, Steps};

use crate::cost::LEAST_POSITIONS;
use crate::error::finite;
use crate::lanes::{each, lanes};
use crate::quadrature::{clenshaw_curtis, gauss_legendre};
use crate::run::{Depth, Side, Site, changed, put_in, sign};
use crate::suffix::{Contributions, run_suffix};
use crate::{Error, Progress, RunPair};

/// Intervals that it begins with.
const FIRST_INTERVALS: usize = 4;

/// At how many points of its line a layer is integrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nodes {
    /// Gauss-Legendre nodes, as captum's `gausslegendre`.
    Fixed(usize),
    /// Clenshaw-Curtis nodes of so many intervals, an even number.
    Nested(usize),
    /// The same of twice as many intervals each time, until the scores are good enough: those of the last
    /// time are used again, and both ends are needed in any case.
    Until {
        /// Most that the convergence delta, and what the last doubling has changed of any score, may be;
        /// in the metric's unit.
        tolerance: f64,
    },
}

/// What moving one layer along a straight line says of its components.
///
/// # Units
/// The metric's. Positive: the component supports the clean behaviour.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerIntegral {
    /// Integrated gradients; one per component.
    pub ig: Vec<f32>,
    /// Attribution patching: the gradient at the run that is changed; one per component.
    pub atp: Vec<f32>,
    /// Effect of putting in the whole layer.
    pub joint: f32,
    /// Sum of `ig` minus `joint`.
    pub convergence_delta: f32,
    /// Nodes that were used, both ends with them where the rule has them.
    pub n_steps: usize,
}

/// Integrated gradients of all heads, or all neurons, of one layer, with the other run's
/// activations as the baseline; upstream is the run that is changed.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Sundararajan et al. (2017), arXiv:1703.01365; captum's `LayerIntegratedGradients` with
/// `gausslegendre`; Nanda (2023), "Attribution patching"; Trefethen (2008), "Is Gauss quadrature better
/// than Clenshaw-Curtis?".
pub async fn integrate(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layer: usize,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<LayerIntegral, Error> {
    Line::between(pair, Site { kind, layer }, direction).integrate(nodes, progress).await
}

/// The same with activations of zero as the baseline and the clean run upstream: the notebook's
/// first experiment. Not comparable with patching, and often not converged.
///
/// # Errors
/// As [`integrate`].
pub async fn integrate_from_zero(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layer: usize,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<LayerIntegral, Error> {
    let (direction, ends) = (Direction::Noising, (Side::Clean, None));
    Line::of_site(pair, Site { kind, layer }, direction, ends).integrate(nodes, progress).await
}

/// A straight line in the residual stream, from the changed run at `t = 0` to the values put in at `t = 1`.
pub(crate) struct Line<'pair, 'model> {
    pair: &'pair RunPair<'model>,
    depth: Depth,
    /// What moves, in words.
    moved: String,
    pub(crate) sign: f64,
    from_zero: bool,
    /// Residual stream of the changed run; `[1, run positions, d_model]`.
    base: Tensor<3>,
    /// What is added to it at the end; `[1, run positions, d_model]`.
    total: Tensor<3>,
    /// The parts that move, together all of it.
    contributions: Contributions,
    /// Further parts whose share in the slope is asked for.
    others: Option<Contributions>,
}

/// By how much the oriented metric grows with `t` because of each part, at one point of a line: of those that move,
/// then of the others that are asked for.
type Slopes = Vec<f64>;

/// A point of a line.
pub(crate) struct Point {
    /// By how much the oriented metric is more than at `t = 0`.
    pub(crate) gain: f64,
    pub(crate) slopes: Slopes,
}

impl<'pair, 'model> Line<'pair, 'model> {
    /// All components of a site between the two runs.
    pub(crate) fn between(pair: &'pair RunPair<'model>, site: Site, direction: Direction) -> Self {
        Self::of_site(pair, site, direction, (changed(direction), Some(put_in(direction))))
    }

    fn of_site(
        pair: &'pair RunPair<'model>,
        site: Site,
        direction: Direction,
        (from, to): (Side, Option<Side>),
    ) -> Self {
        let (depth, from_zero) = (site.depth(), to.is_none());
        let start = pair.cost.start(depth, from_zero);
        let base = pair.resid(depth, changed(direction), start);
        let contributions = Contributions::between(pair, site, from, to, start);
        let total = contributions.total();
        let moved = format!("the {} of layer {}", site.kind.id(), site.layer);
        let sign = sign(direction);
        Self { pair, depth, moved, sign, from_zero, base, total, contributions, others: None }
    }

    /// Parts that move together between the two runs, of the positions that are run from there on.
    pub(crate) fn of_parts(
        pair: &'pair RunPair<'model>,
        depth: Depth,
        direction: Direction,
        contributions: Contributions,
        moved: String,
    ) -> Self {
        let base = pair.resid(depth, changed(direction), pair.cost.start(depth, false));
        let total = contributions.total();
        let (sign, from_zero) = (sign(direction), false);
        Self { pair, depth, moved, sign, from_zero, base, total, contributions, others: None }
    }

    /// The same line, asked about other parts too: their scores follow those of the parts that move, and count
    /// for when they are good enough, but not in sums.
    pub(crate) fn asked_about_too(self, others: Contributions) -> Self {
        Self { others: Some(others), ..self }
    }

    pub(crate) async fn integrate(
        &self,
        nodes: Nodes,
        progress: &mut dyn Progress,
    ) -> Result<LayerIntegral, Error> {
        match nodes {
            Nodes::Fixed(n_steps) => {
                let rule = gauss_legendre(n_steps);
                let inside: Vec<f64> = rule.iter().map(|(t, _)| *t).collect();
                let (slopes, joint) = self.with_ends(&inside, progress).await?;
                let weights = rule.iter().map(|(_, weight)| *weight);
                Ok(self.integral(&slopes[0], joint, weights.zip(&slopes[2..]), n_steps))
            }
            Nodes::Nested(intervals) => {
                let (slopes, joint) = self.closed(intervals, progress).await?;
                Ok(self.closed_integral(&slopes, joint))
            }
            Nodes::Until { tolerance } => {
                let (mut slopes, joint) = self.closed(FIRST_INTERVALS, progress).await?;
                loop {
                    let fine = self.closed_integral(&slopes, joint);
                    let every_other: Vec<Slopes> = slopes.iter().step_by(2).cloned().collect();
                    let coarse = self.closed_integral(&every_other, joint);
                    let changes = fine.ig.iter().zip(&coarse.ig).map(|(a, b)| (a - b).abs());
                    let off = changes.fold(fine.convergence_delta.abs(), f32::max);
                    if f64::from(off) <= tolerance || slopes.len() >= Steps::MOST_POINTS {
                        return Ok(fine);
                    }
                    // Every other node is new.
                    let rule = clenshaw_curtis(2 * (slopes.len() - 1));
                    let new: Vec<f64> = rule.iter().skip(1).step_by(2).map(|(t, _)| *t).collect();
                    let (new, _) = self.slopes(&new, progress).await?;
                    let (mut old, mut new) = (slopes.into_iter(), new.into_iter());
                    slopes = (0..rule.len())
                        .filter_map(|i| if i % 2 == 0 { old.next() } else { new.next() })
                        .collect();
                }
            }
        }
    }

    /// Slopes at the nodes of a rule that has both ends, in their order, and by how much the metric at the last
    /// is more than at the first.
    async fn closed(
        &self,
        intervals: usize,
        progress: &mut dyn Progress,
    ) -> Result<(Vec<Slopes>, f64), Error> {
        let rule = clenshaw_curtis(intervals);
        let inside: Vec<f64> = rule[1..intervals].iter().map(|(t, _)| *t).collect();
        let (mut slopes, joint) = self.with_ends(&inside, progress).await?;
        let end = slopes.remove(1);
        slopes.push(end);
        Ok((slopes, joint))
    }

    fn closed_integral(&self, slopes: &[Slopes], joint: f64) -> LayerIntegral {
        let weights = clenshaw_curtis(slopes.len() - 1).into_iter().map(|(_, weight)| weight);
        self.integral(&slopes[0], joint, weights.zip(slopes), slopes.len())
    }

    /// Slopes at both ends and at points between, in this order, and by how much the metric at the second
    /// end is more than at the first.
    async fn with_ends(
        &self,
        inside: &[f64],
        progress: &mut dyn Progress,
    ) -> Result<(Vec<Slopes>, f64), Error> {
        self.slopes(&[&[0.0, 1.0], inside].concat(), progress).await
    }

    /// Slopes at some points, and by how much the metric at the second of them is more than at the first.
    async fn slopes(
        &self,
        ts: &[f64],
        progress: &mut dyn Progress,
    ) -> Result<(Vec<Slopes>, f64), Error> {
        let size = self.points_at_once(ts.len());
        let chunks: Vec<Vec<f64>> = ts.chunks(size).map(<[f64]>::to_vec).collect();
        let points = self.batches(&chunks, progress).await?;
        let lead = points.get(1).map(|point| point.gain);
        let slopes = points.into_iter().map(|point| point.slopes).collect();
        Ok((slopes, lead.unwrap_or_default()))
    }

    /// Slopes at some points, and by how much the metric there is more than at the beginning of the line.
    pub(crate) async fn points(
        &self,
        ts: &[f64],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Point>, Error> {
        // Each batch has the beginning of the line in front, to be compared with in the same arithmetic.
        let size = self.points_at_once(ts.len()) - 1;
        let chunks: Vec<Vec<f64>> = ts.chunks(size).map(|ts| [&[0.0], ts].concat()).collect();
        let mut points = self.batches(&chunks, progress).await?.into_iter();
        let of_chunk =
            |chunk: &Vec<f64>| points.by_ref().take(chunk.len()).skip(1).collect::<Vec<_>>();
        Ok(chunks.iter().flat_map(of_chunk).collect())
    }

    /// Points per batch.
    fn points_at_once(&self, n: usize) -> usize {
        let Self { pair, depth, .. } = self;
        let [_, n_run, _] = self.base.dims();
        let most = pair.cost.batch_rows(n_run, Some(depth.block()));
        // Two at least: the metric at the second is compared with that at the first.
        n.div_ceil(lanes(&pair.model.device())).max(LEAST_POSITIONS / n_run).clamp(2, most)
    }

    /// Points batch by batch, with gains over the first of each batch.
    async fn batches(
        &self,
        chunks: &[Vec<f64>],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Point>, Error> {
        let Self { pair, depth, from_zero, .. } = *self;
        let width = [Some(&self.contributions), self.others.as_ref()];
        let width = width.into_iter().flatten().map(Contributions::width).sum();
        let mut points = Vec::new();
        for chunks in chunks.chunks(lanes(&pair.model.device())) {
            let results = each(chunks, |ts| self.batch(ts));
            for (chunk, (gains, slopes)) in chunks.iter().zip(results) {
                // A read per batch keeps the queue of a GPU short and lets a job be cancelled.
                let data = Transaction::default().register(gains).register(slopes);
                let data = data.execute_async().await;
                let data = data.map_err(|source| pair.device_error(&source))?;
                let gains = finite(&data[0], || self.what("metric on the line"))?;
                let slopes = finite(&data[1], || self.what("gradient"))?;
                let slopes = slopes.chunks(slopes.len() / chunk.len()).map(<[f64]>::to_vec);
                let of_gain = |(gain, slopes)| Point { gain, slopes };
                points.extend(gains.into_iter().zip(slopes).map(of_gain));
                progress.advance(pair.cost.line(depth, chunk.len(), from_zero, width)).await?;
            }
        }
        Ok(points)
    }

    /// What one pass gives of some points: gains over the first of them `[n]`, and slopes `[n, parts]`.
    fn batch(&self, ts: &[f64]) -> (Tensor<1>, Tensor<2>) {
        let Self { pair, depth, base, total, contributions, others, .. } = self;
        let ts: Vec<f32> = ts.iter().map(|t| *t as f32).collect();
        let t = pair.model.vector(&ts).reshape([ts.len(), 1, 1]);
        let streams = (base.clone() + total.clone() * t).autodiff().require_grad(); // [n, pos, d_model]
        let gains = run_suffix(pair, *depth, streams.clone()); // [n]
        // Of all of them at once, which is that of their sum.
        let gradients = gains.backward();
        let Some(gradients) = streams.grad(&gradients) else {
            // OK because the metric is a function of the streams it was computed from.
            unreachable!("the residual stream is a leaf of the metric")
        };
        let slopes = match others {
            None => contributions.dot(gradients),
            Some(others) => {
                Tensor::cat(vec![contributions.dot(gradients.clone()), others.dot(gradients)], 1)
            }
        };
        (gains.without_autodiff(), slopes)
    }

    /// Of points with their weights.
    fn integral<'a>(
        &self,
        first: &[f64],
        joint: f64,
        points: impl Iterator<Item = (f64, &'a Slopes)>,
        n_steps: usize,
    ) -> LayerIntegral {
        let mut sums = vec![0.0; first.len()];
        for (weight, slopes) in points {
            for (sum, slope) in sums.iter_mut().zip(slopes) {
                *sum += weight * slope;
            }
        }
        let oriented = |scores: &[f64]| {
            // `+ 0.0`: a score of nothing is 0, not -0.
            scores.iter().map(|score| (self.sign * score + 0.0) as f32).collect::<Vec<_>>()
        };
        let joint = self.sign * joint + 0.0;
        let sum: f64 = sums[..self.contributions.parts()].iter().sum();
        LayerIntegral {
            ig: oriented(&sums),
            atp: oriented(first),
            joint: joint as f32,
            convergence_delta: (self.sign * sum - joint) as f32,
            n_steps,
        }
    }

    fn what(&self, quantity: &str) -> String {
        format!("a {quantity} of {}", self.moved)
    }
}
