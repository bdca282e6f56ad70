//! How much of the behaviour is left when few components are kept: nothing here is reactive.

use std::collections::BTreeSet;

use twinbeam_core::statistics::largest_first;
use twinbeam_core::wire::probes::{Faithfulness, Replacement};
use twinbeam_core::words::{ComponentKind, Direction};

use crate::lab::parts::number;
use crate::plot::{At, Axis, Drawn, Ink, Rule, Series, Xy};
use crate::values::{Committed, count};
use twinbeam_figure::scale::signed;

/// Faithfulness with none kept that is about 0.
const NOTHING: f32 = 0.05;

/// Faithfulness by how many are kept, in the order of each method.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    kind: ComponentKind,
    /// Of the scores that are ordered.
    direction: Direction,
    sizes: Vec<usize>,
    /// IG's and AP's.
    values: [Vec<f32>; 2],
    /// How many each has found.
    found: [usize; 2],
    with: Replacement,
}

/// Places by absolute score, the largest first, equals in their order.
pub(super) fn order(values: &[f32]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    largest_first(&mut places, &|place| values[place].abs());
    places
}

/// How many are kept: none, all, about a dozen in between by a constant factor, and as many as were found.
pub(super) fn sizes(kind: ComponentKind, n: usize, found: [usize; 2]) -> Vec<usize> {
    let most = if kind == ComponentKind::Heads { 14 } else { 16 };
    let steps = most - 2;
    let size = |step: usize| (n as f64).powf(step as f64 / steps as f64).round() as usize;
    let grid = (0..=steps).map(size).chain([0]).chain(found);
    let sizes: BTreeSet<usize> = grid.filter(|size| *size <= n).collect();
    sizes.into_iter().collect()
}

impl Curve {
    /// `None` where the gap cannot be divided by, or the answer has no curve per method.
    pub(super) fn of(
        committed: &Committed,
        answer: &Faithfulness,
        with: &Replacement,
        direction: Direction,
        found: [usize; 2],
    ) -> Option<Self> {
        let ends = committed.ends().ok()?;
        let of = |metric: &Vec<f32>| -> Vec<f32> {
            metric.iter().map(|metric| ends.faithfulness(*metric)).collect()
        };
        let [ig, ap] = answer.metric.as_slice() else {
            return None;
        };
        let (kind, sizes) = (answer.kind, answer.sizes.clone());
        let is_whole = ig.len() == sizes.len() && ap.len() == sizes.len() && !sizes.is_empty();
        is_whole.then(|| Self {
            kind,
            direction,
            sizes,
            values: [of(ig), of(ap)],
            found,
            with: with.clone(),
        })
    }

    /// All that can be kept.
    fn n(&self) -> usize {
        self.sizes.last().copied().unwrap_or_default()
    }

    /// Area under a curve over the share that is kept.
    fn area(&self, values: &[f32]) -> f64 {
        let share = |size: usize| size as f64 / self.n().max(1) as f64;
        let pairs = self.sizes.windows(2).zip(values.windows(2));
        pairs
            .map(|(size, value)| {
                let height = f64::midpoint(value[0].into(), value[1].into());
                (share(size[1]) - share(size[0])) * height
            })
            .sum()
    }

    /// What the components that a method has found keep by themselves.
    fn at_found(&self, method: usize) -> Option<f32> {
        let at = self.sizes.iter().position(|size| *size == self.found[method])?;
        self.values[method].get(at).copied()
    }

    /// What is left when no component of the kind is kept.
    fn none(&self) -> Option<f32> {
        (self.sizes.first() == Some(&0)).then(|| self.values[0].first().copied()).flatten()
    }

