//! What circuits keep of the gap: sizes, faithfulness, areas, and what each edge adds. Nothing here is reactive.

use twinbeam_core::circuits::{Areas, Circuit, SHARES, areas, size_of_share};
use twinbeam_core::link::Paths;
use twinbeam_core::scores::GapRefused;
use twinbeam_core::statistics::largest_first;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::wire::probes::circuits::{CircuitCurves, EdgeOrder};

use super::Lists;
use super::ranked::Ranked;
use super::words::edges;
use crate::heatmap::scale::signed;
use crate::lab::parts::number;
use crate::plot::{At, Axis, Bar, Bars, Drawn, Ink, Rule, Series, Xy};
use crate::values::{Committed, percent};

/// Random rankings that a mean is taken of.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
/// A circuit of no more edges is run without each of them.
pub(super) const MOST_MINIMAL: usize = 64;

/// The metric of both runs, by which faithfulness is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ends {
    clean: f32,
    corrupted: f32,
}

impl Ends {
    /// # Errors
    /// A gap that cannot be divided by.
    pub(super) fn of(committed: &Committed) -> Result<Self, GapRefused> {
        committed.basis.gap()?;
        let metric = committed.experiment.metric;
        let (clean, corrupted) = &committed.sides;
        Ok(Self { clean: clean.metrics.get(metric), corrupted: corrupted.metrics.get(metric) })
    }

    pub(super) fn faithfulness(self, metric: f32) -> f32 {
        (metric - self.corrupted) / (self.clean - self.corrupted)
    }
}

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

/// Circuits of growing size by both rankings, and by random ones.
pub(super) fn curves(ranked: &Ranked) -> Probe {
    let listed = |by_exact: bool| {
        let order = ranked.ranking(by_exact).order();
        EdgeOrder::Listed(order.iter().map(|edge| *edge as u32).collect())
    };
    let random = SEEDS.map(|seed| EdgeOrder::Random { seed });
    let orders = [listed(false), listed(true)].into_iter().chain(random).collect();
    let sizes = SHARES.map(|share| size_of_share(share, ranked.len())).to_vec();
    Probe::CircuitCurves { orders, sizes }
}

/// Faithfulness by size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curves {
    n_edges: usize,
    /// How many edges are kept, and the faithfulness then: by EAP-IG, by exact effects, at random on average.
    of: [Vec<(f32, f32)>; 3],
    /// Least and most of the random ones.
    range: [Vec<(f32, f32)>; 2],
    areas: [Areas; 3],
    /// Edges that are ranked by EAP-IG for want of an effect.
    n_estimated: usize,
}

impl Curves {
    /// `None` where the answer is not of two rankings and random ones, at MIB's shares.
    pub(super) fn of(ends: Ends, ranked: &Ranked, found: &CircuitCurves) -> Option<Self> {
        let n = SHARES.len();
        let faithful: Vec<Vec<f32>> = found
            .metric
            .iter()
            .map(|curve| curve.iter().map(|metric| ends.faithfulness(*metric)).collect())
            .collect();
        let ([ig, exact, random @ ..], [kept_ig, kept_exact, kept @ ..]) =
            (faithful.as_slice(), found.kept.as_slice())
        else {
            return None;
        };
        if random.is_empty()
            || random.len() != kept.len()
            || faithful.iter().any(|curve| curve.len() != n)
            || found.kept.iter().any(|kept| kept.len() != n)
        {
            return None;
        }
        let mean = |of: &dyn Fn(usize) -> f32| {
            (0..random.len()).map(of).sum::<f32>() / random.len() as f32
        };
        let at = |place: usize| mean(&|seed| kept[seed][place] as f32);
        let means: Vec<f32> = (0..n).map(|place| mean(&|seed| random[seed][place])).collect();
        let curve = |kept: &[usize], values: &[f32]| -> Vec<(f32, f32)> {
            kept.iter().map(|kept| *kept as f32).zip(values.iter().copied()).collect()
        };
        let end = |pick: fn(f32, f32) -> f32| -> Vec<(f32, f32)> {
            let of = |place: usize| random.iter().map(|curve| curve[place]).reduce(pick);
            (0..n).filter_map(|place| Some((at(place), of(place)?))).collect()
        };
        Some(Self {
            n_edges: ranked.len(),
            of: [
                curve(kept_ig, ig),
                curve(kept_exact, exact),
                (0..n).map(|place| (at(place), means[place])).collect(),
            ],
            range: [end(f32::min), end(f32::max)],
            areas: [areas(ig)?, areas(exact)?, areas(&means)?],
            n_estimated: ranked.coverage.rest(),
        })
    }

