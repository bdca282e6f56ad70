//! The frame of a chapter, and what it says while an answer is not there.

use leptos::prelude::*;
use twinbeam_core::link::Panel;

use super::claim::{Claim, ClaimView};
use super::names::names;
use crate::explain::{self, in_progress};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::{Job, Slot};

/// The frame of a chapter: its question, the answer in a sentence with a click to test it, what it rests on, and how the
/// numbers are defined.
#[component]
pub(super) fn Chapter(
    state: AppState,
    panel: Panel,
    testid: &'static str,
    claim: Memo<Claim>,
    /// How the numbers are defined, with unit and sign.
    definition: &'static str,
    children: Children,
) -> impl IntoView {
    let [_, question] = names(panel);
    view! {
        <section class="panel" data-testid=testid aria-labelledby=testid>
            <h3 id=testid>{question}</h3>
            <ClaimView state claim />
            {children()}
            <details class="definition">
                <summary>"How this is defined"</summary>
                <p>{definition}</p>
            </details>
        </section>
    }
    .into_any()
}

/// What there is to say in place of an answer that is not there: that it is on its way, or why not.
#[component]
pub(crate) fn Pending(state: AppState, of: Slot) -> impl IntoView {
    move || {
        let answer = state.answer(of);
        let words = match &answer {
            Some(answer) => explain::no_answer(answer.found.as_ref().err()?),
            None if !state.wants(of) => return None,
            None => waits_for(state),
        };
        let failed = answer.is_some();
        Some(view! {
            <p class="pending" role="status">
                {words}
                {failed.then(|| view! {
                    " "
                    <button
                        type="button"
                        class="way-on"
                        on:click=move |_event| state.tell(Visitor::AskAgain(of))
                    >
                        "Try again"
                    </button>
                })}
            </p>
        })
    }
}

/// Why an answer is not there yet.
fn waits_for(state: AppState) -> String {
    let words = match state.job.get() {
        Some(Job::Question(_)) => {
            return state.progress.get().map_or_else(|| "Computing".to_owned(), in_progress);
        }
        Some(Job::Heads) => "This follows when the figure is complete.",
        Some(Job::Neurons) => "This follows when the neurons are done.",
        Some(Job::Speed | Job::Pair) => "This follows after what is running now.",
        None if state.is_of_changed_model() => {
            "The link does not hold this, and its model has changed since: Run computes it, with the scores, of the weights in use."
        }
        None if state.is_from_link() => {
            "The link does not hold this: it is computed as soon as the model is there."
        }
        None => "This is computed as soon as the figure’s own model is in use.",
    };
    words.to_owned()
}
