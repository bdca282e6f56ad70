//! One component, token by token: nothing here is reactive.

use twinbeam_core::{Component, Direction};

use crate::heatmap::scale::{Scale, signed};
use crate::lab::parts::number;
use crate::lab::why::Tokens;
use crate::plot::{Drawn, Labels, Matrix};

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
    pub(super) unit: &'static str,
}

impl Effects {
    fn written(&self, value: f32) -> String {
        let all = self.ap.iter().chain(&self.ig).chain(self.joint_ap.as_ref());
        signed(value, Scale::of(all).decimals())
    }

    /// Positions in front at which both are exactly 0.
    fn n_equal(&self) -> usize {
        self.ap.iter().zip(&self.ig).take_while(|(ap, ig)| **ap == 0.0 && **ig == 0.0).count()
    }

    pub(super) fn draw(&self, tokens: Option<&Tokens>) -> Drawn {
        let n_pos = self.ap.len().min(self.ig.len());
        let texts = match tokens.map(Tokens::both).filter(|both| both.len() == n_pos) {
            Some(both) => both,
            None => (0..n_pos).map(|at| at.to_string()).collect(),
        };
        let start = if n_pos > LONG { self.n_equal().min(n_pos.saturating_sub(1)) } else { 0 };
        let methods = ["AP, one at a time", "share of IG"].map(str::to_owned);
        let mut title = format!("{} by token, {}", self.component, self.direction);
        if start > 0 {
            title += &format!(", from position {start} on");
        }
        Matrix {
            title,
            summary: self.reading(),
            unit: self.unit.to_owned(),
            rows: Labels::texts("", methods.to_vec()),
            columns: Labels::tokens("position", texts[start..].to_vec()),
            values: [&self.ap[start..n_pos], &self.ig[start..n_pos]].concat(),
            ..Matrix::default()
        }
        .draw()
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
        let strongest = |values: &[f32]| {
            let places = 0..values.len();
            let most = places.max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()))?;
            (values[most] != 0.0).then_some(most)
        };
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
            _ => {
                return "It does the same at every token in both runs: all effects are 0."
                    .to_owned();
            }
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
        let n_equal = self.n_equal();
        if n_equal > 0 {
            let places = if n_equal == 1 {
                "Position 0 has".to_owned()
            } else {
                format!("Positions 0 to {} have", n_equal - 1)
            };
            let more =
                format!(" {places} exactly 0: before the first difference both runs are the same.");
            words.push_str(&more);
        }
        words
    }
}

fn sum(values: &[f32]) -> f32 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use twinbeam_core::ComponentKind;

    use super::*;

    fn effects() -> Effects {
        Effects {
            component: Component { kind: ComponentKind::Heads, layer: 9, index: 6 },
            direction: Direction::Noising,
            ap: vec![0.0, 0.0, 0.25, 1.0],
            ig: vec![0.0, 0.0, 0.5, 0.25],
            joint_ap: Some(1.5),
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
    fn the_reading_names_both_places_and_what_is_exactly_nothing() {
        let words = effects().reading();
        assert!(
            words.starts_with("AP sees most at position 3 (+1.00), IG at position 2"),
            "{words}"
        );
        assert!(words.contains("minus their sum: +0.25 logits"), "{words}");
        assert!(words.contains("Positions 0 to 1 have exactly 0"), "{words}");
        let nothing = Effects { ap: vec![0.0; 4], ig: vec![0.0; 4], ..effects() };
        assert!(nothing.reading().contains("all effects are 0"));
    }

    #[test]
    fn long_prompts_begin_where_something_differs() {
        let columns = |of: &Effects| of.draw(None).table.head.len() - 1;
        assert_eq!(columns(&effects()), 4);
        let mut long = Effects { ap: vec![0.0; 60], ig: vec![0.0; 60], ..effects() };
        long.ap[50] = 1.0;
        assert_eq!(columns(&long), 10);
    }
}
