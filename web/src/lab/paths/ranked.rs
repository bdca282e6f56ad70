//! The edges of a figure in a unit, and their ranks by each number: nothing here is reactive.

use twinbeam_core::circuits::{Circuit, Edge, Graph, Ranking};
use twinbeam_core::link::{EdgesBy, Spot};
use twinbeam_core::scores::Coverage;
use twinbeam_core::statistics::largest_first;
use twinbeam_core::words::Direction;

use crate::values::Edges;
use twinbeam_figure::scale::Scale;

/// How many of the strongest are compared.
pub(super) const TOP: usize = 10;

/// The edges of a figure, in a unit. A list has a place per edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranked {
    pub(super) graph: Graph,
    pub(super) direction: Direction,
    pub(super) unit: &'static str,
    pub(super) eap: Vec<f32>,
    pub(super) ig: Vec<f32>,
    /// 0 where it is not known.
    exact: Vec<f32>,
    is_exact: Vec<bool>,
    pub(super) coverage: Coverage,
    /// One scale for all numbers, and their differences.
    pub(super) scale: Scale,
    /// Rankings by EAP-IG, and by exact effects: those that are patched, then the others by EAP-IG.
    by: [Ranking; 2],
    /// The rank of every edge in each, from 0.
    ranks: [Vec<usize>; 2],
}

