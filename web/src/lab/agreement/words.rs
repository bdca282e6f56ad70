//! What there is to say of two methods: numbers, lists and sentences as strings.

use std::collections::BTreeSet;

use twinbeam_core::link::{Panel, SetChoice};
use twinbeam_core::scores::Unit;
use twinbeam_core::statistics;
use twinbeam_core::words::{Component, ComponentKind};

use super::compared::{Compared, FromZero};
use crate::lab::claim::{Claim, Test, spelled};
use crate::lab::parts::{entry, number, ratio};
use twinbeam_figure::scale::{Scale, small};

/// Entries of each list.
const LISTED: usize = 5;
/// Selected components that are named at most.
const NAMED: usize = 24;
/// Largest convergence delta that is not worth a word, as a share of the largest score.
const CONVERGED: f32 = 0.01;

/// The sentence of the chapter: how alike the methods rank, and where they part most.
pub(super) fn claim(compared: &Compared) -> Claim {
    let (ig, ap, kinds) = (&compared.pairs.ig, &compared.pairs.ap, compared.kind.id());
    if let Some(zero) = compared.all_zero() {
        return Claim::new(format!("There is nothing to rank: {zero}."));
    }
    let ranks = match statistics::spearman(ig, ap) {
        Some(spearman) => {
            let alike = match spearman {
                0.8.. => "alike",
                0.5.. => "partly alike",
                _ => "differently",
            };
            format!("IG and AP rank the {kinds} {alike}: Spearman {spearman:.2}").replace('-', "−")
        }
        None => format!("The ranks of the {kinds} cannot be compared"),
    };
    let apart = compared.outliers(1).into_iter().next().and_then(|outlier| {
        let (_, ig, ap) = compared.scores().find(|(of, ..)| *of == outlier)?;
        Some((outlier, ig - ap))
    });
    let scale = Scale::of(ig.iter().chain(ap));
    let words = match apart {
        Some((of, by)) => {
            let by = scale.written(by);
            format!("{ranks}. They part most at {of}, where IG − AP is {by} {}.", compared.unit)
        }
        None => format!("{ranks}. They are equal everywhere."),
    };
    let [ig_only, ap_only, both] = compared.counts();
    let (set, n, found) = match (ig_only, ap_only) {
        (0, 0) => (SetChoice::Both, both, "that both find"),
        (0, n) => (SetChoice::ApOnly, n, "that only AP finds"),
        (n, _) => (SetChoice::IgOnly, n, "that only IG finds"),
    };
    let those = if n == 1 {
        format!("the one {} {found}", compared.kind.one())
    } else {
        format!("the {} {kinds} {found}", spelled(n))
    };
    let mut claim = Claim::new(words);
    if n > 0 {
        claim = claim.with(format!("Test it: replace {those}"), Test::Replace(set));
    }
    match apart {
        Some((of, _)) => {
            claim.with(format!("Why do they part at {of}?"), Test::See(of, Panel::Why))
        }
        None => claim,
    }
}

/// How far the methods agree; beside them the same from zero, where that is there.
pub(super) fn numbers(compared: &Compared, zero: Option<&FromZero>) -> String {
    let (ig, ap) = (&compared.pairs.ig, &compared.pairs.ap);
    let correlation =
        |testid: &str, name: &str, value: Option<f64>| number(testid, name, value, &ratio(value));
    let n = compared.n();
    let slope = statistics::slope(ap, ig).map(|line| line.slope);
    let mut out = correlation("pearson", "Pearson correlation", statistics::pearson(ig, ap))
        + &correlation("spearman", "Spearman rank correlation", statistics::spearman(ig, ap))
        + &correlation("slope", "Slope of IG on AP", slope)
        + &number("compared", "n", Some(n as f64), &format!("{n} {}", compared.kind.id()));
    if let Some(zero) = zero {
        let from_zero = &zero.ig;
        let (pearson, spearman) =
            (statistics::pearson(from_zero, ap), statistics::spearman(from_zero, ap));
        out += &correlation("pearson-zero", "Pearson, IG from zero", pearson);
        out += &correlation("spearman-zero", "Spearman, IG from zero", spearman);
        if let Some((layer, delta)) = zero.worst {
            let written = format!("{} {} in layer {layer}", small(delta), compared.unit);
            let name = "Largest convergence delta, from zero";
            out += &number("zero-delta", name, Some(f64::from(delta)), &written);
        }
    }
    out
}

