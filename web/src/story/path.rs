//! The gradient of one head along the line of its layer, and the area under it: geometry without a drawing.

use std::fmt::Write as _;

use twinbeam_core::wire::probes::Integrand;

/// Width and height of the picture, in units of its view box.
pub(super) const SIZE: [f32; 2] = [520.0, 124.0];
/// Room above and below the curve.
const MARGIN: f32 = 8.0;

/// The slope of the effect because of one head, along the line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// Points from alpha 0 to 1, each with the slope there.
    points: Vec<(f32, f32)>,
    /// The area under all of it: the head's integrated gradients.
    ig: f32,
    /// Lowest and highest value of the picture, 0 among them.
    range: [f32; 2],
}

impl Path {
    /// `None` where there is no line. `factor`: what turns the metric's unit into the one that is shown; `ig`: the
    /// score in that unit, as the map has it.
    pub(super) fn of(integrand: &Integrand, factor: f32, ig: f32) -> Option<Self> {
        let slopes = integrand.slope.iter().map(|slope| factor * slope);
        let points: Vec<(f32, f32)> = integrand.alphas.iter().copied().zip(slopes).collect();
        if points.len() < 2 || points.iter().any(|(_, slope)| !slope.is_finite()) {
            return None;
        }
        let values = || points.iter().map(|(_, slope)| *slope);
        let range = [values().fold(0.0, f32::min), values().fold(0.0, f32::max)];
        Some(Self { points, ig, range })
    }

    /// The slope at a point of the line.
    pub(super) fn slope(&self, alpha: f32) -> f32 {
        let after = self.points.partition_point(|(at, _)| *at < alpha).min(self.points.len() - 1);
        let before = after.saturating_sub(1);
        let ((from, low), (to, high)) = (self.points[before], self.points[after]);
        if to > from {
            low + (high - low) * ((alpha - from) / (to - from)).clamp(0.0, 1.0)
        } else {
            high
        }
    }

    /// The area up to a point of the line.
    ///
    /// Trapezoids between the points that are drawn; what they miss of the quadrature is shared out evenly, so that
    /// at 1 it is the score itself.
    pub(super) fn so_far(&self, alpha: f32) -> f32 {
        let alpha = alpha.clamp(0.0, 1.0);
        if alpha >= 1.0 {
            return self.ig;
        }
        self.trapezoids(alpha) + alpha * (self.ig - self.trapezoids(1.0))
    }

    fn trapezoids(&self, alpha: f32) -> f32 {
        let mut area = 0.0;
        for pair in self.points.windows(2) {
            let ((from, low), (to, _)) = (pair[0], pair[1]);
            if from >= alpha {
                break;
            }
            let end = to.min(alpha);
            area += (end - from) * (low + self.slope(end)) / 2.0;
        }
        area
    }

    /// Where a value of the slope is drawn.
    fn place(&self, alpha: f32, slope: f32) -> [f32; 2] {
        let [low, high] = self.range;
        let [width, height] = SIZE;
        let share = if high > low { (slope - low) / (high - low) } else { 0.5 };
        [alpha * width, height - MARGIN - share * (height - 2.0 * MARGIN)]
    }

    /// Height of the line where the slope is 0.
    pub(super) fn zero(&self) -> f32 {
        self.place(0.0, 0.0)[1]
    }

    /// Where the slope of a point of the line is drawn.
    pub(super) fn at(&self, alpha: f32) -> [f32; 2] {
        self.place(alpha, self.slope(alpha))
    }

    /// The curve up to a point of the line, as the data of an SVG path.
    pub(super) fn curve(&self, alpha: f32) -> String {
        let mut data = String::new();
        for (at, slope) in self.points.iter().filter(|(at, _)| *at < alpha) {
            let [x, y] = self.place(*at, *slope);
            write!(data, "{}{x:.1} {y:.1}", if data.is_empty() { 'M' } else { 'L' }).ok();
        }
        let [x, y] = self.at(alpha);
        write!(data, "{}{x:.1} {y:.1}", if data.is_empty() { 'M' } else { 'L' }).ok();
        data
    }

    /// The area under the curve up to a point of the line, as the data of an SVG path.
    pub(super) fn area(&self, alpha: f32) -> String {
        let (zero, [x, _]) = (self.zero(), self.at(alpha));
        format!("{}L{x:.1} {zero:.1}L0 {zero:.1}Z", self.curve(alpha))
    }
}

