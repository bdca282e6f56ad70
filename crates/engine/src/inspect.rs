//! What is typed, as the model sees it: tokens, alignment, how answers read; and an experiment as a question.

use twinbeam_attribution::{last_logits, metric_values};
use twinbeam_core::prompts::align;
use twinbeam_core::scores::MetricValues;
use twinbeam_core::wire::inspection::{
    AnswerCheck, AnswerReading, Inspection, SideView, TokenView,
};
use twinbeam_core::words::{
    Answers, Entered, Experiment, Field, MAX_PROMPT_CHARS, MAX_STEPS, PromptError, TokenPair,
    Written, parse_ids,
};

use crate::hints::hints;
use crate::run::top_tokens;
use crate::{Error, Model, Question};

/// An experiment in tokens, ready to run.
///
/// # Errors
/// Whatever [`inspect`] would show: prompts that cannot be compared, answers that are not one token.
pub fn question(model: &Model, experiment: &Experiment) -> Result<Question, Error> {
    if !experiment.n_steps.is_possible() {
        let got = experiment.n_steps.to_string();
        return Err(PromptError::Steps { got, most: MAX_STEPS }.into());
    }
    let clean = encode(model, &experiment.clean, Entered::Field(Field::Clean), experiment)?;
    let corrupted =
        encode(model, &experiment.corrupted, Entered::Field(Field::Corrupted), experiment)?;
    let named = |error| by_name(model, error);
    let tokens = TokenPair::new(clean, corrupted, model.shape()).map_err(named)?;
    let one_token = |field, texts: &[String]| -> Result<Vec<u32>, Error> {
        texts.iter().map(|text| single(model, field, text, experiment.written)).collect()
    };
    let answer = one_token(Field::Answer, &experiment.answer)?;
    let wrong = one_token(Field::Wrong, &experiment.wrong)?;
    let answers = Answers::new(answer, wrong, model.shape()).map_err(named)?;
    Ok(Question { tokens, answers, metric: experiment.metric, n_steps: experiment.n_steps })
}

/// An error about a token id with the text of the token, where the tokenizer has it and the model does not.
fn by_name(model: &Model, error: PromptError) -> PromptError {
    let knows = |id| model.tokenizer.as_ref().is_some_and(|tokenizer| tokenizer.contains(id));
    match error {
        PromptError::UnknownToken { id, d_vocab } if knows(id) => {
            PromptError::NotInModel { text: model.token_text(id), id, d_vocab }
        }
        error => error,
    }
}

/// Token ids of a prompt of an experiment that is short enough, and not empty.
pub(crate) fn encode(
    model: &Model,
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
    prompt_ids(model, text, experiment)
}

/// Token ids of a prompt as the experiment writes prompts.
fn prompt_ids(model: &Model, text: &str, experiment: &Experiment) -> Result<Vec<u32>, Error> {
    if experiment.written.prompts_are_ids() {
        Ok(parse_ids(text)?)
    } else {
        model.encode(text, experiment.prepend_bos)
    }
}

/// Token ids of an answer; of one that can be used, a single one.
fn answer_ids(model: &Model, text: &str, written: Written) -> Result<Vec<u32>, Error> {
    if written.answers_are_ids() { Ok(parse_ids(text)?) } else { model.encode(text, false) }
}

fn single(model: &Model, field: Field, text: &str, written: Written) -> Result<u32, Error> {
    let ids = encode_answer(model, field, text, written)?;
    match ids[..] {
        [id] => Ok(id),
        _ => {
            Err(PromptError::NotOneToken { text: text.to_owned(), pieces: pieces(model, &ids) }
                .into())
        }
    }
}

fn encode_answer(
    model: &Model,
    field: Field,
    text: &str,
    written: Written,
) -> Result<Vec<u32>, Error> {
    let got = text.chars().count();
    if got > MAX_PROMPT_CHARS {
        let (what, most) = (Entered::Field(field), MAX_PROMPT_CHARS);
        return Err(PromptError::TooManyChars { what, got, most }.into());
    }
    answer_ids(model, text, written)
}

