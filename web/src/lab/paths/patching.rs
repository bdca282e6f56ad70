//! Exact effects of the edges, round by round: the strongest by EAP-IG first, and as far as a visitor wants.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::wire::probes::Probe;

use super::ranked::Ranked;
use super::seen::Lists;
use super::words;
use crate::lab::Pending;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::{Edges, Slot, duration};

/// How far patching is, and the ways to have more or less of it.
#[component]
pub(super) fn Patching(state: AppState, ranked: Memo<Option<Arc<Ranked>>>) -> impl IntoView {
    let is_paused = RwSignal::new(false);
    let all = memo(move || state.is_figures(state.lab.patched));
    let next = memo(move || -> Lists {
        let edges = state.lab.edges(state.direction()).filter(|_| ranked.with(Option::is_some));
        let next = edges.map(|edges| edges.next(all.get())).unwrap_or_default();
        if next.is_empty() { Vec::new() } else { vec![next] }
    });
    state.ask(Slot::PatchEdges, move || {
        let (edges, direction) = (next.get().pop()?, state.direction());
        (!is_paused.get()).then_some(Probe::PatchEdges { edges, direction })
    });
    let says = move || ranked.with(|ranked| ranked.as_ref().map(|r| words::coverage(&r.coverage)));
    let is_whole = memo(move || ranked.with(|ranked| ranked.as_ref().is_none_or(|r| r.is_whole())));
    let count = move |of: fn(&Ranked) -> usize| {
        live(move || ranked.with(|ranked| ranked.as_ref().map(|r| of(r).to_string())))
    };
    let label = move || {
        if next.with(Vec::is_empty) {
            let edges = state.lab.edges(state.direction());
            let left = edges.as_deref().and_then(Edges::seconds_left);
            let about = left.map_or_else(String::new, |left| format!(", about {}", duration(left)));
            return format!("Patch all{about}");
        }
        if is_paused.get() { "Go on patching" } else { "Pause" }.to_owned()
    };
    let press = move |_event| {
        if next.with_untracked(Vec::is_empty) {
            is_paused.set(false);
            state.ask_for_figure(state.lab.patched);
        } else {
            is_paused.update(|is_paused| *is_paused = !*is_paused);
        }
    };
    view! {
        <div class="panel-tools" hidden=live(move || ranked.with(Option::is_none))>
            <p
                class="hint"
                data-testid="paths-coverage"
                data-exact=count(|ranked| ranked.coverage.exact)
                data-total=count(|ranked| ranked.coverage.total)
            >
                {dynamic(says)}
                " "
                {dynamic(move || {
                    let edges = state.lab.edges(state.direction())?;
                    edges.unchecked.then_some("The GPU computed some of this, and nothing has checked it.")
                })}
            </p>
            <button type="button" data-testid="paths-patch" hidden=live(move || is_whole.get()) on:click=press>
                {dynamic(label)}
            </button>
            <Pending state of=Slot::PatchEdges />
        </div>
    }
    .into_any()
}
