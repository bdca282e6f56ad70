//! From gradient to patch, step by step: nothing here is reactive.

use twinbeam_core::scores::Ladder;
use twinbeam_core::words::{Component, Direction, Metric};

use crate::heatmap::scale::{Scale, signed};
use crate::lab::parts::number;
use crate::plot::{Bar, Bars, Drawn, Ink};
use crate::values::percent;

/// A step counts where it is more than this share of the largest of AtP, IG and AP.
const COUNTS: f32 = 0.05;

/// One component by all methods, in a unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    pub(super) of: Component,
    pub(super) direction: Direction,
    pub(super) metric: Metric,
    pub(super) ladder: Ladder,
    pub(super) unit: &'static str,
}

/// The same effects in another unit.
pub(super) fn in_unit(ladder: Ladder, factor: f32) -> Ladder {
    ladder.scaled(factor)
}

impl Steps {
    fn values(&self) -> [Option<f32>; 4] {
        let Ladder { atp, ig, ap, joint, .. } = self.ladder;
        [atp, ig, ap, joint]
    }

    fn written(&self, value: f32) -> String {
        signed(value, self.scale().decimals())
    }

    /// Of the component's own values: the whole layer would leave no digits of a small one.
    fn scale(&self) -> Scale {
        Scale::of(self.values()[..3].iter().flatten())
    }

    fn largest(&self) -> f32 {
        self.scale().limit()
    }

    /// What each step adds: curvature, interaction, the rest of the layer.
    fn steps(&self) -> [Option<f32>; 3] {
        let [atp, ig, ap, joint] = self.values();
        let step = |from: Option<f32>, to: Option<f32>| Some(to? - from?);
        [step(atp, ig), step(ig, ap), step(ap, joint)]
    }

    /// `None` where nothing is known.
    pub(super) fn draw(&self) -> Option<Drawn> {
        let names = ["AtP", "IG", "AP", "joint patch of the layer"];
        let adds = [
            "curvature on the line (IG − AtP)",
            "interaction (AP − IG)",
            "rest of the layer (joint − AP)",
        ];
        let then = |place: usize| {
            let step = self.steps().get(place).copied().flatten();
            // The number first: it must not be what is cut off.
            step.map_or_else(String::new, |step| format!("{} {}", self.written(step), adds[place]))
        };
        let bars: Vec<Bar> = self
            .values()
            .into_iter()
            .enumerate()
            .filter_map(|(place, value)| {
                Some(Bar {
                    label: names[place].to_owned(),
                    values: vec![value?],
                    component: (place < 3).then_some(self.of),
                    then: then(place),
                    ..Bar::default()
                })
            })
            .collect();
        let drawn = Bars {
            title: format!("{}, {}", self.of, self.direction),
            summary: self.reading(),
            unit: self.unit.to_owned(),
            inks: [Ink::Accent, Ink::Soft],
            signed: true,
            ..Bars::default()
        };
        (!bars.is_empty()).then(|| Bars { rows: bars, ..drawn }.draw())
    }

    /// The values as a list.
    pub(super) fn numbers(&self) -> String {
        let of = |(testid, name, value): (&str, &str, Option<f32>)| {
            let value = value?;
            let written = format!("{} {}", self.written(value), self.unit);
            Some(number(testid, name, Some(value.into()), &written))
        };
        let [atp, ig, ap, joint] = self.values();
        let [curvature, interaction, rest] = self.steps();
        let all = [
            ("ladder-atp", "AtP", atp),
            ("ladder-curvature", "IG − AtP", curvature),
            ("ladder-ig", "IG", ig),
            ("ladder-interaction", "AP − IG", interaction),
            ("ladder-ap", "AP", ap),
            ("ladder-rest", "joint − AP", rest),
            ("ladder-joint", "joint", joint),
        ];
        all.into_iter().filter_map(of).collect()
    }

