//! What is compared: a list in a file, or pairs that are drawn from a task.

use std::fs;
use std::path::Path;

use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::{BadRow, Limits, read_pairs};
use twinbeam_core::words::{Answers, Experiment, TokenPair, Written, parse_ids};
use twinbeam_engine::{Error as EngineError, Model, Question, question};
use twinbeam_tasks::{Split, Task, pairs};

use crate::Error;

/// A case of a list, or a row that is none.
pub type Case = Result<PromptPair, BadRow>;

/// The cases of a file, row by row; at least one.
///
/// # Errors
/// [`Error::File`]: it cannot be read. [`Error::List`]: it is no list of cases, or has more than [`Limits::DISK`] says.
pub fn read_cases(path: &Path) -> Result<Vec<Case>, Error> {
    let limits = Limits::DISK;
    let size = fs::metadata(path).map_err(Error::file("reading", path))?.len() as usize;
    let of_list = |cause| Error::List { path: path.to_owned(), cause };
    // Weights, most likely: they need not be read to be refused.
    limits.hold(size).map_err(of_list)?;
    let bytes = fs::read(path).map_err(Error::file("reading", path))?;
    Ok(read_pairs(&bytes, limits).map_err(of_list)?.rows)
}

/// What a case is called: by its own name, or by its place.
pub fn name_of(case: &Case, index: usize) -> String {
    let own = match case {
        Ok(pair) => &pair.name,
        Err(bad) => &bad.name,
    };
    if own.is_empty() { format!("case{index}") } else { own.clone() }
}

/// Cases of a task, of fillers that the bundled model has not seen in training.
pub fn draw_cases(task: Task, n: usize, seed: u64) -> Vec<Case> {
    let case = |(place, pair): (usize, twinbeam_tasks::Pair)| {
        Ok(PromptPair {
            name: format!("{} {}", task.id(), place + 1),
            clean: pair.clean,
            corrupted: pair.corrupted,
            answer: pair.answer,
            wrong: pair.wrong,
            ..PromptPair::default()
        })
    };
    pairs(task, Split::HeldOut, n, seed).into_iter().enumerate().map(case).collect()
}

/// A task by its name, as in `ioi`.
///
/// # Errors
/// There is none of that name: the message lists those that there are.
pub fn task(text: &str) -> Result<Task, String> {
    let names = || Task::ALL.map(Task::id).join(", ");
    Task::ALL
        .into_iter()
        .find(|task| task.id() == text)
        .ok_or_else(|| format!("the tasks are {}", names()))
}

/// A case of token ids.
pub fn case_of_ids(clean: &[u32], corrupted: &[u32], answer: u32, wrong: u32) -> PromptPair {
    let written = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    PromptPair {
        clean: written(clean),
        corrupted: written(corrupted),
        answer: vec![answer.to_string()],
        wrong: vec![wrong.to_string()],
        written: Written::Ids,
        ..PromptPair::default()
    }
}

/// What a case asks, with its prompts; the rest is that of `experiment`.
///
/// # Errors
/// Prompts or answers that cannot be compared, as [`question`] finds them.
pub fn question_of(
    model: &Model,
    case: PromptPair,
    experiment: Experiment,
) -> Result<(Question, Experiment), EngineError> {
    let PromptPair { clean, corrupted, answer, wrong, written, .. } = case;
    let experiment = Experiment { clean, corrupted, answer, wrong, written, ..experiment };
    if !written.prompts_are_ids() {
        return Ok((question(model, &experiment)?, experiment));
    }
    // A prompt of as many ids as the model reads is longer than a text may be.
    let [clean, corrupted] = [&experiment.clean, &experiment.corrupted].map(|ids| parse_ids(ids));
    let tokens = TokenPair::new(clean?, corrupted?, model.shape())?;
    let [answer, wrong] =
        [&experiment.answer, &experiment.wrong].map(|ids| parse_ids(&ids.join(" ")));
    let answers = Answers::new(answer?, wrong?, model.shape())?;
    let Experiment { metric, n_steps, .. } = experiment;
    Ok((Question { tokens, answers, metric, n_steps }, experiment))
}
