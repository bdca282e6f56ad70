//! All that a run yields, and both of its runs in numbers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{TableKey, Tables, UnitBasis};
use crate::models::ModelShape;
use crate::words::{ComponentKind, Direction, Experiment, Method, Metric, TopToken};

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

/// A part of a run that is timed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    /// The two prompts.
    Runs,
    /// A table, and what comes with it.
    Table(TableKey),
}

/// `runs`, or method, kind and direction of a table, as in `ig_heads_noising`.
impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Runs => f.write_str("runs"),
            // Integrals from zero have no direction.
            Self::Table(TableKey { kind, method: method @ Method::IgZero, .. }) => {
                write!(f, "{}_{}", method.id(), kind.id())
            }
            Self::Table(TableKey { kind, method, direction }) => {
                write!(f, "{}_{}_{direction}", method.id(), kind.id())
            }
        }
    }
}

impl Serialize for Timed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let tables = ComponentKind::ALL.into_iter().flat_map(|kind| {
            Method::ALL.into_iter().flat_map(move |method| {
                let key = move |direction| TableKey { kind, method, direction };
                Direction::ALL.into_iter().map(key).map(Self::Table)
            })
        });
        let found = std::iter::once(Self::Runs).chain(tables).find(|part| part.to_string() == name);
        found.ok_or_else(|| serde::de::Error::custom("expected a part of a run"))
    }
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
    pub tables: Tables,
    /// Joint layer patches.
    pub joint: Vec<JointEffects>,
    /// Seconds per part, in the order in which they ran.
    pub seconds: Vec<(Timed, f64)>,
}

impl Outcome {
    /// What its scores can be converted by.
    pub fn basis(&self) -> UnitBasis {
        let d_model = self.shape.d_model;
        UnitBasis::new(self.experiment.metric, &self.clean, &self.corrupted, d_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timed_parts_travel_by_their_names() {
        let table = |kind, method, direction| Timed::Table(TableKey { kind, method, direction });
        for (part, name) in [
            (Timed::Runs, "runs"),
            (table(ComponentKind::Heads, Method::Ig, Direction::Noising), "ig_heads_noising"),
            (
                table(ComponentKind::Neurons, Method::Ap, Direction::Denoising),
                "ap_neurons_denoising",
            ),
            (table(ComponentKind::Heads, Method::IgZero, Direction::Noising), "ig_zero_heads"),
        ] {
            let json = serde_json::to_string(&part).expect("plain values");
            assert_eq!(json, format!("{name:?}"));
            assert_eq!(serde_json::from_str::<Timed>(&json).expect("its own"), part);
        }
        assert!(serde_json::from_str::<Timed>("\"atp\"").is_err());
    }
}
