//! Which components each method has found, and the sets that come of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::{Highlight, SetChoice};
use twinbeam_core::scores::ScoreTable;
use twinbeam_core::statistics;
use twinbeam_core::statistics::SplitMix64;
use twinbeam_core::words::{Component, ComponentKind, Direction};

use crate::reactive::memo;
use crate::state::AppState;
use crate::values::{Committed, Job};

/// The seed of the random set: the same for everybody, so that a link shows the same.
const SEED: u64 = 1;

/// Who is found by integrated gradients and by activation patching, of those that both have scored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    kind: ComponentKind,
    width: usize,
    /// Places that both methods have scored, ascending.
    places: Vec<usize>,
    ig: BTreeSet<usize>,
    ap: BTreeSet<usize>,
}

impl Found {
    /// `None` until both methods have scored.
    pub(crate) fn of(
        committed: &Committed,
        kind: ComponentKind,
        direction: Direction,
        highlight: Highlight,
    ) -> Option<Self> {
        let [ig, ap] = committed.tables(kind, direction);
        Self::of_tables(ig?, ap?, highlight)
    }

    pub(crate) fn of_tables(
        ig: &ScoreTable,
        ap: &ScoreTable,
        highlight: Highlight,
    ) -> Option<Self> {
        let n = ig.values().len().min(ap.values().len());
        let places: Vec<usize> = (0..n).filter(|place| ap.is_exact(*place)).collect();
        if places.is_empty() {
            return None;
        }
        let found = |table: &ScoreTable| -> BTreeSet<usize> {
            let values: Vec<f32> = places.iter().map(|place| table.values()[*place]).collect();
            let found = found(&values, highlight);
            found.into_iter().map(|of| places[of]).collect()
        };
        let (found_ig, found_ap) = (found(ig), found(ap));
        Some(Self { kind: ig.kind(), width: ig.width(), places, ig: found_ig, ap: found_ap })
    }

    /// Whether each of the methods has found a component: IG, AP.
    pub(crate) fn by(&self, place: usize) -> [bool; 2] {
        [self.ig.contains(&place), self.ap.contains(&place)]
    }

    /// The same of a component.
    pub(crate) fn of_component(&self, component: Component) -> [bool; 2] {
        if component.kind != self.kind || component.index >= self.width {
            return [false; 2];
        }
        self.by(component.layer * self.width + component.index)
    }

    /// Components that at least one method has found, in their order.
    pub(crate) fn by_any(&self) -> impl Iterator<Item = Component> {
        let at = |place: &usize| Component::at(self.kind, *place, self.width);
        self.ig.union(&self.ap).map(at)
    }

    /// The components of a set; of the selected ones those that are given.
    pub(super) fn set(&self, choice: SetChoice, selected: &BTreeSet<Component>) -> Vec<Component> {
        let some = |places: &mut dyn Iterator<Item = &usize>| {
            places.map(|place| Component::at(self.kind, *place, self.width)).collect()
        };
        match choice {
            SetChoice::IgOnly => some(&mut self.ig.difference(&self.ap)),
            SetChoice::ApOnly => some(&mut self.ap.difference(&self.ig)),
            SetChoice::Both => some(&mut self.ig.intersection(&self.ap)),
            SetChoice::Random => {
                let n = self.ig.intersection(&self.ap).count();
                // What is found would be no control.
                let is_free = |place: &usize| self.by(*place) == [false; 2];
                let mut places: Vec<usize> = self.places.iter().copied().filter(is_free).collect();
                if places.len() < n {
                    places.clone_from(&self.places);
                }
                let mut random = SplitMix64(SEED);
                for i in 0..n {
                    let other = i + random.below(places.len() - i);
                    places.swap(i, other);
                }
                places.truncate(n);
                places.sort_unstable();
                some(&mut places.iter())
            }
            SetChoice::Selected => selected.iter().copied().collect(),
        }
    }
}

