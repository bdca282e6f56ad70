//! Sets of edges: which are connected, and those of a size that a ranking makes.

use super::Graph;
use crate::statistics::{SplitMix64, largest_first};

/// A set of edges of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    graph: Graph,
    has: Vec<bool>,
}

impl Circuit {
    /// The circuit of some edges, by their numbers. Numbers that the model does not have are left out.
    pub fn new(graph: Graph, edges: impl IntoIterator<Item = usize>) -> Self {
        let mut has = vec![false; graph.n_edges()];
        for edge in edges {
            if let Some(has) = has.get_mut(edge) {
                *has = true;
            }
        }
        Self { graph, has }
    }

    /// Whether an edge is in it.
    pub fn has(&self, edge: usize) -> bool {
        self.has.get(edge).copied().unwrap_or_default()
    }

    /// Numbers of its edges, ascending.
    pub fn edges(&self) -> impl Iterator<Item = usize> + '_ {
        self.has.iter().enumerate().filter(|(_, has)| **has).map(|(edge, _)| edge)
    }

    /// How many edges it has.
    pub fn len(&self) -> usize {
        self.edges().count()
    }

    /// Whether it has no edge.
    pub fn is_empty(&self) -> bool {
        !self.has.contains(&true)
    }

    /// The circuit of the edges that are on a path from the embedding to the logits. The others change nothing: what they carry
    /// is as in the corrupted run, or nobody reads it.
    #[must_use]
    pub fn connected(&self) -> Self {
        let graph = self.graph;
        let n = graph.n_senders();
        // The logits' node stands behind all senders.
        let node = |receiver: usize| match graph.receiver(receiver).node() {
            // OK because the node of a receiver is of the same model.
            Some(sender) => graph.sender_number(sender).unwrap_or(n),
            None => n,
        };
        let into = |receiver: usize| {
            let first = graph.offset(receiver);
            (0..graph.n_read(receiver)).filter(move |sender| self.has[first + sender])
        };
        let (mut begun, mut ends) = (vec![false; n + 1], vec![false; n + 1]);
        (begun[0], ends[n]) = (true, true);
        for receiver in 0..graph.n_receivers() {
            begun[node(receiver)] |= into(receiver).any(|sender| begun[sender]);
        }
        for receiver in (0..graph.n_receivers()).rev() {
            if ends[node(receiver)] {
                into(receiver).for_each(|sender| ends[sender] = true);
            }
        }
        let mut has = vec![false; self.has.len()];
        for receiver in 0..graph.n_receivers() {
            let first = graph.offset(receiver);
            if ends[node(receiver)] {
                into(receiver)
                    .filter(|sender| begun[*sender])
                    .for_each(|sender| has[first + sender] = true);
            }
        }
        Self { graph, has }
    }
}

/// An order of edges, those that matter most first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    graph: Graph,
    order: Vec<usize>,
}

impl Ranking {
    /// Edges by absolute score, the largest first, ties by their number; `[n_edges]`. A score that is not a number comes
    /// last.
    pub fn by_scores(graph: Graph, scores: &[f32]) -> Self {
        let size = |edge: usize| {
            let size = scores.get(edge).map_or(-1.0, |score| score.abs());
            if size.is_nan() { -1.0 } else { size }
        };
        let mut order: Vec<usize> = (0..graph.n_edges()).collect();
        largest_first(&mut order, &size);
        Self { graph, order }
    }

    /// An order by the edges' numbers. What is named twice counts once, those that are not named come last, and numbers that
    /// the model does not have are left out.
    pub fn listed(graph: Graph, edges: impl IntoIterator<Item = usize>) -> Self {
        let n = graph.n_edges();
        let mut is_new = vec![true; n];
        let named = edges.into_iter().chain(0..n);
        let order = named.filter(|edge| *edge < n && std::mem::replace(&mut is_new[*edge], false));
        Self { graph, order: order.collect() }
    }

