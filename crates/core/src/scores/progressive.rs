//! Patching many components or edges in the order of what is known of them, and what that leaves out. No tensors.

use serde::{Deserialize, Serialize};

use super::{ScoreTable, TableKey, Tables};
use crate::statistics::{SplitMix64, largest_first};
use crate::words::{Component, ComponentKind, Direction, Method};

/// How many are patched first.
const FIRST_ROUND: usize = 256;
/// How many are drawn from all, to be patched after the first round.
const DRAWN: usize = 512;
/// How many of the strongest a [`Coverage`] speaks of.
const TOP: usize = 100;
/// Share of cases in which a bound may be too low.
const DOUBT: f64 = 0.05;

/// Exact effects of some components of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patches {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// Which run was changed.
    pub direction: Direction,
    /// Places in the table's values: layer times width plus index.
    pub places: Vec<usize>,
    /// One effect per place, in the metric's unit.
    pub values: Vec<f32>,
}

impl Patches {
    /// The components that were patched, in a table with so many per layer.
    pub fn components(&self, width: usize) -> Vec<Component> {
        self.places.iter().map(|place| Component::at(self.kind, *place, width)).collect()
    }

    /// Puts the effects into their table, which begins with what integrated gradients say of all components.
    pub fn add_to(&self, tables: &mut Tables) {
        let Self { kind, direction, ref places, ref values } = *self;
        let key = |method| TableKey { kind, method, direction };
        if tables.get(key(Method::Ap)).is_none()
            && let Some(screen) = tables.get(key(Method::Ig))
        {
            let begun = ScoreTable::screened_by(screen);
            tables.insert(begun);
        }
        if let Some(table) = tables.get_mut(key(Method::Ap)) {
            table.replace(places, values);
        }
    }
}

/// The order in which components, or edges, are patched: the largest by a screening first, and early on some that are
/// drawn at random, which say what the screening overlooks.
///
/// A place is a component's in its table, or an edge's number.
#[derive(Debug, Clone, PartialEq)]
pub struct Screening {
    /// Every place once, in the order of its turn.
    order: Vec<usize>,
    /// The turn of every place.
    turn: Vec<usize>,
    /// Places drawn from all at random.
    drawn: Vec<usize>,
}

impl Screening {
    /// The order by the larger of some tables' absolute scores; the same for the same tables.
    pub fn by(screens: &[&ScoreTable]) -> Self {
        let screens: Vec<&[f32]> = screens.iter().map(|table| table.values()).collect();
        Self::by_scores(&screens)
    }

    /// The order by the larger of some lists' absolute scores, a score per place; the same for the same lists.
    pub fn by_scores(screens: &[&[f32]]) -> Self {
        let n = screens.first().map_or(0, |scores| scores.len());
        let size = |place: usize| {
            let sizes = screens.iter().filter_map(|scores| scores.get(place));
            sizes.fold(0.0_f32, |most, score| most.max(score.abs()))
        };
        let mut order: Vec<usize> = (0..n).collect();
        largest_first(&mut order, &size);
        let mut turn = vec![0; n];
        for (position, place) in order.iter().enumerate() {
            turn[*place] = position;
        }
        // The first of a random order (Fisher and Yates), which is the same each time.
        let mut places: Vec<usize> = (0..n).collect();
        let mut random = SplitMix64(0);
        let n_drawn = DRAWN.min(n / 4);
        for i in 0..n_drawn {
            places.swap(i, i + random.below(n - i));
        }
        places.truncate(n_drawn);
        Self { order, turn, drawn: places }
    }

    /// Places in groups, each to be patched before the next, and in the order in which they stand: the first in
    /// turn, those drawn, and twice as many each time. Every place is in one of them.
    pub fn rounds(&self) -> Vec<Vec<usize>> {
        let n = self.order.len();
        let mut is_drawn = vec![false; n];
        for place in &self.drawn {
            is_drawn[*place] = true;
        }
        let mut rounds = Vec::new();
        let (mut begin, mut len) = (0, FIRST_ROUND);
        while begin < n {
            let end = (begin + len).min(n);
            let is_first = begin == 0;
            let turns = self.order[begin..end].iter().copied();
            // The first round takes those drawn of its own, which are then not patched again.
            rounds.push(turns.filter(|place| is_first || !is_drawn[*place]).collect::<Vec<_>>());
            if is_first {
                let later = |place: &&usize| self.turn[**place] >= end;
                rounds.push(self.drawn.iter().filter(later).copied().collect());
            } else {
                len *= 2;
            }
            begin = end;
        }
        rounds.retain(|round| !round.is_empty());
        rounds
    }

    /// How much of a table of patches is exact, and what those drawn say of the rest.
    pub fn coverage(&self, table: &ScoreTable) -> Coverage {
        self.coverage_of(table.values(), table.exact())
    }

