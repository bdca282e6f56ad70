//! From gradient to patch, step by step: nothing here is reactive.

use twinbeam_core::{Component, Direction, Ladder};

use crate::explain::percent;
use crate::heatmap::scale::{Scale, signed};
use crate::lab::parts::number;
use crate::plot::{Bar, Bars, Drawn, Ink};

/// A step counts where it is more than this share of the largest of the values it leads between.
const COUNTS: f32 = 0.05;

/// One component by all methods, in a unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    pub(super) of: Component,
    pub(super) direction: Direction,
    pub(super) ladder: Ladder,
    pub(super) unit: &'static str,
}

/// The same effects in another unit.
pub(super) fn in_unit(ladder: Ladder, factor: f32) -> Ladder {
    let scaled = |value: Option<f32>| value.map(|value| factor * value);
    Ladder {
        atp: scaled(ladder.atp),
        ig: scaled(ladder.ig),
        ap: scaled(ladder.ap),
        joint: scaled(ladder.joint),
        solo_sum: scaled(ladder.solo_sum),
    }
}

impl Steps {
    fn values(&self) -> [Option<f32>; 4] {
        let Ladder { atp, ig, ap, joint, .. } = self.ladder;
        [atp, ig, ap, joint]
    }

    fn written(&self, value: f32) -> String {
        signed(value, Scale::of(self.values().iter().flatten()).decimals())
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
            "curvature along the line, IG − AtP",
            "interaction in the layer, AP − IG",
            "the rest of the layer, joint − AP",
        ];
        let then = |place: usize| {
            let step = self.steps().get(place).copied().flatten();
            step.map_or_else(String::new, |step| format!("{}: {}", adds[place], self.written(step)))
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
        (!bars.is_empty()).then(|| Bars { bars, ..drawn }.draw())
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

    /// Which step is the largest, and what that says.
    pub(super) fn reading(&self) -> String {
        let of = self.of;
        let others = format!("the other {}s of its layer", of.kind.one());
        let Some(interaction) = self.steps()[1] else {
            return format!("IG and AP of {of} are not both computed yet.");
        };
        let largest_value = Scale::of(self.values().iter().flatten()).limit();
        let counts = |step: f32| step.abs() > COUNTS * largest_value;
        let meanings = [
            ("from AtP to IG", "the gradient changes on the way".to_owned()),
            ("from IG to AP", format!("what it does depends on {others}")),
            ("from AP to the joint patch", format!("what {others} do besides")),
        ];
        let steps = self.steps().into_iter().zip(meanings);
        let known = steps.filter_map(|(step, meaning)| Some((step?, meaning)));
        let largest = known.max_by(|(a, _), (b, _)| a.abs().total_cmp(&b.abs()));
        let mut words = match largest {
            Some((step, (name, meaning))) if counts(step) => {
                format!(
                    "The largest step is {name}, {} {}: {meaning}.",
                    self.written(step),
                    self.unit
                )
            }
            _ => format!("No step counts: for {of} gradient, integral and patch say the same."),
        };
        if counts(interaction)
            && let [_, Some(ig), Some(ap), _] = self.values()
        {
            let less = if ap.abs() < ig.abs() { "less" } else { "more" };
            let share = percent((interaction / largest_value).abs());
            let more = format!(
                " Between the two maps, AP − IG is {} {} ({share} of the largest value here): replaced alone it \
                 counts for {less} than as a part of its layer.",
                self.written(interaction),
                self.unit
            );
            words.push_str(&more);
        }
        if self.ladder.atp.is_none() {
            words.push_str(
                " AtP is not in the link: it follows when this figure has been computed here.",
            );
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::ComponentKind;

    use super::*;

    fn steps(atp: Option<f32>, ig: f32, ap: f32, joint: f32) -> Steps {
        Steps {
            of: Component { kind: ComponentKind::Heads, layer: 9, index: 6 },
            direction: Direction::Noising,
            ladder: Ladder { atp, ig: Some(ig), ap: Some(ap), joint: Some(joint), solo_sum: None },
            unit: "logits",
        }
    }

    #[test]
    fn the_largest_step_is_named_with_what_it_says() {
        let curved = steps(Some(0.0), 1.0, 1.0, 1.01).reading();
        assert!(
            curved.starts_with("The largest step is from AtP to IG, +1.00 logits: the gradient"),
            "{curved}"
        );
        assert!(!curved.contains("Between"), "IG and AP are equal: {curved}");
        let interacting = steps(Some(1.0), 1.0, 0.25, 0.5).reading();
        assert!(interacting.contains("from IG to AP, −0.75 logits"), "{interacting}");
        assert!(interacting.contains("counts for less than as a part"), "{interacting}");
        let layer = steps(None, 1.0, 1.0, 3.0).reading();
        assert!(layer.contains("from AP to the joint patch, +2.00 logits"), "{layer}");
        assert!(layer.contains("AtP is not in the link"), "{layer}");
        let same = steps(Some(1.0), 1.0, 1.0, 1.0).reading();
        assert!(same.starts_with("No step counts"), "{same}");
    }

    #[test]
    fn every_value_is_there_in_full_and_what_is_unknown_is_not() {
        let numbers = steps(None, 0.5, -0.25, 1.0).numbers();
        for part in [
            "data-testid=\"ladder-ig\" data-value=\"0.5\">+0.50 logits",
            "data-testid=\"ladder-ap\" data-value=\"-0.25\">−0.25 logits",
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
        let nothing = Steps { ladder: Ladder::default(), ..steps(None, 0.0, 0.0, 0.0) };
        assert_eq!(nothing.draw(), None);
    }
}
