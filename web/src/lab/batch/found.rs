//! What many pairs have in common, drawn and in words.

use std::sync::Arc;

use twinbeam_core::link::Panel;
use twinbeam_core::prompts::Draw;
use twinbeam_core::scores::TableKey;
use twinbeam_core::scores::many::{LeftOut, Merged, MergedAgreement, MergedTable, OverCases};
use twinbeam_core::statistics::Agreement;
use twinbeam_core::words::{Component, ComponentKind, Direction, Method};

use crate::lab::claim::{Claim, Test};
use crate::plot::{Drawn, Labels, Matrix, Shades, Table, escape, html_table};
use crate::values::{count, sentence};
use twinbeam_figure::scale::signed;

/// Fewer pairs than this say little of others, and an interval from them less.
const FEW: usize = 10;

/// A map over pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Map {
    /// `None`: the difference of both, IG − AP.
    method: Option<Method>,
    /// The spread, in place of the mean.
    spread: bool,
}

/// All maps.
pub(super) const MAPS: [Map; 5] = [
    Map { method: Some(Method::Ig), spread: false },
    Map { method: Some(Method::Ap), spread: false },
    Map { method: None, spread: false },
    Map { method: Some(Method::Ig), spread: true },
    Map { method: Some(Method::Ap), spread: true },
];

impl Map {
    pub(super) const fn testid(self) -> &'static str {
        match (self.method, self.spread) {
            (None, _) => "batch-mean-diff",
            (Some(Method::Ap), false) => "batch-mean-ap",
            (Some(Method::Ap), true) => "batch-sd-ap",
            (_, false) => "batch-mean-ig",
            (_, true) => "batch-sd-ig",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match (self.method, self.spread) {
            (None, _) => "IG − AP, mean over pairs",
            (Some(Method::Ap), false) => "AP, mean over pairs",
            (Some(Method::Ap), true) => "AP, spread over pairs",
            (_, false) => "IG, mean over pairs",
            (_, true) => "IG, spread over pairs",
        }
    }

    fn values(self, table: &MergedTable) -> &[f32] {
        if self.spread { &table.sd } else { &table.mean }
    }
}

/// A map of the heads. IG and AP share a scale. `None`: there is none, as of the spread of one pair.
pub(super) fn map(
    merged: &Merged,
    map: Map,
    direction: Direction,
    width: f64,
) -> Option<Arc<Drawn>> {
    let kind = ComponentKind::Heads;
    let of = |method| merged.table(TableKey { kind, method, direction });
    let table = of(map.method.unwrap_or(Method::Ig))?;
    let difference: Vec<f32>;
    let values = if map.method.is_some() {
        map.values(table)
    } else {
        let ap = of(Method::Ap).filter(|ap| ap.mean.len() == table.mean.len())?;
        difference = table.mean.iter().zip(&ap.mean).map(|(ig, ap)| ig - ap).collect();
        &difference
    };
    let largest = |table: &MergedTable| {
        map.values(table).iter().fold(0.0, |most: f32, value| most.max(value.abs()))
    };
    let limit =
        [Method::Ig, Method::Ap].into_iter().filter_map(of).map(largest).fold(0.0, f32::max);
    let component = |layer: usize, index: usize| Some(Component { kind, layer, index });
    let strongest = strongest(values, table.width)?;
    let unit = merged.metric.unit();
    let drawn = Matrix {
        title: format!("{}, {direction}", map.title()),
        summary: format!("over {}; largest at {strongest}.", count(table.n, "pair")),
        unit: unit.to_owned(),
        rows: Labels::numbers("layer", values.len() / table.width.max(1)),
        columns: Labels::numbers("head", table.width),
        values: values.to_vec(),
        limit: Some(limit),
        shades: if map.spread { Shades::Sequential } else { Shades::Diverging },
        component: Some(&component),
        width,
        ..Matrix::default()
    }
    .draw();
    Some(Arc::new(drawn))
}

/// The component with the largest value.
fn strongest(values: &[f32], width: usize) -> Option<Component> {
    let size = |place: &usize| values[*place].abs();
    let place = (0..values.len()).max_by(|a, b| size(a).total_cmp(&size(b)))?;
    Some(Component::at(ComponentKind::Heads, place, width.max(1)))
}