    /// How much of a list is exact, and what those drawn say of the rest: `is_exact` has an answer per place, or none where
    /// all are exact.
    pub fn coverage_of(&self, values: &[f32], is_exact: &[bool]) -> Coverage {
        let total = self.order.len();
        let is_exact = |place: usize| is_exact.get(place).copied().unwrap_or(true);
        let exact = (0..total).filter(|place| is_exact(*place)).count();
        // Those whose turn has not come: among them the drawn ones are a random sample.
        let turns = self.order.iter().take_while(|place| is_exact(**place)).count();
        let size = |place: usize| values.get(place).map_or(0.0, |value| value.abs());
        let sample = self.drawn.iter().copied().filter(|place| self.turn[*place] >= turns);
        let sample: Vec<f32> = sample.filter(|place| is_exact(*place)).map(size).collect();
        let sizes = || (0..total).filter(|place| is_exact(*place)).map(size);
        let mut strongest: Vec<f32> = sizes().collect();
        strongest.sort_by(|a, b| b.total_cmp(a));
        let least = strongest.get(TOP.min(strongest.len()).saturating_sub(1)).copied();
        let least = least.unwrap_or_default();
        let larger = sample.iter().filter(|size| **size >= least && **size > 0.0).count();
        let known: f64 = sizes().map(f64::from).sum();
        let mean =
            sample.iter().map(|size| f64::from(*size)).sum::<f64>() / sample.len().max(1) as f64;
        let missed = mean * (total - exact) as f64;
        let missed_share = (known + missed > 0.0).then(|| (missed / (known + missed)) as f32);
        let missed_share = missed_share.filter(|_| exact == total || !sample.is_empty());
        Coverage { exact, total, sampled: sample.len(), larger, missed_share }
    }
}

/// How much of a table of patches is exact, and what the rest may hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Components, or edges, that have been patched.
    pub exact: usize,
    /// How many there are.
    pub total: usize,
    /// Places that were patched and were drawn at random from all whose turn had not come.
    pub sampled: usize,
    /// How many of [`Self::sampled`] are among the strongest hundred of those patched.
    pub larger: usize,
    /// Estimate of what is not patched, as a share of all absolute effects; `None` without a sample.
    pub missed_share: Option<f32>,
}

impl Coverage {
    /// How many of the strongest components a coverage speaks of.
    pub const TOP: usize = TOP;

    /// Components that have not been patched.
    pub const fn rest(&self) -> usize {
        self.total - self.exact
    }

    /// Most components of the rest that belong to the strongest hundred, with 95 % confidence; `None` without a sample.
    ///
    /// # Source
    /// Clopper and Pearson (1934): the share at which as few in the sample would be seen in one of twenty
    /// samples. As if drawn with putting back, which is on the safe side. Right as long as whatever has been
    /// patched was patched in the order of its turn, or drawn.
    pub fn most_missed(&self) -> Option<usize> {
        if self.rest() == 0 {
            return Some(0);
        }
        if self.sampled == 0 {
            return None;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let share = f64::midpoint(low, high);
            if at_most(self.larger, self.sampled, share) > DOUBT {
                low = share;
            } else {
                high = share;
            }
        }
        // The share is of all whose turn has not come, those in the sample with them.
        let most = (high * (self.rest() + self.sampled) as f64).ceil() as usize;
        Some(most.saturating_sub(self.larger).min(self.rest()))
    }
}

