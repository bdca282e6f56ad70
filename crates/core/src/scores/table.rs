//! Score tables, and the outcome of a run.

use serde::{Deserialize, Serialize};

use super::UnitBasis;
use crate::models::ModelShape;
use crate::statistics::largest_first;
use crate::words::{Component, ComponentKind, Direction, Experiment, Method, Metric, TopToken};

/// Scores of one method, one direction and one kind of component.
///
/// # Units
/// The metric's (logits for `logit_diff`). Positive: the component supports the clean behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreTable {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// How the scores were computed.
    pub method: Method,
    /// Which run was changed.
    pub direction: Direction,
    /// Components per layer.
    pub width: usize,
    /// Scores, layer by layer; `[n_layers * width]`.
    pub values: Vec<f32>,
    /// Which scores are exact; empty: all. The others are those by which their components were screened.
    #[serde(default)]
    pub exact: Vec<bool>,
    /// Per layer, sum of scores minus joint layer patch; only for methods with a completeness claim.
    pub convergence_delta: Vec<f32>,
    /// Per layer, points of the line that were used; only for integrals.
    #[serde(default)]
    pub n_steps: Vec<usize>,
}

impl ScoreTable {
    /// A table without a layer.
    pub(crate) fn empty(kind: ComponentKind, method: Method, direction: Direction) -> Self {
        Self {
            kind,
            method,
            direction,
            width: 0,
            values: Vec::new(),
            exact: Vec::new(),
            convergence_delta: Vec::new(),
            n_steps: Vec::new(),
        }
    }

    /// A table of patches of which none is there yet: what another table says of its components stands in
    /// their places.
    pub fn screened_by(screen: &Self) -> Self {
        Self {
            method: Method::Ap,
            exact: vec![false; screen.values.len()],
            convergence_delta: Vec::new(),
            n_steps: Vec::new(),
            ..screen.clone()
        }
    }

    /// Whether the score at a place of `values` is exact, and not that of a screening.
    pub fn is_exact(&self, place: usize) -> bool {
        self.exact.get(place).copied().unwrap_or(true)
    }

    /// How many scores are exact.
    pub fn n_exact(&self) -> usize {
        (0..self.values.len()).filter(|place| self.is_exact(*place)).count()
    }

    /// The table of one kind, method and direction, if there is one.
    pub fn find(
        tables: &[Self],
        kind: ComponentKind,
        method: Method,
        direction: Direction,
    ) -> Option<&Self> {
        let is_it = |t: &&Self| t.kind == kind && t.method == method && t.direction == direction;
        tables.iter().find(is_it)
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
        let exact = if self.exact.is_empty() && other.exact.is_empty() {
            Vec::new()
        } else {
            (0..values.len()).map(|place| self.is_exact(place) && other.is_exact(place)).collect()
        };
        let (convergence_delta, n_steps) = (Vec::new(), Vec::new());
        Self { values, exact, convergence_delta, n_steps, ..self.clone() }
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
}

/// One layer of a table: what is streamed while the table is being computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strip {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// How the scores were computed.
    pub method: Method,
    /// Which run was changed.
    pub direction: Direction,
    /// Which layer; strips of a table come in the order of its layers.
    pub layer: usize,
    /// One score per component.
    pub values: Vec<f32>,
    /// Sum of scores minus joint layer patch; only for methods with a completeness claim.
    pub convergence_delta: Option<f32>,
    /// Points of the line that were used; only for integrals.
    pub n_steps: Option<usize>,
}

impl Strip {
    /// Adds the layer to its table, which its first layer begins.
    pub fn add_to(self, tables: &mut Vec<ScoreTable>) {
        let Self { kind, method, direction, layer, values, convergence_delta, n_steps } = self;
        let is_it =
            |t: &ScoreTable| t.kind == kind && t.method == method && t.direction == direction;
        let place = tables.iter().position(is_it).unwrap_or_else(|| {
            tables.push(ScoreTable::empty(kind, method, direction));
            tables.len() - 1
        });
        let table = &mut tables[place];
        // A strip out of order would put every score into a wrong layer.
        if layer == table.n_layers() {
            table.width = values.len();
            table.values.extend(values);
            table.convergence_delta.extend(convergence_delta);
            table.n_steps.extend(n_steps);
        }
    }
}

/// Effect of replacing all heads, or all neurons, of one layer together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointEffects {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// Which run was changed.
    pub direction: Direction,
    /// One effect per layer, in the metric's unit, positive = supports the clean behaviour.
    pub values: Vec<f32>,
}

