//! What is compared: a list in a file, or pairs that are drawn from a task.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::{BadRow, MAX_PAIRS_BYTES, PairsError, read_pairs};
use twinbeam_core::words::{Answers, Experiment, TokenPair, Written, parse_ids};
use twinbeam_engine::{Model, Question, question};
use twinbeam_tasks::{Split, Task, pairs};

/// A case of a list, or a row that is none.
pub(crate) type Case = Result<PromptPair, BadRow>;

/// The cases of a file, row by row; at least one.
pub(crate) fn read_cases(path: &Path) -> anyhow::Result<Vec<Case>> {
    let reading = || format!("reading {}", path.display());
    let size = fs::metadata(path).with_context(reading)?.len() as usize;
    let list = if size > MAX_PAIRS_BYTES {
        // Weights, most likely: they need not be read to be refused.
        Err(PairsError::TooLarge(size))
    } else {
        read_pairs(&fs::read(path).with_context(reading)?)
    };
    Ok(list.with_context(|| path.display().to_string())?.rows)
}

/// What a case is called: by its own name, or by its place.
pub(crate) fn name_of(case: &Case, index: usize) -> String {
    let own = match case {
        Ok(pair) => &pair.name,
        Err(bad) => &bad.name,
    };
    if own.is_empty() { format!("case{index}") } else { own.clone() }
}

/// Cases of a task, of fillers that the bundled model has not seen in training.
pub(super) fn draw_cases(task: Task, n: usize, seed: u64) -> Vec<Case> {
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

/// A task by the name that the command line has for it.
pub(super) fn task(text: &str) -> Result<Task, String> {
    let names = || Task::ALL.map(Task::id).join(", ");
    Task::ALL
        .into_iter()
        .find(|task| task.id() == text)
        .ok_or_else(|| format!("the tasks are {}", names()))
}

/// A case of token ids.
pub(crate) fn case_of_ids(clean: &[u32], corrupted: &[u32], answer: u32, wrong: u32) -> PromptPair {
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
pub(crate) fn question_of(
    model: &Model,
    case: PromptPair,
    experiment: Experiment,
) -> anyhow::Result<(Question, Experiment)> {
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
