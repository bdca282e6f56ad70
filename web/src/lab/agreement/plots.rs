//! The plots of two methods: scores to drawings, nothing else.

use std::collections::BTreeSet;

use twinbeam_core::models::KnownHeads;
use twinbeam_core::statistics;
use twinbeam_core::words::Component;

use super::compared::{Compared, FromZero};
use crate::lab::parts::ratio;
use crate::plot::{At, Axis, Drawn, Ink, Point, Rule, Series, Xy};
use twinbeam_figure::scale::Scale;

/// Points that get their names.
const NAMED: usize = 5;
/// Places of the overlap curve that are drawn at most.
const MOST_PLACES: usize = 200;
/// The notebook highlights the components at or above this quantile.
const NOTEBOOK: f64 = 0.9;

/// IG against AP, with the line on which they agree.
pub(super) fn scatter(
    compared: &Compared,
    selected: &BTreeSet<Component>,
    known: Option<&KnownHeads>,
    width: f64,
) -> Drawn {
    let line = statistics::slope(&compared.pairs.ap, &compared.pairs.ig);
    let rules = line.map(|line| Rule {
        at: At::Slope { slope: line.slope as f32, intercept: line.intercept as f32 },
        label: format!("slope {}", ratio(Some(line.slope))),
        ink: Ink::Soft,
    });
    let [ig, ap, both] = compared.counts();
    Xy {
        title: "IG against AP".to_owned(),
        summary: format!(
            "{} {}; found by IG only {ig}, by AP only {ap}, by both {both}.",
            compared.n(),
            compared.kind.id()
        ),
        x: Axis::signed("AP", compared.unit),
        y: Axis::signed("IG", compared.unit),
        identity: true,
        rules: rules.into_iter().collect(),
        points: points(compared, &compared.pairs.ig, selected),
        marks: ["found by IG only", "found by AP only", "found by both"],
        by_method: true,
        outliers: NAMED,
        words: Some(&|of| role(known, of)),
        width,
        ..Xy::default()
    }
    .draw()
}

/// IG from zero against AP. Their axes are not one: the two do not ask the same.
pub(super) fn zero_scatter(
    compared: &Compared,
    zero: &FromZero,
    selected: &BTreeSet<Component>,
    known: Option<&KnownHeads>,
    width: f64,
) -> Drawn {
    Xy {
        title: "IG from zero against AP, not comparable".to_owned(),
        summary: format!(
            "Pearson {}, Spearman {}.",
            ratio(statistics::pearson(&zero.ig, &compared.pairs.ap)),
            ratio(statistics::spearman(&zero.ig, &compared.pairs.ap))
        ),
        x: Axis::signed("AP", compared.unit),
        y: Axis::signed("IG from zero", compared.unit),
        points: points(compared, &zero.ig, selected),
        marks: ["found by IG only", "found by AP only", "found by both"],
        by_method: true,
        outliers: NAMED,
        words: Some(&|of| role(known, of)),
        width,
        ..Xy::default()
    }
    .draw()
}

/// Which share of the k strongest the methods have in common; `None` where zeros have no order.
pub(super) fn overlap(compared: &Compared, width: f64) -> Option<Drawn> {
    if compared.all_zero().is_some() {
        return None;
    }
    let curve = statistics::overlap_curve(&compared.pairs.ig, &compared.pairs.ap);
    let n = curve.len();
    let ks = places(n);
    let at = |k: usize| (k as f32, curve[k - 1]);
    let notebook = above(n, NOTEBOOK);
    let of_notebook = curve.get(notebook.wrapping_sub(1)).copied();
    let plot = Xy {
        title: "Overlap of the k strongest".to_owned(),
        summary: of_notebook.map_or_else(String::new, |share| {
            format!("Of the {notebook} strongest, the notebook’s top tenth, {share:.2} are shared.")
        }),
        x: Axis::log("k"),
        y: Axis { range: Some((0.0, 1.0)), ..Axis::of("share in common", "") },
        rules: vec![Rule {
            at: At::X(notebook as f32),
            label: format!("top tenth, k = {notebook}"),
            ink: Ink::Soft,
        }],
        series: vec![
            Series {
                label: "IG and AP".to_owned(),
                ink: Ink::Plain,
                points: ks.iter().map(|k| at(*k)).collect(),
                ..Series::default()
            },
            Series {
                label: "by chance".to_owned(),
                ink: Ink::Soft,
                points: ks.iter().map(|k| (*k as f32, *k as f32 / n as f32)).collect(),
                dashed: true,
                ..Series::default()
            },
        ],
        width,
        ..Xy::default()
    };
    Some(plot.draw())
}