    pub(super) fn draw(&self, width: f64) -> Drawn {
        let series = |label: &str, ink: Ink, values: &[f32], dashed: bool| Series {
            label: label.to_owned(),
            ink,
            points: self
                .sizes
                .iter()
                .zip(values)
                .map(|(size, value)| (*size as f32, *value))
                .filter(|(size, _)| *size > 0.0)
                .collect(),
            dots: true,
            dashed,
        };
        let rule = |at: At, label: &str, ink: Ink| Rule { at, label: label.to_owned(), ink };
        let mut rules = vec![
            rule(At::Y(1.0), "clean run", Ink::Plain),
            rule(At::Y(0.0), "corrupted run", Ink::Soft),
        ];
        // The axis is logarithmic and has no place for none.
        if let Some(none) = self.none() {
            rules.push(rule(At::Y(none), &format!("none kept: {none:.2}"), Ink::Soft));
        }
        let [ig, ap] = self.found;
        let mut found = |n: usize, label: &str, ink: Ink| {
            // The axis begins at one.
            if n > 0 {
                rules.push(rule(At::X(n as f32), label, ink));
            }
        };
        if ig == ap {
            found(ig, "found by each", Ink::Plain);
        } else {
            found(ig, "found by IG", Ink::Ig);
            found(ap, "found by AP", Ink::Ap);
        }
        Xy {
            title: format!("Faithfulness, in the order of {} scores", self.direction),
            summary: self.reading(),
            x: Axis::log(&format!("{} kept", self.kind.id())),
            y: Axis::of("faithfulness", ""),
            width,
            rules,
            series: vec![
                series("strongest by IG", Ink::Ig, &self.values[0], false),
                // Dashed: the two are at times one line.
                series("strongest by AP", Ink::Ap, &self.values[1], true),
            ],
            ..Xy::default()
        }
        .draw()
    }

    pub(super) fn numbers(&self) -> String {
        let of = |(method, testids, name): (usize, [&str; 2], &str)| {
            let at = self.at_found(method).map_or_else(String::new, |value| {
                let name = format!("kept by the {} that {name} finds", self.found[method]);
                number(testids[0], &name, Some(value.into()), &signed(value, 3))
            });
            let area = self.area(&self.values[method]);
            let name = format!("area, {name}");
            at + &number(testids[1], &name, Some(area), &signed(area as f32, 3))
        };
        let ids = [
            (0, ["faithfulness-ig", "faithfulness-area-ig"], "IG"),
            (1, ["faithfulness-ap", "faithfulness-area-ap"], "AP"),
        ];
        let mut all: String = ids.into_iter().map(of).collect();
        if let Some(none) = self.none() {
            all += &number("faithfulness-none", "none kept", Some(none.into()), &signed(none, 3));
        }
        all
    }

