//! Whether prompts and answers are typed as text or as token ids, and how one becomes the other.

use leptos::prelude::*;
use twinbeam_core::{AnswerCheck, Experiment, Inspection, SideView, Written};

use crate::bridge;
use crate::state::AppState;

/// Turns what is typed into token ids, or into text. What cannot be turned stays as it is typed.
pub(crate) fn switch(state: AppState) {
    let bos = state.loaded.with_untracked(|loaded| {
        loaded.as_ref().and_then(|loaded| Some(loaded.tokenizer.as_ref()?.bos.clone()))
    });
    let seen = state.inspection.get_untracked();
    state.draft.update(|draft| {
        *draft = match draft.written {
            Written::Text => in_ids(draft, &seen),
            Written::AnswerIds | Written::Ids => in_text(draft, &seen, bos.as_deref()),
        };
    });
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

/// The first token becomes BOS in front where it is that in both prompts.
fn in_text(draft: &Experiment, seen: &Inspection, bos: Option<&str>) -> Experiment {
    let were_ids = draft.written.prompts_are_ids();
    let begins =
        |side: &SideView| side.tokens.first().is_some_and(|t| Some(t.text.as_str()) == bos);
    let prepend_bos = begins(&seen.clean) && begins(&seen.corrupted);
    let prompt = |side: &SideView, typed: &str| {
        if !were_ids {
            return typed.to_owned();
        }
        let tokens = side.tokens.iter().skip(usize::from(prepend_bos));
        or_typed(tokens.map(|token| token.text.as_str()).collect(), typed)
    };
    let answers = |check: &AnswerCheck, typed: &[String]| {
        each(check, typed, |reading| reading.pieces.concat())
    };
    Experiment {
        clean: prompt(&seen.clean, &draft.clean),
        corrupted: prompt(&seen.corrupted, &draft.corrupted),
        answer: answers(&seen.answer, &draft.answer),
        wrong: answers(&seen.wrong, &draft.wrong),
        written: Written::Text,
        prepend_bos: if were_ids { prepend_bos } else { draft.prepend_bos },
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
    turn: impl Fn(&twinbeam_core::AnswerReading) -> String,
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
    let aside = state.set_aside.get_untracked();
    match (reads_text, aside) {
        (false, _) if draft.written != Written::Ids => {
            state.draft.set(emptied(&draft));
            state.set_aside.set(Some(draft));
            true
        }
        (true, Some(text)) => {
            state.set_aside.set(None);
            if draft.written == Written::Ids {
                state.draft.set(Experiment {
                    model: draft.model,
                    metric: draft.metric,
                    n_steps: draft.n_steps,
                    ..text
                });
            }
            false
        }
        _ => false,
    }
}

/// Token ids are typed from now on, beginning with none.
pub(crate) fn start_with_ids(state: AppState) {
    follow(state, false);
    bridge::inspect(state, true);
}

fn emptied(draft: &Experiment) -> Experiment {
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
    use twinbeam_core::{AnswerReading, TokenView};

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
    fn text_becomes_ids_and_ids_become_the_text() {
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
        assert_eq!(in_text(&ids, &seen, Some("<s>")), text);
        // Another token is no BOS in front, and is text.
        let without = in_text(&ids, &seen, Some("<|endoftext|>"));
        assert_eq!((without.prepend_bos, without.clean.as_str()), (false, "<s>The cat"));
    }

    #[test]
    fn what_is_no_tokens_stays_as_it_is_typed() {
        let typed = Experiment {
            clean: "12 abc".to_owned(),
            answer: vec!["x".to_owned()],
            written: Written::Ids,
            ..Experiment::default()
        };
        let text = in_text(&typed, &Inspection::default(), None);
        assert_eq!((text.clean.as_str(), &text.answer[..]), ("12 abc", &["x".to_owned()][..]));
        assert_eq!(text.written, Written::Text);
    }
}