/// The share of the way that a time of playing has come to.
pub(super) fn alpha_at(millis: f64, whole: f64) -> f32 {
    let share = (millis / whole).clamp(0.0, 1.0) as f32;
    // Slow at both ends, so that each can be seen.
    share * share * (3.0 - 2.0 * share)
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::{Component, ComponentKind, Direction};

    use super::*;

    /// The slope rises from 0 to 4: an area of 2.
    fn path(ig: f32) -> Path {
        let integrand = Integrand {
            component: Component { kind: ComponentKind::Heads, layer: 0, index: 1 },
            direction: Direction::Noising,
            alphas: vec![0.0, 0.25, 0.5, 1.0],
            weights: vec![0.0; 4],
            metric: vec![0.0; 4],
            slope: vec![0.0, 1.0, 2.0, 4.0],
            layer_slope: vec![0.0; 4],
            ig: 2.0,
            joint: 2.0,
            cut: 1.0,
            split_ig: 2.0,
            split_joint: 2.0,
            split_delta: 0.0,
        };
        Path::of(&integrand, 1.0, ig).expect("a line")
    }

    #[test]
    fn the_area_grows_to_the_score_and_is_the_score_at_the_end() {
        let path = path(2.0);
        for (alpha, area) in [(0.0, 0.0), (0.25, 0.125), (0.5, 0.5), (0.75, 1.125), (1.0, 2.0)] {
            assert!((path.so_far(alpha) - area).abs() < 1e-6, "{alpha}: {}", path.so_far(alpha));
        }
        assert_eq!([path.slope(0.375), path.slope(0.0), path.slope(1.0)], [1.5, 0.0, 4.0]);
    }

    #[test]
    fn what_the_drawn_points_miss_is_shared_out_and_the_end_is_exact() {
        let path = path(2.2);
        assert_eq!(path.so_far(1.0).to_bits(), 2.2_f32.to_bits());
        assert!((path.so_far(0.5) - 0.6).abs() < 1e-6, "{}", path.so_far(0.5));
        let nearly = path.so_far(0.999);
        assert!((nearly - 2.2).abs() < 0.01, "no jump at the end: {nearly}");
    }

    #[test]
    fn the_area_is_closed_along_zero_and_within_the_picture() {
        let path = path(2.0);
        let zero = path.zero();
        assert!((zero - (SIZE[1] - MARGIN)).abs() < 1e-3, "the lowest value is 0");
        let area = path.area(0.5);
        assert!(area.starts_with(&format!("M0.0 {zero:.1}L")), "{area}");
        assert!(area.ends_with(&format!("L260.0 {zero:.1}L0 {zero:.1}Z")), "{area}");
        assert_eq!(area.matches('L').count(), 4, "{area}");
        assert_eq!(path.at(1.0), [SIZE[0], MARGIN]);
        assert!(path.area(0.0).starts_with('M'), "nothing is drawn as nothing");
    }

    #[test]
    fn a_line_without_numbers_is_not_drawn() {
        let mut integrand = Integrand { slope: vec![f32::NAN; 2], ..of_nothing() };
        assert_eq!(Path::of(&integrand, 1.0, 0.0), None);
        integrand.slope = vec![0.0; 2];
        let flat = Path::of(&integrand, 1.0, 0.0).expect("a line");
        assert!((flat.zero() - SIZE[1] / 2.0).abs() < 1e-3, "in the middle");
    }

    fn of_nothing() -> Integrand {
        Integrand {
            component: Component { kind: ComponentKind::Heads, layer: 0, index: 0 },
            direction: Direction::Noising,
            alphas: vec![0.0, 1.0],
            weights: vec![0.5; 2],
            metric: vec![0.0; 2],
            slope: vec![0.0; 2],
            layer_slope: vec![0.0; 2],
            ig: 0.0,
            joint: 0.0,
            cut: 1.0,
            split_ig: 0.0,
            split_joint: 0.0,
            split_delta: 0.0,
        }
    }

    #[test]
    fn time_runs_from_one_end_to_the_other() {
        assert_eq!(
            [0.0, 2000.0, 4000.0, 9000.0].map(|at| alpha_at(at, 4000.0)),
            [0.0, 0.5, 1.0, 1.0]
        );
    }
}