    pub(super) fn reading(&self) -> String {
        let by = match self.with {
            Replacement::OtherRun => "replaced by the other run’s values",
            Replacement::Mean { .. } => "replaced by their means",
            Replacement::Zero => "set to zero",
        };
        let [ig, ap] = [0, 1].map(|method| {
            let kept = self.at_found(method).map(|value| signed(value, 2));
            let n = self.found[method];
            let those = if n == self.n() { format!("all {n}") } else { format!("the {n}") };
            (those, kept.unwrap_or_else(|| "an unknown part".to_owned()))
        });
        let (n, kind) = (self.n(), self.kind.id());
        let mut words = format!(
            "Of {n} {kind}, {} that IG finds keep {} of the gap by themselves, {} that AP finds {}; the other \
             {kind} of the clean run are {by}.",
            ig.0, ig.1, ap.0, ap.1
        );
        if let Some(none) = self.none().filter(|none| none.abs() > NOTHING) {
            let gain = |method| match self.at_found(method) {
                Some(kept) => signed(kept - none, 2),
                None => "unknown".to_owned(),
            };
            let more = format!(
                " With none kept it is {} already: over that, IG gains {} and AP {}.",
                signed(none, 2),
                gain(0),
                gain(1)
            );
            words.push_str(&more);
        }
        if self.direction == Direction::Denoising {
            words.push_str(
                " Denoising gives the order only: it is still the clean run that is changed here.",
            );
        }
        let reaches = |values: &[f32]| {
            // From where on it stays.
            let below = values.iter().rposition(|value| (value - 1.0).abs() > 0.1);
            below.map_or(Some(0), |below| self.sizes.get(below + 1).copied())
        };
        if let [Some(ig), Some(ap)] = [0, 1].map(|method| reaches(&self.values[method])) {
            let all = |size: usize| if size == n { "all " } else { "" };
            let more = format!(
                " To stay within 0.1 of the clean run it takes {}{} by IG’s order and {}{ap} by AP’s, on this grid.",
                all(ig),
                count(ig, self.kind.one()),
                all(ap)
            );
            words.push_str(&more);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::committed;

    fn curve() -> Curve {
        let answer = Faithfulness {
            kind: ComponentKind::Heads,
            sizes: vec![0, 1, 2, 4],
            metric: vec![vec![-1.0, 1.0, 3.0, 3.0], vec![-1.0, -1.0, 1.0, 3.0]],
        };
        Curve::of(&committed(), &answer, &Replacement::OtherRun, Direction::Noising, [2, 1])
            .expect("two curves")
    }

    #[test]
    fn sizes_grow_by_a_factor_and_hold_what_was_found() {
        let heads = sizes(ComponentKind::Heads, 144, [15, 11]);
        assert_eq!((heads[0], heads[1], heads.last()), (0, 1, Some(&144)));
        assert!(heads.contains(&15) && heads.contains(&11));
        assert!((12..=16).contains(&heads.len()), "{heads:?}");
        let neurons = sizes(ComponentKind::Neurons, 36_864, [0, 0]);
        assert_eq!(neurons.len(), 16, "{neurons:?}");
        assert_eq!(sizes(ComponentKind::Heads, 4, [2, 1]), [0, 1, 2, 3, 4]);
        assert_eq!(sizes(ComponentKind::Heads, 1, [0, 1]), [0, 1]);
    }

    #[test]
    fn the_strongest_are_kept_first() {
        assert_eq!(order(&[0.5, -2.0, 0.0, 0.5]), [1, 0, 3, 2]);
    }

    #[test]
    fn one_is_the_clean_run_and_none_the_corrupted_one() {
        let curve = curve();
        assert_eq!(curve.values, [vec![0.0, 0.5, 1.0, 1.0], vec![0.0, 0.0, 0.5, 1.0]]);
        // By hand: 0.25 * (0.25 + 0.75) + 0.5 * 1, and 0.25 * 0.25 + 0.5 * 0.75.
        assert_eq!([0, 1].map(|m| curve.area(&curve.values[m])), [0.75, 0.4375]);
        assert_eq!([0, 1].map(|m| curve.at_found(m)), [Some(1.0), Some(0.0)]);
    }

    #[test]
    fn a_gap_that_cannot_be_divided_by_has_no_faithfulness() {
        let answer = Faithfulness {
            kind: ComponentKind::Heads,
            sizes: vec![0],
            metric: vec![vec![0.0], vec![0.0]],
        };
        let with_gap = |gap| {
            let mut committed = committed();
            committed.basis.gap = gap;
            Curve::of(&committed, &answer, &Replacement::Zero, Direction::Noising, [0, 0])
        };
        assert!(with_gap(4.0).is_some());
        assert_eq!([with_gap(0.01), with_gap(-4.0)], [None, None]);
    }

    #[test]
    fn the_reading_says_how_few_are_enough() {
        let words = curve().reading();
        assert!(words.contains("the 2 that IG finds keep +1.00 of the gap"), "{words}");
        assert!(words.contains("the 1 that AP finds 0.00"), "{words}");
        assert!(words.contains("it takes 2 heads by IG’s order and all 4 by AP’s"), "{words}");
        assert!(!words.contains("With none kept") && !words.contains("Denoising"), "{words}");
        let numbers = curve().numbers();
        assert!(numbers.contains("\"faithfulness-area-ig\" data-value=\"0.75\""), "{numbers}");
        assert!(numbers.contains("\"faithfulness-ap\" data-value=\"0\""), "{numbers}");
    }

    #[test]
    fn what_is_there_with_none_kept_is_no_gain() {
        let values = [vec![0.25, 0.5, 1.0, 1.0], vec![0.25, 0.5, 0.75, 1.0]];
        let direction = Direction::Denoising;
        let words = Curve { values, direction, found: [4, 1], ..curve() }.reading();
        for part in [
            "all 4 that IG finds keep +1.00",
            "With none kept it is +0.25 already: over that, IG gains +0.75 and AP +0.25",
            "still the clean run",
        ] {
            assert!(words.contains(part), "{part} in {words}");
        }
    }

    #[test]
    fn none_is_beside_the_axis() {
        let drawn = curve().draw(560.0);
        assert_eq!(drawn.table.rows.len(), 3, "{:?}", drawn.table);
        let none = "data-testid=\"faithfulness-none\" data-value=\"0\"";
        assert!(curve().numbers().contains(none));
        assert!(drawn.svg.contains("found by IG") && drawn.svg.contains("found by AP"));
        assert!(drawn.svg.contains("plot-dashed"), "one line can be seen through the other");
    }
}
