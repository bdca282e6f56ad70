use serde::{Deserialize, Serialize};

use crate::{Direction, Experiment, ModelShape, UnitBasis};

/// What a score belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// Attention heads, `n_heads` per layer, at `hook_z`.
    Heads,
    /// MLP neurons, `d_mlp` per layer, at `hook_post`.
    Neurons,
}

impl ComponentKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Heads, Self::Neurons];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Heads => "heads",
            Self::Neurons => "neurons",
        }
    }

    /// Components per layer.
    pub const fn width(self, shape: &ModelShape) -> usize {
        match self {
            Self::Heads => shape.n_heads,
            Self::Neurons => shape.d_mlp,
        }
    }
}

/// How a score was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Activation patching: exact, one forward pass per component.
    Ap,
    /// Layer-wise integrated gradients between the two runs' activations.
    Ig,
    /// Attribution patching: the gradient at the run that is changed, times the difference.
    Atp,
    /// Integrated gradients from zero activations, clean run upstream; not comparable with AP.
    IgZero,
}

impl Method {
    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ap => "ap",
            Self::Ig => "ig",
            Self::Atp => "atp",
            Self::IgZero => "ig_zero",
        }
    }
}

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
    /// Per layer, sum of scores minus joint layer patch; only for methods with a completeness claim.
    pub convergence_delta: Vec<f32>,
}

impl ScoreTable {
    /// Number of layers.
    pub fn n_layers(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Score of one component, if there is one.
    pub fn get(&self, layer: usize, index: usize) -> Option<f32> {
        if index >= self.width {
            return None;
        }
        self.values.get(layer * self.width + index).copied()
    }

    /// Scores layer by layer.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        // A width of 0 has no rows; `chunks` refuses 0.
        self.values.chunks(self.width.max(1))
    }

    /// Largest absolute score; 0 for an empty table.
    pub fn max_abs(&self) -> f32 {
        self.values.iter().fold(0.0, |most, value| most.max(value.abs()))
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
    pub const fn get(&self, metric: crate::Metric) -> f32 {
        match metric {
            crate::Metric::LogitDiff => self.logit_diff,
            crate::Metric::ProbDiff => self.prob_diff,
            crate::Metric::LogProb => self.log_prob,
            crate::Metric::Kl => self.kl,
        }
    }
}

/// A likely next token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopToken {
    /// Token id.
    pub id: u32,
    /// Its text, with its leading space if it has one.
    pub text: String,
    /// Probability in the run.
    pub prob: f32,
    /// Logit in the run.
    pub logit: f32,
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
        self.tables
            .iter()
            .find(|t| t.kind == kind && t.method == method && t.direction == direction)
    }

    /// What its scores can be converted by.
    pub fn basis(&self) -> UnitBasis {
        let d_model = self.shape.d_model;
        UnitBasis::new(self.experiment.metric, &self.clean, &self.corrupted, d_model)
    }
}