/// Who of a kind is found in the figure on the screen, once both methods have scores of every layer and no more
/// of them are coming: what is found by its rank would change with each.
pub(crate) fn found_in(state: AppState, kind: ComponentKind) -> Memo<Option<Arc<Found>>> {
    memo(move || {
        let job = if kind == ComponentKind::Heads { Job::Heads } else { Job::Neurons };
        if state.job.get() == Some(job) {
            return None;
        }
        let (direction, highlight) = (state.direction(), state.lab.highlight.get());
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let [ig, ap] = committed.tables(kind, direction);
            let n_layers = committed.model.shape.n_layers;
            let (ig, ap) = (ig?, ap?);
            let is_whole = ig.n_layers() == n_layers && ap.n_layers() == n_layers;
            is_whole.then(|| Found::of_tables(ig, ap, highlight))?.map(Arc::new)
        })
    })
}

/// The absolute score from which on one of these counts as found; `None` without scores.
///
/// # Units
/// The metric's, as the scores.
pub(super) fn threshold(values: &[f32], highlight: Highlight) -> Option<f32> {
    match highlight {
        Highlight::Quantile(q) => {
            let sizes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
            statistics::quantile(&sizes, f64::from(q)).map(|least| least as f32)
        }
        Highlight::AtLeast(least) => Some(least),
    }
}

/// Places of the scores that count as found.
fn found(values: &[f32], highlight: Highlight) -> Vec<usize> {
    match highlight {
        Highlight::Quantile(q) => statistics::highlighted(values, f64::from(q)),
        Highlight::AtLeast(least) => {
            let is_found = |place: &usize| values[*place] != 0.0 && values[*place].abs() >= least;
            (0..values.len()).filter(is_found).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::Method;

    use super::*;

    fn table(method: Method, values: [f32; 6]) -> ScoreTable {
        ScoreTable::new(
            TableKey { kind: ComponentKind::Heads, method, direction: Direction::Noising },
            3,
            values.to_vec(),
        )
    }

    #[test]
    fn sets_are_what_their_names_say_and_the_random_one_is_as_large_as_both() {
        let ig = table(Method::Ig, [1.0, -2.0, 0.1, 0.0, 0.5, 0.0]);
        let ap = table(Method::Ap, [1.0, 0.1, 0.1, -3.0, 0.6, 0.0]);
        let found = Found::of_tables(&ig, &ap, Highlight::AtLeast(0.5)).expect("both are there");
        let places = |choice| -> Vec<usize> {
            let set = found.set(choice, &BTreeSet::new());
            set.into_iter().map(|c| c.layer * 3 + c.index).collect()
        };
        assert_eq!(places(SetChoice::IgOnly), [1]);
        assert_eq!(places(SetChoice::ApOnly), [3]);
        assert_eq!(places(SetChoice::Both), [0, 4]);
        assert_eq!(places(SetChoice::Random), [2, 5], "found by neither");
        assert_eq!(found.by(3), [false, true]);
        assert!(places(SetChoice::Selected).is_empty());
    }

    #[test]
    fn the_random_set_is_of_all_where_too_few_are_not_found() {
        let ig = table(Method::Ig, [1.0, -2.0, 1.0, 1.0, 0.5, 0.0]);
        let found = Found::of_tables(&ig, &ig, Highlight::AtLeast(0.5)).expect("both are there");
        assert_eq!(found.set(SetChoice::Random, &BTreeSet::new()).len(), 5);
    }

    #[test]
    fn what_is_not_patched_yet_is_in_no_set() {
        let ig = table(Method::Ig, [1.0; 6]);
        let ap = ScoreTable::screened_by(&ig);
        assert!(Found::of_tables(&ig, &ap, Highlight::default()).is_none());
        let ap = ap.with_exact((0..6).map(|place| place == 2).collect());
        let found = Found::of_tables(&ig, &ap, Highlight::AtLeast(0.0)).expect("one is there");
        let both = found.set(SetChoice::Both, &BTreeSet::new());
        assert_eq!(both, [Component { kind: ComponentKind::Heads, layer: 0, index: 2 }]);
    }
}
