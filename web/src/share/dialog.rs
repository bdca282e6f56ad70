//! The dialog in which a figure is sent on: what the receiver will see, a note, the link, a frame, and files.

use leptos::html;
use leptos::prelude::*;
use twinbeam_core::link::{LinkError, Note};
use wasm_bindgen::JsValue;

use super::link::{EmbedField, LinkField};
use super::note::{NoteField, Quotation};
use super::sent::Sent;
use crate::explain;
use crate::export::FileButtons;
use crate::ports::address;
use crate::reactive::{dynamic, memo};
use crate::session::Session;
use crate::state::AppState;
use crate::values::{Notice, sentence};

/// Opens the dialog.
#[component]
pub(crate) fn ShareButton(state: AppState) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let is_open = RwSignal::new(false);
    // What is typed there is still there when it is opened again.
    let typed = RwSignal::new(String::new());
    let open = move |_event| {
        is_open.set(true);
        if let Some(dialog) = dialog.get_untracked() {
            dialog.show_modal().ok();
        }
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    // What is behind the dialog is the dialog's own, as far as events go.
    let beside = move |event: leptos::ev::MouseEvent| {
        let dialog = dialog.get_untracked().map(JsValue::from);
        if event.target().map(JsValue::from) == dialog {
            close();
        }
    };
    view! {
        <button type="button" data-testid="share-open" aria-haspopup="dialog" on:click=open>
            "Share"
        </button>
        <dialog
            node_ref=dialog
            class="share"
            data-testid="share-dialog"
            aria-labelledby="share-title"
            on:close=move |_event| is_open.set(false)
            on:click=beside
        >
            <div class="share-inside">
                <div class="share-head">
                    <h2 id="share-title">"Share this figure"</h2>
                    <button type="button" data-testid="share-close" on:click=move |_event| close()>
                        "Close"
                    </button>
                </div>
                // Made when it is seen: until then nothing of it is worked out.
                {dynamic(move || is_open.get().then(|| view! { <Ways state typed /> }))}
            </div>
        </dialog>
    }
}

/// All ways to send a figure on.
#[component]
fn Ways(state: AppState, typed: RwSignal<String>) -> impl IntoView {
    let made: Memo<Result<String, LinkError>> =
        memo(move || state.address(typed.with(|typed| Note::new(typed))));
    let link = memo(move || made.get().unwrap_or_else(|_too_long| address::page()));
    let bare = memo(move || state.address(Note::default()).unwrap_or_else(|_| address::page()));
    let sent = memo(move || made.with(|made| Sent::of(made.as_ref().ok()?)));
    let trouble = RwSignal::new(None::<Notice>);
    let lacks = memo(move || {
        state.view.track();
        let too_long = made.with(|made| made.as_ref().err().map(explain::no_link));
        let no_pairs = || state.read(Session::leaves_pairs_behind).then(explain::no_pairs_in_link);
        trouble.get().or(too_long).or_else(no_pairs)
    });
    view! {
        <div class="share-ways">
            <div class="share-seen">
                {dynamic(move || sent.get().map(|sent| view! { <Seen state sent /> }))}
                <NoteField typed />
            </div>
            <div class="share-how">
                {dynamic(move || {
                    lacks.get().map(|Notice { title, what_to_do, .. }| {
                        view! {
                            <p class="notice" role="alert" data-testid="share-trouble">
                                <strong>{title} ". "</strong>
                                {sentence(&what_to_do)}
                            </p>
                        }
                    })
                })}
                <LinkField link />
                <EmbedField link=bare />
                <div class="field" role="group" aria-labelledby="share-files">
                    <h3 id="share-files">"Files of the figure on the screen"</h3>
                    <div class="share-row take-away">
                        <FileButtons state trouble />
                    </div>
                </div>
            </div>
        </div>
    }
}

/// What the receiver sees at once.
#[component]
fn Seen(state: AppState, sent: Sent) -> impl IntoView {
    let asked = sent.asked(state.models.find(&sent.experiment.model));
    let Sent { experiment, maps, note, .. } = sent;
    let maps = match maps {
        Some(maps) => {
            let image = String::from(js_sys::encode_uri_component(&maps.svg));
            let image = format!("data:image/svg+xml,{image}");
            let (width, height) = (maps.width.to_string(), maps.height.to_string());
            view! {
                <img
                    src=image
                    width=width
                    height=height
                    alt="The head maps by both methods, as the link carries them"
                />
                <p class="hint">
                    "This is there at once; then the receiver’s own device computes it and says whether the two agree."
                </p>
            }
            .into_any()
        }
        None => view! {
            <p class="hint" data-testid="share-no-figure">
                "There is no figure of these inputs yet, so the link carries none: the receiver’s device computes it first."
            </p>
        }
        .into_any(),
    };
    let note = (!note.is_empty()).then(|| view! { <Quotation note /> });
    view! {
        <section class="share-preview" aria-labelledby="share-preview" data-testid="share-preview">
            <h3 id="share-preview">"What the receiver will see"</h3>
            <dl class="share-prompts">
                <dt>"Clean"</dt>
                <dd>{experiment.clean}</dd>
                <dt>"Corrupted"</dt>
                <dd>{experiment.corrupted}</dd>
            </dl>
            <p class="hint">{asked}</p>
            {maps}
            {note}
        </section>
    }
}
