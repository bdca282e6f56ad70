//! One component, token by token: nothing here is reactive.

use twinbeam_core::link::Panel;
use twinbeam_core::words::{Component, Direction};

use crate::lab::claim::{Claim, Test};
use crate::lab::parts::number;
use crate::lab::why::Tokens;
use crate::plot::{Drawn, Labels, Matrix};
use crate::values::visible;
use twinbeam_figure::scale::Scale;

/// With more positions than this, those in front at which nothing differs are left out of the picture.
const LONG: usize = 40;

/// What a component does at each token, in a unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Effects {
    pub(super) component: Component,
    pub(super) direction: Direction,
    pub(super) ap: Vec<f32>,
    pub(super) ig: Vec<f32>,
    /// Of all positions together.
    pub(super) joint_ap: Option<f32>,
    /// The first position at which the prompts differ, where that is known.
    pub(super) first_difference: Option<usize>,
    /// In the last layer no position is read by another one.
    pub(super) is_last_layer: bool,
    pub(super) unit: &'static str,
}

impl Effects {
    fn written(&self, value: f32) -> String {
        let all = self.ap.iter().chain(&self.ig).chain(self.joint_ap.as_ref());
        Scale::of(all).written(value)
    }

    /// Positions in front at which both are exactly 0.
    fn n_zero(&self) -> usize {
        self.ap.iter().zip(&self.ig).take_while(|(ap, ig)| **ap == 0.0 && **ig == 0.0).count()
    }

    pub(super) fn draw(&self, tokens: Option<&Tokens>, width: f64) -> Drawn {
        let n_pos = self.ap.len().min(self.ig.len());
        let texts = match tokens.map(Tokens::both).filter(|both| both.len() == n_pos) {
            Some(both) => both,
            None => (0..n_pos).map(|at| at.to_string()).collect(),
        };
        let start = if n_pos > LONG { self.n_zero().min(n_pos.saturating_sub(1)) } else { 0 };
        let methods = ["AP", "IG"].map(str::to_owned);
        let mut title = format!("{} by token, {}", self.component, self.direction);
        if start > 0 {
            title = format!("{title}, from position {start} on");
        }
        Matrix {
            title,
            summary: self.reading(),
            unit: self.unit.to_owned(),
            rows: Labels::texts("", methods.to_vec()),
            eye: strongest(&self.ap).or_else(|| strongest(&self.ig)).map(|at| at - start),
            width,
            columns: Labels::tokens("position", texts).from(start),
            values: [&self.ap[start..n_pos], &self.ig[start..n_pos]].concat(),
            ..Matrix::default()
        }
        .draw()
    }

    /// The sentence of the chapter: at which token the component acts, and how much of it is there.
    pub(super) fn claim(&self, tokens: Option<&Tokens>) -> Claim {
        let (of, unit) = (self.component, self.unit);
        let both = tokens.map(Tokens::both).unwrap_or_default();
        let place = |at: usize| match both.get(at) {
            Some(token) => format!("position {at}, “{}”", visible(token)),
            None => format!("position {at}"),
        };
        let share = |values: &[f32], at: usize| {
            let all = sum(values);
            format!("{} of {} {unit}", self.written(values[at]), self.written(all))
        };
        let words = match (strongest(&self.ap), strongest(&self.ig)) {
            (Some(ap), Some(ig)) if ap == ig => format!(
                "Both methods see {of} act most at {}: {} by AP, {} by IG.",
                place(ap),
                share(&self.ap, ap),
                share(&self.ig, ig)
            ),
            (Some(ap), Some(ig)) => format!(
                "AP sees {of} act most at {} ({}), IG at {} ({}).",
                place(ap),
                share(&self.ap, ap),
                place(ig),
                share(&self.ig, ig)
            ),
            (Some(at), None) => format!(
                "{of} acts most at {} ({}) by AP; IG sees nothing.",
                place(at),
                share(&self.ap, at)
            ),
            (None, Some(at)) => format!(
                "{of} acts most at {} ({}) by IG; AP sees nothing.",
                place(at),
                share(&self.ig, at)
            ),
            (None, None) => format!("{of} does nothing at any token."),
        };
        let other = match self.direction {
            Direction::Noising => Direction::Denoising,
            Direction::Denoising => Direction::Noising,
        };
        Claim::new(words)
            .with(format!("Test it: is it the same token in {other}?"), Test::Turn(other))
            .with(format!("Why do IG and AP differ for {of}?"), Test::See(of, Panel::Why))
    }

