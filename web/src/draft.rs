//! Edits that were not run survive a reload, for as long as the tab is open.
//!
//! They belong to the link that was in the address when they were made: another link is shown as it is.

use std::cell::RefCell;

use leptos::prelude::*;
use twinbeam_core::link::{experiment_from_text, experiment_to_text};
use twinbeam_core::words::Experiment;

use crate::memory::Memory;
use crate::reactive::effect;
use crate::state::AppState;
use crate::{bridge, url_state, writing};

const KEY: &str = "twinbeam-draft";

/// The edits that were made of the experiment in the address, if the browser remembers any.
pub(crate) fn kept(address: &Experiment) -> Option<Experiment> {
    read(&Memory::OfTab.get(KEY)?, address)
}

/// Has the browser remember the draft, as long as it is not what the address says.
pub(crate) fn keep(state: AppState) {
    effect(move || {
        // What is run is in the address from then on.
        state.committed.track();
        // Of a draft that was only emptied, for a model without a tokenizer, the text that waits is what was typed.
        let aside = state.set_aside.get();
        let draft = state.draft.get();
        let draft = aside.filter(|_| draft == writing::emptied(&draft)).unwrap_or(draft);
        let address = in_address();
        let draft = of_its_model(draft, &address);
        if draft == address {
            Memory::OfTab.forget(KEY);
        } else {
            Memory::OfTab.set(KEY, &written(&address, &draft));
        }
    });
}

/// The inputs of the figure, where those on the screen are others; `None`: there is nothing to let go.
fn behind_edits(state: AppState) -> Option<Experiment> {
    let draft = state.draft.get();
    let figures = state.committed.with(|c| c.as_ref().map(|c| c.experiment.clone()))?;
    let figures = of_its_model(figures, &draft);
    (figures != draft).then_some(figures)
}

/// Whether there are edits that can be let go.
pub(crate) fn is_edited(state: AppState) -> bool {
    state.job.get().is_none() && behind_edits(state).is_some()
}

/// Lets the edits go: the inputs of the figure come back.
pub(crate) fn let_go(state: AppState) {
    if let Some(figures) = untrack(|| behind_edits(state)) {
        state.draft.set(figures);
        state.notice.set(None);
        state.failed.set(false);
        bridge::inspect(state, true);
    }
}

thread_local! {
    /// A fragment of the address, and its experiment: with a figure and a list in it, reading takes a while, and it is
    /// asked for at each key.
    static READ: RefCell<(String, Experiment)> = RefCell::default();
}

/// The experiment of the address; without one, that of the page.
fn in_address() -> Experiment {
    of_fragment(url_state::fragment(), || url_state::read()?.ok().map(|link| link.experiment))
}

fn of_fragment(fragment: String, read: impl FnOnce() -> Option<Experiment>) -> Experiment {
    READ.with_borrow_mut(|known| {
        if known.0 != fragment {
            *known = (fragment, read().unwrap_or_default());
        }
        known.1.clone()
    })
}

/// The same on another's model: which one is used is not typed, and said elsewhere.
fn of_its_model(experiment: Experiment, other: &Experiment) -> Experiment {
    Experiment { model: other.model.clone(), ..experiment }
}

/// A line for the experiment in the address, and one for the draft: JSON has no line ends.
fn written(address: &Experiment, draft: &Experiment) -> String {
    format!("{}\n{}", experiment_to_text(address), experiment_to_text(draft))
}

fn read(text: &str, address: &Experiment) -> Option<Experiment> {
    let (of, draft) = text.split_once('\n')?;
    let of = experiment_from_text(of).filter(|of| of == address)?;
    let draft = of_its_model(experiment_from_text(draft)?, &of);
    (draft != of).then_some(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_once() {
        let other = Experiment { clean: "another".to_owned(), ..Experiment::default() };
        let (mut reads, address) = (0, other.clone());
        let mut of = |fragment: &str| {
            of_fragment(fragment.to_owned(), || {
                reads += 1;
                (fragment == "#v2=x").then(|| address.clone())
            })
        };
        let found = ["", "#v2=x", "#v2=x", "#", "#v2=x"].map(&mut of);
        let page = Experiment::default();
        assert_eq!(found, [page.clone(), other.clone(), other.clone(), page, other]);
        assert_eq!(reads, 3, "none for an empty one, one for each change");
    }

    #[test]
    fn edits_come_back_with_the_link_that_they_are_of_and_with_no_other() {
        let address = Experiment { model: "gpt2".to_owned(), ..Experiment::default() };
        let clean = "a line\nand another, \"quoted\"".to_owned();
        let draft = Experiment { clean, ..address.clone() };
        let text = written(&address, &draft);
        assert_eq!(read(&text, &address), Some(draft.clone()));
        assert_eq!(read(&text, &Experiment::default()), None, "of another link");
        assert_eq!(read(&text, &draft), None, "it has been run");
        assert_eq!(read(&written(&address, &address), &address), None, "nothing was edited");
        for text in ["", "{}", "\n", "{}\n[1]", "<html>\n<html>"] {
            assert_eq!(read(text, &Experiment::default()), None, "{text}");
        }
    }

    #[test]
    fn a_draft_that_cannot_be_run_or_linked_comes_back_as_it_is() {
        let address = Experiment::default();
        let draft = Experiment {
            clean: "word ".repeat(2000),
            answer: Vec::new(),
            n_steps: twinbeam_core::words::Steps::Fixed(0),
            ..address.clone()
        };
        assert_eq!(read(&written(&address, &draft), &address), Some(draft));
    }
}
