//! Faithfulness by how many edges of a ranking are taken. Nothing here is reactive.

use twinbeam_core::circuits::{Areas, Ends, RANDOM_SEEDS, SHARES, areas, size_of_share};
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::wire::probes::circuits::{CircuitCurves, EdgeOrder};

use super::ranked::Ranked;
use super::words::edges;
use crate::lab::parts::number;
use crate::plot::{At, Axis, Drawn, Ink, Rule, Series, Xy};
use crate::values::percent;
use twinbeam_figure::scale::signed;

/// Circuits of growing size by both rankings, and by random ones.
pub(super) fn question(ranked: &Ranked) -> Probe {
    let listed = |by_exact: bool| {
        let order = ranked.ranking(by_exact).order();
        EdgeOrder::Listed(order.iter().map(|edge| *edge as u32).collect())
    };
    let random = RANDOM_SEEDS.map(|seed| EdgeOrder::Random { seed });
    let orders = [listed(false), listed(true)].into_iter().chain(random).collect();
    let sizes = SHARES.map(|share| size_of_share(share, ranked.len())).to_vec();
    Probe::CircuitCurves { orders, sizes }
}

/// Faithfulness by size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curves {
    n_edges: usize,
    /// How many edges are taken of a ranking.
    sizes: Vec<usize>,
    /// By EAP-IG, by exact effects, at random on average; then least and most at random.
    of: [Vec<f32>; 5],
    areas: [Areas; 3],
    /// Edges that are ranked by EAP-IG for want of an effect.
    n_estimated: usize,
}

impl Curves {
    /// `None` where the answer is not of two rankings and random ones, at MIB's shares.
    pub(super) fn of(ends: Ends, ranked: &Ranked, found: &CircuitCurves) -> Option<Self> {
        let n = SHARES.len();
        let [ig, exact, random @ ..] = found.metric.as_slice() else { return None };
        let is_whole = found.sizes.len() == n && found.metric.iter().all(|curve| curve.len() == n);
        if random.is_empty() || !is_whole {
            return None;
        }
        let faithful = |curve: &[f32]| -> Vec<f32> {
            curve.iter().map(|metric| ends.faithfulness(*metric)).collect()
        };
        let random: Vec<Vec<f32>> = random.iter().map(|curve| faithful(curve)).collect();
        let over = |fold: fn(f32, f32) -> f32| -> Vec<f32> {
            let at = |place: usize| random.iter().map(|curve| curve[place]).reduce(fold);
            (0..n).filter_map(at).collect()
        };
        let sum = over(|a, b| a + b).into_iter();
        let means: Vec<f32> = sum.map(|sum| sum / random.len() as f32).collect();
        let (ig, exact) = (faithful(ig), faithful(exact));
        Some(Self {
            n_edges: ranked.len(),
            sizes: found.sizes.clone(),
            areas: [areas(&ig)?, areas(&exact)?, areas(&means)?],
            of: [ig, exact, means, over(f32::min), over(f32::max)],
            n_estimated: ranked.coverage.rest(),
        })
    }

    pub(super) fn draw(&self, width: f64) -> Drawn {
        let looks = [
            ("strongest by EAP-IG", Ink::Ig, false),
            ("strongest by path patching", Ink::Ap, true),
            ("at random, mean of 5", Ink::Plain, false),
            ("least at random", Ink::Soft, true),
            ("most at random", Ink::Soft, true),
        ];
        let series = looks.into_iter().zip(&self.of).enumerate().map(|(place, (look, values))| {
            let (label, ink, dashed) = look;
            let points = self.sizes.iter().map(|size| *size as f32).zip(values.iter().copied());
            let label = label.to_owned();
            Series { label, ink, points: points.collect(), dots: place < 3, dashed }
        });
        let rule =
            |y: f32, label: &str, ink: Ink| Rule { at: At::Y(y), label: label.to_owned(), ink };
        Xy {
            title: "Faithfulness of circuits".to_owned(),
            summary: self.reading(),
            x: Axis::log(&format!("edges taken, of {}", self.n_edges)),
            y: Axis::of("faithfulness", ""),
            width,
            rules: vec![rule(1.0, "clean run", Ink::Plain), rule(0.0, "corrupted run", Ink::Soft)],
            series: series.collect(),
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
        let within = |curve: &[f32]| {
            // From where on it stays.
            let off = curve.iter().rposition(|faithful| (faithful - 1.0).abs() > 0.1);
            self.sizes.get(off.map_or(0, |off| off + 1)).copied()
        };
        let [ig, exact, random] = [0, 1, 2].map(|place: usize| within(&self.of[place]));
        let share = |taken: Option<usize>| match taken {
            Some(taken) => {
                format!("{} ({})", edges(taken), percent(taken as f32 / self.n_edges.max(1) as f32))
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
            words.push_str(" In the ranking by path patching the ");
            words.push_str(&edges(self.n_estimated));
            words.push_str(" that are not patched come last, in the order of EAP-IG.");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::tests::ends;
    use super::super::ranked::tests::{PATH, ranked};
    use super::*;

    #[test]
    fn curves_have_their_areas_and_the_range_of_random_ones() {
        let ranked = ranked(&PATH, true);
        let Probe::CircuitCurves { orders, sizes } = question(&ranked) else { panic!("curves") };
        assert_eq!((orders.len(), sizes.len()), (7, 10));
        assert_eq!(sizes[9], ranked.len());
        let flat = |metric: f32| vec![metric; 10];
        let mut metric = vec![flat(3.0), flat(1.0)];
        metric.extend([-1.0, -1.0, 0.0, 1.0, 1.0].map(flat));
        let found = CircuitCurves { kept: vec![sizes.clone(); 7], sizes, metric };
        let curves = Curves::of(ends(), &ranked, &found).expect("as asked");
        assert!((curves.areas[0].cpr - 0.999).abs() < 1e-5 && curves.areas[0].cmd.abs() < 1e-6);
        assert!((curves.areas[1].cmd - 0.4995).abs() < 1e-5);
        let at = |of: usize| curves.of[of][3];
        assert_eq!([at(3), at(2), at(4)], [0.0, 0.25, 0.5]);
        let words = curves.reading();
        assert!(words.contains("by EAP-IG, more than all by path patching"), "{words}");
        assert!(curves.draw(500.0).svg.contains("at random, mean of 5"));
        assert!(curves.numbers().contains("paths-cmd-random"));
        assert!(
            Curves::of(ends(), &ranked, &CircuitCurves { sizes: Vec::new(), ..found }).is_none()
        );
    }
}
