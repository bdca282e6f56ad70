//! The metric and its slope along the line that a layer moves on.

use twinbeam_core::wire::probes::Integrand;
use twinbeam_core::words::Metric;

use crate::lab::parts::number;
use crate::plot::{At, Axis, Band, Drawn, Ink, Rule, Series, Xy};
use crate::values::{count, percent};
use twinbeam_figure::scale::small;

/// A line whose cut is later than this has no end to cut off.
const NO_CUT: f32 = 0.999;

/// The line of a component's layer, with its effects' unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Along {
    pub(super) integrand: Integrand,
    pub(super) metric: Metric,
    pub(super) factor: f32,
    pub(super) unit: &'static str,
}

impl Along {
    /// The metric, and its slope; with split IG the cut is marked.
    pub(super) fn draw(&self, split: bool, width: f64) -> [Drawn; 2] {
        let Integrand { component, alphas, weights, metric, slope, layer_slope, cut, .. } =
            &self.integrand;
        let x = Axis { range: Some((0.0, 1.0)), ..Axis::of("alpha", "") };
        let nodes: Vec<f32> = alphas
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0)
            .map(|(a, _)| *a)
            .collect();
        let is_cut = *cut < NO_CUT;
        let bands = if is_cut {
            vec![Band { from: *cut, to: 1.0, label: "last 10 %".to_owned() }]
        } else {
            Vec::new()
        };
        let rules = if is_cut && split {
            let label = "split IG ends".to_owned();
            vec![Rule { at: At::X(*cut), label, ink: Ink::Accent }]
        } else {
            Vec::new()
        };
        let curve = |label: &str, ink: Ink, values: &[f32], factor: f32, dashed: bool| Series {
            label: label.to_owned(),
            ink,
            points: alphas.iter().zip(values).map(|(a, value)| (*a, factor * value)).collect(),
            dots: false,
            dashed,
        };
        let ends =
            [metric.first(), metric.last()].map(|end| end.map_or_else(String::new, |m| small(*m)));
        let of_metric = Xy {
            title: format!("The {} as layer {} moves", self.metric.label(), component.layer),
            summary: format!(
                "{} {} in the run that is changed (alpha 0), {} with the whole layer of the other run (alpha 1). {}",
                ends[0],
                self.metric.unit(),
                ends[1],
                self.saturation()
            ),
            x: x.clone(),
            y: Axis::of(self.metric.label(), self.metric.unit()),
            bands: bands.clone(),
            rules: rules.clone(),
            series: vec![curve("", Ink::Plain, metric, 1.0, false)],
            nodes: nodes.clone(),
            width,
            ..Xy::default()
        };
        let name = component.to_string();
        let of_slope = Xy {
            title: "Slope of the effect: its area is IG".to_owned(),
            summary: format!(
                "the area under the curve of {name} is its IG, {} {}; {}.",
                small(self.factor * self.integrand.ig),
                self.unit,
                count(nodes.len(), "node"),
            ),
            x,
            y: Axis::signed("slope", &format!("{} per unit of alpha", self.unit)),
            bands,
            rules,
            series: vec![
                curve(&name, Ink::Ig, slope, self.factor, false),
                curve("whole layer", Ink::Soft, layer_slope, self.factor, true),
            ],
            nodes,
            width,
            ..Xy::default()
        };
        [of_metric.draw(), of_slope.draw()]
    }

    fn saturation(&self) -> String {
        let cut = self.integrand.cut;
        if cut < NO_CUT {
            format!("It makes 90 % of its way by alpha {cut:.2}.")
        } else {
            "It does not saturate.".to_owned()
        }
    }

    /// IG, what it should add up to, and with the split its part before the cut.
    pub(super) fn numbers(&self, split: bool) -> String {
        let of = &self.integrand;
        let effect = |testid: &str, name: &str, value: f32| {
            let value = self.factor * value;
            number(testid, name, Some(value.into()), &format!("{} {}", small(value), self.unit))
        };
        let n_nodes = of.weights.iter().filter(|weight| **weight > 0.0).count();
        let mut all = effect("integrand-ig", "IG, the area", of.ig);
        all += &number("integrand-nodes", "nodes", Some(n_nodes as f64), &n_nodes.to_string());
        all += &effect("integrand-joint", "whole layer, joint patch", of.joint);
        if split {
            all += &effect("split-ig", "split IG", of.split_ig);
            let cut = format!("{:.3}", of.cut);
            all += &number("split-cut", "up to alpha", Some(of.cut.into()), &cut);
            all += &effect("split-joint", "whole layer up to there", of.split_joint);
            all += &effect("split-delta", "convergence delta of split IG", of.split_delta);
        }
        all
    }

    /// What the curves say of this component.
    pub(super) fn reading(&self) -> String {
        let of = &self.integrand;
        let rest = of.ig - of.split_ig;
        let mut words = format!(
            "alpha is the share of the other run’s activations that is put in, the whole layer at once; marks at the \
             bottom are the nodes of the integral. {}",
            self.saturation()
        );
        if of.cut < NO_CUT && of.ig != 0.0 {
            let more = format!(
                " What follows is {} of this component’s IG ({} {}).",
                percent(rest / of.ig).replace('-', "−"),
                small(self.factor * rest),
                self.unit
            );
            words.push_str(&more);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::{Component, ComponentKind, Direction};

    use super::*;

    fn along(cut: f32) -> Along {
        Along {
            integrand: Integrand {
                component: Component { kind: ComponentKind::Heads, layer: 9, index: 6 },
                direction: Direction::Noising,
                alphas: vec![0.0, 0.5, 1.0],
                weights: vec![0.0, 1.0, 0.0],
                metric: vec![3.0, 1.0, 0.5],
                slope: vec![0.0, 1.0, 0.0],
                layer_slope: vec![4.0, 2.0, 0.0],
                ig: 1.0,
                joint: 2.5,
                cut,
                split_ig: 0.75,
                split_joint: 2.0,
                split_delta: 0.001,
            },
            metric: Metric::LogitDiff,
            factor: 0.5,
            unit: "of the gap",
        }
    }

    #[test]
    fn split_ig_is_there_when_it_is_asked_for() {
        let numbers = along(0.5).numbers(false);
        assert!(
            numbers.contains("data-testid=\"integrand-ig\" data-value=\"0.5\">+0.500 of the gap")
        );
        assert!(!numbers.contains("split"), "{numbers}");
        let numbers = along(0.5).numbers(true);
        assert!(numbers.contains("data-testid=\"split-ig\" data-value=\"0.375\""), "{numbers}");
        assert!(numbers.contains("split-delta"), "{numbers}");
    }

    #[test]
    fn the_reading_says_how_much_comes_after_the_cut() {
        let words = along(0.5).reading();
        assert!(words.contains("by alpha 0.50. What follows is 25 % of"), "{words}");
        assert!(words.contains("+0.125 of the gap"), "{words}");
        assert!(along(1.0).reading().ends_with("It does not saturate."));
    }

    #[test]
    fn both_plots_have_the_same_line() {
        let [metric, slope] = along(0.5).draw(true, 360.0);
        assert!(metric.summary.contains("+3.000 logits"), "{}", metric.summary);
        assert!(slope.summary.contains("1 node"), "{}", slope.summary);
        assert!(metric.svg.contains("last 10 %"), "{}", metric.svg);
    }
}
