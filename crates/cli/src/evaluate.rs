//! How well a model solves the tasks on fillers that it was not trained on, and what its heads do.

mod heads;

use pollster::block_on;
use twinbeam_core::words::Experiment;
use twinbeam_engine::{Error, Model, prompt_metrics};
use twinbeam_tasks::{Split, Task, pairs};

pub use heads::{EdgeCount, HeadScore, LIST_WORDS, head_scores, strongest_edges};

/// How well one task is solved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaskScore {
    /// The task.
    pub task: Task,
    /// Share of prompts whose answer is more probable than the wrong one.
    pub accuracy: f64,
    /// Mean of `logit(answer) - logit(wrong)`; logits.
    pub mean_logit_diff: f64,
    /// Number of prompts asked.
    pub n: usize,
}

/// Asks `n` prompts of every task.
///
/// # Errors
/// A prompt that the model cannot read: the tokenizer does not fit the tasks.
pub fn evaluate(model: &Model, split: Split, n: usize, seed: u64) -> Result<Vec<TaskScore>, Error> {
    Task::ALL.into_iter().map(|task| evaluate_task(model, task, split, n, seed)).collect()
}

fn evaluate_task(
    model: &Model,
    task: Task,
    split: Split,
    n: usize,
    seed: u64,
) -> Result<TaskScore, Error> {
    let (mut right, mut sum) = (0, 0.0);
    for pair in pairs(task, split, n, seed) {
        let experiment = Experiment {
            clean: pair.clean,
            corrupted: pair.corrupted,
            answer: pair.answer,
            wrong: pair.wrong,
            ..Experiment::default()
        };
        let metrics = block_on(prompt_metrics(model, &experiment))?;
        right += usize::from(metrics.prob_diff > 0.0);
        sum += f64::from(metrics.logit_diff);
    }
    let (accuracy, mean_logit_diff) = (right as f64 / n as f64, sum / n as f64);
    Ok(TaskScore { task, accuracy, mean_logit_diff, n })
}