/// How far apart the scores are, by their size.
pub(super) fn bland_altman(
    compared: &Compared,
    selected: &BTreeSet<Component>,
    width: f64,
) -> Drawn {
    let found = statistics::BlandAltman::of(&compared.pairs.ig, &compared.pairs.ap);
    let values = found.map(|f| [f.mean_difference, f.limits[0], f.limits[1]].map(|v| v as f32));
    let scale = Scale::of(values.iter().flatten());
    let rules = values.map(|values| {
        let names = ["mean", "−1.96 sd", "+1.96 sd"];
        let rule = |(name, value)| Rule {
            at: At::Y(value),
            label: format!("{name} {}", scale.written(value)),
            ink: Ink::Soft,
        };
        names.into_iter().zip(values).map(rule).collect()
    });
    let point = |(of, ig, ap): (Component, f32, f32)| Point {
        component: of,
        x: f32::midpoint(ig, ap),
        y: ig - ap,
        mark: compared.mark(of),
        selected: selected.contains(&of),
        pinned: false,
    };
    Xy {
        title: "Difference over mean (Bland-Altman)".to_owned(),
        summary: values.map_or_else(String::new, |[mean, low, high]| {
            let [mean, low, high] = [mean, low, high].map(|value| scale.written(value));
            let unit = compared.unit;
            format!("IG − AP is {mean} {unit} on average; limits of agreement {low} and {high}.")
        }),
        x: Axis::signed("mean of IG and AP", compared.unit),
        y: Axis::signed("IG − AP", compared.unit),
        rules: rules.unwrap_or_default(),
        points: compared.scores().map(point).collect(),
        marks: ["found by IG only", "found by AP only", "found by both"],
        by_method: true,
        width,
        ..Xy::default()
    }
    .draw()
}

fn points(compared: &Compared, ys: &[f32], selected: &BTreeSet<Component>) -> Vec<Point> {
    let point = |((of, _, ap), y): ((Component, f32, f32), &f32)| Point {
        component: of,
        x: ap,
        y: *y,
        mark: compared.mark(of),
        selected: selected.contains(&of),
        pinned: false,
    };
    compared.scores().zip(ys).map(point).collect()
}

/// What a head is known for.
fn role(known: Option<&KnownHeads>, of: Component) -> String {
    let head = known.and_then(|known| known.of(of.layer, of.index));
    head.map_or_else(String::new, |head| format!("known as {}", head.class))
}

/// Of `n` different values, how many are at or above a quantile.
fn above(n: usize, q: f64) -> usize {
    let below = (q * n.saturating_sub(1) as f64).ceil() as usize;
    n.saturating_sub(below)
}

/// All from 1 to `n` if those are few, else some that lie evenly on a logarithmic axis, with both ends.
fn places(n: usize) -> Vec<usize> {
    if n <= MOST_PLACES {
        return (1..=n).collect();
    }
    let last = (MOST_PLACES - 1) as f64;
    let mut ks: Vec<usize> = (0..MOST_PLACES)
        .map(|i| (n as f64).powf(i as f64 / last).round() as usize)
        .map(|k| k.clamp(1, n))
        .collect();
    ks.dedup();
    ks
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::Unit;

    use super::super::compared::tests::compared;
    use super::*;

    #[test]
    fn the_notebooks_tenth_is_as_many_as_its_quantile_takes() {
        for n in [1, 2, 10, 11, 16, 144] {
            let values: Vec<f32> = (1..=n).map(|value| value as f32).collect();
            assert_eq!(above(n, 0.9), statistics::highlighted(&values, 0.9).len(), "{n}");
        }
        assert_eq!((above(144, 0.9), above(0, 0.9)), (15, 0));
    }

    #[test]
    fn many_places_are_drawn_at_some_with_both_ends() {
        assert_eq!(places(3), [1, 2, 3]);
        let some = places(36_864);
        assert!(some.len() <= MOST_PLACES && some.starts_with(&[1, 2, 3]), "{some:?}");
        assert_eq!(some.last(), Some(&36_864));
        assert_eq!(places(0), [0; 0]);
    }

    #[test]
    fn plots_are_of_all_components_and_say_their_numbers() {
        let compared = compared(Unit::Metric);
        let selected = BTreeSet::new();
        let drawn = scatter(&compared, &selected, None, 360.0);
        assert_eq!(drawn.points.len(), 4);
        assert!(drawn.summary.contains("4 heads; found by IG only 1"), "{}", drawn.summary);
        // IG − AP: 0.25, 0, 0 and −1; their mean is −0.19.
        let drawn = bland_altman(&compared, &selected, 360.0);
        assert!(drawn.summary.contains("−0.19 logits on average"), "{}", drawn.summary);
        assert_eq!(drawn.points.len(), 4);
        let zero = FromZero { ig: vec![1.0, 2.0, 3.0, -4.0], worst: None };
        let drawn = zero_scatter(&compared, &zero, &selected, None, 360.0);
        assert!(drawn.summary.contains("Pearson −"), "{}", drawn.summary);
        let drawn = overlap(&compared, 360.0).expect("some are not zero");
        assert!(drawn.summary.contains("Of the 1 strongest"), "{}", drawn.summary);
    }

    #[test]
    fn zeros_have_no_order() {
        let mut zeros = compared(Unit::Metric);
        zeros.pairs.ig.fill(0.0);
        assert_eq!((overlap(&zeros, 360.0), zeros.is_blank()), (None, false));
        assert_eq!(zeros.all_zero(), Some("all scores by IG are 0"));
        zeros.pairs.ap.fill(0.0);
        assert_eq!((zeros.all_zero(), zeros.is_blank()), (Some("all scores are 0"), true));
    }

    #[test]
    fn empty_scores_have_plots_that_say_nothing() {
        let mut nothing = compared(Unit::Metric);
        nothing.pairs = twinbeam_core::scores::ExactPairs::default();
        overlap(&nothing, 360.0);
        bland_altman(&nothing, &BTreeSet::new(), 360.0);
        scatter(&nothing, &BTreeSet::new(), None, 360.0);
    }
}