    /// A random order, the same for the same seed.
    ///
    /// # Source
    /// Fisher and Yates (1938), as Durstenfeld (1964) shuffles.
    pub fn random(graph: Graph, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..graph.n_edges()).collect();
        let mut random = SplitMix64(seed);
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i + 1));
        }
        Self { graph, order }
    }

    /// Numbers of the edges in this order.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// What is connected of the first so many edges of this order.
    pub fn strongest(&self, n: usize) -> Circuit {
        let first = &self.order[..n.min(self.order.len())];
        Circuit::new(self.graph, first.iter().copied()).connected()
    }

    /// What is connected of the shortest beginning of this order that has at least so many connected edges; all that is
    /// connected where there are fewer.
    pub fn circuit(&self, size: usize) -> Circuit {
        // More edges never disconnect one.
        let (mut too_few, mut enough) = (0, self.order.len());
        if size == 0 {
            return self.strongest(0);
        }
        while enough - too_few > 1 {
            let middle = usize::midpoint(too_few, enough);
            if self.strongest(middle).len() < size { too_few = middle } else { enough = middle }
        }
        self.strongest(enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelShape;

    fn graph() -> Graph {
        Graph::new(&ModelShape { n_layers: 2, n_heads: 2, ..ModelShape::GPT2_SMALL })
    }

    fn of(names: &[&str]) -> Circuit {
        let number = |name: &&str| graph().number(name.parse().expect("an edge")).expect("of it");
        Circuit::new(graph(), names.iter().map(number))
    }

    #[test]
    fn what_leads_nowhere_or_comes_from_nowhere_is_not_connected() {
        let path = ["embed -> L0H0.v", "L0H0 -> L1H1.k", "L1H1 -> logits"];
        assert_eq!(of(&path).connected(), of(&path));
        let beside = ["embed -> L0H1.q", "M0 -> L1H1.v", "M0 -> logits", "embed -> M1"];
        assert_eq!(of(&[&path[..], &beside].concat()).connected(), of(&path));
        for missing in 0..path.len() {
            let mut broken = path.to_vec();
            broken.remove(missing);
            assert!(of(&broken).connected().is_empty(), "{missing}");
        }
        let all = Circuit::new(graph(), 0..graph().n_edges());
        assert_eq!(all.connected(), all);
    }

    #[test]
    fn a_ranking_grows_until_enough_is_connected() {
        let graph = graph();
        let mut scores = vec![0.0; graph.n_edges()];
        let mut score = |name: &str, value: f32| {
            scores[graph.number(name.parse().expect("an edge")).expect("of it")] = value;
        };
        score("L1H1 -> logits", -5.0);
        score("embed -> L0H0.v", 4.0);
        score("embed -> L0H1.v", -3.0);
        score("L0H0 -> L1H1.k", 2.0);
        score("L0H1 -> L1H1.v", 1.0);
        let ranking = Ranking::by_scores(graph, &scores);
        assert!(ranking.circuit(0).is_empty());
        assert!(ranking.strongest(3).is_empty(), "nothing leads to the logits yet");
        let three = of(&["embed -> L0H0.v", "L0H0 -> L1H1.k", "L1H1 -> logits"]);
        for size in 1..=3 {
            assert_eq!(ranking.circuit(size), three, "the first that is connected, of size {size}");
        }
        assert_eq!(ranking.strongest(4), three);
        assert_eq!(ranking.circuit(4).len(), 5);
        for size in [10, graph.n_edges()] {
            assert!(ranking.circuit(size).len() >= size);
        }
        let n = graph.n_edges();
        assert_eq!(Ranking::listed(graph, ranking.order().iter().copied()), ranking);
        let few = Ranking::listed(graph, [3, 1, n, 3]);
        assert!(few.order()[..4] == [3, 1, 0, 2] && few.order().len() == n);
        let random = Ranking::random(graph, 7);
        assert_eq!(random, Ranking::random(graph, 7));
        assert_ne!(random.order(), Ranking::random(graph, 8).order());
        let mut sorted = random.order().to_vec();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..graph.n_edges()));
    }
}