    pub(super) fn numbers(&self) -> String {
        let of = |testid: &str, name: &str, value: f32| {
            let written = format!("{} {}", self.written(value), self.unit);
            number(testid, name, Some(value.into()), &written)
        };
        let mut all = of("positions-ap-sum", "sum of AP by token", sum(&self.ap));
        if let Some(joint) = self.joint_ap {
            all += &of("positions-ap", "AP at all tokens", joint);
        }
        all + &of("positions-ig", "IG, the sum of its shares", sum(&self.ig))
    }

    /// Where most of it happens, and whether the tokens add up.
    pub(super) fn reading(&self) -> String {
        let mut words = match (strongest(&self.ap), strongest(&self.ig)) {
            (Some(ap), Some(ig)) if ap == ig => {
                format!(
                    "Both methods see most at position {ap}: AP {}, IG {} {}.",
                    self.written(self.ap[ap]),
                    self.written(self.ig[ig]),
                    self.unit
                )
            }
            (Some(ap), Some(ig)) => format!(
                "AP sees most at position {ap} ({}), IG at position {ig} ({} {}).",
                self.written(self.ap[ap]),
                self.written(self.ig[ig]),
                self.unit
            ),
            (Some(ap), None) => format!(
                "AP sees most at position {ap} ({} {}); all of IG’s shares are 0.",
                self.written(self.ap[ap]),
                self.unit
            ),
            (None, Some(ig)) => format!(
                "IG sees most at position {ig} ({} {}); all effects by AP are 0.",
                self.written(self.ig[ig]),
                self.unit
            ),
            (None, None) => return "All effects are 0.".to_owned(),
        };
        if let Some(joint) = self.joint_ap {
            let gap = joint - sum(&self.ap);
            let more = format!(
                " All tokens together minus their sum: {} {}, which is interaction between positions.",
                self.written(gap),
                self.unit
            );
            words.push_str(&more);
        }
        words + &self.why_zero()
    }

    /// Why nothing is seen in front: before the first difference nothing can be, and what the last layer does there
    /// is not read.
    fn why_zero(&self) -> String {
        let n_zero = self.n_zero();
        let n_same = self.first_difference.unwrap_or_default().min(n_zero);
        let places = |from: usize, to: usize| match to - from {
            1 => format!(" Position {from} has exactly 0"),
            _ => format!(" Positions {from} to {} have exactly 0", to - 1),
        };
        let mut words = String::new();
        if n_same > 0 {
            words += &places(0, n_same);
            words.push_str(": before the first difference both runs are the same.");
        }
        if n_same < n_zero {
            words += &places(n_same, n_zero);
            let why = ": in the last layer only the last token is read.";
            words.push_str(if self.is_last_layer { why } else { "." });
        }
        words
    }
}

/// The place of the largest effect, if there is any.
fn strongest(values: &[f32]) -> Option<usize> {
    let places = 0..values.len();
    let most = places.max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()))?;
    (values[most] != 0.0).then_some(most)
}

