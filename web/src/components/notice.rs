//! Notices: what happened, and what keeps a draft from being run.

use js_sys::{Function, Object, Reflect};
use leptos::prelude::*;

use twinbeam_core::wire::devices::DeviceChoice;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{HtmlDivElement, HtmlElement};

use super::focus;
use crate::explain;
use crate::models;
use crate::reactive::{dynamic, effect};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::{Notice, WayOn};

/// What a visitor should know now: what happened, and what keeps the draft from being run.
#[component]
pub(crate) fn Notices(state: AppState) -> impl IntoView {
    let happened = move || {
        state.notice.get().map(|notice| {
            view! {
                <div class="notice">
                    {words(state, notice)}
                    {dismiss(state, Visitor::Dismiss)}
                </div>
            }
        })
    };
    let hinders = move || {
        let problem = state.inspection.with(|inspection| inspection.problem.clone());
        problem.map(|error| {
            let notice = explain::prompt(&error);
            view! { <div class="notice" data-testid="problem">{words(state, notice)}</div> }
        })
    };
    let silent = move || {
        state.silent_seconds.get().map(|seconds| {
            view! { <div class="notice">{words(state, explain::silent(seconds))}</div> }
        })
    };
    let newer = move || {
        state.newer.get().and_then(explain::newer).map(|notice| {
            view! {
                <div class="notice" data-testid="newer">
                    {words(state, notice)} {dismiss(state, Visitor::Later)}
                </div>
            }
        })
    };
    let place = NodeRef::new();
    effect(move || {
        if state.notice.with(Option::is_some) {
            // On a small screen it would be below what is seen.
            request_animation_frame(move || {
                if let Some(place) = place.get_untracked() {
                    bring_into_view(&place);
                }
            });
        }
    });
    view! {
        <div class="notices" data-testid="notice" role="status" node_ref=place>
            {dynamic(happened)} {dynamic(silent)} {dynamic(hinders)} {dynamic(newer)}
        </div>
    }
}

fn dismiss(state: AppState, by: Visitor) -> impl IntoView {
    view! {
        <button
            type="button"
            class="dismiss"
            aria-label="Dismiss"
            on:click=move |_event| state.tell(by.clone())
        >
            "×"
        </button>
    }
}

/// Scrolls as little as it takes.
fn bring_into_view(element: &HtmlDivElement) {
    let name = JsValue::from_str("scrollIntoView");
    let scroll = Reflect::get(element, &name).ok().and_then(|scroll| scroll.dyn_into().ok());
    let options = Object::new();
    Reflect::set(&options, &JsValue::from_str("block"), &JsValue::from_str("nearest")).ok();
    let scroll: Option<Function> = scroll;
    if let Some(scroll) = scroll {
        scroll.call1(element, &options).ok();
    }
}

fn words(state: AppState, notice: Notice) -> impl IntoView {
    let buttons = notice.ways_on.into_iter().map(|way_on| button(state, way_on)).collect_view();
    view! {
        <p>
            <strong>{notice.title} ". "</strong>
            {notice.what_to_do}
            " "
            {buttons}
        </p>
    }
}

fn button(state: AppState, way_on: WayOn) -> impl IntoView {
    let (label, id) = match &way_on {
        WayOn::RunAgain | WayOn::LoadAgain => ("Try again", "try-again"),
        WayOn::UseCpu => ("Use the CPU", "use-cpu"),
        WayOn::Reload => ("Reload", "reload"),
        WayOn::LoadNewer => ("Load it", "load-newer"),
        WayOn::UseAllTheSame => ("Use it all the same", "use-all-the-same"),
        WayOn::UseLocalFiles => ("Use local files", "use-local-files"),
        WayOn::UseBundled => ("Use the bundled model", "use-bundled"),
        WayOn::TypeIds => ("Type token ids", "type-ids"),
        WayOn::DropDraft => ("Drop them", "drop-draft"),
        WayOn::Fetch { label, .. } => (label.as_str(), "load-offered"),
    };
    let label = label.to_owned();
    let go = move |_event| match &way_on {
        WayOn::RunAgain => state.tell(Visitor::RunAgain),
        WayOn::LoadAgain => state.tell(Visitor::LoadAgain { any_digest: false }),
        WayOn::UseAllTheSame => state.tell(Visitor::LoadAgain { any_digest: true }),
        WayOn::UseCpu => state.tell(Visitor::ChooseDevice(DeviceChoice::Cpu, None)),
        WayOn::UseLocalFiles => choose_files(),
        WayOn::UseBundled => state.tell(Visitor::UseBundled),
        WayOn::TypeIds => state.tell(Visitor::StartWithIds),
        WayOn::DropDraft => {
            state.tell(Visitor::LetEditsGo);
            focus("#prompt-clean");
        }
        WayOn::Fetch { id, .. } => models::fetch(state, id),
        WayOn::LoadNewer => state.tell(Visitor::LoadNewer),
        WayOn::Reload => {
            window().location().reload().ok();
        }
    };
    view! {
        <button type="button" class="way-on" data-testid=id on:click=go>
            {label}
        </button>
    }
}

/// Opens the browser's dialog for files.
fn choose_files() {
    if let Ok(Some(input)) = document().query_selector("[data-testid=local-files]") {
        input.unchecked_into::<HtmlElement>().click();
    }
}
