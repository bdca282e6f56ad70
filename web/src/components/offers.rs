//! Prompts of unequal length come with changes that make them equal, each a click.

use leptos::prelude::*;
use twinbeam_core::prompts::Mend;
use twinbeam_core::words::Field;

use super::focus;
use crate::explain;
use crate::reactive::{dynamic, memo};
use crate::state::AppState;

/// What would make the prompts equally long, as buttons that do it. While somebody types nothing is offered: half a word
/// is often a token more.
#[component]
pub(crate) fn Offers(state: AppState) -> impl IntoView {
    let mends = memo(move || {
        let is_known = state.paused.get() && state.inspected.get();
        if is_known { state.inspection.with(|seen| seen.mends.clone()) } else { Vec::new() }
    });
    let chips = move || mends.get().into_iter().map(|mend| chip(state, mend)).collect_view();
    view! { <div class="offers" role="group" aria-label="What makes the prompts equally long">{dynamic(chips)}</div> }
}

fn chip(state: AppState, mend: Mend) -> impl IntoView {
    let label = explain::mend(&mend);
    let apply = move |_event| {
        // What has been typed since is not replaced by what was looked at.
        if state.inspected.get_untracked() {
            state.edit(true, |draft| mend.apply(draft));
            focus(if mend.field == Field::Clean { "#prompt-clean" } else { "#prompt-corrupted" });
        }
    };
    view! { <button type="button" class="chip offer" data-testid="mend" on:click=apply>{label}</button> }
}
