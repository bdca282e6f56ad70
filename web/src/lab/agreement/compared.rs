//! Both methods' scores of the same components, in one unit, and who is found by which. Nothing here draws.

use twinbeam_core::link::Highlight;
use twinbeam_core::scores::{ExactPairs, ScoreTable, Unit};
use twinbeam_core::statistics::largest_first;
use twinbeam_core::wire::probes::Finding;
use twinbeam_core::words::{Component, ComponentKind, Direction, Method};

use crate::lab::sets::Found;
use crate::plot::Mark;
use crate::values::{Answer, Committed};

/// The scores that both methods have, exact ones.
///
/// # Units
/// `unit`; positive supports the clean behaviour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    pub(super) kind: ComponentKind,
    pub(super) width: usize,
    /// Components of the kind, whether compared or not.
    pub(super) n_all: usize,
    pub(super) pairs: ExactPairs,
    pub(super) unit: &'static str,
    pub(super) found: Found,
}

impl Compared {
    /// `None` until both methods have scores of every layer.
    pub(super) fn of(
        committed: &Committed,
        kind: ComponentKind,
        direction: Direction,
        unit: Unit,
        highlight: Highlight,
    ) -> Option<Self> {
        let [ig, ap] = committed.tables(kind, direction);
        let (ig, ap) = (ig?, ap?);
        // Heads' AP comes layer by layer: of some layers only, no number here would be of the model.
        let n_layers = committed.model.shape.n_layers;
        if ig.n_layers() != n_layers || ap.n_layers() != n_layers {
            return None;
        }
        let found = Found::of_tables(ig, ap, highlight)?;
        let (factor, unit) = unit.common(&committed.basis);
        let mut pairs = ExactPairs::of(ig, ap);
        for score in pairs.ig.iter_mut().chain(&mut pairs.ap) {
            *score *= factor;
        }
        Some(Self { kind, width: ig.width(), n_all: ig.values().len(), pairs, unit, found })
    }

    pub(super) fn n(&self) -> usize {
        self.pairs.places.len()
    }

    /// Component, IG and AP, in the order of the places.
    pub(super) fn scores(&self) -> impl Iterator<Item = (Component, f32, f32)> {
        let of = |i: usize| (self.component(i), self.pairs.ig[i], self.pairs.ap[i]);
        (0..self.n()).map(of)
    }

    fn component(&self, i: usize) -> Component {
        Component::at(self.kind, self.pairs.places[i], self.width)
    }

    pub(super) fn mark(&self, of: Component) -> Mark {
        match self.found.of_component(of) {
            [true, true] => Mark::Diamond,
            [true, false] => Mark::Triangle,
            [false, true] => Mark::Square,
            [false, false] => Mark::Disc,
        }
    }

    /// Why nothing can be ranked, if one of the methods has no score but zero.
    pub(super) fn all_zero(&self) -> Option<&'static str> {
        let zero = |scores: &[f32]| !scores.is_empty() && scores.iter().all(|score| *score == 0.0);
        match [zero(&self.pairs.ig), zero(&self.pairs.ap)] {
            [true, true] => Some("all scores are 0"),
            [true, false] => Some("all scores by IG are 0"),
            [false, true] => Some("all scores by AP are 0"),
            [false, false] => None,
        }
    }

    /// Whether there is nothing to see of either.
    pub(super) fn is_blank(&self) -> bool {
        self.n() > 0 && self.pairs.ig.iter().chain(&self.pairs.ap).all(|score| *score == 0.0)
    }

    /// How many are found by IG only, by AP only, and by both.
    pub(super) fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for place in &self.pairs.places {
            match self.found.by(*place) {
                [true, false] => counts[0] += 1,
                [false, true] => counts[1] += 1,
                [true, true] => counts[2] += 1,
                [false, false] => {}
            }
        }
        counts
    }

    /// The components whose scores differ most, the farthest apart first.
    pub(super) fn outliers(&self, most: usize) -> Vec<Component> {
        let apart = |i: usize| (self.pairs.ig[i] - self.pairs.ap[i]).abs();
        let mut order: Vec<usize> = (0..self.n()).filter(|i| apart(*i) > 0.0).collect();
        largest_first(&mut order, &apart);
        order.truncate(most);
        order.into_iter().map(|i| self.component(i)).collect()
    }

    /// The components with the largest scores by a method that have a sign (1 or -1), the strongest first.
    pub(super) fn strongest(
        &self,
        scores: &[f32],
        sign: f32,
        most: usize,
    ) -> Vec<(Component, f32)> {
        let mut order: Vec<usize> = (0..self.n()).filter(|i| sign * scores[*i] > 0.0).collect();
        largest_first(&mut order, &|i| scores[i].abs());
        order.truncate(most);
        order.into_iter().map(|i| (self.component(i), scores[i])).collect()
    }
}

/// Integrated gradients of the same components from activations of zero.
///
/// # Units
/// Those of the scores that they are compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FromZero {
    /// In the order of the places.
    pub(super) ig: Vec<f32>,
    /// The layer with the largest convergence delta, and that delta.
    pub(super) worst: Option<(usize, f32)>,
}