/// The sentence of the chapter: how far the methods agree over all pairs, and who is strongest on average; `draw`: where
/// the pairs were drawn from, for another draw.
pub(super) fn claim(merged: &Merged, direction: Direction, draw: Option<Draw>) -> Claim {
    let kind = ComponentKind::Heads;
    let only = if merged.n() < FEW { " only" } else { "" };
    let over = format!("Over {}{only}", count(merged.n(), "pair"));
    let agree = match merged.agreement(kind, direction).map(|found| found.spearman) {
        Some(OverCases { mean: Some(mean), interval: Some([lower, upper]), .. }) => format!(
            "the ranks by IG and by AP correlate at {} on average (95 %: {} to {})",
            written(mean),
            written(lower),
            written(upper)
        ),
        Some(OverCases { mean: Some(mean), .. }) => {
            format!("the ranks by IG and by AP correlate at {}", written(mean))
        }
        _ => "the ranks by IG and by AP cannot be compared".to_owned(),
    };
    let of = |method| {
        let table = merged.table(TableKey { kind, method, direction })?;
        strongest(&table.mean, table.width)
    };
    let most = match (of(Method::Ig), of(Method::Ap)) {
        (Some(ig), Some(ap)) if ig == ap => format!(", and {ig} is the strongest head by both"),
        (Some(ig), Some(ap)) => format!("; the strongest head is {ig} by IG and {ap} by AP"),
        _ => String::new(),
    };
    let claim = Claim::new(format!("{over}, {agree}{most}."));
    let claim = match draw {
        Some(Draw { task, n, seed }) => claim.with(
            format!("Test it: {n} others (seed {})", seed.wrapping_add(1)),
            Test::Draw(Draw { task, n, seed: seed.wrapping_add(1) }),
        ),
        None => claim,
    };
    match of(Method::Ap) {
        Some(of) => claim.with(format!("Look at {of} in this pair"), Test::See(of, Panel::Why)),
        None => claim,
    }
}

/// What few pairs do not say.
pub(super) fn caution(merged: &Merged) -> String {
    match merged.n() {
        0 => String::new(),
        n if n < FEW => format!(
            "{} are few: another {n} may say something else, and an interval that is made of so few is too narrow.",
            sentence(&count(n, "pair"))
        )
        .replace("1 pair are few", "1 pair is little"),
        _ => String::new(),
    }
}

/// The correlations over pairs, for a `dl`; neurons below heads if they were scored.
pub(super) fn numbers(merged: &Merged, direction: Direction) -> String {
    let of = |kind| merged.agreement(kind, direction).map(|found| (kind, found));
    ComponentKind::ALL.into_iter().filter_map(of).map(|(kind, found)| lines(kind, found)).collect()
}

fn lines(kind: ComponentKind, found: &MergedAgreement) -> String {
    let of_means = &found.of_means;
    let (id, of) = match kind {
        ComponentKind::Heads => ("batch", ""),
        ComponentKind::Neurons => ("batch-neurons", " of neurons"),
    };
    [
        line(&format!("{id}-pearson"), &format!("Pearson{of}"), found.pearson, of_means.pearson),
        line(
            &format!("{id}-spearman"),
            &format!("Spearman{of}"),
            found.spearman,
            of_means.spearman,
        ),
        line(
            &format!("{id}-slope"),
            &format!("Slope of IG on AP{of}"),
            found.slope,
            of_means.slope,
        ),
    ]
    .concat()
}

fn line(testid: &str, name: &str, over: OverCases, of_means: Option<f64>) -> String {
    let OverCases { mean, interval, n, undefined } = over;
    let data = |name: &str, value: Option<f64>| {
        value.map_or_else(String::new, |value| format!(" data-{name}=\"{value}\""))
    };
    let (value, lower, upper) = (
        data("value", mean),
        data("lower", interval.map(|[lower, _]| lower)),
        data("upper", interval.map(|[_, upper]| upper)),
    );
    let words = [
        match mean {
            Some(mean) => format!("mean {} over {}", written(mean), count(n, "pair")),
            None => "undefined".to_owned(),
        },
        interval.map_or_else(String::new, |[lower, upper]| {
            format!(" (95 %: {} to {})", written(lower), written(upper))
        }),
        if undefined > 0 { format!(", undefined for {undefined}") } else { String::new() },
        of_means.map_or_else(String::new, |of| format!("; of the mean maps {}", written(of))),
    ]
    .concat();
    format!(
        "<div><dt>{name}</dt><dd data-testid=\"{testid}\"{value}{lower}{upper}>{words}</dd></div>"
    )
}

fn written(number: f64) -> String {
    signed(number as f32, 3)
}

/// The correlations of each pair, as a table.
pub(super) fn cases(merged: &Merged, direction: Direction) -> String {
    let Some(found) = merged.agreement(ComponentKind::Heads, direction) else {
        return String::new();
    };
    let cell = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), written);
    let row = |(name, agreement): &(String, Agreement)| {
        let Agreement { pearson, spearman, slope } = agreement;
        vec![name.clone(), cell(*pearson), cell(*spearman), cell(*slope)]
    };
    let head = ["pair", "Pearson", "Spearman", "slope of IG on AP"].map(str::to_owned).to_vec();
    html_table(&Table { head, rows: found.cases.iter().map(row).collect() })
}

/// The pairs that are not in it, each with its reason.
pub(super) fn failures(merged: &Merged) -> String {
    if merged.left_out.is_empty() {
        return String::new();
    }
    let of = merged.n() + merged.left_out.len();
    let line =
        |left: &LeftOut| format!("<li>{}: {}</li>", escape(&left.name), escape(&left.reason));
    let lines = merged.left_out.iter().map(line).collect::<Vec<_>>().concat();
    format!(
        "<p>{} of {of} left out, and in none of the numbers:</p><ul>{lines}</ul>",
        count(merged.left_out.len(), "pair")
    )
}

