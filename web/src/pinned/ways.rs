//! From what is pinned into the lab: why its methods differ, where it acts, and what happens without it.

use leptos::prelude::*;
use twinbeam_core::link::{Panel, SetChoice};
use twinbeam_core::words::Component;

use crate::components::focus;
use crate::reactive::{dynamic, live};
use crate::state::AppState;

/// The links, and whether it is selected.
#[component]
pub(super) fn Ways(state: AppState, of: Component) -> impl IntoView {
    let lab = state.lab;
    let is_selected = move || lab.selected.with(|selected| selected.contains(&of));
    let select = move |_event| {
        lab.selected.update(|selected| {
            if !selected.remove(&of) {
                selected.insert(of);
            }
        });
    };
    let test = move |_event| {
        lab.selected.update(|selected| {
            selected.clear();
            selected.insert(of);
        });
        lab.kind.set(of.kind);
        lab.set.set(SetChoice::Selected);
        state.ask_for_figure(lab.ablated);
        open(state, Panel::Ablate, "panel-ablate");
    };
    view! {
        <div class="pinned-ways">
            <button type="button" data-testid="pinned-why" on:click=move |_event| open(state, Panel::Why, "panel-why")>
                "Why do the methods differ here?"
            </button>
            <button
                type="button"
                data-testid="pinned-tokens"
                on:click=move |_event| open(state, Panel::Positions, "panel-positions")
            >
                "Token by token"
            </button>
            <button type="button" data-testid="pinned-test" on:click=test>
                {format!("Test it: replace {of}")}
            </button>
            <button
                type="button"
                data-testid="pinned-select"
                aria-pressed=live(move || is_selected().to_string())
                on:click=select
            >
                {dynamic(move || if is_selected() { "Take it out of the set" } else { "Add it to the set" })}
            </button>
        </div>
    }
}

/// Opens a chapter of the lab and leads there.
fn open(state: AppState, panel: Panel, testid: &'static str) {
    state.step(|sight| sight.chapter = panel);
    // Once it is there.
    request_animation_frame(move || {
        let place = format!("[data-testid={testid}]");
        if let Ok(Some(part)) = document().query_selector(&place) {
            part.scroll_into_view();
        }
        focus(&format!("[data-testid=chapter-{}]", panel.id()));
    });
}
