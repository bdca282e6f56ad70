//! What circuits keep of the gap, and what each of their edges adds. Nothing here is reactive.

use twinbeam_core::circuits::{Circuit, Ends};
use twinbeam_core::link::Paths;
use twinbeam_core::statistics::largest_first;
use twinbeam_core::wire::probes::Probe;

use super::ranked::Ranked;
use super::seen::Lists;
use super::words::edges;
use crate::lab::parts::number;
use crate::plot::{Bar, Bars, Drawn, Ink};
use crate::values::percent;
use twinbeam_figure::scale::signed;

/// A circuit of no more edges is run without each of them.
pub(super) const MOST_MINIMAL: usize = 64;

/// The circuits that are looked at: by EAP-IG, by exact effects, and by hand.
pub(super) fn sets(ranked: &Ranked, paths: &Paths) -> Lists {
    let circuit = |by_exact: bool| numbers(&ranked.ranking(by_exact).circuit(paths.n));
    let exact = if ranked.has_exact() { circuit(true) } else { Vec::new() };
    let by_hand = paths.by_hand.iter().copied();
    let by_hand = by_hand.filter(|edge| (*edge as usize) < ranked.len()).collect();
    vec![circuit(false), exact, by_hand]
}

/// What they keep, in words for the chapter's sentence; `found`: the metric of each.
pub(super) fn claim(sets: &Lists, ends: Ends, found: &[f32], is_whole: bool) -> Option<String> {
    let ([n_ig, n_exact, _], [ig, exact, _]) = (sets.as_slice(), found) else { return None };
    let kept = |metric: f32| percent(ends.faithfulness(metric)).replace('-', "−");
    let first = format!(
        "Kept alone, a circuit of the {} strongest by EAP-IG has {} of the gap",
        n_ig.len(),
        kept(*ig)
    );
    if n_exact.is_empty() {
        return Some(format!("{first}."));
    }
    let patched = if is_whole { "" } else { ", of those patched so far," };
    Some(format!(
        "{first}, one of the {} strongest by patching{patched} {}.",
        n_exact.len(),
        kept(*exact)
    ))
}

/// The same as numbers.
pub(super) fn faithful(sets: &Lists, ends: Ends, found: &[f32]) -> String {
    let names = ["by EAP-IG", "by path patching", "by hand"];
    let ids = ["paths-kept-ig", "paths-kept-exact", "paths-kept-hand"];
    let mut out = String::new();
    for (place, (of, metric)) in sets.iter().zip(found).enumerate().take(names.len()) {
        if !of.is_empty() {
            let faithful = ends.faithfulness(*metric);
            let name = format!("faithfulness of {} {}", edges(of.len()), names[place]);
            out += &number(ids[place], &name, Some(faithful.into()), &signed(faithful, 3));
        }
    }
    out
}

/// Of a set by hand, edges that are on no path from the embedding to the logits: they change nothing.
pub(super) fn loose(ranked: &Ranked, by_hand: &[u32]) -> usize {
    let set = Circuit::new(ranked.graph, by_hand.iter().map(|edge| *edge as usize));
    set.len() - set.connected().len()
}

pub(super) fn numbers(circuit: &Circuit) -> Vec<u32> {
    circuit.edges().map(|edge| edge as u32).collect()
}

/// A circuit, and the same without each of its edges.
pub(super) fn minimal(circuit: &[u32]) -> Option<Probe> {
    if circuit.is_empty() || circuit.len() > MOST_MINIMAL {
        return None;
    }
    let without = |out: &u32| circuit.iter().copied().filter(|edge| edge != out).collect();
    let sets = std::iter::once(circuit.to_vec()).chain(circuit.iter().map(without)).collect();
    Some(Probe::Circuits { sets })
}

