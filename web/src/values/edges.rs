//! What is known of the edges of a figure's model in one direction: estimates of all, and exact effects as they come.

use twinbeam_core::circuits::Graph;
use twinbeam_core::scores::{Coverage, Screening};
use twinbeam_core::wire::probes::circuits::{EdgeEffects, EdgeEstimates};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::Direction;

use super::{Answer, Committed};

/// Edges that are asked for at once, so that something else need not wait long.
const AT_ONCE: usize = 1024;
/// Rounds that are patched without being asked for: the strongest, and those drawn at random.
const FIRST_ROUNDS: usize = 2;
/// A model of no more edges than this is patched to the last one.
const QUICK: usize = 4096;

/// The edges of a figure in one direction. A list has a place per edge, in the order of [`Graph`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edges {
    pub(crate) graph: Graph,
    pub(crate) estimates: EdgeEstimates,
    /// Effects of those that are patched; 0 elsewhere.
    pub(crate) exact: Vec<f32>,
    pub(crate) is_exact: Vec<bool>,
    /// Whether a GPU computed any of it and nothing has checked that.
    pub(crate) unchecked: bool,
    /// What patching has taken.
    seconds: f64,
    /// Of which experiment and weights: an answer without its finding.
    of: Answer,
    screening: Screening,
    rounds: Vec<Vec<usize>>,
}

impl Edges {
    /// What an answer estimates of a figure's edges; `None`: it is no such answer, or of another model.
    pub(crate) fn of(answer: &Answer, committed: &Committed) -> Option<Self> {
        let Ok(Finding::Edges(estimates)) = &answer.found else {
            return None;
        };
        let graph = Graph::new(&committed.model.shape);
        let n = graph.n_edges();
        if [&estimates.eap, &estimates.eap_ig].iter().any(|scores| scores.len() != n) {
            return None;
        }
        let screening = Screening::by_scores(&[&estimates.eap_ig]);
        let rounds = screening.rounds();
        let none =
            EdgeEffects { direction: estimates.direction, edges: Vec::new(), exact: Vec::new() };
        Some(Self {
            graph,
            estimates: estimates.clone(),
            exact: vec![0.0; n],
            is_exact: vec![false; n],
            unchecked: answer.unchecked,
            seconds: 0.0,
            of: Answer { found: Ok(Finding::PatchEdges(none)), ..answer.clone() },
            screening,
            rounds,
        })
    }

    /// Whether it is of the experiment and the weights that a figure is of.
    pub(crate) fn is_of(&self, committed: &Committed) -> bool {
        self.of.is_of(committed)
    }

    /// Adds what an answer says, if it says exact effects of these edges; `seconds`: what it took.
    pub(crate) fn add(&mut self, answer: &Answer, seconds: f64) {
        let Ok(Finding::PatchEdges(found)) = &answer.found else {
            return;
        };
        let is_same =
            self.of.experiment == answer.experiment && self.of.fingerprint == answer.fingerprint;
        if !is_same || found.direction != self.direction() {
            return;
        }
        for (edge, effect) in found.edges.iter().zip(&found.exact) {
            if let Some(is_exact) = self.is_exact.get_mut(*edge as usize) {
                *is_exact = true;
                self.exact[*edge as usize] = *effect;
            }
        }
        self.seconds += seconds;
        self.unchecked |= answer.unchecked;
    }

    pub(crate) const fn direction(&self) -> Direction {
        self.estimates.direction
    }

    /// Edges to be patched next; none: all that was asked for is there. `all`: to the last edge, however long that takes.
    pub(crate) fn next(&self, all: bool) -> Vec<u32> {
        let is_open = |edge: &usize| !self.is_exact[*edge];
        let n_rounds = if all || self.is_quick() { self.rounds.len() } else { FIRST_ROUNDS };
        let mut rounds = self.rounds.iter().take(n_rounds);
        let round = rounds.find(|round| round.iter().any(&is_open));
        let edges = round.into_iter().flatten().copied().filter(is_open).take(AT_ONCE);
        edges.map(|edge| edge as u32).collect()
    }

    /// Whether all edges are patched without being asked for.
    pub(crate) fn is_quick(&self) -> bool {
        self.exact.len() <= QUICK
    }

    pub(crate) fn n_exact(&self) -> usize {
        self.is_exact.iter().filter(|is_exact| **is_exact).count()
    }

    /// How much is exact, and what the rest may hold.
    pub(crate) fn coverage(&self) -> Coverage {
        self.screening.coverage_of(&self.exact, &self.is_exact)
    }

