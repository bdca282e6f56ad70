//! What all cases have in common, in words for a terminal.

use twinbeam_core::scores::Unit;
use twinbeam_core::scores::many::{Merged, MergedAgreement, OverCases};
use twinbeam_core::statistics::Agreement;

/// A line per kind and direction: statistics of AP against IG, their means over pairs and 95 % intervals.
pub fn describe(merged: &Merged) -> String {
    let unit = match merged.unit {
        Unit::ShareOfGap => "shares of the gap",
        Unit::Metric | Unit::Notebook => merged.metric.unit(),
    };
    let mut lines = vec![format!(
        "{} pairs merged in {unit}, {} left out. AP against IG, mean over pairs and 95 % interval:",
        merged.n(),
        merged.left_out.len()
    )];
    if !merged.agreements.is_empty() {
        lines.push(row(
            ["kind", "direction", "pairs", "Pearson", "Spearman", "slope"],
            "of the mean maps",
        ));
    }
    lines.extend(merged.agreements.iter().map(line));
    for left in &merged.left_out {
        lines.push(format!("left out: {}: {}", left.name, left.reason));
    }
    lines.join("\n") + "\n"
}

fn row(columns: [&str; 6], last: &str) -> String {
    let [kind, direction, n, pearson, spearman, slope] = columns;
    format!("{kind:<8} {direction:<10} {n:>5}  {pearson:<23} {spearman:<23} {slope:<23} {last}")
}

fn line(found: &MergedAgreement) -> String {
    let MergedAgreement { kind, direction, cases, pearson, spearman, slope, of_means } = found;
    let [pearson, spearman, slope] = [pearson, spearman, slope].map(over);
    let n = cases.len().to_string();
    let Agreement { pearson: r, spearman: rho, .. } = of_means;
    let means = format!("Pearson {}, Spearman {}", number(*r), number(*rho));
    row([kind.id(), direction.id(), &n, &pearson, &spearman, &slope], &means)
}

fn over(statistic: &OverCases) -> String {
    match statistic.interval {
        Some([low, high]) => format!("{} [{low:.3}, {high:.3}]", number(statistic.mean)),
        None => number(statistic.mean),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.3}"))
}
