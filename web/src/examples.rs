//! The prompt pairs that come with the page, read from `assets/examples.json`.

use serde::Deserialize;
use twinbeam_core::words::{Experiment, Metric, Written};

/// One entry of `assets/examples.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Example {
    pub(crate) task: String,
    pub(crate) title: String,
    clean: String,
    corrupted: String,
    answer: Vec<String>,
    wrong: Vec<String>,
    /// What its task is usually measured by.
    #[serde(default)]
    metric: Metric,
}

impl Example {
    /// The example on the model and with the steps of `draft`.
    pub(crate) fn experiment(&self, draft: Experiment) -> Experiment {
        Experiment {
            clean: self.clean.clone(),
            corrupted: self.corrupted.clone(),
            answer: self.answer.clone(),
            wrong: self.wrong.clone(),
            written: Written::Text,
            metric: self.metric,
            ..draft
        }
    }
}

/// The examples that come with the page, by task.
pub(crate) fn examples() -> Vec<Example> {
    // OK because a test reads the file; a page without examples is still a page.
    serde_json::from_str(include_str!("../../assets/examples.json")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_has_two_examples_of_each_task() {
        let examples = examples();
        let mut tasks: Vec<&str> = examples.iter().map(|example| example.task.as_str()).collect();
        tasks.dedup();
        assert_eq!(tasks.len(), 6, "each task in one place: {tasks:?}");
        for task in tasks {
            assert!(examples.iter().filter(|example| example.task == task).count() >= 2, "{task}");
        }
        let default = Experiment::default();
        assert_eq!(examples[0].experiment(default.clone()), default, "the page opens with it");
    }
}
