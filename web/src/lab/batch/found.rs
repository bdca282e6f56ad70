//! What many pairs have in common, drawn and in words.

use std::sync::Arc;

use twinbeam_core::scores::TableKey;
use twinbeam_core::scores::many::{LeftOut, Merged, MergedAgreement, MergedTable, OverCases};
use twinbeam_core::statistics::Agreement;
use twinbeam_core::words::{Component, ComponentKind, Direction, Method};

use crate::heatmap::scale::signed;
use crate::plot::{Drawn, Labels, Matrix, Shades, Table, escape, html_table};
use crate::values::count;

/// A map over pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Map {
    method: Method,
    /// The spread, in place of the mean.
    spread: bool,
}

/// All maps.
pub(super) const MAPS: [Map; 4] = [
    Map { method: Method::Ig, spread: false },
    Map { method: Method::Ap, spread: false },
    Map { method: Method::Ig, spread: true },
    Map { method: Method::Ap, spread: true },
];

impl Map {
    pub(super) const fn testid(self) -> &'static str {
        match (self.method, self.spread) {
            (Method::Ap, false) => "batch-mean-ap",
            (Method::Ap, true) => "batch-sd-ap",
            (_, false) => "batch-mean-ig",
            (_, true) => "batch-sd-ig",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match (self.method, self.spread) {
            (Method::Ap, false) => "AP, mean over pairs",
            (Method::Ap, true) => "AP, spread over pairs",
            (_, false) => "IG, mean over pairs",
            (_, true) => "IG, spread over pairs",
        }
    }

    fn values(self, table: &MergedTable) -> &[f32] {
        if self.spread { &table.sd } else { &table.mean }
    }
}

/// A map of the heads. IG and AP share a scale. `None`: there is none, as of the spread of one pair.
pub(super) fn map(merged: &Merged, map: Map, direction: Direction) -> Option<Arc<Drawn>> {
    let kind = ComponentKind::Heads;
    let of = |method| merged.table(TableKey { kind, method, direction });
    let table = of(map.method)?;
    let values = map.values(table);
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
mod tests {
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

    fn merged(n: usize) -> Merged {
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
            let drawn = map(&two, of, Direction::Noising).expect("both are there");
            assert_eq!(drawn.points.len(), 4, "{}", of.title());
            assert!(drawn.summary.contains("over 2 pairs"), "{}", drawn.summary);
            assert!(map(&two, of, Direction::Denoising).is_none());
        }
        let drawn = map(&two, MAPS[0], Direction::Noising).expect("means");
        assert!(drawn.summary.contains("largest at L1H0"), "{}", drawn.summary);
        let one = merged(1);
        assert!(map(&one, MAPS[0], Direction::Noising).is_some());
        assert!(map(&one, MAPS[2], Direction::Noising).is_none(), "one pair has no spread");
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
