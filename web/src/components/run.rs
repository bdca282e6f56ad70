//! The buttons that begin and end a run, with the time that it is expected to take.

use leptos::prelude::*;

use super::focus;
use crate::explain;
use crate::reactive::{dynamic, live};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::Status;

/// Run, Cancel, and the way back from edits.
#[component]
pub(crate) fn RunButtons(state: AppState) -> impl IntoView {
    let run_class = move || {
        if state.status() == Status::Stale { "primary wanted" } else { "primary" }
    };
    let run_label = move || {
        let seconds = state.expected_seconds.get().filter(|_| state.can_run());
        explain::run_label(seconds)
    };
    view! {
        <div class="run-buttons">
            <button
                type="button"
                class=live(run_class)
                data-testid="run"
                title="Ctrl+Enter in a prompt does the same"
                disabled=live(move || !state.can_run())
                on:click=move |_event| state.tell(Visitor::Run)
            >
                {dynamic(run_label)}
            </button>
            <button
                type="button"
                data-testid="cancel"
                title=live(move || state.job.get().map(explain::cancels))
                disabled=live(move || !state.is_busy())
                on:click=move |_event| state.tell(Visitor::Cancel)
            >
                "Cancel"
            </button>
            <button
                type="button"
                class="link"
                data-testid="drop-edits"
                title="The inputs of the figure come back"
                hidden=live(move || !state.is_edited())
                on:click=move |_event| {
                    state.tell(Visitor::LetEditsGo);
                    focus("#prompt-clean");
                }
            >
                "Drop edits"
            </button>
        </div>
    }
}

/// Whether edits are run by themselves.
#[component]
pub(super) fn AutoRun(state: AppState) -> impl IntoView {
    view! {
        <label class="check" title="A run that is expected to take less than a second begins when nothing was typed for a moment">
            <input
                type="checkbox"
                data-testid="auto-run"
                prop:checked=live(move || state.auto_run.get())
                on:change=move |event| state.tell(Visitor::SetAutoRun(event_target_checked(&event)))
            />
            " Run by itself when typing pauses, if it takes under a second"
        </label>
    }
}
