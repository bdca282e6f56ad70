//! Score tables: the scores of one method, one direction and one kind of component.

use serde::{Deserialize, Serialize};

use super::Strip;
use crate::statistics::largest_first;
use crate::words::{Component, ComponentKind, Direction, Method};

/// Which score table is meant: scores of what, computed how, with which run changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableKey {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// How the scores were computed.
    pub method: Method,
    /// Which run was changed.
    pub direction: Direction,
}

/// Scores of one method, one direction and one kind of component.
///
/// It consists of whole layers. Not every score need be exact: of a table of patches, others stand in for those that
/// have not been computed yet, and are no score of its method.
///
/// # Units
/// The metric's (logits for `logit_diff`). Positive: the component supports the clean behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreTable {
    kind: ComponentKind,
    method: Method,
    direction: Direction,
    /// Components per layer.
    width: usize,
    /// `[n_layers * width]`.
    values: Vec<f32>,
    /// Which scores are exact, one per score, not all true; empty: all. The others are those by which their
    /// components were screened.
    #[serde(default)]
    exact: Vec<bool>,
    /// One per layer, or none.
    convergence_delta: Vec<f32>,
    /// One per layer, or none.
    #[serde(default)]
    n_steps: Vec<usize>,
}

impl ScoreTable {
    /// A table of exact scores, layer by layer: `[n_layers * width]`. No completeness is claimed of it.
    pub fn new(key: TableKey, width: usize, values: Vec<f32>) -> Self {
        debug_assert!(values.is_empty() || values.len().is_multiple_of(width), "whole layers");
        let TableKey { kind, method, direction } = key;
        let (exact, convergence_delta, n_steps) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, method, direction, width, values, exact, convergence_delta, n_steps }
    }

    /// This table with what its scores miss of the joint patch, one number per layer, or none.
    #[must_use]
    pub fn with_convergence_delta(self, convergence_delta: Vec<f32>) -> Self {
        debug_assert!([0, self.n_layers()].contains(&convergence_delta.len()), "one per layer");
        Self { convergence_delta, ..self }
    }

    /// This table with the points of the line that were used, one number per layer, or none.
    #[must_use]
    pub fn with_n_steps(self, n_steps: Vec<usize>) -> Self {
        debug_assert!([0, self.n_layers()].contains(&n_steps.len()), "one per layer");
        Self { n_steps, ..self }
    }

    /// This table with those scores exact for which `exact` says so, one answer per score; none: all are.
    #[must_use]
    pub fn with_exact(self, mut exact: Vec<bool>) -> Self {
        debug_assert!([0, self.values.len()].contains(&exact.len()), "one per score");
        if exact.iter().all(|exact| *exact) {
            exact.clear();
        }
        Self { exact, ..self }
    }

    /// These scores as a table of another key.
    #[must_use]
    pub fn with_key(self, key: TableKey) -> Self {
        let TableKey { kind, method, direction } = key;
        Self { kind, method, direction, ..self }
    }

    /// A table of patches of which none is there yet: what another table says of its components stands in
    /// their places.
    pub fn screened_by(screen: &Self) -> Self {
        let key = TableKey { method: Method::Ap, ..screen.key() };
        let exact = vec![false; screen.values.len()];
        Self::new(key, screen.width, screen.values.clone()).with_exact(exact)
    }

    /// Which table it is.
    pub const fn key(&self) -> TableKey {
        TableKey { kind: self.kind, method: self.method, direction: self.direction }
    }

    /// Heads or neurons.
    pub const fn kind(&self) -> ComponentKind {
        self.kind
    }

    /// How the scores were computed.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Which run was changed.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Components per layer.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// All scores, layer by layer, those that stand in among them; `[n_layers * width]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Sums of the layers' scores minus their joint patches; empty for methods without a completeness claim.
    pub fn convergence_delta(&self) -> &[f32] {
        &self.convergence_delta
    }

    /// Points of the layers' lines that were used; empty for what is no integral.
    pub fn n_steps(&self) -> &[usize] {
        &self.n_steps
    }

    /// Which scores are exact, one answer per score; empty: all.
    pub fn exact(&self) -> &[bool] {
        &self.exact
    }

    /// Whether the score at a place of [`Self::values`] is exact, and not that of a screening.
    pub fn is_exact(&self, place: usize) -> bool {
        self.exact.get(place).copied().unwrap_or(true)
    }

    /// Whether all scores that are there are exact.
    pub fn is_all_exact(&self) -> bool {
        self.exact.is_empty()
    }

    /// How many scores are exact.
    pub fn n_exact(&self) -> usize {
        (0..self.values.len()).filter(|place| self.is_exact(*place)).count()
    }

    /// Number of layers.
    pub fn n_layers(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Score of one component, if it has been computed exactly.
    pub fn get(&self, layer: usize, index: usize) -> Option<f32> {
        if index >= self.width {
            return None;
        }
        let place = layer * self.width + index;
        self.values.get(place).copied().filter(|_| self.is_exact(place))
    }

    /// Scores layer by layer.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        // A width of 0 has no rows; `chunks` refuses 0.
        self.values.chunks(self.width.max(1))
    }

    /// This table minus another, over the layers that both have, exact where both are; no completeness is
    /// claimed of it.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let values: Vec<f32> = self.values.iter().zip(&other.values).map(|(a, b)| a - b).collect();
        let exact =
            (0..values.len()).map(|place| self.is_exact(place) && other.is_exact(place)).collect();
        Self::new(self.key(), self.width, values).with_exact(exact)
    }

    /// This table in another unit: everything that is in the metric's, times a factor.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        let scaled = |values: &[f32]| values.iter().map(|value| value * factor).collect();
        Self {
            values: scaled(&self.values),
            convergence_delta: scaled(&self.convergence_delta),
            ..self.clone()
        }
    }

    /// The components with the largest absolute scores, largest first, equals in their order. Those
    /// that score 0, or are not exact, do not count.
    pub fn strongest(&self, most: usize) -> Vec<Component> {
        let counts = |place: &usize| self.values[*place] != 0.0 && self.is_exact(*place);
        let mut places: Vec<usize> = (0..self.values.len()).filter(counts).collect();
        largest_first(&mut places, &|place| self.values[place].abs());
        places.truncate(most);
        places.into_iter().map(|place| Component::at(self.kind, place, self.width)).collect()
    }

    /// Largest absolute score; 0 for an empty table.
    pub fn max_abs(&self) -> f32 {
        self.values.iter().fold(0.0, |most, value| most.max(value.abs()))
    }

    /// Adds the layer that comes next. A layer out of its turn would put every score into a wrong place: it is left out.
    pub(super) fn add(&mut self, strip: Strip) {
        if strip.layer == self.n_layers() {
            self.width = strip.values.len();
            self.values.extend(strip.values);
            self.convergence_delta.extend(strip.convergence_delta);
            self.n_steps.extend(strip.n_steps);
        }
    }

    /// Puts exact scores in the places of those that stood in for them.
    pub(super) fn replace(&mut self, places: &[usize], values: &[f32]) {
        for (place, value) in places.iter().zip(values) {
            if let (Some(score), Some(exact)) =
                (self.values.get_mut(*place), self.exact.get_mut(*place))
            {
                (*score, *exact) = (*value, true);
            }
        }
        if self.exact.iter().all(|exact| *exact) {
            self.exact.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_come_first_whatever_their_sign_and_zeros_do_not_count() {
        let (kind, method) = (ComponentKind::Neurons, Method::Ig);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let table = |values: [f32; 6]| ScoreTable::new(key, 3, values.to_vec());
        let (ig, ap) =
            (table([0.1, -0.5, 0.0, 0.2, 0.1, 0.0]), table([0.1, -0.5, 0.0, 0.2, 0.9, 0.0]));
        let places = |table: &ScoreTable, most| {
            table.strongest(most).into_iter().map(|c| (c.layer, c.index)).collect::<Vec<_>>()
        };
        assert_eq!(places(&ig, 3), [(0, 1), (1, 0), (0, 0)]);
        assert_eq!(places(&ig, 9).len(), 4);
        assert_eq!(places(&ig.minus(&ap), 9), [(1, 1)]);
    }
}
