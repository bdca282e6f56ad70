//! What the parts of the chapter Paths look at together, and what they ask of events and answers.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::circuits::Ends;
use twinbeam_core::link::Spot;
use twinbeam_core::wire::probes::{Finding, Probe};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event};

use super::ranked::Ranked;
use crate::state::AppState;
use crate::values::Slot;

/// Lists of edges by their numbers. All memos of edges are of this type: each type more would take its part of the
/// program.
pub(super) type Lists = Vec<Vec<u32>>;

/// What several parts of the chapter look at.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) ranked: Memo<Option<Arc<Ranked>>>,
    /// Name of what the pointer is at; empty: nothing.
    pub(super) pointed: RwSignal<String>,
    /// Name of what is pinned, if the model has it.
    pub(super) pinned: Memo<String>,
}

/// What faithfulness is measured by, if the gap allows it.
pub(super) fn ends(state: AppState) -> Option<Ends> {
    state.committed.with(|committed| committed.as_ref()?.ends().ok())
}

/// Circuits that were run, and the metric of each.
pub(super) fn found(state: AppState, slot: Slot) -> Option<(Lists, Vec<f32>)> {
    let answer = state.answer(slot)?;
    match (&answer.probe, &answer.found) {
        (Probe::Circuits { sets }, Ok(Finding::Circuits(found))) if sets.len() == found.len() => {
            Some((sets.clone(), found.clone()))
        }
        _ => None,
    }
}

/// What an event is about: an attribute of the element it is at, or of one around that.
pub(super) fn attribute_at(event: &Event, name: &str) -> Option<String> {
    let element: Element = event.target()?.dyn_into().ok()?;
    element.closest(&["[", name, "]"].concat()).ok()??.get_attribute(name)
}

/// Pins a spot, or unpins it if it is the pinned one.
pub(super) fn toggle(state: AppState, spot: Spot) {
    state.lab.paths.update(|paths| {
        paths.pinned = Some(spot).filter(|_| paths.pinned != Some(spot));
    });
}
