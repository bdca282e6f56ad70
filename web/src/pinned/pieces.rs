//! What the parts of the panel have in common that ask the worker: mostly text, since each view costs the download more.

use leptos::prelude::*;
use twinbeam_core::words::ComponentKind;

use crate::lab::{Pending, unchecked};
use crate::plot::escape;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::story::Term;
use crate::values::{Committed, Slot};

/// Width of a drawing of the panel, in pixels.
pub(super) const WIDTH: f64 = 360.0;

/// How many patches something costs, or as many as it costs.
pub(super) type Cost = fn(&Committed) -> usize;

/// A part of the panel: its words as HTML, and what is said as long as an answer is on its way. `title`: its term in the
/// glossary, if it has one, and its name.
pub(super) fn section(
    testid: &'static str,
    [term, title]: [&'static str; 2],
    html: impl Fn() -> Option<String> + Send + 'static,
    waits: Option<AnyView>,
) -> AnyView {
    view! {
        <div class="pinned-part" data-testid=testid>
            <h4><Term id=term says=title /></h4>
            <div inner_html=live(html)></div>
            {waits}
        </div>
    }
    .into_any()
}

/// A sentence. `class`: `hint` for what explains.
pub(super) fn paragraph(class: &str, testid: &str, words: &str) -> String {
    format!("<p class=\"{class}\" data-testid=\"{testid}\">{}</p>", escape(words))
}

/// A table that scrolls where it has no room.
pub(super) fn table(label: &str, html: &str) -> String {
    format!(
        "<div class=\"tokens-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">{html}</div>"
    )
}

/// What is said while an answer is on its way, and the way to one that takes long.
pub(super) fn waits(state: AppState, slot: Slot, offer: Option<(Cost, &'static str)>) -> AnyView {
    let is_offered = memo(move || {
        let has_figure = |c: &Committed| c.is_complete(ComponentKind::Heads);
        state.committed.with(|committed| committed.as_deref().is_some_and(has_figure))
            && offer.is_some_and(|(cost, _)| !is_asked(state, cost))
    });
    let begin = move || {
        let (_, what) = offer.filter(|_| is_offered.get())?;
        Some(view! {
            <p>
                <button
                    type="button"
                    data-testid="parts-run"
                    on:click=move |_event| state.ask_for_figure(state.lab.parted)
                >
                    {["Compute ", what].concat()}
                </button>
                " On a model of this size that takes a while."
            </p>
        })
    };
    view! {
        <div class="pinned-waits">
            <Pending state of=slot />
            {dynamic(move || unchecked(state, slot))}
            {dynamic(begin)}
        </div>
    }
    .into_any()
}

/// Whether what costs so much is asked without a word of the visitor's, or has been asked for.
pub(super) fn is_asked(state: AppState, cost: Cost) -> bool {
    let is_quick = |c: &Committed| c.model.shape.is_quick(cost(c));
    state.committed.with(|committed| committed.as_deref().is_some_and(is_quick))
        || state.is_figures(state.lab.parted)
}