    pub(super) fn draw(&self, width: f64) -> Drawn {
        let series = |label: &str, ink: Ink, points: &[(f32, f32)], dashed: bool, dots: bool| {
            Series { label: label.to_owned(), ink, points: points.to_vec(), dots, dashed }
        };
        let rule =
            |y: f32, label: &str, ink: Ink| Rule { at: At::Y(y), label: label.to_owned(), ink };
        let [ig, exact, random] = &self.of;
        let [least, most] = &self.range;
        Xy {
            title: "Faithfulness of circuits".to_owned(),
            summary: self.reading(),
            x: Axis::log(&format!("edges kept, of {}", self.n_edges)),
            y: Axis::of("faithfulness", ""),
            width,
            rules: vec![rule(1.0, "clean run", Ink::Plain), rule(0.0, "corrupted run", Ink::Soft)],
            series: vec![
                series("strongest by EAP-IG", Ink::Ig, ig, false, true),
                series("strongest by path patching", Ink::Ap, exact, true, true),
                series("at random, mean of 5", Ink::Plain, random, false, true),
                series("least and most at random", Ink::Soft, least, true, false),
                series("", Ink::Soft, most, true, false),
            ],
            ..Xy::default()
        }
        .draw()
    }

    pub(super) fn numbers(&self) -> String {
        let rows = [("ig", "EAP-IG"), ("exact", "path patching"), ("random", "random")];
        let mut out = String::new();
        for ((id, name), Areas { cpr, cmd }) in rows.into_iter().zip(self.areas) {
            for (kind, value) in [("cpr", cpr), ("cmd", cmd)] {
                let testid = format!("paths-{kind}-{id}");
                let name = format!("{}, {name}", kind.to_uppercase());
                out += &number(&testid, &name, Some(value.into()), &signed(value, 3));
            }
        }
        out
    }

    pub(super) fn reading(&self) -> String {
        let within = |curve: &[(f32, f32)]| {
            // From where on it stays.
            let off = curve.iter().rposition(|(_, faithful)| (faithful - 1.0).abs() > 0.1);
            curve.get(off.map_or(0, |off| off + 1)).map(|(kept, _)| *kept as usize)
        };
        let [ig, exact, random] = [0, 1, 2].map(|place: usize| within(&self.of[place]));
        let share = |kept: Option<usize>| match kept {
            Some(kept) => {
                format!("{} ({})", edges(kept), percent(kept as f32 / self.n_edges.max(1) as f32))
            }
            None => "more than all".to_owned(),
        };
        let mut words = format!(
            "To stay within 0.1 of the clean run it takes {} by EAP-IG, {} by path patching and {} at random, on this grid. \
             CPR is the area under a curve: the larger, the sooner a ranking finds what makes the behaviour. CMD is the area \
             between a curve and 1: the smaller, the nearer its circuits are to the whole model.",
            share(ig),
            share(exact),
            share(random)
        );
        if self.n_estimated > 0 {
            words += &format!(
                " In the ranking by path patching the {} that are not patched come last, in the order of EAP-IG.",
                edges(self.n_estimated)
            );
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::super::ranked::tests::{PATH, ranked};
    use super::*;
    use crate::values::committed;

    fn ends() -> Ends {
        // 3 and -1.
        Ends::of(&committed()).expect("a gap of 4")
    }

    #[test]
    fn faithfulness_is_the_share_of_the_gap() {
        assert_eq!([3.0, -1.0, 1.0].map(|metric| ends().faithfulness(metric)), [1.0, 0.0, 0.5]);
        let mut committed = committed();
        committed.basis.gap = 0.01;
        assert!(Ends::of(&committed).is_err());
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

    #[test]
    fn curves_have_their_areas_and_the_range_of_random_ones() {
        let ranked = ranked(&PATH, true);
        let Probe::CircuitCurves { orders, sizes } = curves(&ranked) else { panic!("curves") };
        assert_eq!((orders.len(), sizes.len()), (7, 10));
        assert_eq!(sizes[9], ranked.len());
        let flat = |metric: f32| vec![metric; 10];
        let mut metric = vec![flat(3.0), flat(1.0)];
        metric.extend([-1.0, -1.0, 0.0, 1.0, 1.0].map(flat));
        let found = CircuitCurves { kept: vec![sizes.clone(); 7], sizes, metric };
        let curves = Curves::of(ends(), &ranked, &found).expect("as asked");
        assert!((curves.areas[0].cpr - 0.999).abs() < 1e-5 && curves.areas[0].cmd.abs() < 1e-6);
        assert!((curves.areas[1].cmd - 0.4995).abs() < 1e-5);
        assert_eq!(
            (curves.range[0][3].1, curves.of[2][3].1, curves.range[1][3].1),
            (0.0, 0.25, 0.5)
        );
        let words = curves.reading();
        assert!(words.contains("by EAP-IG, more than all by path patching"), "{words}");
        assert!(curves.draw(500.0).svg.contains("at random, mean of 5"));
        assert!(curves.numbers().contains("paths-cmd-random"));
        assert!(
            Curves::of(ends(), &ranked, &CircuitCurves { kept: Vec::new(), ..found }).is_none()
        );
    }
}
