//! The frame of a panel, and what it says while an answer is not there.

use leptos::prelude::*;
use twinbeam_core::link::Panel;

use crate::explain::{self, in_progress};
use crate::reactive::{dynamic, live, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::{Job, Slot};

/// The frame of a panel: what it shows in a line, what to look for, and how that is defined.
///
/// Nothing inside is made before it is open.
#[component]
pub(crate) fn PanelFrame(
    state: AppState,
    panel: Panel,
    testid: &'static str,
    title: &'static str,
    /// One sentence: what to look for.
    look_for: &'static str,
    /// How the numbers are defined, with unit and sign.
    definition: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let is_open = memo(move || state.lab.is_open(panel));
    let toggle = move |_event| {
        state.lab.open.update(|open| {
            if open.contains(&panel) {
                open.retain(|other| *other != panel);
            } else {
                open.push(panel);
                open.sort_unstable();
            }
        });
    };
    view! {
        <section class="panel" data-testid=testid aria-labelledby=testid>
            <h2 id=testid>
                <button
                    type="button"
                    class="panel-switch"
                    aria-expanded=live(move || is_open.get().to_string())
                    on:click=toggle
                >
                    {title}
                </button>
            </h2>
            <p class="panel-look">{look_for}</p>
            {dynamic(move || {
                is_open.get().then(|| {
                    view! {
                        {children()}
                        <details class="definition">
                            <summary>"How this is defined"</summary>
                            <p>{definition}</p>
                        </details>
                    }
                })
            })}
        </section>
    }
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
        None if state.is_from_link() => {
            "The link does not hold this: it is computed as soon as the model is there."
        }
        None => "This is computed as soon as the figure’s own model is in use.",
    };
    words.to_owned()
}