/// What the other baseline changes.
pub(super) fn of_zero(compared: &Compared, zero: &FromZero) -> String {
    let ap = &compared.pairs.ap;
    let written = |values: &[f32]| {
        let (pearson, spearman) =
            (statistics::pearson(values, ap), statistics::spearman(values, ap));
        format!("{} (ranks: {})", ratio(pearson), ratio(spearman))
    };
    let not_converged = match zero.worst {
        Some((layer, delta)) if delta.abs() > CONVERGED * Scale::of(&zero.ig).limit() => format!(
            " The scores of layer {layer} are off their sum by {} {}: from zero, they have not converged.",
            small(delta),
            compared.unit
        ),
        _ => String::new(),
    };
    format!(
        "Not comparable with AP, and shown to see that: from the corrupted run, IG correlates with AP at {}; from zero, at {}. \
         From zero, IG answers another question: what a layer’s activations do against none at all. What both prompts have in \
         common counts too, and patching never sees it.{not_converged}",
        written(&compared.pairs.ig),
        written(&zero.ig)
    )
}

/// In which unit all this is, and of how many components.
pub(super) fn coverage(compared: &Compared, unit: Unit) -> String {
    let (n, all, kinds) = (compared.n(), compared.n_all, compared.kind.id());
    let why = if unit.comparable() {
        ""
    } else {
        ": in the notebook’s two units they cannot be compared"
    };
    let mut in_unit = format!("Scores are in one unit, {}{why}.", compared.unit);
    if let Some(zero) = compared.all_zero() {
        in_unit = format!("{in_unit} Correlation and overlap are undefined: {zero}.");
    }
    if n == all {
        return in_unit;
    }
    format!(
        "{in_unit} Of the {n} of {all} {kinds} that are patched, exact scores only. The largest were patched first: of all {kinds}, the \
         numbers will be others."
    )
}

/// Who is found by which method, and how far the two sets are one.
pub(super) fn counts(compared: &Compared) -> String {
    let [ig, ap, both] = compared.counts();
    let count =
        |testid: &str, name: &str, n: usize| number(testid, name, Some(n as f64), &n.to_string());
    let any = ig + ap + both;
    let jaccard = (any > 0).then(|| both as f64 / any as f64);
    let written =
        jaccard.map_or_else(|| "undefined: none is found".to_owned(), |j| format!("{j:.3}"));
    count("count-ig-only", "Found by IG only", ig)
        + &count("count-ap-only", "by AP only", ap)
        + &count("count-both", "by both", both)
        + &number("jaccard", "Jaccard (both / either)", jaccard, &written)
}

/// Mean difference and limits of agreement.
pub(super) fn bland_altman(compared: &Compared) -> String {
    let Some(found) = statistics::BlandAltman::of(&compared.pairs.ig, &compared.pairs.ap) else {
        return String::new();
    };
    let values = [found.mean_difference, found.limits[0], found.limits[1]];
    let scale = Scale::of(&values.map(|value| value as f32));
    let line = |(testid, name): (&str, &str), value: f64| {
        let written = format!("{} {}", scale.written(value as f32), compared.unit);
        number(testid, name, Some(value), &written)
    };
    line(("ba-mean", "Mean of IG − AP"), values[0])
        + &line(("ba-lower", "Lower limit of agreement"), values[1])
        + &line(("ba-upper", "Upper limit"), values[2])
}

/// The strongest of each sign by each method.
pub(super) fn signed_lists(compared: &Compared) -> String {
    let (ig, ap) = (&compared.pairs.ig, &compared.pairs.ap);
    let scale = Scale::of(ig.iter().chain(ap));
    let list = |(method, scores): (&str, &[f32]), (sign, title, id): (f32, &str, &str)| {
        let of =
            |(component, score): (Component, f32)| entry(component, score, &scale.written(score));
        let strongest = compared.strongest(scores, sign, LISTED);
        let entries: String = strongest.into_iter().map(of).collect();
        let entries = if entries.is_empty() { "<li>none</li>".to_owned() } else { entries };
        let unit = compared.unit;
        format!(
            "<div><h3>{title}, {method} <span class=\"hint\">{unit}</span></h3>\
             <ol data-testid=\"{id}-{}\">{entries}</ol></div>",
            method.to_ascii_lowercase()
        )
    };
    let methods: [(&str, &[f32]); 2] = [("IG", ig), ("AP", ap)];
    let signs = [(1.0, "Supporting most", "supporting"), (-1.0, "Opposing most", "opposing")];
    signs.into_iter().flat_map(|sign| methods.map(|method| list(method, sign))).collect()
}

