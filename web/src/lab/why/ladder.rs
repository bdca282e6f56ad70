//! What gradient, integral and patch say of one component, and the steps between them: nothing here is reactive.
//!
//! Every step is IG minus something: what IG has that a patch of the component alone has not, and what it has that the
//! gradient at one end has not.

use twinbeam_core::scores::{Ladder, Unit};
use twinbeam_core::words::{Component, Direction, Metric};

use crate::lab::parts::number;
use crate::plot::{Drawn, Fall, Ink, Waterfall};
use crate::values::{Committed, percent};
use twinbeam_figure::scale::Scale;

/// A step counts where it is more than this share of the largest of AtP, IG and AP.
const COUNTS: f32 = 0.05;

/// One component by all methods, in a unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Steps {
    pub(crate) of: Component,
    pub(crate) direction: Direction,
    pub(crate) metric: Metric,
    /// In `unit`; positive supports the clean behaviour.
    pub(crate) ladder: Ladder,
    pub(crate) unit: &'static str,
}

impl Steps {
    /// The component in a figure, in the unit that both methods can be compared in.
    pub(crate) fn of(
        committed: &Committed,
        of: Component,
        direction: Direction,
        wanted: Unit,
    ) -> Self {
        let (factor, unit) = wanted.common(&committed.basis);
        let ladder = Ladder::of(&committed.tables, of, direction);
        let metric = committed.experiment.metric;
        Self { of, direction, metric, ladder: ladder.scaled(factor), unit }
    }

    fn written(&self, value: f32) -> String {
        self.scale().written(value)
    }

    /// Of the component's own values: the whole layer would leave no digits of a small one.
    fn scale(&self) -> Scale {
        let Ladder { atp, ig, ap, .. } = &self.ladder;
        Scale::of([atp, ig, ap].into_iter().flatten())
    }

    fn counts(&self, step: f32) -> bool {
        step.abs() > COUNTS * self.scale().limit()
    }

    /// IG − AP: interaction with the rest of the layer.
    fn interaction(&self) -> Option<f32> {
        Some(self.ladder.ig? - self.ladder.ap?)
    }

    /// IG − AtP: how the gradient changes on the way.
    fn curvature(&self) -> Option<f32> {
        Some(self.ladder.ig? - self.ladder.atp?)
    }

    /// The waterfall from AP over IG to AtP, `width` pixels wide; `None` where nothing is known. `ids`: its numbers have
    /// names that tests and sentences ask for, which a page may have once only.
    pub(crate) fn waterfall(&self, width: f64, ids: bool) -> Option<Drawn> {
        let Ladder { atp, ig, ap, .. } = self.ladder;
        let whole = |label: &str, note, value: Option<f32>, ink, id| {
            Some(Fall { label: label.to_owned(), note, from: 0.0, to: value?, ink, id })
        };
        let step = |label: &str, note, from: Option<f32>, id| {
            let (from, to) = (from?, ig?);
            let ink = if to < from { Ink::Cold } else { Ink::Warm };
            Some(Fall { label: label.to_owned(), note, from, to, ink, id })
        };
        let falls = [
            whole("AP", "it alone is replaced", ap, Ink::Ap, "ladder-ap"),
            step("IG − AP", "together with its layer", ap, "ladder-interaction"),
            whole("IG", "its layer moves together", ig, Ink::Ig, "ladder-ig"),
            step("IG − AtP", "the gradient changes on the way", atp, "ladder-curvature"),
            whole("AtP", "the gradient at the start", atp, Ink::Soft, "ladder-atp"),
        ];
        let falls: Vec<Fall> = falls
            .into_iter()
            .flatten()
            .map(|fall| if ids { fall } else { Fall { id: "", ..fall } })
            .collect();
        let plot = Waterfall {
            title: format!("{}, {}", self.of, self.direction),
            summary: self.claim(),
            unit: self.unit.to_owned(),
            component: Some(self.of),
            falls,
            width,
        };
        (!plot.falls.is_empty()).then(|| plot.draw())
    }

    /// What is not in the waterfall: the whole layer, whose size is another.
    pub(in crate::lab) fn numbers(&self) -> String {
        let Ladder { joint, solo_sum, .. } = self.ladder;
        let of = |(testid, name, value): (&str, String, Option<f32>)| {
            let value = value?;
            let written = format!("{} {}", self.written(value), self.unit);
            Some(number(testid, &name, Some(value.into()), &written))
        };
        let (layer, kinds) = (self.of.layer, self.of.kind.id());
        let all = [
            ("ladder-joint", format!("all {kinds} of layer {layer} together"), joint),
            ("ladder-solo-sum", "one by one they add up to".to_owned(), solo_sum),
        ];
        all.into_iter().filter_map(of).collect()
    }

    /// How IG and AP of the component differ, in a sentence.
    pub(crate) fn claim(&self) -> String {
        let (of, unit) = (self.of, self.unit);
        let (Some(difference), Ladder { ig: Some(ig), ap: Some(ap), .. }) =
            (self.interaction(), self.ladder)
        else {
            return format!("IG and AP of {of} are not both computed yet.");
        };
        let [ig_words, ap_words] = [ig, ap].map(|value| self.written(value));
        if !self.counts(difference) {
            return format!(
                "{of} counts for about the same alone and with its layer: {ap_words} {unit} by AP, {ig_words} by IG."
            );
        }
        let alone = if ig * ap < 0.0 {
            "has the other sign alone"
        } else if ap.abs() < ig.abs() {
            "counts for less alone"
        } else {
            "counts for more alone"
        };
        format!(
            "{of} {alone}: {ap_words} {unit} by AP, {ig_words} by IG. The {} between them is what it does together with \
             the other {} of layer {}.",
            self.written(difference),
            of.kind.id(),
            of.layer
        )
    }

