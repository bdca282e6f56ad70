//! Integrated gradients of whole layers, with a fixed number of points or as many as the scores need.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use twinbeam_core::words::{ComponentKind, Direction, Steps};

use crate::batches::kind_of;
use crate::line::{Line, Point, Slopes, points};
use crate::quadrature::{FIRST_INTERVALS, clenshaw_curtis, gauss_legendre, new_nodes, refined};
use crate::site::Site;
use crate::{Error, Progress, RunPair};

/// The points of its line at which a layer is integrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nodes {
    /// Gauss-Legendre nodes, as captum's `gausslegendre`.
    Fixed(usize),
    /// Clenshaw-Curtis nodes of so many intervals, an even number.
    Nested(usize),
    /// Clenshaw-Curtis nodes of 4 intervals, then of twice as many each time, until the scores are good enough: nodes
    /// of the last time are used again, and both ends of the line are needed in any case.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    let mut line = Line::between(pair, Site { kind, layer }, direction);
    line.integrate(nodes, progress).await
}

/// Integrated gradients of all heads, or all neurons, of one layer, with activations of zero as the baseline and the
/// clean run upstream: the first experiment of the notebook (docs/METHODS.md#the-notebook). Not comparable with
/// patching, and often not converged.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
pub async fn integrate_from_zero(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layer: usize,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<LayerIntegral, Error> {
    Line::from_zero(pair, Site { kind, layer }).integrate(nodes, progress).await
}

/// What the lines of layers lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The other run's activations, as [`integrate`].
    OtherRun(Direction),
    /// Zero, as [`integrate_from_zero`].
    Zero,
}

