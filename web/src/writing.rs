//! Whether prompts and answers are typed as text or as token ids, and how one becomes the other.

use leptos::prelude::*;
use twinbeam_core::wire::inspection::{AnswerCheck, Inspection, SideView};
use twinbeam_core::words::{Experiment, Written};

use crate::state::AppState;
use crate::{bridge, explain};

/// Turns what is typed into token ids, or into text. Where no text has just these tokens they stay ids: other tokens
/// would be another experiment.
pub(crate) fn switch(state: AppState) {
    // What the model sees must be of what is typed by now.
    if !state.inspected.get_untracked() {
        return;
    }
    let seen = state.inspection.get_untracked();
    let draft = state.draft.get_untracked();
    let turned = match draft.written {
        Written::Text => Some(in_ids(&draft, &seen)),
        Written::AnswerIds | Written::Ids => seen.in_text.map(|text| *text),
    };
    match turned {
        Some(turned) => {
            state.draft.set(turned);
            // The visitor has chosen: another model takes nothing of it back.
            state.set_aside.set(None);
        }
        None => state.notice.set(Some(explain::no_text_of_ids())),
    }
    state.failed.set(false);
    bridge::inspect(state, true);
}

fn in_ids(draft: &Experiment, seen: &Inspection) -> Experiment {
    let prompt = |side: &SideView, typed: &str| {
        or_typed(print(side.tokens.iter().map(|token| token.id)), typed)
    };
    let answers = |check: &AnswerCheck, typed: &[String]| {
        each(check, typed, |reading| print(reading.ids.iter().copied()))
    };
    Experiment {
        clean: prompt(&seen.clean, &draft.clean),
        corrupted: prompt(&seen.corrupted, &draft.corrupted),
        answer: answers(&seen.answer, &draft.answer),
        wrong: answers(&seen.wrong, &draft.wrong),
        written: Written::Ids,
        ..draft.clone()
    }
}

fn print(ids: impl Iterator<Item = u32>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(" ")
}

fn or_typed(turned: String, typed: &str) -> String {
    if turned.is_empty() { typed.to_owned() } else { turned }
}

fn each(
    check: &AnswerCheck,
    typed: &[String],
    turn: impl Fn(&twinbeam_core::wire::inspection::AnswerReading) -> String,
) -> Vec<String> {
    let turned = |(place, typed): (usize, &String)| {
        let reading = check.readings.get(place);
        or_typed(reading.map(&turn).unwrap_or_default(), typed)
    };
    typed.iter().enumerate().map(turned).collect()
}

/// Follows the model that has come into use: one without a tokenizer reads token ids only, and what was typed as text
/// waits for one that has a tokenizer. Whether there is nothing to run before it is typed.
pub(crate) fn follow(state: AppState, reads_text: bool) -> bool {
    let draft = state.draft.get_untracked();
    // What was typed of the other kind, with the options as they are now.
    let aside = state.set_aside.get_untracked().map(|aside| Experiment {
        model: draft.model.clone(),
        metric: draft.metric,
        n_steps: draft.n_steps,
        ..aside
    });
    let are_ids = draft.written == Written::Ids;
    let aside = aside.filter(|aside| (aside.written == Written::Ids) != are_ids);
    let turned = match aside {
        // As it should be; token ids are read by every model.
        _ if reads_text != are_ids => None,
        None if reads_text => None,
        None => Some(emptied(&draft)),
        aside => aside,
    };
    if let Some(turned) = turned {
        state.draft.set(turned);
        state.set_aside.set(Some(draft));
    }
    state.draft.with_untracked(|draft| *draft == emptied(draft))
}

/// Token ids are typed from now on, beginning with none.
pub(crate) fn start_with_ids(state: AppState) {
    follow(state, false);
    bridge::inspect(state, true);
}

/// A draft before any token id is typed.
pub(crate) fn emptied(draft: &Experiment) -> Experiment {
    Experiment {
        clean: String::new(),
        corrupted: String::new(),
        answer: Vec::new(),
        wrong: Vec::new(),
        written: Written::Ids,
        ..draft.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::wire::inspection::{AnswerReading, TokenView};

    fn side(tokens: &[(u32, &str)]) -> SideView {
        let token = |(id, text): &(u32, &str)| TokenView {
            id: *id,
            text: (*text).to_owned(),
            bos: false,
            special: *id == 0,
        };
        SideView { tokens: tokens.iter().map(token).collect(), top: Vec::new() }
    }

    fn check(ids: &[u32], pieces: &[&str]) -> AnswerCheck {
        let reading = AnswerReading {
            text: String::new(),
            ids: ids.to_vec(),
            pieces: pieces.iter().map(|piece| (*piece).to_owned()).collect(),
            with_space: None,
        };
        AnswerCheck { readings: vec![reading] }
    }

    #[test]
    fn text_becomes_the_ids_of_its_tokens() {
        let seen = Inspection {
            clean: side(&[(0, "<s>"), (5, "The"), (7, " cat")]),
            corrupted: side(&[(0, "<s>"), (5, "The"), (8, " dog")]),
            answer: check(&[9], &[" is"]),
            wrong: check(&[10], &[" are"]),
            ..Inspection::default()
        };
        let text = Experiment {
            clean: "The cat".to_owned(),
            corrupted: "The dog".to_owned(),
            answer: vec![" is".to_owned()],
            wrong: vec![" are".to_owned()],
            ..Experiment::default()
        };
        let ids = in_ids(&text, &seen);
        assert_eq!((ids.clean.as_str(), ids.corrupted.as_str()), ("0 5 7", "0 5 8"));
        assert_eq!(
            (&ids.answer[..], &ids.wrong[..]),
            (&["9".to_owned()][..], &["10".to_owned()][..])
        );
    }
}