#[cfg(test)]
pub(super) mod tests {
    use twinbeam_core::scores::many::{CaseResult, Merging};
    use twinbeam_core::scores::{ScoreTable, Tables, Unit};
    use twinbeam_core::words::Metric;

    use super::*;

    fn table(method: Method, values: [f32; 4]) -> ScoreTable {
        ScoreTable::new(
            TableKey { kind: ComponentKind::Heads, method, direction: Direction::Noising },
            2,
            values.to_vec(),
        )
    }

    pub(in super::super) fn merged(n: usize) -> Merged {
        let mut merging = Merging::new(Metric::LogitDiff, Unit::Metric, 4);
        for case in 0..n {
            let by = case as f32;
            let tables = Tables::from_iter([
                table(Method::Ig, [1.0 + by, 0.0, -2.0, 0.5]),
                table(Method::Ap, [1.0, by, -3.0, 0.5]),
            ]);
            let name = format!("pair <{case}>");
            assert!(merging.add(&CaseResult { name, gap: 4.0, n_pos: 5, tables }));
        }
        merging.leave_out("odd & <b>".to_owned(), "Prompts of 3 and 4 tokens".to_owned());
        merging.merged()
    }

    #[test]
    fn a_map_shows_means_and_from_two_pairs_on_spreads() {
        let two = merged(2);
        for of in MAPS {
            let drawn = map(&two, of, Direction::Noising, 360.0).expect("both are there");
            assert_eq!(drawn.points.len(), 4, "{}", of.title());
            assert!(drawn.summary.contains("over 2 pairs"), "{}", drawn.summary);
            assert!(map(&two, of, Direction::Denoising, 360.0).is_none());
        }
        let drawn = map(&two, MAPS[0], Direction::Noising, 360.0).expect("means");
        assert!(drawn.summary.contains("largest at L1H0"), "{}", drawn.summary);
        let one = merged(1);
        assert!(map(&one, MAPS[0], Direction::Noising, 360.0).is_some());
        assert!(map(&one, MAPS[3], Direction::Noising, 360.0).is_none(), "one pair has no spread");
    }

    #[test]
    fn the_difference_of_the_means_is_a_map_too() {
        let two = merged(2);
        let drawn = map(&two, MAPS[2], Direction::Noising, 360.0).expect("both are there");
        // IG 1.5 and AP 1; 0 and 0.5; −2 and −3; 0.5 and 0.5.
        let expected = ["0.5", "-0.5", "1", "0"].map(|value| format!("data-value=\"{value}\""));
        assert!(expected.iter().all(|value| drawn.svg.contains(value)), "{}", drawn.svg);
    }

    #[test]
    fn the_claim_is_of_all_pairs_and_few_are_said_to_be_few() {
        let two = merged(2);
        let Claim { words, tests } = claim(&two, Direction::Noising, None);
        let found = two.agreement(ComponentKind::Heads, Direction::Noising).expect("both");
        let mean = written(found.spearman.mean.expect("defined"));
        assert!(words.starts_with("Over 2 pairs only, the ranks"), "{words}");
        assert!(words.contains(&format!("correlate at {mean} on average (95 %:")), "{words}");
        let head = Component { kind: ComponentKind::Heads, layer: 1, index: 0 };
        assert!(words.ends_with(&format!("and {head} is the strongest head by both.")), "{words}");
        assert_eq!(tests[0].1, Test::See(head, Panel::Why));
        assert!(caution(&two).starts_with("2 pairs are few"), "{}", caution(&two));
        assert!(caution(&merged(1)).starts_with("1 pair is little"));
        let many = merged(10);
        assert_eq!(caution(&many), "");
        let draw = Draw { task: "ioi".to_owned(), n: 10, seed: 4 };
        let Claim { words, tests } = claim(&many, Direction::Noising, Some(draw));
        assert!(words.starts_with("Over 10 pairs, "), "{words}");
        assert!(tests[0].0.contains("10 others (seed 5)"), "{tests:?}");
    }

    #[test]
    fn numbers_have_their_interval_and_failures_their_reason() {
        let two = merged(2);
        let html = numbers(&two, Direction::Noising);
        let found = two.agreement(ComponentKind::Heads, Direction::Noising).expect("both methods");
        let mean = found.pearson.mean.expect("defined");
        let [lower, upper] = found.pearson.interval.expect("two pairs");
        let expected = format!(
            "data-testid=\"batch-pearson\" data-value=\"{mean}\" data-lower=\"{lower}\" data-upper=\"{upper}\""
        );
        assert!(html.contains(&expected), "{html}");
        assert!(html.contains("over 2 pairs (95 %: +") && html.contains("of the mean maps +"));
        assert!(!numbers(&merged(1), Direction::Noising).contains("data-lower"));
        let html = cases(&two, Direction::Noising);
        assert!(html.contains("pair &lt;1&gt;") && !html.contains("<1>"), "{html}");
        let html = failures(&two);
        assert!(html.contains("1 pair of 3 left out"), "{html}");
        assert!(html.contains("<li>odd &amp; &lt;b&gt;: Prompts of 3 and 4 tokens</li>"), "{html}");
    }
}
