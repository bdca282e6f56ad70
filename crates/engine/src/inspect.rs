//! What is typed, as the model sees it: tokens, alignment, how answers read; and an experiment as a question.

use std::collections::BTreeSet;

use twinbeam_attribution::{last_logits, metric_values};
use twinbeam_core::models::ModelShape;
use twinbeam_core::prompts::{Aligned, Mend, Spelt, align, mends};
use twinbeam_core::scores::MetricValues;
use twinbeam_core::wire::inspection::{
    AnswerCheck, AnswerReading, Inspection, Prediction, Predictions, SideView, TokenView,
};
use twinbeam_core::words::{
    Answers, ComponentKind, Direction, Entered, Experiment, Field, MAX_PROMPT_CHARS, MAX_STEPS,
    PromptError, TokenPair, Written, parse_ids,
};

use crate::hints::hints;
use crate::run::top_tokens;
use crate::{Error, Model, Plan, Question, Words};

/// An experiment in tokens, ready to run.
///
/// # Errors
/// Whatever [`inspect`] would show: prompts that cannot be compared, answers that are not one token.
pub fn question(model: &Model, experiment: &Experiment) -> Result<Question, Error> {
    in_tokens(model.words(), experiment)
}

fn in_tokens(words: &Words, experiment: &Experiment) -> Result<Question, Error> {
    if !experiment.n_steps.is_possible() {
        let got = experiment.n_steps.to_string();
        return Err(PromptError::Steps { got, most: MAX_STEPS }.into());
    }
    let clean = encode(words, &experiment.clean, Entered::Field(Field::Clean), experiment)?;
    let corrupted =
        encode(words, &experiment.corrupted, Entered::Field(Field::Corrupted), experiment)?;
    let named = |error| by_name(words, error);
    let tokens = TokenPair::new(clean, corrupted, words.shape()).map_err(named)?;
    let one_token = |field, texts: &[String]| -> Result<Vec<u32>, Error> {
        texts.iter().map(|text| single(words, field, text, experiment.written)).collect()
    };
    let answer = one_token(Field::Answer, &experiment.answer)?;
    let wrong = one_token(Field::Wrong, &experiment.wrong)?;
    let answers = Answers::new(answer, wrong, words.shape()).map_err(named)?;
    Ok(Question { tokens, answers, metric: experiment.metric, n_steps: experiment.n_steps })
}

/// An error about a token id with the text of the token, where the tokenizer has it and the model does not.
fn by_name(words: &Words, error: PromptError) -> PromptError {
    let knows = |id| words.tokenizer.as_ref().is_some_and(|tokenizer| tokenizer.contains(id));
    match error {
        PromptError::UnknownToken { id, d_vocab } if knows(id) => {
            PromptError::NotInModel { text: words.token_text(id), id, d_vocab }
        }
        error => error,
    }
}

/// Token ids of a prompt of an experiment that is short enough, and not empty.
pub(crate) fn encode(
    words: &Words,
    text: &str,
    what: Entered,
    experiment: &Experiment,
) -> Result<Vec<u32>, Error> {
    let got = text.chars().count();
    if got > MAX_PROMPT_CHARS {
        let most = MAX_PROMPT_CHARS;
        return Err(PromptError::TooManyChars { what, got, most }.into());
    }
    if text.trim().is_empty() {
        return Err(PromptError::Empty { what }.into());
    }
    prompt_ids(words, text, experiment)
}

/// Token ids of a prompt as the experiment writes prompts.
fn prompt_ids(words: &Words, text: &str, experiment: &Experiment) -> Result<Vec<u32>, Error> {
    if experiment.written.prompts_are_ids() {
        Ok(parse_ids(text)?)
    } else {
        words.encode(text, experiment.prepend_bos)
    }
}

/// Token ids of an answer; of one that can be used, a single one.
fn answer_ids(words: &Words, text: &str, written: Written) -> Result<Vec<u32>, Error> {
    if written.answers_are_ids() { Ok(parse_ids(text)?) } else { words.encode(text, false) }
}

fn single(words: &Words, field: Field, text: &str, written: Written) -> Result<u32, Error> {
    let ids = encode_answer(words, field, text, written)?;
    match ids[..] {
        [id] => Ok(id),
        _ => {
            Err(PromptError::NotOneToken { text: text.to_owned(), pieces: pieces(words, &ids) }
                .into())
        }
    }
}

fn encode_answer(
    words: &Words,
    field: Field,
    text: &str,
    written: Written,
) -> Result<Vec<u32>, Error> {
    let got = text.chars().count();
    if got > MAX_PROMPT_CHARS {
        let (what, most) = (Entered::Field(field), MAX_PROMPT_CHARS);
        return Err(PromptError::TooManyChars { what, got, most }.into());
    }
    answer_ids(words, text, written)
}

fn pieces(words: &Words, ids: &[u32]) -> Vec<String> {
    ids.iter().map(|id| words.token_text(*id)).collect()
}