/// Integrated gradients of some layers, one result per layer. On a device that has a pace they are read back together;
/// where points are found on the way, all of these layers are refined at once.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
pub async fn integrate_layers(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layers: Range<usize>,
    baseline: Baseline,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Vec<LayerIntegral>, Error> {
    let line = |layer| match baseline {
        Baseline::OtherRun(direction) => Line::between(pair, Site { kind, layer }, direction),
        Baseline::Zero => Line::from_zero(pair, Site { kind, layer }),
    };
    let mut lines: Vec<Line<'_>> = layers.map(line).collect();
    integrate_lines(&mut lines, nodes, progress).await
}

/// How many layers from one on are read back together as things stand; at least one. Where points are found on the way
/// those count that each layer begins with.
pub fn layers_at_once(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    from: usize,
    baseline: Baseline,
    nodes: Nodes,
    progress: &dyn Progress,
) -> usize {
    let Some(pace) = progress.pace() else {
        return 1;
    };
    let points = match nodes {
        Nodes::Fixed(n) => n + 2,
        Nodes::Nested(intervals) => intervals + 1,
        Nodes::Until { .. } => FIRST_INTERVALS + 1,
    };
    let work = kind_of(pair, true);
    let from_zero = baseline == Baseline::Zero;
    let (mut batches, mut units, mut layer) = (0, 0, from);
    while layer < pair.n_layers() && (layer == from || !pace.is_enough(work, batches, units)) {
        let depth = Site { kind, layer }.depth();
        let n_run = pair.n_pos - pair.cost.start(depth, from_zero);
        let rows = pair.cost.batch_rows(n_run, Some(depth.block()), pace.size(work));
        batches += points.div_ceil(rows);
        units += pair.cost.points(kind, layer, points, from_zero);
        layer += 1;
    }
    (layer - from).max(1)
}

/// Integrals of some lines of one pair.
pub(crate) async fn integrate_lines(
    lines: &mut [Line<'_>],
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Vec<LayerIntegral>, Error> {
    match nodes {
        Nodes::Fixed(_) | Nodes::Nested(_) => {
            let found = with_ends(lines, &inside(nodes), progress).await?;
            Ok(lines.iter().zip(found).map(|(line, found)| line.by_rule(nodes, found)).collect())
        }
        Nodes::Until { tolerance } => {
            let mut found = closed(lines, FIRST_INTERVALS, progress).await?;
            loop {
                let asked: Vec<(usize, Vec<f64>)> = (lines.iter().zip(&found).enumerate())
                    .filter(|(_, (line, found))| !line.is_fine(found, tolerance))
                    .map(|(place, (_, (slopes, _)))| (place, new_nodes(slopes.len())))
                    .collect();
                if asked.is_empty() {
                    let all = lines.iter().zip(&found);
                    let all =
                        all.map(|(line, (slopes, joint))| line.closed_integral(slopes, *joint));
                    return Ok(all.collect());
                }
                let new = points(lines, &asked, false, progress).await?;
                for ((place, _), new) in asked.iter().zip(new) {
                    let (slopes, _) = &mut found[*place];
                    let new = new.into_iter().map(|point| point.slopes);
                    *slopes = refined(std::mem::take(slopes), new);
                }
            }
        }
    }
}

/// Nodes between both ends of a rule that is known beforehand; where points are found on the way, those that are begun
/// with.
pub(crate) fn inside(nodes: Nodes) -> Vec<f64> {
    match nodes {
        Nodes::Fixed(n) => gauss_legendre(n).into_iter().map(|(t, _)| t).collect(),
        Nodes::Nested(intervals) => inside_closed(intervals),
        Nodes::Until { .. } => inside_closed(FIRST_INTERVALS),
    }
}

fn inside_closed(intervals: usize) -> Vec<f64> {
    clenshaw_curtis(intervals)[1..intervals].iter().map(|(t, _)| *t).collect()
}

/// Slopes at both ends and at points between, in the order of the line.
fn in_order(mut slopes: Vec<Slopes>) -> Vec<Slopes> {
    let end = slopes.remove(1);
    slopes.push(end);
    slopes
}

/// For each line, the slopes at the nodes of a rule that has both ends, in their order, and the gain of the metric from
/// the first end to the last.
async fn closed(
    lines: &mut [Line<'_>],
    intervals: usize,
    progress: &mut dyn Progress,
) -> Result<Vec<(Vec<Slopes>, f64)>, Error> {
    let found = with_ends(lines, &inside_closed(intervals), progress).await?;
    Ok(found.into_iter().map(|(slopes, joint)| (in_order(slopes), joint)).collect())
}

/// For each line, the slopes at both ends and then at points between, and the gain of the metric from the first end to
/// the second.
async fn with_ends(
    lines: &mut [Line<'_>],
    inside: &[f64],
    progress: &mut dyn Progress,
) -> Result<Vec<(Vec<Slopes>, f64)>, Error> {
    let ts = [&[0.0, 1.0], inside].concat();
    let asked: Vec<_> = (0..lines.len()).map(|line| (line, ts.clone())).collect();
    let found = points(lines, &asked, false, progress).await?;
    let of_line = |points: Vec<Point>| {
        let joint = points[1].gain;
        (points.into_iter().map(|point| point.slopes).collect(), joint)
    };
    Ok(found.into_iter().map(of_line).collect())
}

impl Line<'_> {
    pub(crate) async fn integrate(
        &mut self,
        nodes: Nodes,
        progress: &mut dyn Progress,
    ) -> Result<LayerIntegral, Error> {
        let mut found = integrate_lines(std::slice::from_mut(self), nodes, progress).await?;
        // OK because there is one for each line.
        Ok(found.pop().expect("an integral of the line"))
    }

    /// Slopes at some points, and by how much the metric there is more than at the beginning of the line.
    pub(crate) async fn points(
        &mut self,
        ts: &[f64],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Point>, Error> {
        let asked = [(0, ts.to_vec())];
        let found = points(std::slice::from_mut(self), &asked, true, progress).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Whether scores are good enough: by what the last doubling of the intervals has changed, and by their sum.
    fn is_fine(&self, (slopes, joint): &(Vec<Slopes>, f64), tolerance: f64) -> bool {
        let fine = self.closed_integral(slopes, *joint);
        let every_other: Vec<Slopes> = slopes.iter().step_by(2).cloned().collect();
        let coarse = self.closed_integral(&every_other, *joint);
        let changes = fine.ig.iter().zip(&coarse.ig).map(|(a, b)| (a - b).abs());
        let off = changes.fold(fine.convergence_delta.abs(), f32::max);
        f64::from(off) <= tolerance || slopes.len() >= Steps::MOST_POINTS
    }

    /// The scores by a rule whose nodes are known: from slopes at both ends and at the nodes of [`inside`], and from
    /// the gain of the metric between the ends.
    pub(crate) fn by_rule(
        &self,
        nodes: Nodes,
        (slopes, joint): (Vec<Slopes>, f64),
    ) -> LayerIntegral {
        let Nodes::Fixed(n_steps) = nodes else {
            return self.closed_integral(&in_order(slopes), joint);
        };
        let weights = gauss_legendre(n_steps).into_iter().map(|(_, weight)| weight);
        self.integral(&slopes[0], joint, weights.zip(&slopes[2..]), n_steps)
    }

    fn closed_integral(&self, slopes: &[Slopes], joint: f64) -> LayerIntegral {
        let weights = clenshaw_curtis(slopes.len() - 1).into_iter().map(|(_, weight)| weight);
        self.integral(&slopes[0], joint, weights.zip(slopes), slopes.len())
    }

    /// The scores of points with their weights: a sum of slopes for each part, with sign, joint effect and delta.
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
        let sum: f64 = sums[..self.parts()].iter().sum();
        LayerIntegral {
            ig: oriented(&sums),
            atp: oriented(first),
            joint: joint as f32,
            convergence_delta: (self.sign * sum - joint) as f32,
            n_steps,
        }
    }
}