    /// The larger of curvature and interaction, what IG − AP is made of, and the whole layer beside them.
    pub(super) fn reading(&self) -> String {
        let (of, unit) = (self.of, self.unit);
        let others = format!("the other {}s of its layer", of.kind.one());
        let [atp, Some(ig), Some(ap), joint] = self.values() else {
            return format!("IG and AP of {of} are not both computed yet.");
        };
        let (curvature, interaction) = (atp.map(|atp| ig - atp), ap - ig);
        let largest_value = self.largest();
        let counts = |step: f32| step.abs() > COUNTS * largest_value;
        let bent = |step: f32| {
            format!(
                "curvature (IG − AtP), {} {unit}: the gradient changes on the way",
                self.written(step)
            )
        };
        let shared = format!(
            "interaction (AP − IG), {} {unit}: what it does depends on {others}",
            self.written(interaction)
        );
        let mut words = match curvature {
            None if counts(interaction) => format!("What is known is {shared}."),
            None => format!("For {of} integral and patch say about the same."),
            Some(curvature) if !counts(curvature) && !counts(interaction) => {
                format!("No step counts: for {of} gradient, integral and patch say about the same.")
            }
            Some(curvature) if curvature.abs() > interaction.abs() => {
                format!("The larger step is {}.", bent(curvature))
            }
            Some(_) => format!("The larger step is {shared}."),
        };
        let made_of = if interaction == 0.0 {
            " IG and AP are equal here: there is nothing between the two maps.".to_owned()
        } else {
            let larger = ig.abs().max(ap.abs());
            format!(
                " IG − AP is {} {unit} ({} of the larger of the two), all of it interaction with {others}: curvature \
                 is no part of it.",
                self.written(-interaction),
                percent((interaction / larger).abs())
            )
        };
        words.push_str(&made_of);
        if counts(interaction) {
            let alone = if ig * ap < 0.0 {
                "has the other sign than"
            } else if ap.abs() < ig.abs() {
                "counts for less than"
            } else {
                "counts for more than"
            };
            let more = format!(" Replaced alone it {alone} as a part of its layer.");
            words.push_str(&more);
        }
        if let Some(joint) = joint {
            let more = format!(
                " For context: the whole layer, replaced, is {} {unit}.",
                self.written(joint)
            );
            words.push_str(&more);
        }
        words.push_str(match atp {
            None => " AtP is not in the link: it follows when this figure has been computed here.",
            Some(_) if self.metric == Metric::Kl && self.direction == Direction::Noising => {
                " AtP is 0 by construction here, but for rounding: the clean run is the minimum of KL, where the \
                 gradient is 0, and IG − AtP is all of IG."
            }
            Some(_) => "",
        });
        words
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::ComponentKind;

    use super::*;

    fn steps(atp: Option<f32>, ig: f32, ap: f32, joint: f32) -> Steps {
        Steps {
            of: Component { kind: ComponentKind::Heads, layer: 9, index: 6 },
            direction: Direction::Noising,
            metric: Metric::LogitDiff,
            ladder: Ladder { atp, ig: Some(ig), ap: Some(ap), joint: Some(joint), solo_sum: None },
            unit: "logits",
        }
    }

    #[test]
    fn the_larger_of_curvature_and_interaction_is_named_first() {
        let curved = steps(Some(0.0), 1.0, 1.0, 1.01).reading();
        assert!(
            curved.starts_with("The larger step is curvature (IG − AtP), +1.00 logits: the"),
            "{curved}"
        );
        assert!(curved.contains("IG and AP are equal here"), "{curved}");
        assert!(!curved.contains("Replaced alone"), "IG and AP are equal: {curved}");
        let interacting = steps(Some(1.0), 1.0, 0.25, 0.5).reading();
        assert!(
            interacting.starts_with("The larger step is interaction (AP − IG), −0.75 logits"),
            "{interacting}"
        );
        assert!(interacting.contains("counts for less than as a part"), "{interacting}");
        let opposed = steps(Some(1.0), 0.5, -1.0, 0.5).reading();
        assert!(opposed.contains("Replaced alone it has the other sign than as"), "{opposed}");
        let same = steps(Some(1.0), 1.0, 1.0, 1.0).reading();
        assert!(same.starts_with("No step counts"), "{same}");
    }

    #[test]
    fn the_layer_is_context_and_no_step() {
        let layer = steps(None, 1.0, 1.0, 3.0).reading();
        assert!(
            layer.contains("For context: the whole layer, replaced, is +3.00 logits"),
            "{layer}"
        );
        assert!(layer.contains("AtP is not in the link"), "{layer}");
        // A small head of a large layer: its own digits are there.
        let small = steps(Some(0.02), 0.02, 0.01, 3.0).reading();
        assert!(small.starts_with("The larger step is interaction"), "{small}");
        assert!(small.contains("IG − AP is +0.0100 logits (50 % of the larger"), "{small}");
    }

    #[test]
    fn the_gradient_of_kl_at_its_minimum_is_said_to_be_nothing() {
        let kl = Steps { metric: Metric::Kl, ..steps(Some(0.0), 1.0, 0.5, 2.0) };
        assert!(kl.reading().contains("AtP is 0 by construction"), "{}", kl.reading());
        let denoising = Steps { direction: Direction::Denoising, ..kl };
        assert!(!denoising.reading().contains("by construction"));
    }

    #[test]
    fn every_value_is_there_in_full_and_what_is_unknown_is_not() {
        let numbers = steps(None, 0.5, -0.25, 1.0).numbers();
        for part in [
            "data-testid=\"ladder-ig\" data-value=\"0.5\">+0.500 logits",
            "data-testid=\"ladder-ap\" data-value=\"-0.25\">−0.250 logits",
            "data-testid=\"ladder-interaction\" data-value=\"-0.75\"",
            "data-testid=\"ladder-joint\" data-value=\"1\"",
        ] {
            assert!(numbers.contains(part), "{part} in {numbers}");
        }
        assert!(!numbers.contains("ladder-atp") && !numbers.contains("ladder-curvature"));
    }

    #[test]
    fn effects_in_another_unit_are_scaled_all() {
        let ladder = in_unit(steps(Some(4.0), 2.0, -2.0, 8.0).ladder, 0.25);
        let expected = steps(Some(1.0), 0.5, -0.5, 2.0).ladder;
        assert_eq!(ladder, expected);
    }

    #[test]
    fn what_is_unknown_has_no_bar() {
        let drawn = steps(None, 0.5, -0.25, 1.0).draw().expect("three are known");
        assert_eq!(drawn.points.len(), 3);
        assert!(drawn.svg.contains("↓ −0.750 interaction (AP − IG)"), "{}", drawn.svg);
        let nothing = Steps { ladder: Ladder::default(), ..steps(None, 0.0, 0.0, 0.0) };
        assert_eq!(nothing.draw(), None);
    }
}