/// Probability of at most `k` of `n` where each has probability `p`.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    // In logarithms: 0.5^500 is no number.
    let (log_p, log_q) = (p.ln(), (-p).ln_1p());
    let mut log_ways = 0.0;
    let mut sum = 0.0;
    for i in 0..=k {
        sum += (log_ways + i as f64 * log_p + (n - i) as f64 * log_q).exp();
        log_ways += ((n - i) as f64 / (i + 1) as f64).ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` scores that fall off, and have a sign.
    fn table(n: usize, score: impl Fn(usize) -> f32) -> ScoreTable {
        let (kind, method) = (ComponentKind::Neurons, Method::Ig);
        let key = TableKey { kind, method, direction: Direction::Noising };
        ScoreTable::new(key, n / 4, (0..n).map(score).collect())
    }

    /// The patches among some tables.
    fn patched(tables: &Tables) -> &ScoreTable {
        tables.iter().nth(1).expect("patches come after what screened them")
    }

    fn falling(place: usize) -> f32 {
        let size = 1.0 / (1.0 + ((place * 7919) % 4096) as f32);
        if place.is_multiple_of(2) { size } else { -size }
    }

    #[test]
    fn every_component_has_one_turn_and_the_largest_come_first() {
        for n in [4, 40, 1000, 4096] {
            let (ig, atp) = (table(n, falling), table(n, |place| falling(place) / 2.0));
            let rounds = Screening::by(&[&atp, &ig]).rounds();
            let mut places = rounds.concat();
            let first: Vec<f32> = rounds[0].iter().map(|place| ig.values()[*place].abs()).collect();
            assert!(first.is_sorted_by(|a, b| a >= b));
            places.sort_unstable();
            assert!(places.into_iter().eq(0..n), "{n}");
        }
    }

    #[test]
    fn patches_replace_what_was_screened() {
        let ig = table(8, falling);
        let mut tables = Tables::from_iter([ig.clone()]);
        let patches = |places: Vec<usize>| Patches {
            kind: ComponentKind::Neurons,
            direction: Direction::Noising,
            values: places.iter().map(|place| *place as f32).collect(),
            places,
        };
        patches(vec![3, 6]).add_to(&mut tables);
        let ap = patched(&tables);
        assert_eq!(
            (ap.method(), ap.n_exact(), ap.get(1, 1), ap.get(0, 0)),
            (Method::Ap, 2, Some(3.0), None)
        );
        assert_eq!(ap.values()[0], ig.values()[0], "screened");
        assert_eq!(ig.minus(ap).strongest(9).len(), 2, "only where both are known");
        patches((0..8).collect()).add_to(&mut tables);
        patches(vec![99]).add_to(&mut tables);
        assert_eq!((patched(&tables).n_exact(), patched(&tables).get(3, 1)), (8, Some(7.0)));
    }

    #[test]
    fn coverage_estimates_what_is_missed() {
        let n = 4096;
        // The screening is right about most, and overlooks some: here and there, or all in the last layers.
        let here_and_there = |place: usize| place.is_multiple_of(97);
        let late = |place: usize| place > n * 3 / 4 && place.is_multiple_of(13);
        for is_overlooked in [&here_and_there as &dyn Fn(usize) -> bool, &late] {
            let truth = |place: usize| if is_overlooked(place) { 0.5 } else { falling(place) };
            let ig = table(n, falling);
            let screening = Screening::by(&[&ig]);
            let mut tables = Tables::from_iter([ig]);
            let all: f64 = (0..n).map(|place| f64::from(truth(place).abs())).sum();
            let mut seen = 0;
            // Smaller messages than rounds, as an engine sends them.
            for places in screening.rounds().iter().flat_map(|round| round.chunks(60)) {
                seen += places.len();
                let values = places.iter().map(|place| truth(*place)).collect();
                let (kind, direction) = (ComponentKind::Neurons, Direction::Noising);
                Patches { kind, direction, places: places.to_vec(), values }.add_to(&mut tables);
                let coverage = screening.coverage(patched(&tables));
                assert_eq!((coverage.exact, coverage.rest()), (seen, n - seen));
                let Some(most) = coverage.most_missed().filter(|_| coverage.sampled >= 60) else {
                    continue;
                };
                let left = (0..n).filter(|place| !patched(&tables).is_exact(*place));
                let (missed, large) = left.fold((0.0, 0), |(sum, large), place| {
                    let size = truth(place).abs();
                    (sum + f64::from(size), large + usize::from(is_overlooked(place)))
                });
                // As many as are large: fewer than a hundred, so that each of them belongs to the strongest.
                assert!(large <= most, "{large} of at most {most}: {coverage:?}");
                let share = f64::from(coverage.missed_share.expect("a sample"));
                // Of few that are large a small sample has none or too many.
                let is_small = coverage.sampled < 300;
                assert!(
                    is_small || (share - missed / all).abs() < 0.25,
                    "{share} {}",
                    missed / all
                );
            }
            let coverage = screening.coverage(patched(&tables));
            assert_eq!((coverage.rest(), coverage.most_missed()), (0, Some(0)));
            assert_eq!(coverage.missed_share, Some(0.0));
        }
    }

    #[test]
    fn a_list_is_covered_as_a_table_is() {
        let n = 1000;
        let ig = table(n, falling);
        let screening = Screening::by_scores(&[ig.values()]);
        assert_eq!(screening, Screening::by(&[&ig]));
        let first: Vec<usize> = screening.rounds().into_iter().take(2).flatten().collect();
        let is_exact: Vec<bool> = (0..n).map(|place| first.contains(&place)).collect();
        let of_table = screening.coverage(&table(n, falling).with_exact(is_exact.clone()));
        assert_eq!(screening.coverage_of(ig.values(), &is_exact), of_table);
        assert!(of_table.sampled > 100 && of_table.rest() > 0, "{of_table:?}");
        assert_eq!(screening.coverage_of(ig.values(), &[]).rest(), 0);
    }

    #[test]
    fn bounds_are_clopper_and_pearsons() {
        // scipy.stats.beta.ppf(0.95, k + 1, n - k), times 1000, less those that are known.
        for (larger, sampled, expected) in [(0, 300, 10), (0, 59, 50), (3, 100, 73), (10, 20, 689)]
        {
            let (exact, total) = (sampled, 1000);
            let coverage = Coverage { exact, total, sampled, larger, missed_share: None };
            assert_eq!(coverage.most_missed(), Some(expected), "{larger} of {sampled}");
        }
    }
}