/// Every metric of one run, at its last token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricValues {
    /// Logits.
    pub logit_diff: f32,
    /// Probability of the answer tokens.
    pub prob_answer: f32,
    /// Probability of the wrong tokens.
    pub prob_wrong: f32,
    /// `prob_answer - prob_wrong`.
    pub prob_diff: f32,
    /// Logarithm of `prob_answer`; nats.
    pub log_prob: f32,
    /// Divergence from the clean run's distribution; nats, 0 for the clean run.
    pub kl: f32,
}

impl MetricValues {
    /// The value of one metric.
    pub const fn get(&self, metric: Metric) -> f32 {
        match metric {
            Metric::LogitDiff => self.logit_diff,
            Metric::ProbDiff => self.prob_diff,
            Metric::LogProb => self.log_prob,
            Metric::Kl => self.kl,
        }
    }
}

/// One of the two runs, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideSummary {
    /// All metrics of the run.
    pub metrics: MetricValues,
    /// Tokens of the prompt, `<|endoftext|>` included.
    pub n_pos: usize,
    /// Most likely next tokens, most likely first.
    pub top: Vec<TopToken>,
}

/// Everything that one run of an experiment yields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was run.
    pub experiment: Experiment,
    /// Sizes of the model it was run on.
    pub shape: ModelShape,
    /// The clean run.
    pub clean: SideSummary,
    /// The corrupted run.
    pub corrupted: SideSummary,
    /// Score tables in the order in which they were computed.
    pub tables: Vec<ScoreTable>,
    /// Joint layer patches.
    pub joint: Vec<JointEffects>,
    /// Seconds per phase, in the order in which they ran.
    pub seconds: Vec<(String, f64)>,
}

impl Outcome {
    /// The table of one kind, method and direction, if it was computed.
    pub fn table(
        &self,
        kind: ComponentKind,
        method: Method,
        direction: Direction,
    ) -> Option<&ScoreTable> {
        ScoreTable::find(&self.tables, kind, method, direction)
    }

    /// What the scores of the outcome can be converted by.
    pub fn basis(&self) -> UnitBasis {
        let d_model = self.shape.d_model;
        UnitBasis::new(self.experiment.metric, &self.clean, &self.corrupted, d_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_come_first_whatever_their_sign_and_zeros_do_not_count() {
        let table = |values: [f32; 6]| ScoreTable {
            kind: ComponentKind::Neurons,
            method: Method::Ig,
            direction: Direction::Noising,
            width: 3,
            values: values.to_vec(),
            exact: Vec::new(),
            convergence_delta: vec![0.0; 2],
            n_steps: vec![50; 2],
        };
        let (ig, ap) =
            (table([0.1, -0.5, 0.0, 0.2, 0.1, 0.0]), table([0.1, -0.5, 0.0, 0.2, 0.9, 0.0]));
        let places = |table: &ScoreTable, most| {
            table.strongest(most).into_iter().map(|c| (c.layer, c.index)).collect::<Vec<_>>()
        };
        assert_eq!(places(&ig, 3), [(0, 1), (1, 0), (0, 0)]);
        assert_eq!(places(&ig, 9).len(), 4);
        assert_eq!(places(&ig.minus(&ap), 9), [(1, 1)]);
    }

    #[test]
    fn strips_become_tables_in_the_order_of_their_layers() {
        let strip = |method, layer, values: [f32; 2]| Strip {
            kind: ComponentKind::Heads,
            method,
            direction: Direction::Noising,
            layer,
            values: values.to_vec(),
            convergence_delta: (method == Method::Ig).then_some(0.5),
            n_steps: (method == Method::Ig).then_some(50),
        };
        let mut tables = Vec::new();
        for strip in [
            strip(Method::Ig, 0, [1.0, 2.0]),
            strip(Method::Ap, 0, [5.0, 6.0]),
            strip(Method::Ig, 1, [3.0, 4.0]),
            strip(Method::Ap, 2, [9.0, 9.0]),
            strip(Method::Ig, 1, [9.0, 9.0]),
        ] {
            strip.add_to(&mut tables);
        }
        let [ig, ap] = tables.as_slice() else { panic!("two tables: {tables:?}") };
        assert_eq!((ig.n_layers(), ig.values.as_slice()), (2, [1.0, 2.0, 3.0, 4.0].as_slice()));
        assert_eq!(ig.convergence_delta, [0.5, 0.5]);
        assert_eq!((ap.n_layers(), ap.get(0, 1), ap.get(1, 0)), (1, Some(6.0), None));
    }
}
