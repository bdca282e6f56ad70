//! What is typed and can be run, and may not be what was meant.

use twinbeam_core::prompts::{About, Hint, is_unseen};
use twinbeam_core::words::{Experiment, Field, MAX_PROMPT_CHARS};
use twinbeam_gpt2::composed;

use crate::words::Words;

/// Hints about an experiment's prompts and answers as text; none about token ids, which are what they are.
///
/// There is at most one hint of a kind for a field; a field of many answers may be mended by it in all of them.
pub fn hints(words: &Words, experiment: &Experiment) -> Vec<Hint> {
    let Experiment { clean, corrupted, answer, wrong, written, .. } = experiment;
    let mut hints = Vec::new();
    if words.tokenizer.is_none() {
        return hints;
    }
    if !written.prompts_are_ids() {
        for (field, text) in [(Field::Clean, clean), (Field::Corrupted, corrupted)] {
            of_prompt(words, experiment.prepend_bos, field, text, &mut hints);
        }
    }
    if !written.answers_are_ids() {
        for (field, texts, prompt) in
            [(Field::Answer, answer, clean), (Field::Wrong, wrong, corrupted)]
        {
            of_answers(words, field, texts, prompt, &mut hints);
        }
    }
    hints
}

fn of_prompt(words: &Words, prepend_bos: bool, field: Field, text: &String, hints: &mut Vec<Hint>) {
    if text.trim().is_empty() || !is_read(text) {
        return;
    }
    let mut add = |about, mend: Option<String>| {
        let mends = mend.map(|mend| (0, mend)).into_iter().collect();
        hints.push(Hint { field, text: text.clone(), about, mends });
    };
    let trimmed = text.trim_end_matches(' ');
    if trimmed.len() < text.len() {
        add(About::EndsInSpace, Some(trimmed.to_owned()));
    }
    if prepend_bos && let Some(bos) = bos_text(words) {
        // As often as it stands there.
        let rest = text.trim_start_matches(bos.as_str());
        if rest.len() < text.len() && !rest.trim().is_empty() {
            add(About::BosTwice, Some(rest.to_owned()));
        }
    }
    let lines = text.replace("\r\n", "\n");
    if lines != *text {
        add(About::LineEnds, Some(lines));
    }
    of_characters(words, text, &mut add);
}

fn of_answers(words: &Words, field: Field, texts: &[String], prompt: &str, hints: &mut Vec<Hint>) {
    // What ends in a space has its own hint, and a number may be the end of one.
    let is_open = prompt.ends_with(char::is_whitespace);
    let goes_on = |text: &str| {
        let digit = |character: Option<char>| character.is_some_and(|c| c.is_ascii_digit());
        digit(prompt.chars().next_back()) && digit(text.chars().next())
    };
    let mut unspaced = Vec::new();
    let mut others: Vec<Hint> = Vec::new();
    for (place, text) in texts.iter().enumerate().filter(|(_, text)| is_read(text)) {
        let is_word = text.chars().next().is_some_and(char::is_alphanumeric);
        let spaced = format!(" {text}");
        if is_word
            && !is_open
            && !goes_on(text)
            && let (Some(bare), Some(with_space)) = (one_token(words, text), one_token(words, &spaced))
            // A tokenizer that puts the space there by itself makes no difference between them.
            && bare != with_space
        {
            unspaced.push((place, spaced));
        }
        of_characters(words, text, &mut |about: About, mend: Option<String>| {
            let mend = mend.map(|mend| (place, mend));
            let is_same = |hint: &&mut Hint| {
                std::mem::discriminant(&hint.about) == std::mem::discriminant(&about)
            };
            match others.iter_mut().find(is_same) {
                Some(hint) => hint.mends.extend(mend),
                None => others.push(Hint {
                    field,
                    text: text.clone(),
                    about,
                    mends: mend.into_iter().collect(),
                }),
            }
        });
    }
    if let Some((first, _)) = unspaced.first() {
        let text = texts[*first].clone();
        hints.push(Hint { field, text, about: About::NoLeadingSpace, mends: unspaced });
    }
    hints.extend(others);
}

/// What is said of any text: characters that do not show, or that are other tokens than they look like.
fn of_characters(words: &Words, text: &str, add: &mut impl FnMut(About, Option<String>)) {
    let unseen = unseen(text);
    if let Some((at, character)) = unseen.first() {
        let mut mended = String::new();
        for (place, other) in text.chars().enumerate() {
            // A space of another kind becomes a plain one; what has no width goes.
            if !unseen.contains(&(place, other)) {
                mended.push(other);
            } else if other.is_whitespace() {
                mended.push(' ');
            }
        }
        let about = About::Hidden { character: *character, at: at + 1, n: unseen.len() };
        add(about, Some(mended));
    }
    let Ok(reading) = words.read_text(text) else {
        // What is wrong with it is said already.
        return;
    };
    let composed = composed(text);
    if composed != text && words.read_text(&composed).is_ok_and(|other| other.ids != reading.ids) {
        add(About::NotComposed, Some(composed));
    }
    // A space in front of all of it is what the tokenizer is known for.
    if let Some(read_as) = reading.read_as
        && read_as.strip_prefix(' ') != Some(text)
    {
        add(About::ReadAs { text: read_as }, None);
    }
}

/// Characters that do not show, with their places. The joiners belong into some scripts, and into some pictures.
fn unseen(text: &str) -> Vec<(usize, char)> {
    let mut before = ' ';
    let mut found = Vec::new();
    for (place, character) in text.chars().enumerate() {
        let joins = matches!(character, '\u{200c}' | '\u{200d}') && !before.is_ascii();
        if is_unseen(character) && !joins {
            found.push((place, character));
        }
        before = character;
    }
    found
}

/// Whether a text is short enough to be tokenised at all.
fn is_read(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_PROMPT_CHARS
}

fn one_token(words: &Words, text: &str) -> Option<u32> {
    match words.read_text(text).ok()?.ids[..] {
        [id] => Some(id),
        _ => None,
    }
}

fn bos_text(words: &Words) -> Option<String> {
    let bos = words.bos().ok()?;
    words.is_special(bos).then(|| words.token_text(bos))
}