/// What is typed, as the model sees it: [`read`] and [`predict`] together.
///
/// # Errors
/// The errors of both.
pub async fn inspect(model: &Model, draft: &Experiment) -> Result<Inspection, Error> {
    let mut inspection = read(model.words(), draft)?;
    let Predictions { clean, corrupted } = predict(model, draft).await?;
    (inspection.clean.next, inspection.corrupted.next) = (clean, corrupted);
    Ok(inspection)
}

/// What is typed, as far as it is known without running the model: tokens, alignment, how answers read, what is wrong,
/// what may not be meant, and what it would cost to run it.
///
/// # Errors
/// A tokenizer that fails. What is wrong with the draft is not an error but [`Inspection::problem`].
pub fn read(words: &Words, draft: &Experiment) -> Result<Inspection, Error> {
    let (problem, work) = match in_tokens(words, draft) {
        Ok(question) => {
            let plan = Plan::of(vec![ComponentKind::Heads], Direction::Noising);
            (None, Some(plan.work(words.shape(), &question)))
        }
        Err(Error::Prompt(problem)) => (Some(problem), None),
        Err(Error::NoTokenizer) => (Some(PromptError::NoTokenizer), None),
        Err(error) => return Err(error),
    };
    let clean = tokens(words, &draft.clean, draft)?;
    let corrupted = tokens(words, &draft.corrupted, draft)?;
    let columns = align(&clean, &corrupted);
    let (clean, corrupted) = (side(words, draft, &clean), side(words, draft, &corrupted));
    let mends = match problem {
        Some(PromptError::Lengths { .. }) => mended(words, draft, [&clean, &corrupted], &columns),
        _ => Vec::new(),
    };
    Ok(Inspection {
        columns,
        clean,
        corrupted,
        mends,
        answer: answers(words, &draft.answer, draft.written)?,
        wrong: answers(words, &draft.wrong, draft.written)?,
        problem,
        work,
        hints: hints(words, draft),
        in_text: in_text(words, draft).map(Box::new),
    })
}

/// What the model expects behind both prompts, and how likely the answers are there.
///
/// # Errors
/// A device or a tokenizer that fails.
pub async fn predict(model: &Model, draft: &Experiment) -> Result<Predictions, Error> {
    let answers =
        [&draft.answer, &draft.wrong].map(|texts| known_answers(model, texts, draft.written));
    let clean = tokens(model.words(), &draft.clean, draft)?;
    let corrupted = tokens(model.words(), &draft.corrupted, draft)?;
    Ok(Predictions {
        clean: prediction(model, &clean, &answers).await?,
        corrupted: prediction(model, &corrupted, &answers).await?,
    })
}

/// What makes two prompts equally long; nothing of token ids, which are for those who know them.
fn mended(
    words: &Words,
    draft: &Experiment,
    sides: [&SideView; 2],
    columns: &[Aligned],
) -> Vec<Mend> {
    if draft.written.prompts_are_ids() {
        return Vec::new();
    }
    let tokens = sides.map(|side| {
        let typed = |token: &TokenView| if token.bos { String::new() } else { token.text.clone() };
        side.tokens.iter().map(typed).collect::<Vec<_>>()
    });
    let [clean, corrupted] = &tokens;
    let sides = [
        Spelt { text: &draft.clean, tokens: clean },
        Spelt { text: &draft.corrupted, tokens: corrupted },
    ];
    let count = |text: &str| words.read_text(text).ok().map(|reading| reading.ids.len());
    mends(sides, columns, count)
}

/// An experiment in token ids written as text; `None` where it is text, or no text has just these tokens: half a
/// character has none, and what two tokens spell can be one other token.
fn in_text(words: &Words, draft: &Experiment) -> Option<Experiment> {
    let tokenizer = words.tokenizer.as_ref()?;
    if draft.written == Written::Text {
        return None;
    }
    let spell = |ids: &[u32]| {
        let text = tokenizer.decode(ids);
        words.read_text(&text).is_ok_and(|reading| reading.ids == ids).then_some(text)
    };
    // What is no list of ids is text already.
    let answers = |typed: &[String]| -> Option<Vec<String>> {
        let text = |typed: &String| match parse_ids(typed) {
            Ok(ids) => spell(&ids),
            Err(_) => Some(typed.clone()),
        };
        typed.iter().map(text).collect()
    };
    let (answer, wrong) = (answers(&draft.answer)?, answers(&draft.wrong)?);
    let mut text = Experiment { answer, wrong, written: Written::Text, ..draft.clone() };
    if draft.written.prompts_are_ids() {
        let [clean, corrupted] = [&draft.clean, &draft.corrupted].map(|typed| parse_ids(typed));
        let bos = words.bos().ok();
        let begins = |ids: &Result<Vec<u32>, _>| {
            ids.as_ref().is_ok_and(|ids| bos.is_some() && ids.first().copied() == bos)
        };
        text.prepend_bos = begins(&clean) && begins(&corrupted);
        let prompt = |ids: Result<Vec<u32>, _>, typed: &String| match ids {
            Ok(ids) => spell(&ids[usize::from(text.prepend_bos)..]),
            Err(_) => Some(typed.clone()),
        };
        (text.clean, text.corrupted) =
            (prompt(clean, &draft.clean)?, prompt(corrupted, &draft.corrupted)?);
    }
    Some(text)
}

