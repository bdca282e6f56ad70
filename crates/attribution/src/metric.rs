//! The metrics of a run: of logits on the host, and as differentiable functions of the residual stream.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use twinbeam_core::scores::MetricValues;
use twinbeam_core::words::{Answers, Metric};
use twinbeam_gpt2::{Gpt2, indices};

/// All metrics of a run from the logits of its last token, in f64.
///
/// # Units
/// Those that [`MetricValues`] names. For a set of tokens: mean of logits, sum of probabilities.
pub fn metric_values(logits: &[f64], clean_logits: &[f64], answers: &Answers) -> MetricValues {
    let log_probs = log_probs(logits);
    let clean = log_probs_of_clean(clean_logits, logits, &log_probs);
    let mean_logit =
        |ids: &[u32]| ids.iter().map(|id| logits[*id as usize]).sum::<f64>() / ids.len() as f64;
    let prob = |ids: &[u32]| ids.iter().map(|id| log_probs[*id as usize].exp()).sum::<f64>();
    // By log-sum-exp, so that an answer of probability 1e-50 still has its logarithm.
    let most = answers.answer().iter().map(|id| log_probs[*id as usize]).fold(f64::MIN, f64::max);
    let log_prob = most
        + answers
            .answer()
            .iter()
            .map(|id| (log_probs[*id as usize] - most).exp())
            .sum::<f64>()
            .ln();
    let kl = clean.iter().zip(&log_probs).map(|(p, q)| p.exp() * (p - q)).sum::<f64>();
    let (prob_answer, prob_wrong) = (prob(answers.answer()), prob(answers.wrong()));
    MetricValues {
        logit_diff: (mean_logit(answers.answer()) - mean_logit(answers.wrong())) as f32,
        prob_answer: prob_answer as f32,
        prob_wrong: prob_wrong as f32,
        prob_diff: (prob_answer - prob_wrong) as f32,
        log_prob: log_prob as f32,
        kl: kl as f32,
    }
}

fn log_probs(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    logits.iter().map(|logit| logit - most - total.ln()).collect()
}

/// The clean run's own divergence is exactly 0, so its list is used twice rather than made twice.
fn log_probs_of_clean(clean_logits: &[f64], logits: &[f64], own: &[f64]) -> Vec<f64> {
    if clean_logits == logits { own.to_vec() } else { log_probs(clean_logits) }
}

/// The metric as a differentiable function of the residual stream.
#[derive(Debug, Clone)]
pub(crate) enum Measure {
    /// One direction of the unembedding; `[d_model, 1]`.
    LogitDiff { direction: Tensor<2> },
    /// Token ids `[answers]` and `[wrong]`. Boxed: no other variant has two tensors.
    ProbDiff(Box<[Tensor<1, Int>; 2]>),
    /// Token ids `[answers]`.
    LogProb { answer: Tensor<1, Int> },
    /// The logarithm of the clean run's distribution; `[1, d_vocab]`.
    Kl { log_probs: Tensor<2> },
}

impl Measure {
    /// What does not need the clean run; `None`: all of it does.
    pub(crate) fn of_answers(metric: Metric, model: &Gpt2, answers: &Answers) -> Option<Self> {
        let device = model.device();
        let ids = |ids: &[u32]| indices(ids.iter().copied(), &device);
        Some(match metric {
            Metric::LogitDiff => {
                let mean = |ids: &[u32]| model.unembedding_rows(ids).mean_dim(0);
                let direction = mean(answers.answer()) - mean(answers.wrong()); // [1, d_model]
                Self::LogitDiff { direction: direction.transpose() }
            }
            Metric::ProbDiff => {
                Self::ProbDiff(Box::new([ids(answers.answer()), ids(answers.wrong())]))
            }
            Metric::LogProb => Self::LogProb { answer: ids(answers.answer()) },
            Metric::Kl => return None,
        })
    }

    /// Divergence from the clean run. Only an upload: what is computed here could be lost with what comes next.
    pub(crate) fn from_clean(model: &Gpt2, clean_logits: &[f64]) -> Self {
        let log_probs: Vec<f32> = log_probs(clean_logits).into_iter().map(|p| p as f32).collect();
        Self::Kl { log_probs: model.vector(&log_probs).unsqueeze::<2>() } // [1, d_vocab]
    }

    /// The gain of the oriented metric over the first row of its batch, read at the last position: the last residual
    /// stream `[batch, pos, d_model]` to `[batch]`. The orientation is [`Metric::orientation`].
    ///
    /// Scores are differences of nearly equal numbers; where the metric is linear, it loses no digit
    /// to that ([`Gpt2::gain_along`]). No gradient flows through the first row's part in the other rows.
    pub(crate) fn gain(&self, model: &Gpt2, resid: Tensor<3>) -> Tensor<1> {
        let [batch, pos, _] = resid.dims();
        if let Self::LogitDiff { direction } = self {
            return model.gain_along(resid, direction);
        }
        let last = model.final_norm(resid.narrow(1, pos - 1, 1)); // [batch, 1, d_model]
        let metric = self.oriented(model, last); // [batch, 1]
        let gain = metric.clone() - metric.narrow(0, 0, 1).detach();
        gain.reshape([batch])
    }

    /// The oriented metric itself; the normalised last position `[batch, 1, d_model]` to `[batch, 1]`.
    pub(crate) fn oriented(&self, model: &Gpt2, last: Tensor<3>) -> Tensor<2> {
        let log_probs = || {
            let logits = model.unembed(last.clone()); // [batch, 1, d_vocab]
            log_softmax(logits.squeeze_dim::<2>(1), 1) // [batch, d_vocab]
        };
        let prob = |log_probs: &Tensor<2>, ids: &Tensor<1, Int>| {
            log_probs.clone().select(1, ids.clone()).exp().sum_dim(1) // [batch, 1]
        };
        match self {
            Self::LogitDiff { direction } => {
                last.clone().squeeze_dim::<2>(1).matmul(direction.clone())
            }
            Self::ProbDiff(sides) => {
                let (log_probs, [answer, wrong]) = (log_probs(), &**sides);
                prob(&log_probs, answer) - prob(&log_probs, wrong)
            }
            Self::LogProb { answer } => {
                let log_probs = log_probs().select(1, answer.clone()); // [batch, answers]
                let most = log_probs.clone().detach().max_dim(1);
                (log_probs - most.clone()).exp().sum_dim(1).log() + most
            }
            Self::Kl { log_probs: clean } => {
                // Minus the divergence: more is more of the clean behaviour.
                (clean.clone().exp() * (log_probs() - clean.clone())).sum_dim(1)
            }
        }
    }
}