/// What each edge of a circuit adds: its faithfulness minus that without the edge, the largest first.
pub(super) fn added(ends: Ends, sets: &Lists, found: &[f32]) -> Vec<(usize, f32)> {
    let Some(((circuit, whole), without)) = sets.first().zip(found.first()).zip(found.get(1..))
    else {
        return Vec::new();
    };
    let adds = |metric: &f32| ends.faithfulness(*whole) - ends.faithfulness(*metric);
    let adds: Vec<f32> = without.iter().map(adds).collect();
    let mut order: Vec<usize> = (0..circuit.len().min(adds.len())).collect();
    largest_first(&mut order, &|place| adds[place]);
    order.into_iter().map(|place| (circuit[place] as usize, adds[place])).collect()
}

/// The same in words.
pub(super) fn said(ranked: &Ranked, added: &[(usize, f32)]) -> String {
    let idle = added.iter().filter(|(_, adds)| adds.abs() < 0.005).count();
    let most = added.first().map_or_else(String::new, |(edge, adds)| {
        format!("{} adds most, {} of faithfulness; ", ranked.edge(*edge), signed(*adds, 3))
    });
    format!("{most}{idle} of {} add less than 0.005.", edges(added.len()))
}

/// The same as bars.
pub(super) fn draw_added(ranked: &Ranked, added: &[(usize, f32)], width: f64) -> Drawn {
    let rows = added.iter().map(|(edge, adds)| Bar {
        label: ranked.edge(*edge).to_string(),
        values: vec![*adds],
        ..Bar::default()
    });
    Bars {
        title: "Faithfulness that each edge adds".to_owned(),
        summary: said(ranked, added),
        inks: [Ink::Accent, Ink::Accent],
        rows: rows.collect(),
        signed: true,
        width,
        ..Bars::default()
    }
    .draw()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::ranked::tests::{PATH, ranked};
    use super::*;
    use crate::values::committed;

    /// Of a gap of 4.
    pub(in crate::lab::paths) fn ends() -> Ends {
        // 3 and -1.
        committed().ends().expect("a gap of 4")
    }

    #[test]
    fn faithfulness_is_the_share_of_the_gap() {
        assert_eq!([3.0, -1.0, 1.0].map(|metric| ends().faithfulness(metric)), [1.0, 0.0, 0.5]);
        let mut committed = committed();
        committed.basis.gap = 0.01;
        assert!(committed.ends().is_err());
    }

    #[test]
    fn circuits_of_both_rankings_and_by_hand() {
        let ranked = ranked(&PATH, true);
        let paths = Paths { n: 3, by_hand: vec![1, 2, 9999], ..Paths::default() };
        let sets = sets(&ranked, &paths);
        assert_eq!(sets[2], [1, 2], "what the model does not have is left out");
        assert_eq!((sets[0].len(), sets[1].len()), (3, 3));
        assert_eq!(sets[0], sets[1]);
        let words = claim(&sets, ends(), &[1.0, 2.0, 0.0], true).expect("three");
        assert_eq!(
            words,
            "Kept alone, a circuit of the 3 strongest by EAP-IG has 50 % of the gap, one of the 3 strongest by patching \
             75 %."
        );
        let numbers = faithful(&sets, ends(), &[1.0, 2.0, -1.0]);
        assert!(numbers.contains("\"paths-kept-ig\" data-value=\"0.5\">+0.500"), "{numbers}");
        assert!(numbers.contains("faithfulness of 2 edges by hand"), "{numbers}");
        assert!(loose(&ranked, &[0]) == 1 && loose(&ranked, &sets[0]) == 0);
    }

    #[test]
    fn what_an_edge_adds_is_what_goes_without_it() {
        let Some(Probe::Circuits { sets }) = minimal(&[4, 7]) else { panic!("two edges") };
        assert_eq!(sets, [vec![4, 7], vec![7], vec![4]]);
        let added = added(ends(), &sets, &[3.0, 1.0, -1.0]);
        assert_eq!(added, [(7, 1.0), (4, 0.5)]);
        assert_eq!(minimal(&[]), None);
        assert_eq!(minimal(&(0..65).collect::<Vec<_>>()), None);
        let drawn = draw_added(&ranked(&PATH, true), &added, 400.0);
        assert!(drawn.summary.contains("0 of 2 edges add less than 0.005"), "{}", drawn.summary);
    }
}
