//! The lab: how far the two methods agree, why they differ where they do, and whether that matters. It reads from
//! top to bottom as an argument, and asks the worker only for what is open.
//!
//! `state.rs` has its signals. Each panel works out from the score tables, or from an answer of the worker,
//! what there is to draw and to say, and leaves the drawing to `crate::plot`.

mod ablate;
mod agreement;
mod batch;
mod directions;
mod gates;
mod parts;
mod positions;
mod sets;
mod state;
mod why;

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use twinbeam_core::link::Panel;

use self::ablate::Ablate;
use self::agreement::Agreement;
use self::batch::ManyPrompts;
use self::directions::Directions;
pub(crate) use self::parts::common_unit;
use self::positions::Positions;
pub(crate) use self::sets::{Found, found_in};
pub(crate) use self::state::{Answer, Before, Lab, Slot};
use self::why::Why;
use crate::components::status::in_progress;
use crate::reactive::{dynamic, effect, live, memo};
use crate::state::AppState;
use crate::{bridge, url_state};

/// Pause after which a change of what is shown is put into the address.
const WRITE_MILLIS: u32 = 300;

/// All panels, in the order of the argument.
#[component]
pub(crate) fn LabPanels(state: AppState) -> impl IntoView {
    effect(move || bridge::lab::go_on(state));
    keep_view_in_address(state);
    // Each for itself: as one type they would take more of the program.
    let panels = [
        view! { <Agreement state /> }.into_any(),
        view! { <Why state /> }.into_any(),
        view! { <Directions state /> }.into_any(),
        view! { <Positions state /> }.into_any(),
        view! { <Ablate state /> }.into_any(),
        view! { <ManyPrompts state /> }.into_any(),
    ];
    view! {
        <section class="lab" aria-label="Where the methods differ, and why">
            <p class="hint">
                "Below: how far the two methods agree, why they do not, and whether it matters. In every plot, arrow keys step from                  point to point, click or Enter pins; in a scatter, dragging or b selects, with Shift more."
            </p>
            {dynamic(move || {
                (state.is_stale() == Some(true)).then_some(
                    "The inputs have changed: all that follows is of the figure before, until you run again.",
                )
            })}
            {panels}
        </section>
    }
}

/// The address follows what is on the screen, with the result that is in it already.
fn keep_view_in_address(state: AppState) {
    let waiting = StoredValue::new_local(None::<Timeout>);
    Effect::new(move |before: Option<()>| {
        let view = state.view();
        // The first time it is what the address has said.
        if before.is_none() {
            return;
        }
        let write = move || {
            if untrack(|| state.is_stale()) == Some(false) {
                let asked = untrack(|| state.asked());
                url_state::write(&asked, None, &view, false);
            }
        };
        // Dropping the one before stops it.
        waiting.set_value(Some(Timeout::new(WRITE_MILLIS, write)));
    });
}

/// The frame of a panel: what it shows in a line, what to look for, and how that is defined.
///
/// Nothing inside is made before it is open.
#[component]
pub(crate) fn PanelFrame(
    state: AppState,
    panel: Panel,
    testid: &'static str,
    title: &'static str,
    /// One sentence: what to look for.
    look_for: &'static str,
    /// How the numbers are defined, with unit and sign.
    definition: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let is_open = memo(move || state.lab.is_open(panel));
    let toggle = move |_event| {
        state.lab.open.update(|open| {
            if open.contains(&panel) {
                open.retain(|other| *other != panel);
            } else {
                open.push(panel);
                open.sort_unstable();
            }
        });
    };
    view! {
        <section class="panel" data-testid=testid aria-labelledby=testid>
            <h2 id=testid>
                <button
                    type="button"
                    class="panel-switch"
                    aria-expanded=live(move || is_open.get().to_string())
                    on:click=toggle
                >
                    {title}
                </button>
            </h2>
            <p class="panel-look">{look_for}</p>
            {dynamic(move || {
                is_open.get().then(|| {
                    view! {
                        {children()}
                        <details class="definition">
                            <summary>"How this is defined"</summary>
                            <p>{definition}</p>
                        </details>
                    }
                })
            })}
        </section>
    }
}

/// What there is to say in place of an answer that is not there: that it is on its way, or why not.
#[component]
pub(crate) fn Pending(state: AppState, of: Slot) -> impl IntoView {
    move || {
        let answer = state.answer(of);
        let words = match &answer {
            Some(answer) => answer.found.as_ref().err().cloned()?,
            None if state.lab.wants(of).with(Option::is_none) => return None,
            None => waits_for(state),
        };
        let failed = answer.is_some();
        Some(view! {
            <p class="pending" role="status">
                {words}
                {failed.then(|| view! {
                    " "
                    <button
                        type="button"
                        class="way-on"
                        on:click=move |_event| bridge::lab::ask_again(state, of)
                    >
                        "Try again"
                    </button>
                })}
            </p>
        })
    }
}

/// Why an answer is not there yet.
fn waits_for(state: AppState) -> String {
    if state.lab.job.get().is_some() {
        let progress = state.lab.progress.get();
        return progress.map_or_else(|| "Computing".to_owned(), in_progress);
    }
    let words = if state.job.get().is_some() {
        "This follows when the figure is complete."
    } else if state.neuron_job.get().is_some() {
        "This follows when the neurons are done."
    } else if state.bench_job.get().is_some() || state.lab.batch_job.get().is_some() {
        "This follows after what is running now."
    } else if state.is_from_link() {
        "The link does not hold this: it is computed as soon as the model is there."
    } else {
        "This is computed as soon as the figure’s own model is in use."
    };
    words.to_owned()
}
