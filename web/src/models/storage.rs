//! The visitor's own files, and what the browser keeps of models.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;

use super::gather;
use super::menu::refresh;
use crate::explain;
use crate::ports::delete;
use crate::reactive::{dynamic, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::{Shelf, Shelves, bytes};

/// The visitor's own files, and what the browser keeps.
#[component]
pub(crate) fn FilesAndStorage(state: AppState) -> impl IntoView {
    let summary = move || {
        let kept = state.models.shelves.with(Shelves::bytes);
        if kept > 0 {
            format!("Own files and storage ({} kept)", bytes(kept))
        } else {
            "Own files and storage".to_owned()
        }
    };
    let look = move |_event| spawn_local(refresh(state));
    view! {
        <details class="own-files" data-testid="own-files" on:toggle=look>
            <summary>{dynamic(summary)}</summary>
            <LocalFiles state />
            <Storage state />
        </details>
    }
    .into_any()
}

#[component]
fn LocalFiles(state: AppState) -> impl IntoView {
    let take = move |event| {
        let input = event_target::<HtmlInputElement>(&event);
        gather::load(state, gather::of_input(&input));
    };
    // So that the same choice made again is heard; until then the browser shows what was chosen.
    let forget =
        |event: leptos::ev::MouseEvent| event_target::<HtmlInputElement>(&event).set_value("");
    let folder = NodeRef::new();
    // Leptos has no name for this attribute.
    folder.on_load(|input: HtmlInputElement| {
        input.set_attribute("webkitdirectory", "").ok();
    });
    view! {
        <div class="own">
            <label class="file">
                "A GPT-2’s files "
                <input type="file" multiple data-testid="local-files" on:click=forget on:change=take />
            </label>
            <label class="file">
                "or its folder "
                <input type="file" data-testid="local-folder" node_ref=folder on:click=forget on:change=take />
            </label>
            <p class="hint">
                "In Hugging Face’s layout; they can be dropped on the page as well, and do not leave this device."
            </p>
        </div>
    }
    .into_any()
}

/// The models that the browser keeps, with a way to delete each.
#[component]
fn Storage(state: AppState) -> impl IntoView {
    // A shelf whose deletion has been asked for once.
    let asked = RwSignal::new(None::<String>);
    let list = move || {
        match state.models.shelves.get() {
        Shelves::Unread => view! { <p class="hint">"Looking…"</p> }.into_any(),
        Shelves::Absent => view! {
            <p class="hint">
                "This browser keeps no files for this page, as in a private window: models are fetched at every visit."
            </p>
        }
        .into_any(),
        Shelves::Read(shelves) if shelves.is_empty() => {
            view! { <p class="hint">"Nothing is kept in this browser."</p> }.into_any()
        }
        Shelves::Read(shelves) => {
            let lines = shelves.into_iter().map(|shelf| line(state, asked, shelf)).collect_view();
            view! { <ul class="shelves">{lines}</ul> }.into_any()
        }
    }
    };
    let room = move || {
        state.models.space.get().map(|space| {
            format!("Used by this page: {} of {}.", bytes(space.used), bytes(space.quota))
        })
    };
    view! {
        <div class="storage" data-testid="storage">
            {dynamic(list)}
            <p class="hint">{dynamic(room)}</p>
        </div>
    }
    .into_any()
}

fn line(state: AppState, asked: RwSignal<Option<String>>, shelf: Shelf) -> impl IntoView {
    let Shelf { name, bytes: size, complete } = shelf;
    let title = state.models.listed.with(|listed| {
        let models = listed.as_ref().map(|listed| listed.catalog.models.as_slice());
        let of_it = models.unwrap_or_default().iter().find(|model| model.shelf() == name);
        of_it.map_or_else(|| name.clone(), |model| model.title.clone())
    });
    let stand = match &complete {
        None => "in part (resumes)",
        Some(complete) => match complete.as_expected {
            Some(true) => "complete, verified",
            Some(false) => "complete, not the expected weights",
            None => "complete, no digest to verify it by",
        },
    };
    let date = complete.map(|complete| format!(", {}", date(complete.millis))).unwrap_or_default();
    let words = format!("{}, {stand}{date}", bytes(size));
    let (this, in_list, on_button) = (name.clone(), name.clone(), name.clone());
    let is_asked = memo(move || asked.with(|asked| asked.as_ref() == Some(&this)));
    let click = move |_event| {
        if !is_asked.get_untracked() {
            asked.set(Some(name.clone()));
            return;
        }
        asked.set(None);
        let name = name.clone();
        spawn_local(async move {
            match delete(&name).await {
                Ok(()) => state.tell(Visitor::Deleted { shelf: name }),
                Err(error) => {
                    state.say(explain::not_deleted(&name, &message(&error)));
                }
            }
            refresh(state).await;
        });
    };
    view! {
        <li data-shelf=in_list>
            <strong>{title}</strong>
            " "
            <span>{words}</span>
            " "
            <button
                type="button"
                class="way-on"
                data-testid="storage-delete"
                data-shelf=on_button
                on:click=click
            >
                {dynamic(move || if is_asked.get() { "Delete it: sure?" } else { "Delete" })}
            </button>
        </li>
    }
}

/// A day as the visitor writes it.
fn date(millis: u64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(millis as f64));
    String::from(date.to_locale_date_string("default", &JsValue::UNDEFINED))
}

fn message(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    message.and_then(|message| message.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