    /// What each step is, and how large.
    pub(crate) fn reading(&self) -> String {
        let (of, unit) = (self.of, self.unit);
        let Some(interaction) = self.interaction() else { return String::new() };
        let mut words = if interaction == 0.0 {
            "IG and AP are equal here.".to_owned()
        } else {
            let of_both = [self.ladder.ig, self.ladder.ap];
            let larger = of_both.into_iter().flatten().fold(0.0, |most: f32, v| most.max(v.abs()));
            format!(
                "IG − AP is {} {unit}, {} of the larger of the two. All of it is interaction with the other {} of layer {}: \
                 along a path on which {of} moves alone, IG is exactly AP.",
                self.written(interaction),
                percent((interaction / larger).abs()),
                of.kind.id(),
                of.layer
            )
        };
        let more = match self.curvature() {
            None => " AtP is not in the link: it follows when this figure has been computed here.".to_owned(),
            Some(_) if self.metric == Metric::Kl && self.direction == Direction::Noising => {
                " AtP is 0 by construction here, but for rounding: the clean run is the minimum of KL, where the \
                 gradient is 0, and IG − AtP is all of IG."
                    .to_owned()
            }
            Some(curvature) if !self.counts(curvature) => {
                " The gradient hardly changes on the way: AtP says about what IG says.".to_owned()
            }
            Some(curvature) => format!(
                " IG − AtP is {} {unit}: that much the gradient changes while the layer moves, and one gradient misses.",
                self.written(curvature)
            ),
        };
        words.push_str(&more);
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

    fn drawn(steps: &Steps) -> Drawn {
        steps.waterfall(360.0, true).expect("some of it is known")
    }

    #[test]
    fn the_claim_says_what_the_component_does_alone_and_with_its_layer() {
        let name = steps(None, 0.0, 0.0, 0.0).of.to_string();
        let claim = |atp, ig, ap| steps(atp, ig, ap, 0.5).claim();
        let less = claim(Some(0.0), 1.0, 0.25);
        assert!(
            less.starts_with(&format!("{name} counts for less alone: +0.25 logits by AP, +1.00")),
            "{less}"
        );
        assert!(less.contains("The +0.75 between them"), "{less}");
        assert!(less.ends_with("together with the other heads of layer 9."), "{less}");
        assert!(claim(None, 0.25, 1.0).contains("counts for more alone"));
        assert!(claim(None, 0.5, -1.0).contains("has the other sign alone"));
        let same = claim(None, 1.0, 0.96);
        assert!(same.contains("about the same alone and with its layer: +0.96"), "{same}");
        let unknown = Steps { ladder: Ladder::default(), ..steps(None, 0.0, 0.0, 0.0) };
        assert!(unknown.claim().ends_with("are not both computed yet."));
    }

    #[test]
    fn both_steps_are_read_and_have_one_sign() {
        let words = steps(Some(0.25), 1.0, 0.5, 1.0).reading();
        assert!(words.starts_with("IG − AP is +0.50 logits, 50 % of the larger"), "{words}");
        assert!(words.contains("IG − AtP is +0.75 logits"), "{words}");
        assert!(!words.contains("AP − IG"), "{words}");
        let equal = steps(Some(1.0), 1.0, 1.0, 1.0).reading();
        assert!(equal.starts_with("IG and AP are equal here. The gradient hardly"), "{equal}");
        assert!(steps(None, 1.0, 1.0, 3.0).reading().contains("AtP is not in the link"));
        // A small head of a large layer: its own digits are there.
        let small = steps(Some(0.02), 0.02, 0.01, 3.0).reading();
        assert!(small.contains("IG − AP is +0.0100 logits"), "{small}");
    }

    #[test]
    fn the_gradient_of_kl_at_its_minimum_is_said_to_be_nothing() {
        let kl = Steps { metric: Metric::Kl, ..steps(Some(0.0), 1.0, 0.5, 2.0) };
        assert!(kl.reading().contains("AtP is 0 by construction"), "{}", kl.reading());
        let denoising = Steps { direction: Direction::Denoising, ..kl };
        assert!(!denoising.reading().contains("by construction"));
    }

    #[test]
    fn a_waterfall_has_every_number_once_and_steps_in_the_colours_of_their_sign() {
        let svg = drawn(&steps(Some(0.5), 0.25, -0.25, 1.0)).svg;
        for part in [
            "data-testid=\"ladder-ap\" data-value=\"-0.25\">−0.250<",
            "data-testid=\"ladder-interaction\" data-value=\"0.5\">+0.500<",
            "data-testid=\"ladder-ig\" data-value=\"0.25\"",
            "data-testid=\"ladder-curvature\" data-value=\"-0.25\"",
            "data-testid=\"ladder-atp\" data-value=\"0.5\"",
        ] {
            assert_eq!(svg.matches(part).count(), 1, "{part} in {svg}");
        }
        assert_eq!(
            ["plot-ap", "plot-ig", "plot-warm", "plot-cold"].map(|c| svg.matches(c).count()),
            [1; 4]
        );
        let unnamed = steps(None, 0.5, -0.25, 1.0).waterfall(300.0, false).expect("known");
        assert!(!unnamed.svg.contains("data-testid"), "{}", unnamed.svg);
    }

    #[test]
    fn what_is_unknown_has_no_bar_and_the_layer_stands_beside() {
        let steps = steps(None, 0.5, -0.25, 1.0);
        assert_eq!(drawn(&steps).points.len(), 3);
        assert!(steps.numbers().contains("data-testid=\"ladder-joint\" data-value=\"1\""));
        let nothing = Steps { ladder: Ladder::default(), ..steps };
        assert_eq!(nothing.waterfall(300.0, true), None);
    }
}
