//! Three steps through the figure on the screen, with its own numbers.

use leptos::prelude::*;
use twinbeam_core::scores::{ScoreTable, SideSummary};
use twinbeam_core::words::{Component, ComponentKind};

use crate::explain;
use crate::heatmap::scale::signed;
use crate::heatmap::{MapKind, Shown};
use crate::ports::{recall, remember};
use crate::reactive::{dynamic, live, memo};
use crate::session::Memory;
use crate::state::AppState;

const KIND: ComponentKind = ComponentKind::Heads;
/// Where the browser remembers that the visitor has closed it.
const KEY: &str = "twinbeam-reading";
const CLOSED: &str = "closed";

/// Whether the visitor has not closed it before; a browser that remembers nothing shows it again.
fn was_open() -> bool {
    recall(Memory::Lasting, KEY).as_deref() != Some(CLOSED)
}

/// Whether it is open, as it was left.
pub(crate) fn is_open() -> RwSignal<bool> {
    RwSignal::new(was_open())
}

/// Opens or closes it, which the browser remembers.
fn turn(open: RwSignal<bool>) {
    open.update(|open| *open = !*open);
    remember(Memory::Lasting, KEY, if open.get_untracked() { "open" } else { CLOSED });
}

/// Opens and closes it.
#[component]
pub(crate) fn ReadingSwitch(open: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            type="button"
            class="link"
            data-testid="reading-switch"
            aria-expanded=live(move || open.get().to_string())
            on:click=move |_event| turn(open)
        >
            "How to read this"
        </button>
    }
}

/// Three steps through the figure that is on the screen, with its own numbers.
#[component]
pub(crate) fn Reading(state: AppState, open: RwSignal<bool>) -> impl IntoView {
    // With the numbers of the maps above, in their unit.
    let shown = memo(move || Shown::of(state, KIND));
    let largest = move |map: MapKind| {
        shown.with(|shown| {
            let component = *shown.table(map).map(|t: &ScoreTable| t.strongest(1))?.first()?;
            Some((component, shown.words(component)))
        })
    };
    let values = move || {
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let metric = committed.experiment.metric;
            let value = |side: &SideSummary| signed(side.metrics.get(metric), 2);
            let (clean, corrupted) = (value(&committed.sides.0), value(&committed.sides.1));
            let unit = metric.unit();
            Some(format!(
                "Here: {clean} {unit} in the clean run, {corrupted} in the corrupted one. "
            ))
        })
    };
    let strongest =
        move || largest(MapKind::Ap).map(|found| pointer(state, "The largest by AP: ", found));
    let apart =
        move || largest(MapKind::Diff).map(|found| pointer(state, "They differ most at ", found));
    let third = move || {
        let is_there = shown.with(|shown| shown.look().unit.comparable());
        if is_there {
            "The third map shows it. "
        } else {
            "Another unit has a third map, which shows it. "
        }
    };
    view! {
        <section
            class="reading"
            aria-labelledby="reading"
            data-testid="reading"
            hidden=live(move || !open.get())
        >
            <header>
                <h2 id="reading">"How to read this"</h2>
                <button
                    type="button"
                    class="dismiss"
                    aria-label="Close"
                    on:click=move |_event| turn(open)
                >
                    "×"
                </button>
            </header>
            <ol>
                <li>
                    <strong>"The question. "</strong>
                    "The clean prompt shows a behaviour, the corrupted one does not. The metric says by how much. "
                    {dynamic(values)} "Their difference is what the heads are asked to explain."
                </li>
                <li>
                    <strong>"The two answers. "</strong>
                    "Activation patching (AP) puts one head’s output from the other run in and measures what changes: exact, one "
                    "head at a time. Integrated gradients (IG) moves all heads of a layer together, in small steps, and shares "
                    "the effect out among them. " {dynamic(move || explain::sign(shown.with(Shown::look)))} " " {dynamic(strongest)}
                </li>
                <li>
                    <strong>"Where they differ. "</strong>
                    {explain::why_apart(KIND)} " " {dynamic(third)} {dynamic(apart)}
                    " The convergence delta beside the first map is what IG’s row fails to add up to: near zero, the row can be "
                    "trusted."
                </li>
            </ol>
        </section>
    }
}

/// Names a head and leads to it.
fn pointer(
    state: AppState,
    before: &'static str,
    (component, words): (Component, String),
) -> impl IntoView {
    view! {
        {before}
        <button type="button" class="link" on:click=move |_event| state.go_to(component)>
            {words}
        </button>
        "."
    }
}