/// Ids of a draft; none of a text that is too long to tokenise, or that is no list of ids and should be.
fn tokens(words: &Words, text: &str, draft: &Experiment) -> Result<Vec<u32>, Error> {
    if text.chars().count() > MAX_PROMPT_CHARS {
        return Ok(Vec::new());
    }
    or_none(prompt_ids(words, text, draft))
}

/// No ids where what was typed is at fault, which [`Inspection::problem`] says.
fn or_none(ids: Result<Vec<u32>, Error>) -> Result<Vec<u32>, Error> {
    match ids {
        Err(Error::Prompt(_) | Error::NoTokenizer) => Ok(Vec::new()),
        ids => ids,
    }
}

fn side(words: &Words, draft: &Experiment, ids: &[u32]) -> SideView {
    let views = ids.iter().enumerate().map(|(position, id)| TokenView {
        id: *id,
        text: words.token_text(*id),
        bos: draft.prepend_bos && !draft.written.prompts_are_ids() && position == 0,
        special: words.is_special(*id),
    });
    SideView { tokens: views.collect(), next: Prediction::default() }
}

/// What a model expects behind a prompt; nothing of one that it cannot read.
async fn prediction(
    model: &Model,
    ids: &[u32],
    answers: &[Option<Vec<u32>>; 2],
) -> Result<Prediction, Error> {
    let ModelShape { n_ctx, d_vocab, .. } = *model.shape();
    let is_known = |id: &u32| (*id as usize) < d_vocab;
    let fits = (1..=n_ctx).contains(&ids.len()) && ids.iter().all(is_known);
    if !fits {
        return Ok(Prediction::default());
    }
    let logits = logits(model, ids).await?;
    let [p_answer, p_wrong] =
        answers.each_ref().map(|ids| ids.as_ref().map(|ids| probability(&logits, ids)));
    Ok(Prediction { top: top_tokens(model, &logits), p_answer, p_wrong })
}

/// Probability that one of some tokens comes next.
fn probability(logits: &[f64], ids: &[u32]) -> f32 {
    let most = logits.iter().copied().fold(f64::MIN, f64::max);
    let weight = |logit: f64| (logit - most).exp();
    let total: f64 = logits.iter().copied().map(weight).sum();
    (ids.iter().map(|id| weight(logits[*id as usize])).sum::<f64>() / total) as f32
}

/// Answers as the model's tokens, each once; `None`: there is none, or one that is not a single token.
fn known_answers(model: &Model, texts: &[String], written: Written) -> Option<Vec<u32>> {
    let one = |text: &String| match answer_ids(model.words(), text, written).ok()?[..] {
        [id] if (id as usize) < model.shape().d_vocab => Some(id),
        _ => None,
    };
    let is_read = |text: &String| text.chars().count() <= MAX_PROMPT_CHARS;
    let ids: Option<BTreeSet<u32>> =
        texts.iter().map(|text| one(text).filter(|_| is_read(text))).collect();
    ids.filter(|ids| !ids.is_empty()).map(|ids| ids.into_iter().collect())
}

/// Logits of a prompt's last token, if the device finds nothing wrong with them.
async fn logits(model: &Model, ids: &[u32]) -> Result<Vec<f64>, Error> {
    let mut step = model.watch.begin();
    let logits = last_logits(&model.gpt2, ids).await;
    step.settle(logits.map_err(Error::from)).await
}

fn answers(words: &Words, texts: &[String], written: Written) -> Result<AnswerCheck, Error> {
    let reading = |text: &String| -> Result<AnswerReading, Error> {
        let ids = if text.chars().count() > MAX_PROMPT_CHARS {
            Vec::new()
        } else {
            or_none(answer_ids(words, text, written))?
        };
        let spaced = format!(" {}", text.trim());
        let with_space = ids.len() != 1
            && !written.answers_are_ids()
            && or_none(words.encode(&spaced, false))?.len() == 1;
        Ok(AnswerReading {
            text: text.clone(),
            pieces: pieces(words, &ids),
            ids,
            with_space: with_space.then_some(spaced),
        })
    };
    Ok(AnswerCheck { readings: texts.iter().map(reading).collect::<Result<_, _>>()? })
}

/// Metrics of the clean prompt alone: does the model do what the experiment asks about?
///
/// # Errors
/// The errors of [`question`]; a device that fails.
pub async fn prompt_metrics(model: &Model, experiment: &Experiment) -> Result<MetricValues, Error> {
    let question = question(model, experiment)?;
    let logits = logits(model, question.tokens.clean()).await?;
    Ok(metric_values(&logits, &logits, &question.answers))
}