impl FromZero {
    /// Of what the worker has found, if that is it.
    pub(super) fn of(
        answer: &Answer,
        committed: &Committed,
        unit: Unit,
        compared: &Compared,
    ) -> Option<Self> {
        let Ok(Finding::ZeroBaseline(table)) = &answer.found else { return None };
        Self::of_table(table, unit.common(&committed.basis).0, compared)
    }

    fn of_table(table: &ScoreTable, factor: f32, compared: &Compared) -> Option<Self> {
        if table.kind() != compared.kind || table.method() != Method::IgZero {
            return None;
        }
        let score = |place: &usize| table.values().get(*place).map(|score| score * factor);
        let ig = compared.pairs.places.iter().map(score).collect::<Option<Vec<f32>>>()?;
        let deltas = table.convergence_delta().iter().map(|delta| delta * factor).enumerate();
        Some(Self { ig, worst: deltas.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use twinbeam_core::scores::TableKey;

    use super::*;
    use crate::values::committed;

    pub(in super::super) fn compared(unit: Unit) -> Compared {
        let highlight = Highlight::AtLeast(0.3);
        let heads = ComponentKind::Heads;
        Compared::of(&committed(), heads, Direction::Noising, unit, highlight).expect("complete")
    }

    fn places(components: &[Component]) -> Vec<(usize, usize)> {
        components.iter().map(|c| (c.layer, c.index)).collect()
    }

    #[test]
    fn both_methods_are_in_one_unit_and_found_in_the_metrics() {
        let shares = compared(Unit::ShareOfGap);
        assert_eq!(shares.pairs.ig, [0.125, -0.0625, 0.0, 0.25]);
        assert_eq!(shares.pairs.ap, [0.0625, -0.0625, 0.0, 0.5]);
        assert_eq!((shares.unit, shares.n(), shares.n_all), ("of the gap", 4, 4));
        // At least 0.3 logits: layer 0 head 0 by IG (0.5), layer 1 head 1 by both.
        assert_eq!(shares.counts(), [1, 0, 1]);
        let marks: Vec<Mark> = shares.scores().map(|(head, ..)| shares.mark(head)).collect();
        assert_eq!(marks, [Mark::Triangle, Mark::Disc, Mark::Disc, Mark::Diamond]);
        assert_eq!(compared(Unit::Notebook), compared(Unit::Metric));
    }

    #[test]
    fn outliers_are_farthest_apart_and_signs_have_lists_of_their_own() {
        let compared = compared(Unit::Metric);
        assert_eq!(places(&compared.outliers(5)), [(1, 1), (0, 0)]);
        let list = |scores: &[f32], sign| -> Vec<f32> {
            compared.strongest(scores, sign, 5).into_iter().map(|(_, score)| score).collect()
        };
        assert_eq!(list(&compared.pairs.ap, 1.0), [2.0, 0.25]);
        assert_eq!(list(&compared.pairs.ig, -1.0), [-0.25]);
    }

    #[test]
    fn half_a_figure_is_not_compared() {
        let (kind, method) = (ComponentKind::Heads, Method::Ap);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let ap = committed().tables.get(key).expect("it is there").clone();
        let mut half = committed();
        half.tables.insert(ScoreTable::new(key, 2, ap.values()[..2].to_vec()));
        let of = |committed: &Committed, kind| {
            let (direction, highlight) = (Direction::Noising, Highlight::default());
            Compared::of(committed, kind, direction, Unit::Metric, highlight)
        };
        assert_eq!(of(&half, ComponentKind::Heads), None);
        assert_eq!(of(&committed(), ComponentKind::Neurons), None);
        let mut in_part = committed();
        in_part.tables.insert(ap.with_exact(vec![true, false, false, true]));
        let in_part = of(&in_part, ComponentKind::Heads).expect("two are there");
        assert_eq!((in_part.pairs.places.as_slice(), in_part.n_all), ([0, 3].as_slice(), 4));
    }

    #[test]
    fn scores_from_zero_are_of_the_same_components_and_say_their_worst_delta() {
        let compared = compared(Unit::Metric);
        let (kind, method) = (ComponentKind::Heads, Method::Ig);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let ig = committed().tables.get(key).expect("it is there").clone();
        assert_eq!(FromZero::of_table(&ig, 1.0, &compared), None, "not from zero");
        let key = TableKey { method: Method::IgZero, ..key };
        let table = ig.with_key(key).with_convergence_delta(vec![0.5, -2.0]);
        let zero = FromZero::of_table(&table, 0.5, &compared).expect("from zero");
        assert_eq!(zero, FromZero { ig: vec![0.25, -0.125, 0.0, 0.5], worst: Some((1, -1.0)) });
        let short = ScoreTable::new(key, 1, table.values()[..1].to_vec());
        assert_eq!(FromZero::of_table(&short, 1.0, &compared), None);
    }
}
