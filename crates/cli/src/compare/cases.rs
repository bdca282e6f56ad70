//! What is compared: a list in a file, or pairs that are drawn from a task.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};
use twinbeam_core::{Answers, Experiment, TokenPair, Written, parse_pairs};
use twinbeam_engine::{Model, Question, question};
use twinbeam_tasks::{Split, Task, pairs};

/// One token or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(item) => vec![item],
            Self::More(items) => items,
        }
    }
}

/// A case in either of its two forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Case {
    Text {
        clean: String,
        #[serde(alias = "corrupt")]
        corrupted: String,
        answer: OneOrMore<String>,
        wrong: OneOrMore<String>,
    },
    Ids {
        clean_ids: Vec<u32>,
        corrupted_ids: Vec<u32>,
        answer_id: OneOrMore<u32>,
        wrong_id: OneOrMore<u32>,
    },
}

/// The cases of a file: a JSON list, or whatever else prompt pairs are read from.
pub(crate) fn read_cases(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim_start().starts_with('[') {
        // Entry by entry, and not all or none: a case can be of token ids, and one that is wrong is listed.
        return serde_json::from_str(text)
            .with_context(|| format!("{} is not a JSON list of cases", path.display()));
    }
    let pairs = parse_pairs(text).with_context(|| format!("{}", path.display()))?;
    pairs.into_iter().map(|pair| Ok(serde_json::to_value(pair)?)).collect()
}

/// Cases of a task, of fillers that the bundled model has not seen in training.
pub(super) fn draw_cases(task: Task, n: usize, seed: u64) -> Vec<Value> {
    let case = |(place, pair): (usize, twinbeam_tasks::Pair)| {
        json!({
            "name": format!("{} {}", task.id(), place + 1),
            "clean": pair.clean,
            "corrupted": pair.corrupted,
            "answer": pair.answer,
            "wrong": pair.wrong,
        })
    };
    pairs(task, Split::HeldOut, n, seed).into_iter().enumerate().map(case).collect()
}

/// A task by the name that the command line has for it.
pub(super) fn task(text: &str) -> Result<Task, String> {
    let names = || Task::ALL.map(Task::id).join(", ");
    Task::ALL
        .into_iter()
        .find(|task| task.id() == text)
        .ok_or_else(|| format!("the tasks are {}", names()))
}

/// What a case asks, and its prompts if they are text; the rest is that of `experiment`.
pub(crate) fn question_of(
    model: &Model,
    case: Value,
    experiment: Experiment,
) -> anyhow::Result<(Question, Experiment)> {
    let case: Case = serde_json::from_value(case).map_err(|_untagged| {
        anyhow::anyhow!(
            "a case has clean, corrupted, answer and wrong as text, or clean_ids, corrupted_ids, \
             answer_id and wrong_id as numbers"
        )
    })?;
    Ok(match case {
        Case::Text { clean, corrupted, answer, wrong } => {
            let (answer, wrong) = (answer.into_vec(), wrong.into_vec());
            let experiment = Experiment { clean, corrupted, answer, wrong, ..experiment };
            (question(model, &experiment)?, experiment)
        }
        Case::Ids { clean_ids, corrupted_ids, answer_id, wrong_id } => {
            let tokens = TokenPair::new(clean_ids, corrupted_ids, model.shape())?;
            let answers = Answers::new(answer_id.into_vec(), wrong_id.into_vec(), model.shape())?;
            // No text of it is looked at.
            let experiment = Experiment { written: Written::Ids, ..experiment };
            let Experiment { metric, n_steps, .. } = experiment;
            (Question { tokens, answers, metric, n_steps }, experiment)
        }
    })
}