    /// Seconds that the rest takes at the speed so far; `None` before anything is patched.
    pub(crate) fn seconds_left(&self) -> Option<f64> {
        let n_exact = self.n_exact();
        let per_edge = self.seconds / n_exact as f64;
        (n_exact > 0 && per_edge > 0.0).then(|| per_edge * (self.exact.len() - n_exact) as f64)
    }

    /// All exact effects so far as one answer.
    pub(crate) fn answer(&self) -> Answer {
        let known = || (0..self.exact.len()).filter(|edge| self.is_exact[*edge]);
        let edges: Vec<u32> = known().map(|edge| edge as u32).collect();
        let exact = known().map(|edge| self.exact[edge]).collect();
        let direction = self.direction();
        Answer {
            probe: Probe::PatchEdges { edges: edges.clone(), direction },
            found: Ok(Finding::PatchEdges(EdgeEffects { direction, edges, exact })),
            unchecked: self.unchecked,
            ..self.of.clone()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::values::committed;

    /// Estimates of the edges of a figure, the larger the later.
    pub(crate) fn estimated() -> (Committed, Answer) {
        let committed = committed();
        let n = Graph::new(&committed.model.shape).n_edges();
        let direction = Direction::Noising;
        let scores: Vec<f32> = (0..n).map(|edge| edge as f32 / n as f32).collect();
        let estimates = EdgeEstimates {
            direction,
            eap: scores.clone(),
            eap_ig: scores,
            convergence_delta: 0.001,
            n_steps: 5,
        };
        let answer = Answer {
            experiment: committed.experiment.clone(),
            fingerprint: committed.model.fingerprint.clone(),
            probe: Probe::Edges { direction },
            found: Ok(Finding::Edges(estimates)),
            unchecked: false,
        };
        (committed, answer)
    }

    fn effects(of: &Answer, edges: &[u32]) -> Answer {
        let exact = edges.iter().map(|edge| *edge as f32 / 10.0).collect();
        let (direction, edges) = (Direction::Noising, edges.to_vec());
        Answer {
            probe: Probe::PatchEdges { edges: edges.clone(), direction },
            found: Ok(Finding::PatchEdges(EdgeEffects { direction, edges, exact })),
            ..of.clone()
        }
    }

    #[test]
    fn effects_come_strongest_first_until_all_are_there() {
        let (committed, answer) = estimated();
        let mut edges = Edges::of(&answer, &committed).expect("as many as edges");
        assert!(edges.is_of(&committed) && edges.is_quick());
        assert_eq!((edges.n_exact(), edges.seconds_left()), (0, None));
        let n = edges.exact.len();
        assert_eq!(edges.next(false)[0] as usize, n - 1, "the strongest");
        let first = edges.next(false)[..4].to_vec();
        edges.add(&effects(&answer, &first), 2.0);
        assert_eq!((edges.n_exact(), edges.coverage().exact), (4, 4));
        assert_eq!(edges.seconds_left(), Some((n - 4) as f64 / 2.0));
        assert!(edges.next(false).iter().all(|edge| !first.contains(edge)));
        while !edges.next(false).is_empty() {
            let next = edges.next(false);
            edges.add(&effects(&answer, &next), 1.0);
        }
        assert_eq!(edges.exact[n - 1], (n - 1) as f32 / 10.0);
        assert_eq!(edges.coverage().rest(), 0);
    }

    #[test]
    fn what_is_of_something_else_is_not_added() {
        let (mut committed, answer) = estimated();
        let mut edges = Edges::of(&answer, &committed).expect("as many as edges");
        let other = Answer { fingerprint: "other".to_owned(), ..effects(&answer, &[1]) };
        edges.add(&other, 1.0);
        let mut denoising = effects(&answer, &[1]);
        if let Ok(Finding::PatchEdges(found)) = &mut denoising.found {
            found.direction = Direction::Denoising;
        }
        edges.add(&denoising, 1.0);
        edges.add(&effects(&answer, &[u32::MAX]), 1.0);
        edges.add(&answer, 1.0);
        assert_eq!(edges.n_exact(), 0);
        committed.experiment.metric = twinbeam_core::words::Metric::Kl;
        assert!(!edges.is_of(&committed));
        committed.model.shape.n_heads += 1;
        assert!(Edges::of(&answer, &committed).is_none(), "of another model");
    }

    #[test]
    fn all_that_is_known_is_one_answer() {
        let (committed, answer) = estimated();
        let mut edges = Edges::of(&answer, &committed).expect("as many as edges");
        edges.add(&effects(&answer, &[3]), 1.0);
        edges.add(&effects(&answer, &[1]), 1.0);
        let all = edges.answer();
        assert_eq!(all, effects(&answer, &[1, 3]));
    }
}
