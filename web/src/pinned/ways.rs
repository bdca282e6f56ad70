//! From what is pinned into the lab: why its methods differ, where it acts, and what happens without it.

use leptos::prelude::*;
use twinbeam_core::link::{Panel, SetChoice};
use twinbeam_core::words::Component;

use crate::lab::go_to_chapter;
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
        go_to_chapter(state, Panel::Ablate);
    };
    view! {
        <div class="pinned-ways">
            <button type="button" data-testid="pinned-why" on:click=move |_event| go_to_chapter(state, Panel::Why)>
                "Why do the methods differ here?"
            </button>
            <button
                type="button"
                data-testid="pinned-tokens"
                on:click=move |_event| go_to_chapter(state, Panel::Positions)
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
