use serde::{Deserialize, Serialize};

use super::{Tables, UnitBasis};
use crate::models::ModelShape;
use crate::words::{ComponentKind, Direction, Experiment, Metric, TopToken};

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
    pub tables: Tables,
    /// Joint layer patches.
    pub joint: Vec<JointEffects>,
    /// Seconds per phase, in the order in which they ran.
    pub seconds: Vec<(String, f64)>,
}

impl Outcome {
    /// What its scores can be converted by.
    pub fn basis(&self) -> UnitBasis {
        let d_model = self.shape.d_model;
        UnitBasis::new(self.experiment.metric, &self.clean, &self.corrupted, d_model)
    }
}