fn pieces(model: &Model, ids: &[u32]) -> Vec<String> {
    ids.iter().map(|id| model.token_text(*id)).collect()
}

/// What is typed, as the model sees it: tokens, alignment, how answers read, likely next tokens.
///
/// # Errors
/// A device that fails. What is wrong with the draft is not an error but [`Inspection::problem`].
pub async fn inspect(model: &Model, draft: &Experiment) -> Result<Inspection, Error> {
    let problem = match question(model, draft) {
        Ok(_) => None,
        Err(Error::Prompt(problem)) => Some(problem),
        Err(Error::NoTokenizer) => Some(PromptError::NoTokenizer),
        Err(error) => return Err(error),
    };
    let clean = tokens(model, &draft.clean, draft)?;
    let corrupted = tokens(model, &draft.corrupted, draft)?;
    Ok(Inspection {
        columns: align(&clean, &corrupted),
        clean: side(model, draft, &clean).await?,
        corrupted: side(model, draft, &corrupted).await?,
        answer: answers(model, &draft.answer, draft.written)?,
        wrong: answers(model, &draft.wrong, draft.written)?,
        problem,
        hints: hints(model, draft),
        in_text: in_text(model, draft).map(Box::new),
    })
}

/// An experiment in token ids written as text; `None` where it is text, or no text has just these tokens: half a
/// character has none, and what two tokens spell can be one other token.
fn in_text(model: &Model, draft: &Experiment) -> Option<Experiment> {
    let tokenizer = model.tokenizer.as_ref()?;
    if draft.written == Written::Text {
        return None;
    }
    let spell = |ids: &[u32]| {
        let text = tokenizer.decode(ids);
        model.read_text(&text).is_ok_and(|reading| reading.ids == ids).then_some(text)
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
        let bos = model.bos().ok();
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
fn tokens(model: &Model, text: &str, draft: &Experiment) -> Result<Vec<u32>, Error> {
    if text.chars().count() > MAX_PROMPT_CHARS {
        return Ok(Vec::new());
    }
    or_none(prompt_ids(model, text, draft))
}

/// No ids where what was typed is at fault, which [`Inspection::problem`] says.
fn or_none(ids: Result<Vec<u32>, Error>) -> Result<Vec<u32>, Error> {
    match ids {
        Err(Error::Prompt(_) | Error::NoTokenizer) => Ok(Vec::new()),
        ids => ids,
    }
}

async fn side(model: &Model, draft: &Experiment, ids: &[u32]) -> Result<SideView, Error> {
    let views = ids.iter().enumerate().map(|(position, id)| TokenView {
        id: *id,
        text: model.token_text(*id),
        bos: draft.prepend_bos && !draft.written.prompts_are_ids() && position == 0,
        special: model.is_special(*id),
    });
    let is_known = |id: &u32| (*id as usize) < model.shape().d_vocab;
    let fits = (1..=model.shape().n_ctx).contains(&ids.len()) && ids.iter().all(is_known);
    let top = if fits { top_tokens(model, &logits(model, ids).await?) } else { Vec::new() };
    Ok(SideView { tokens: views.collect(), top })
}

/// Logits of a prompt's last token, if the device finds nothing wrong with them.
async fn logits(model: &Model, ids: &[u32]) -> Result<Vec<f64>, Error> {
    let mut step = model.watch.begin();
    let logits = last_logits(&model.gpt2, ids).await;
    step.settle(logits.map_err(Error::from)).await
}

fn answers(model: &Model, texts: &[String], written: Written) -> Result<AnswerCheck, Error> {
    let reading = |text: &String| -> Result<AnswerReading, Error> {
        let ids = if text.chars().count() > MAX_PROMPT_CHARS {
            Vec::new()
        } else {
            or_none(answer_ids(model, text, written))?
        };
        let spaced = format!(" {}", text.trim());
        let with_space = ids.len() != 1
            && !written.answers_are_ids()
            && or_none(model.encode(&spaced, false))?.len() == 1;
        Ok(AnswerReading {
            text: text.clone(),
            pieces: pieces(model, &ids),
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
