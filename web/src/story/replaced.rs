//! The last step: the heads that were found, replaced together with one click.

use leptos::prelude::*;
use twinbeam_core::wire::probes::{Finding, Probe, Replacement};
use twinbeam_core::words::{Component, Experiment};

use super::methods::waiting;
use super::term::Term;
use super::told::{Heads, Replaced, names};
use crate::explain;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::{Slot, Step, count};

/// The experiment for which the click was made.
pub(super) type Asked = RwSignal<Option<Experiment>>;

/// The heads that either method marks in the figure on the screen.
fn set(state: AppState) -> Option<Vec<Component>> {
    let (direction, unit, highlight) =
        (state.direction(), state.unit.get(), state.lab.highlight.get());
    state.committed.with(|committed| {
        let heads = Heads::of(committed.as_deref()?, direction, unit, highlight)?;
        Some(heads.set()).filter(|set| !set.is_empty())
    })
}

fn is_asked(state: AppState, asked: Asked) -> bool {
    state.committed.with(|committed| {
        let of = committed.as_ref().map(|committed| &committed.experiment);
        of.is_some() && asked.with(|asked| asked.as_ref() == of)
    })
}

/// Asks for it as long as the tour is at this step and it was clicked.
pub(super) fn ask(state: AppState, asked: Asked) {
    let wanted = memo(move || {
        let is_here = state.tour.get() == Some(Step::Test) && is_asked(state, asked);
        is_here.then(|| set(state)).flatten()
    });
    state.ask(Slot::TourSet, move || {
        let sets = vec![wanted.get()?];
        Some(Probe::Ablate { sets, with: Replacement::OtherRun, direction: state.direction() })
    });
}

/// What replacing the heads together does.
#[component]
pub(super) fn Test(state: AppState, asked: Asked) -> impl IntoView {
    let heads = memo(move || set(state));
    let result = memo(move || {
        let answer = state.answer(Slot::TourSet)?;
        let set = heads.get()?;
        let (direction, unit, highlight) =
            (state.direction(), state.unit.get(), state.lab.highlight.get());
        state.committed.with(|committed| {
            let heads = Heads::of(committed.as_deref()?, direction, unit, highlight)?;
            match (&answer.found, &answer.probe) {
                (Ok(Finding::Ablate(found)), Probe::Ablate { sets, .. })
                    if sets.first() == Some(&set) =>
                {
                    heads.replaced(&set, found)
                }
                _ => None,
            }
        })
    });
    let replace = move |_event| {
        asked.set(state.committed.with_untracked(|c| c.as_ref().map(|c| c.experiment.clone())));
    };
    let offer = move || match heads.get() {
        None => waiting(state).into_any(),
        Some(set) => {
            let words = format!("Replace {} together", count(set.len(), "head"));
            view! {
                <p>
                    {format!("Marked by at least one method: {}. ", names(&set))}
                    "If they are what matters, replacing all of them at once must take most of the "
                    <Term id="gap" /> "."
                </p>
                <p>
                    <button
                        type="button"
                        class="primary"
                        data-testid="tour-replace"
                        on:click=replace
                    >
                        {words}
                    </button>
                </p>
            }
            .into_any()
        }
    };
    let pending = move || {
        if !is_asked(state, asked) || result.with(Option::is_some) {
            return None;
        }
        let answer = state.answer(Slot::TourSet);
        Some(match answer.as_ref().map(|answer| &answer.found) {
            Some(Err(why)) => explain::no_answer(why),
            _ => "This is being computed.".to_owned(),
        })
    };
    let share = move || result.with(|r| r.as_ref().and_then(|r| r.share).unwrap_or_default());
    let said = move || {
        let Replaced { share, effect, words, then } = result.get()?;
        let value = share.unwrap_or(effect).to_string();
        Some(view! {
            <p>
                <strong data-testid="tour-replaced" data-value=value>{words}</strong> " " {then}
            </p>
            <p>
                "The chapters below go on from here: why the parts do not add up, and how few heads would do."
            </p>
        })
    };
    view! {
        {dynamic(offer)}
        <p class="tour-gap" aria-hidden="true" class:known=live(move || result.with(Option::is_some))>
            <span style=("--share", move || share().clamp(0.0, 1.0).to_string())></span>
        </p>
        <div role="status" class="tour-then">{dynamic(pending)} {dynamic(said)}</div>
    }
    .into_any()
}
