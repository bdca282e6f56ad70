//! Whether prompts are text or token ids, what is put in front of them, and what their tokenizer does of its own.

use leptos::prelude::*;
use twinbeam_core::wire::inspection::TokenizerNote;
use twinbeam_core::words::Written;

use crate::explain;
use crate::reactive::{dynamic, live};
use crate::session::Visitor;
use crate::state::AppState;

/// Whether prompts are typed as token ids.
pub(super) fn typed_in_ids(state: AppState) -> bool {
    state.draft.with(|draft| draft.written.prompts_are_ids())
}

/// What stands in front of the prompts, and whether they are text.
#[component]
pub(super) fn TypedAs(state: AppState) -> impl IntoView {
    let bos = move || state.draft.with(|draft| draft.prepend_bos);
    let in_ids = move || state.draft.with(|draft| draft.written != Written::Text);
    let can_turn = move || state.inspected.get() && state.reads_text();
    let bos_title = move || {
        let of = |loaded: &crate::values::Loaded| explain::bos_title(loaded.tokenizer.as_ref());
        state.loaded.with(|loaded| loaded.as_deref().map_or_else(|| explain::bos_title(None), of))
    };
    view! {
        <div class="typed-as">
            <button
                type="button"
                class="chip bos"
                data-testid="bos"
                aria-pressed=live(move || bos().to_string())
                title=live(bos_title)
                // What is typed in ids is all there is.
                hidden=live(move || typed_in_ids(state))
                on:click=move |_event| state.edit(true, |draft| draft.prepend_bos = !draft.prepend_bos)
            >
                "BOS in front"
            </button>
            <button
                type="button"
                class="chip"
                data-testid="written"
                aria-pressed=live(move || in_ids().to_string())
                title=live(move || explain::written_title(state.reads_text()))
                disabled=live(move || !can_turn())
                on:click=move |_event| state.tell(Visitor::SwitchWriting)
            >
                {dynamic(move || explain::written_label(state.draft.with(|draft| draft.written)))}
            </button>
        </div>
    }
}

/// What the tokenizer in use does otherwise than GPT-2's.
#[component]
pub(super) fn TokenizerNotes(state: AppState) -> impl IntoView {
    let bos = move || state.draft.with(|draft| draft.prepend_bos);
    let notes = move || {
        let notes = state.loaded.with(|loaded| {
            let report = loaded.as_ref().and_then(|loaded| loaded.tokenizer.as_ref());
            report.map(|report| report.notes.clone()).unwrap_or_default()
        });
        let matters = |note: &TokenizerNote| {
            !typed_in_ids(state) && (bos() || !matches!(note, TokenizerNote::Bos { .. }))
        };
        let notes = notes.into_iter().filter(matters);
        notes.map(|note| view! { <p>{explain::tokenizer_note(&note)}</p> }).collect_view()
    };
    view! {
        <div class="hints" data-testid="tokenizer-notes">{dynamic(notes)}</div>
    }
}
