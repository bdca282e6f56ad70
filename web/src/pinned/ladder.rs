//! From activation patching to integrated gradients, as steps of one sign: what IG adds to AP, and what it adds to the
//! gradient. Nothing here is reactive.

use twinbeam_core::scores::Ladder;

use crate::heatmap::scale::{Scale, signed};
use crate::plot::{Step, draw_steps, escape};

/// The values that are known, and the steps between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    /// In the unit that follows.
    pub(super) ladder: Ladder,
    pub(super) unit: &'static str,
}

impl Steps {
    fn write(&self, value: f32) -> String {
        let Ladder { atp, ig, ap, .. } = self.ladder;
        signed(value, Scale::of([atp, ig, ap].iter().flatten()).decimals())
    }

    /// AP, what IG has besides, IG, what the gradient lacks, and the gradient: always IG minus the other.
    fn rows(&self) -> Vec<(&'static str, Step)> {
        let Ladder { atp, ig, ap, .. } = self.ladder;
        let bar = |testid, name, class, from: Option<f32>, to: Option<f32>| {
            Some((testid, Step { name, from: from?, to: to?, class }))
        };
        let zero = Some(0.0);
        let rows = [
            bar("step-ap", "AP", "steps-ap", zero, ap),
            bar("step-diff", "IG − AP", "steps-between", ap, ig),
            bar("step-ig", "IG", "steps-ig", zero, ig),
            bar("step-curvature", "IG − AtP", "steps-between", atp, ig),
            bar("step-atp", "AtP", "steps-atp", zero, atp),
        ];
        rows.into_iter().flatten().collect()
    }

    /// The picture.
    pub(super) fn draw(&self) -> String {
        let steps: Vec<Step> = self.rows().into_iter().map(|(_, step)| step).collect();
        draw_steps(&steps, &|value| self.write(value))
    }

    /// The same for those who do not see it, with the numbers in full.
    pub(super) fn list(&self) -> String {
        let line = |(testid, step): (&str, Step)| {
            let value = step.to - step.from;
            let (name, written) = (escape(step.name), escape(&self.write(value)));
            format!(
                "<div><dt>{name}</dt><dd data-testid=\"{testid}\" data-value=\"{value}\">{written} {}</dd></div>",
                self.unit
            )
        };
        self.rows().into_iter().map(line).collect()
    }

    /// What the steps mean, in a sentence.
    pub(super) fn reading(&self, others: &str) -> String {
        let Ladder { ig, ap, .. } = self.ladder;
        match ig.zip(ap) {
            None => "IG and AP are not both computed yet.".to_owned(),
            Some((ig, ap)) if ig == ap => "IG and AP are equal here.".to_owned(),
            Some((ig, ap)) => format!(
                "IG − AP is {} {}: what it does together with {others}, and not alone.",
                self.write(ig - ap),
                self.unit
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(atp: Option<f32>, ap: Option<f32>) -> Steps {
        Steps { ladder: Ladder { atp, ig: Some(0.75), ap, ..Ladder::default() }, unit: "logits" }
    }

    #[test]
    fn the_steps_climb_from_patching_to_the_integral_with_one_sign() {
        let full = steps(Some(1.0), Some(0.25));
        let adds: Vec<(&str, f32)> =
            full.rows().into_iter().map(|(id, step)| (id, step.to - step.from)).collect();
        assert_eq!(
            adds,
            [
                ("step-ap", 0.25),
                ("step-diff", 0.5),
                ("step-ig", 0.75),
                ("step-curvature", -0.25),
                ("step-atp", 1.0)
            ]
        );
        assert!(full.list().contains("data-testid=\"step-diff\" data-value=\"0.5\">+0.500 logits"));
        assert!(
            full.reading("the other heads of its layer")
                .contains("+0.500 logits: what it does together")
        );
    }

    #[test]
    fn what_is_not_known_has_no_step() {
        let ids = |of: Steps| of.rows().into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(ids(steps(None, Some(0.5))), ["step-ap", "step-diff", "step-ig"]);
        assert_eq!(ids(steps(None, None)), ["step-ig"]);
        assert!(steps(None, None).reading("").contains("not both computed"));
    }
}
