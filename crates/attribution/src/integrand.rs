//! What integrated gradients integrate: the metric and its slope along a line, point by point, and split IG.

use twinbeam_core::wire::probes::Integrand;
use twinbeam_core::words::{Component, Direction};

use crate::cost::DRAWN_POINTS;
use crate::line::{Line, Point};
use crate::quadrature::{clenshaw_curtis, gauss_legendre};
use crate::site::Site;
use crate::{Error, Nodes, Progress, RunPair};

/// Nodes of split IG where the number of steps is found on the way.
const SPLIT_NODES: usize = 32;

/// How much of the way between its extremes the metric has made at the cut.
const CUT: f64 = 0.9;

/// The metric and its slope along the line of a component's layer, where the metric stops changing, and the
/// component's integrated gradients up to there.
///
/// # Units
/// The metric's. Slopes and effects: positive supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Miglani et al. (2020), "Investigating saturation effects in integrated gradients", arXiv:2010.12697: split IG,
/// cut at 90 % of the way.
pub async fn integrand(
    pair: &RunPair<'_>,
    component: Component,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Integrand, Error> {
    let Component { kind, layer, index } = component;
    let mut line = Line::between(pair, Site { kind, layer }, direction);
    let (rule, n_split) = match nodes {
        Nodes::Fixed(n) => (gauss_legendre(n), n),
        Nodes::Nested(intervals) => (clenshaw_curtis(intervals), SPLIT_NODES),
        Nodes::Until { .. } => {
            let found = line.integrate(nodes, progress).await?;
            (clenshaw_curtis(found.n_steps - 1), SPLIT_NODES)
        }
    };
    let rule = with_drawn(&rule);
    let alphas: Vec<f64> = rule.iter().map(|(alpha, _)| *alpha).collect();
    let points = line.points(&alphas, progress).await?;
    let metric: Vec<f32> = points.iter().map(|point| pair.after(direction, point.gain)).collect();

    let gains: Vec<f64> = points.iter().map(|point| point.gain).collect();
    let cut = cut(&alphas, &gains);
    // The line as far as the cut, and the cut itself.
    let split = gauss_legendre(n_split);
    let ts: Vec<f64> = split.iter().map(|(t, _)| cut * t).chain([cut]).collect();
    let mut to_cut = line.points(&ts, progress).await?;
    // OK because there are as many points as were asked for.
    let at_cut = to_cut.pop().map_or(0.0, |point| point.gain);
    let integral = |points: &[Point], rule: &[(f64, f64)], slope: &dyn Fn(&Point) -> f64| {
        points.iter().zip(rule).map(|(point, (_, weight))| weight * slope(point)).sum::<f64>()
    };
    let own = |point: &Point| point.slopes[index];
    let of_layer = |point: &Point| point.slopes.iter().sum::<f64>();
    // `+ 0.0`: an effect of nothing is 0, not -0.
    let oriented = |value: f64| line.sign * value + 0.0;
    let all = |slope: &dyn Fn(&Point) -> f64| -> Vec<f32> {
        points.iter().map(|point| oriented(slope(point)) as f32).collect()
    };
    Ok(Integrand {
        component,
        direction,
        alphas: alphas.iter().map(|alpha| *alpha as f32).collect(),
        weights: rule.iter().map(|(_, weight)| *weight as f32).collect(),
        metric,
        slope: all(&own),
        layer_slope: all(&of_layer),
        ig: oriented(integral(&points, &rule, &own)) as f32,
        joint: oriented(gains.last().copied().unwrap_or_default()) as f32,
        cut: cut as f32,
        split_ig: oriented(cut * integral(&to_cut, &split, &own)) as f32,
        split_joint: oriented(at_cut) as f32,
        split_delta: oriented(cut * integral(&to_cut, &split, &of_layer) - at_cut) as f32,
    })
}

/// Nodes of a rule together with evenly spaced points, whose weight is 0; ascending.
fn with_drawn(rule: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let drawn = (0..DRAWN_POINTS).map(|i| i as f64 / (DRAWN_POINTS - 1) as f64);
    let is_new = |alpha: &f64| rule.iter().all(|(node, _)| (node - alpha).abs() > 1e-9);
    let drawn = drawn.filter(is_new).map(|alpha| (alpha, 0.0));
    let mut all: Vec<_> = rule.iter().copied().chain(drawn).collect();
    all.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    all
}

/// Where a curve has made 90 % of its way from that of its extremes which comes first to the other, linear between
/// points; 1 where it is level.
fn cut(alphas: &[f64], curve: &[f64]) -> f64 {
    let place_of = |better: &dyn Fn(f64, f64) -> bool| {
        (0..curve.len()).fold(0, |best, i| if better(curve[i], curve[best]) { i } else { best })
    };
    let (least, most) = (place_of(&|a, b| a < b), place_of(&|a, b| a > b));
    let (first, second) = (least.min(most), least.max(most));
    let way = curve[second] - curve[first];
    // Part of the way that is made at a point; not a number where there is no way to go.
    let made = |i: usize| (curve[i] - curve[first]) / way;
    let Some(i) = (first + 1..=second).find(|i| made(*i) >= CUT) else {
        return 1.0;
    };
    let (before, after) = (made(i - 1), made(i));
    let part = (CUT - before) / (after - before);
    alphas[i - 1] + part * (alphas[i] - alphas[i - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_where_ninety_percent_are_made() {
        let close = |alphas: &[f64], curve: &[f64], expected: f64| {
            let got = cut(alphas, curve);
            assert!((got - expected).abs() < 1e-12, "{curve:?}: {got}, not {expected}");
        };
        close(&[0.0, 0.5, 1.0], &[0.0, 1.0, 1.0], 0.45);
        close(&[0.0, 0.5, 1.0], &[0.0, -1.0, -2.0], 0.9);
        // Up first, then down to the lowest: the way begins at the top.
        close(&[0.0, 0.5, 1.0], &[0.0, 1.0, -1.0], 0.95);
        close(&[0.0, 0.5, 1.0], &[2.0, 2.0, 2.0], 1.0);
        close(&[0.0, 1.0], &[0.0, 1e-300], 0.9);
    }

    #[test]
    fn nodes_are_drawn_once_and_both_ends_are_there() {
        for rule in [gauss_legendre(50), gauss_legendre(1), clenshaw_curtis(16), clenshaw_curtis(2)]
        {
            let points = with_drawn(&rule);
            assert!(points.is_sorted_by(|(a, _), (b, _)| a < b));
            assert_eq!((points[0].0, points[points.len() - 1].0), (0.0, 1.0));
            let total: f64 = points.iter().map(|(_, weight)| weight).sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
        // Both ends and the middle are nodes already.
        assert_eq!(with_drawn(&clenshaw_curtis(2)).len(), 33);
        assert_eq!(with_drawn(&gauss_legendre(50)).len(), 83);
    }
}