impl Ranked {
    /// `factor`: what a score in the metric's unit is multiplied by.
    pub(super) fn of(edges: &Edges, (factor, unit): (f32, &'static str)) -> Self {
        let scaled = |scores: &[f32]| scores.iter().map(|score| factor * score).collect::<Vec<_>>();
        let graph = edges.graph;
        let ig = scaled(&edges.estimates.eap_ig);
        let exact = scaled(&edges.exact);
        let by_ig = Ranking::by_scores(graph, &ig);
        // Those that are patched, and then the others as they are estimated.
        let mut patched: Vec<usize> = (0..ig.len()).filter(|edge| edges.is_exact[*edge]).collect();
        largest_first(&mut patched, &|edge| exact[edge].abs());
        patched.extend(by_ig.order().iter().filter(|edge| !edges.is_exact[**edge]));
        let by = [by_ig, Ranking::listed(graph, patched)];
        let ranks = [0, 1].map(|method: usize| {
            let mut ranks = vec![0; ig.len()];
            for (rank, edge) in by[method].order().iter().enumerate() {
                ranks[*edge] = rank;
            }
            ranks
        });
        let known = (0..ig.len()).filter(|edge| edges.is_exact[*edge]);
        let differences: Vec<f32> = known.map(|edge| ig[edge] - exact[edge]).collect();
        let scale = Scale::of(ig.iter().chain(&exact).chain(&differences));
        Self {
            graph,
            direction: edges.direction(),
            scale,
            unit,
            eap: scaled(&edges.estimates.eap),
            ig,
            exact,
            is_exact: edges.is_exact.clone(),
            coverage: edges.coverage(),
            by,
            ranks,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ig.len()
    }

    pub(super) fn edge(&self, number: usize) -> Edge {
        self.graph.edge(number)
    }

    /// An edge's effect, if it is patched.
    pub(super) fn exact(&self, edge: usize) -> Option<f32> {
        self.is_exact[edge].then_some(self.exact[edge])
    }

    /// EAP-IG minus exact, if that is known.
    pub(super) fn difference(&self, edge: usize) -> Option<f32> {
        Some(self.ig[edge] - self.exact(edge)?)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.coverage.rest() == 0
    }

    /// Whether it is of the same estimates as another.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.direction == other.direction && self.ig == other.ig
    }

    pub(super) fn has_exact(&self) -> bool {
        self.coverage.exact > 0
    }

    /// The number that a choice is about.
    pub(super) fn score(&self, by: EdgesBy, edge: usize) -> Option<f32> {
        match by {
            EdgesBy::EapIg => Some(self.ig[edge]),
            EdgesBy::Eap => Some(self.eap[edge]),
            EdgesBy::Exact => self.exact(edge),
            EdgesBy::Difference => self.difference(edge),
        }
    }

    /// The rank of an edge by EAP-IG, from 1.
    pub(super) fn rank_ig(&self, edge: usize) -> usize {
        self.ranks[0][edge] + 1
    }

    /// Its rank by exact effects, if all are known, else among those that are.
    pub(super) fn rank_exact(&self, edge: usize) -> Option<usize> {
        self.is_exact[edge].then(|| self.ranks[1][edge] + 1)
    }

    /// Edges that have a number, the largest first.
    pub(super) fn order(&self, by: EdgesBy) -> Vec<usize> {
        match by {
            EdgesBy::EapIg => self.by[0].order().to_vec(),
            EdgesBy::Exact => self.by[1].order()[..self.coverage.exact].to_vec(),
            EdgesBy::Eap | EdgesBy::Difference => {
                let size = |edge: usize| self.score(by, edge).map_or(-1.0, f32::abs);
                let mut order: Vec<usize> =
                    (0..self.len()).filter(|edge| size(*edge) >= 0.0).collect();
                largest_first(&mut order, &size);
                order
            }
        }
    }

    /// The ranking whose circuits a choice is about: by exact effects where it says so, else by EAP-IG.
    pub(super) fn ranking(&self, by_exact: bool) -> &Ranking {
        &self.by[usize::from(by_exact)]
    }

    /// The strongest edges by EAP-IG and by exact effects, the strongest first; `connected`: as many as make a circuit of
    /// that size. Then what is among either and has both numbers, those first that differ most.
    pub(super) fn drawn(&self, n: usize, connected: bool) -> [Vec<usize>; 3] {
        let circuit = |method: usize| -> Vec<usize> {
            let circuit: Circuit = self.by[method].circuit(n);
            let order = self.by[method].order().iter().copied();
            order.filter(|edge| circuit.has(*edge)).collect()
        };
        let strongest = |method: usize, known: usize| -> Vec<usize> {
            self.by[method].order().iter().copied().take(n.min(known)).collect()
        };
        let both = match (connected, self.has_exact()) {
            (true, true) => [circuit(0), circuit(1)],
            (true, false) => [circuit(0), Vec::new()],
            (false, _) => [strongest(0, self.len()), strongest(1, self.coverage.exact)],
        };
        let [ig, mut exact] = both;
        exact.retain(|edge| self.is_exact[*edge]);
        let more = exact.iter().filter(|edge| !ig.contains(edge));
        let mut differing: Vec<usize> = ig.iter().chain(more).copied().collect();
        differing.retain(|edge| self.is_exact[*edge]);
        largest_first(&mut differing, &|edge| self.difference(edge).map_or(0.0, f32::abs));
        [ig, exact, differing]
    }

    /// How many of the strongest by one ranking are among those by the other.
    pub(super) fn shared(&self) -> usize {
        let n = TOP.min(self.coverage.exact);
        let [ig, exact] = [0, 1].map(|method: usize| &self.by[method].order()[..n]);
        ig.iter().filter(|edge| exact.contains(edge)).count()
    }

    /// The edge whose two numbers differ most.
    pub(super) fn apart(&self) -> Option<usize> {
        let known = (0..self.len()).filter(|edge| self.is_exact[*edge]);
        let size = |edge: &usize| self.difference(*edge).map_or(0.0, f32::abs);
        let most = known.max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a)))?;
        (size(&most) > 0.0).then_some(most)
    }

    /// A score as it is written here.
    pub(super) fn written(&self, score: f32) -> String {
        self.scale.written(score)
    }

    /// What a pinned spot is here; `None`: the model does not have it.
    pub(super) fn spot(&self, spot: Spot) -> Option<Spot> {
        let is_there = match spot {
            Spot::Logits => true,
            Spot::Node(node) => self.graph.sender_number(node).is_some(),
            Spot::Edge(edge) => self.graph.number(edge).is_some(),
        };
        is_there.then_some(spot)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use twinbeam_core::wire::probes::Finding;
    use twinbeam_core::wire::probes::circuits::EdgeEffects;

    use super::*;
    use crate::values::{Answer, estimated};

    /// The edges of a figure, of which those named have an effect, and `patched` more of none.
    pub(in crate::lab::paths) fn ranked(effects: &[(&str, f32, f32)], whole: bool) -> Ranked {
        let (committed, mut answer) = estimated();
        let graph = Graph::new(&committed.model.shape);
        let number = |name: &str| graph.number(name.parse().expect(name)).expect("of this model");
        if let Ok(Finding::Edges(found)) = &mut answer.found {
            found.eap_ig.fill(0.001);
            for (name, ig, _) in effects {
                found.eap_ig[number(name)] = *ig;
                found.eap[number(name)] = 2.0 * ig;
            }
        }
        let mut edges = Edges::of(&answer, &committed).expect("as many as edges");
        let mut numbers: Vec<u32> = Vec::new();
        let mut exact = Vec::new();
        for edge in 0..graph.n_edges() {
            let name = graph.edge(edge).to_string();
            let effect = effects.iter().find(|(of, ..)| of.replace("->", "→") == name);
            if whole || effect.is_some() {
                numbers.push(edge as u32);
                exact.push(effect.map_or(0.0, |(_, _, exact)| *exact));
            }
        }
        let direction = Direction::Noising;
        let found = Finding::PatchEdges(EdgeEffects { direction, edges: numbers, exact });
        edges.add(&Answer { found: Ok(found), ..answer }, 1.0);
        Ranked::of(&edges, (1.0, "logits"))
    }

    pub(in crate::lab::paths) const PATH: [(&str, f32, f32); 4] = [
        ("embed -> L0H0.v", 0.5, 0.75),
        ("L0H0 -> L1H1.k", 2.0, 1.0),
        ("L1H1 -> logits", -1.0, -1.25),
        ("L0H1 -> L1H0.q", 0.25, 0.0),
    ];

    fn names(ranked: &Ranked, edges: &[usize]) -> Vec<String> {
        edges.iter().map(|edge| ranked.edge(*edge).to_string()).collect()
    }

    #[test]
    fn the_strongest_are_drawn_by_each_and_their_difference() {
        let ranked = ranked(&PATH, true);
        let [ig, exact, differing] = ranked.drawn(2, false);
        assert_eq!(names(&ranked, &ig), ["L0H0 → L1H1.k", "L1H1 → logits"]);
        assert_eq!(names(&ranked, &exact), ["L1H1 → logits", "L0H0 → L1H1.k"]);
        assert_eq!(names(&ranked, &differing), ["L0H0 → L1H1.k", "L1H1 → logits"]);
        let [ig, exact, _] = ranked.drawn(2, true);
        assert_eq!(ig.len(), 3, "a path has three");
        assert_eq!(names(&ranked, &exact), ["L1H1 → logits", "L0H0 → L1H1.k", "embed → L0H0.v"]);
    }

    #[test]
    fn what_is_not_patched_has_no_effect_and_comes_last() {
        let ranked = ranked(&PATH, false);
        assert!(!ranked.is_whole() && ranked.has_exact());
        assert_eq!(ranked.order(EdgesBy::Exact).len(), 4);
        assert_eq!(ranked.order(EdgesBy::Difference).len(), 4);
        assert_eq!(ranked.order(EdgesBy::EapIg).len(), ranked.len());
        let first = ranked.ranking(true).order()[0];
        assert_eq!(names(&ranked, &[first]), ["L1H1 → logits"]);
        let unknown = ranked.ranking(true).order()[6];
        assert_eq!((ranked.exact(unknown), ranked.rank_exact(unknown)), (None, None));
        assert_eq!((ranked.rank_exact(first), ranked.rank_ig(first)), (Some(1), 2));
        assert!(ranked.drawn(1000, false)[1].len() == 4);
        // Also as a circuit.
        assert_eq!(ranked.drawn(1000, true)[1].len(), 3 + 1);
    }

    #[test]
    fn how_far_they_agree() {
        let ranked = ranked(&PATH, true);
        assert!(ranked.shared() >= 4);
        let apart = ranked.apart().expect("they differ");
        assert_eq!(names(&ranked, &[apart]), ["L0H0 → L1H1.k"]);
        assert_eq!((ranked.difference(apart), ranked.exact(apart)), (Some(1.0), Some(1.0)));
        assert_eq!(ranked.written(-1.0), "−1.00");
        assert_eq!(ranked.spot(Spot::Logits), Some(Spot::Logits));
        assert_eq!(ranked.spot("L7H0".parse().expect("a head")), None);
    }
}