/// Who is selected.
pub(super) fn selection(selected: &BTreeSet<Component>) -> String {
    if selected.is_empty() {
        return "Drag in a plot, or use the buttons; Shift adds to what is selected.".to_owned();
    }
    let mut parts = Vec::new();
    for kind in ComponentKind::ALL {
        let of_kind: Vec<&Component> = selected.iter().filter(|c| c.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let named: Vec<String> = of_kind.iter().take(NAMED).map(ToString::to_string).collect();
        let more = of_kind.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let kinds = if of_kind.len() == 1 { kind.one() } else { kind.id() };
        parts.push(format!("{kinds} {}{more}", named.join(", ")));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::compared::tests::compared;
    use super::*;

    #[test]
    fn numbers_are_named_and_in_full() {
        let compared = compared(Unit::Metric);
        let pearson =
            statistics::pearson(&compared.pairs.ig, &compared.pairs.ap).expect("they vary");
        let html = numbers(&compared, None);
        assert!(html.contains(&format!("\"pearson\" data-value=\"{pearson}\"")), "{html}");
        assert!(!html.contains("pearson-zero"), "{html}");
        let zero = FromZero { ig: vec![1.0, 2.0, 3.0, -4.0], worst: Some((1, -2.5)) };
        let html = numbers(&compared, Some(&zero));
        assert!(html.contains("data-testid=\"zero-delta\" data-value=\"-2.5\""), "{html}");
        assert!(html.contains("−2.500 logits in layer 1"), "{html}");
        let says = of_zero(&compared, &zero);
        assert!(says.starts_with("Not comparable with AP"), "{says}");
        assert!(says.ends_with("by −2.500 logits: from zero, they have not converged."), "{says}");
        let converged = FromZero { worst: Some((1, -0.001)), ..zero };
        assert!(of_zero(&compared, &converged).ends_with("patching never sees it."));
        let html = counts(&compared);
        assert!(html.contains("data-testid=\"jaccard\" data-value=\"0.5\">0.500"), "{html}");
        // Differences 0.25, 0, 0 and −1.
        let html = bland_altman(&compared);
        assert!(html.contains("\"ba-mean\" data-value=\"-0.1875\">−0.19 logits"), "{html}");
    }

    #[test]
    fn the_claim_is_made_of_the_numbers_and_offers_to_test_what_one_method_finds() {
        let compared = compared(Unit::ShareOfGap);
        let Claim { words, tests } = claim(&compared);
        let spearman = statistics::spearman(&compared.pairs.ig, &compared.pairs.ap);
        let spearman = format!("Spearman {:.2}", spearman.expect("they vary"));
        assert!(words.contains(&spearman), "{words}");
        // IG − AP is largest for layer 1 head 1: 1 − 2 logits of a gap of 4.
        let apart = compared.outliers(1)[0];
        let expected = format!("They part most at {apart}, where IG − AP is −0.250 of the gap.");
        assert!(words.ends_with(&expected), "{words}");
        assert_eq!(tests[0].1, Test::Replace(SetChoice::IgOnly));
        assert!(tests[0].0.contains("the one head that only IG finds"), "{tests:?}");
        assert_eq!(tests[1].1, Test::See(apart, Panel::Why));
        let mut zeros = compared;
        zeros.pairs.ig.fill(0.0);
        let Claim { words, tests } = claim(&zeros);
        assert!(words.contains("all scores by IG are 0") && tests.is_empty(), "{words}");
    }

    #[test]
    fn both_signs_have_lists() {
        let html = signed_lists(&compared(Unit::ShareOfGap));
        for id in ["supporting-ig", "supporting-ap", "opposing-ig", "opposing-ap"] {
            assert_eq!(html.matches(&format!("data-testid=\"{id}\"")).count(), 1, "{html}");
        }
        assert!(html.contains("data-value=\"-0.0625\""), "{html}");
    }

    #[test]
    fn a_selection_is_named_as_far_as_it_can_be_read() {
        let of = |kind, index| Component { kind, layer: 9, index };
        let mut selected = BTreeSet::new();
        assert!(selection(&selected).starts_with("Drag"));
        selected.insert(of(ComponentKind::Heads, 6));
        selected.insert(of(ComponentKind::Neurons, 1));
        assert_eq!(selection(&selected), "head L9H6; neuron L9N1");
        selected.extend((0..30).map(|index| of(ComponentKind::Neurons, index)));
        let words = selection(&selected);
        assert!(words.contains("neurons L9N0, L9N1") && words.contains(" and 6 more"), "{words}");
    }

    #[test]
    fn a_part_says_that_it_is_one() {
        let mut compared = compared(Unit::Metric);
        let says = |compared: &Compared| coverage(compared, Unit::Notebook);
        assert!(says(&compared).ends_with("in the notebook’s two units they cannot be compared."));
        assert_eq!(coverage(&compared, Unit::Metric), "Scores are in one unit, logits.");
        compared.pairs.ap.fill(0.0);
        assert!(says(&compared).ends_with("undefined: all scores by AP are 0."));
        compared.n_all = 9;
        assert!(says(&compared).contains("Of the 4 of 9 heads that are patched"));
    }
}
