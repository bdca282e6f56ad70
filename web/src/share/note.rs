//! A sender's own words, as they are written and as they arrive: always as a quotation, never as the page's own.

use leptos::prelude::*;
use twinbeam_core::link::Note;

use crate::reactive::{dynamic, live};
use crate::state::AppState;

/// The words of whoever has sent the link, until they are closed.
#[component]
pub(crate) fn SenderNote(state: AppState) -> impl IntoView {
    dynamic(move || {
        state.note.get().map(|note| {
            view! {
                <aside class="sender-note" data-testid="sender-note" aria-label="Note of the link’s sender">
                    <Quotation note />
                    <button
                        type="button"
                        data-testid="close-note"
                        title="The note leaves this page and its address"
                        on:click=move |_event| state.close_note()
                    >
                        "Close the note"
                    </button>
                </aside>
            }
        })
    })
}

/// A note as a quotation that says whose words it has.
#[component]
pub(super) fn Quotation(note: Note) -> impl IntoView {
    // As text, which makes no links; apart from what is around it, whichever way its letters run.
    view! {
        <figure class="quotation">
            <figcaption>"The sender of this link writes:"</figcaption>
            <blockquote dir="auto">{note.text().to_owned()}</blockquote>
            <p class="hint">"These are the sender’s words, not Twinbeam’s."</p>
        </figure>
    }
}

/// Where a note is written.
#[component]
pub(super) fn NoteField(typed: RwSignal<String>) -> impl IntoView {
    let used = move || {
        let used = typed.with(|typed| Note::new(typed).text().chars().count());
        format!("{used} of {} characters", Note::MAX_CHARS)
    };
    view! {
        <div class="field note-field">
            <label for="share-note">"A note of your own"</label>
            <textarea
                id="share-note"
                data-testid="share-note"
                rows="3"
                maxlength=Note::MAX_CHARS.to_string()
                aria-describedby="share-note-hint"
                prop:value=live(move || typed.get())
                on:input=move |event| typed.set(event_target_value(&event))
            ></textarea>
            <p class="hint" id="share-note-hint">
                "Plain text that travels in the link. " {dynamic(used)} "."
            </p>
        </div>
    }
}
