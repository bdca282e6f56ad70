//! The link itself, to be copied, and the line of HTML that shows its figure in another page.

use gloo::timers::callback::Timeout;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::export::frame;
use crate::ports::copy;
use crate::reactive::{dynamic, live, memo};

/// How long a button says that something was copied.
const COPIED_MILLIS: u32 = 2500;

/// The link in a field, and a button that copies it.
#[component]
pub(super) fn LinkField(link: Memo<String>) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let by_hand = RwSignal::new(false);
    let refused = move || {
        by_hand.try_set(true);
        if let Some(field) = field.get_untracked() {
            field.select();
        }
    };
    let words = move || {
        if by_hand.get() {
            "The browser lets no page copy here. The link is selected: copy it by hand.".to_owned()
        } else {
            let length = link.with(|link| link.chars().count());
            format!("{length} characters, with prompts, options and the result in them.")
        }
    };
    view! {
        <div class="field link-field">
            <label for="share-link">"Link"</label>
            <div class="share-row">
                <input
                    id="share-link"
                    class="share-link"
                    type="text"
                    readonly
                    node_ref=field
                    aria-describedby="share-link-hint"
                    prop:value=live(move || link.get())
                    on:focus=move |_event| {
                        if let Some(field) = field.get_untracked() {
                            field.select();
                        }
                    }
                />
                <CopyButton
                    testid="share"
                    class="primary"
                    label="Copy link"
                    copied="Link copied"
                    text=link
                    refused
                />
                <a class="button" data-testid="permalink" href=link target="_blank" rel="noopener">
                    "Try it"
                </a>
            </div>
            <p class="hint" id="share-link-hint" data-testid="share-length" role="status">{dynamic(words)}</p>
        </div>
    }
}

/// The line of HTML, once it is wanted.
#[component]
pub(super) fn EmbedField(link: Memo<String>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let line = memo(move || frame(&link.get()));
    let field = NodeRef::<html::Textarea>::new();
    let refused = move || {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
    };
    let opened = move || {
        is_open.get().then(|| {
            view! {
                <textarea
                    class="embed-line"
                    data-testid="embed-line"
                    aria-label="HTML that shows this figure in another page, to be copied"
                    rows="4"
                    readonly
                    node_ref=field
                    prop:value=line
                ></textarea>
                <p class="hint">
                    "The frame shows the figure without your note, and computes nothing. It tells the page around it how "
                    "high it is; docs/SHARING.md in the sources has the few lines that listen. Without them it is 1000 "
                    "pixels high, and scrolls."
                </p>
                <CopyButton
                    testid="embed-copy"
                    class=""
                    label="Copy HTML"
                    copied="HTML copied"
                    text=line
                    refused
                />
            }
        })
    };
    view! {
        <div class="field embed-field">
            <button
                type="button"
                data-testid="embed"
                title="A line of HTML that shows this figure in another page"
                aria-expanded=live(move || is_open.get().to_string())
                on:click=move |_event| is_open.update(|open| *open = !*open)
            >
                "Embed it in a page"
            </button>
            {dynamic(opened)}
        </div>
    }
}

/// A button that copies a text, and says so for a while. `refused`: the clipboard does not take it.
#[component]
fn CopyButton(
    testid: &'static str,
    class: &'static str,
    label: &'static str,
    copied: &'static str,
    text: Memo<String>,
    refused: impl Fn() + Copy + 'static,
) -> impl IntoView {
    let is_copied = RwSignal::new(false);
    let take = move |_event| {
        let text = text.get_untracked();
        spawn_local(async move {
            if copy(&text).await {
                // The dialog may be closed by now.
                is_copied.try_set(true);
                Timeout::new(COPIED_MILLIS, move || {
                    is_copied.try_set(false);
                })
                .forget();
            } else {
                refused();
            }
        });
    };
    let words = move || if is_copied.get() { copied } else { label };
    view! {
        <button type="button" class=class data-testid=testid aria-live="polite" on:click=take>
            {dynamic(words)}
        </button>
    }
}