fn sum(values: &[f32]) -> f32 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::ComponentKind;

    use super::*;

    fn effects() -> Effects {
        Effects {
            component: Component { kind: ComponentKind::Heads, layer: 9, index: 6 },
            direction: Direction::Noising,
            ap: vec![0.0, 0.0, 0.25, 1.0],
            ig: vec![0.0, 0.0, 0.5, 0.25],
            joint_ap: Some(1.5),
            first_difference: Some(2),
            is_last_layer: false,
            unit: "logits",
        }
    }

    #[test]
    fn sums_stand_beside_the_patch_of_all_positions() {
        let numbers = effects().numbers();
        for part in [
            "\"positions-ap-sum\" data-value=\"1.25\">+1.25 logits",
            "\"positions-ap\" data-value=\"1.5\"",
            "\"positions-ig\" data-value=\"0.75\"",
        ] {
            assert!(numbers.contains(part), "{part} in {numbers}");
        }
    }

    #[test]
    fn the_claim_says_where_and_how_much_of_all_and_turns_round() {
        let Claim { words, tests } = effects().claim(None);
        let name = effects().component.to_string();
        let expected = format!(
            "AP sees {name} act most at position 3 (+1.00 of +1.25 logits), IG at position 2 (+0.50 of +0.75 logits)."
        );
        assert_eq!(words, expected);
        assert_eq!(tests[0].1, Test::Turn(Direction::Denoising));
        let texts = |last: &str| ["BOS", " a", " b", last].map(str::to_owned).to_vec();
        let tokens = Tokens { clean: texts(" c"), corrupted: texts(" d") };
        let same = Effects { ig: vec![0.0, 0.0, 0.0, 0.5], ..effects() };
        let words = same.claim(Some(&tokens)).words;
        assert!(words.contains("act most at position 3, “·c/·d”: +1.00 of +1.25"), "{words}");
        let none = || vec![0.0; 4];
        let nothing = Effects { ap: none(), ig: none(), ..effects() };
        assert!(nothing.claim(None).words.ends_with("does nothing at any token."));
    }

    #[test]
    fn the_reading_names_both_places_and_what_is_exactly_nothing() {
        let words = effects().reading();
        assert!(
            words.starts_with("AP sees most at position 3 (+1.00), IG at position 2"),
            "{words}"
        );
        assert!(words.contains("minus their sum: +0.25 logits"), "{words}");
        assert!(words.ends_with(
            "0 to 1 have exactly 0: before the first difference both runs are the same."
        ));
        let none = || vec![0.0; 4];
        let nothing = Effects { ap: none(), ig: none(), ..effects() };
        assert_eq!(nothing.reading(), "All effects are 0.");
        let words = Effects { ap: none(), ..effects() }.reading();
        assert!(words.starts_with("IG sees most at position 2 (+0.50 logits); all effects by AP"));
        let words = Effects { ig: none(), ..effects() }.reading();
        assert!(words.starts_with("AP sees most at position 3 (+1.00 logits); all of IG’s shares"));
    }

    #[test]
    fn zeros_of_the_last_layer_have_a_reason_of_their_own() {
        let last = |first_difference| Effects {
            ap: vec![0.0, 0.0, 0.0, 1.0],
            ig: vec![0.0, 0.0, 0.0, 1.0],
            first_difference,
            is_last_layer: true,
            ..effects()
        };
        let words = last(Some(1)).reading();
        assert!(words.contains("Position 0 has exactly 0: before the first"), "{words}");
        let read = "have exactly 0: in the last layer only the last token is read.";
        assert!(words.ends_with(&format!("Positions 1 to 2 {read}")), "{words}");
        let unknown = last(None).reading();
        assert!(unknown.ends_with(&format!("Positions 0 to 2 {read}")), "{unknown}");
        let inner = Effects { is_last_layer: false, ..last(Some(2)) }.reading();
        assert!(inner.ends_with("Position 2 has exactly 0."), "{inner}");
    }

    #[test]
    fn long_prompts_begin_where_something_differs() {
        let columns = |of: &Effects| of.draw(None, 360.0).table.head.len() - 1;
        assert_eq!(columns(&effects()), 4);
        let mut long = Effects { ap: vec![0.0; 60], ig: vec![0.0; 60], ..effects() };
        long.ap[50] = 1.0;
        assert_eq!(columns(&long), 10);
    }
}
