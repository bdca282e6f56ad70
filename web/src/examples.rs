//! The prompt pairs that come with the page, read from `assets/examples.json`.

use serde::Deserialize;
use twinbeam_core::words::{Experiment, Metric, Written};

/// One entry of `assets/examples.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Example {
    pub(crate) task: String,
    pub(crate) title: String,
    /// What its figure shows, noising, on the model that comes with the page.
    pub(crate) shows: String,
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

/// What the page opens with: the first of them.
pub(crate) fn opening() -> Experiment {
    let first = examples().into_iter().next();
    first.map_or_else(Experiment::default, |example| example.experiment(Experiment::default()))
}

/// The one that an experiment is, whatever its model and its steps.
pub(crate) fn example_of(draft: &Experiment) -> Option<Example> {
    examples().into_iter().find(|example| example.experiment(draft.clone()) == *draft)
}

/// The one of a title.
pub(crate) fn titled(title: &str) -> Option<Example> {
    examples().into_iter().find(|example| example.title == title)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use twinbeam_core::words::Steps;

    use super::*;

    #[test]
    fn the_file_is_read_and_has_two_examples_of_each_task() {
        let examples = examples();
        let mut tasks: Vec<&str> = examples.iter().map(|example| example.task.as_str()).collect();
        tasks.dedup();
        assert_eq!(tasks.len(), 8, "each task in one place: {tasks:?}");
        for task in tasks {
            assert!(examples.iter().filter(|example| example.task == task).count() >= 2, "{task}");
        }
        // Links to it rely on this: what a link leaves out is of the notebook's pair.
        let default = Experiment::default();
        let notebooks = examples.iter().filter(|of| of.experiment(default.clone()) == default);
        assert_eq!(notebooks.count(), 1, "the notebook's pair is an example");
    }

    #[test]
    fn the_page_opens_with_the_first_example() {
        let opening = opening();
        assert_eq!(opening, examples()[0].experiment(Experiment::default()));
        assert_ne!(opening, Experiment::default(), "a link that says nothing is of another");
        let found = example_of(&Experiment { n_steps: Steps::AUTO, ..opening });
        assert_eq!(found.map(|found| found.title), Some(examples()[0].title.clone()));
        let own = Experiment { clean: "My own words".to_owned(), ..Experiment::default() };
        assert!(example_of(&own).is_none());
    }

    #[test]
    fn every_example_says_in_a_line_what_it_shows() {
        let mut lines = BTreeSet::new();
        for Example { title, shows, .. } in examples() {
            assert!(shows.ends_with('.') && (30..=85).contains(&shows.len()), "{title}: {shows}");
            assert!(lines.insert(shows), "{title} says what another says");
        }
    }
}
