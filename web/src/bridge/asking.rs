//! Which model an experiment is meant for, and what happens if that is not the one in use.

use leptos::prelude::*;
use twinbeam_core::link::Snapshot;
use twinbeam_core::words::Experiment;
use wasm_bindgen_futures::spawn_local;

use super::{arrival, inspect, load_in_use, restart, run, with};
use crate::models::{self, Spec, bytes, fetch_bytes, read_catalog};
use crate::state::AppState;
use crate::{explain, linked};

/// Starts the worker, reads the list of models meanwhile, and loads the first. `is_named`: the address says
/// which model the draft is for.
pub(crate) fn begin(state: AppState, is_named: bool) {
    with(|bridge| {
        bridge.is_named.set(is_named);
        bridge.run_when_loaded.set(true);
    });
    restart(state);
    spawn_local(async move {
        let (listed, fault) = read_catalog().await;
        if let Some(fault) = fault {
            // What a link has to say comes first.
            state.notice.update(|said| *said = said.take().or(Some(explain::catalog(&fault))));
        }
        let first = Spec::listed(&listed, listed.catalog.first());
        let first_id = first.identity.id.clone();
        state.models.listed.set(Some(listed));
        with(|bridge| bridge.spec.replace(Some(first)));
        load_in_use(state);
        if with(|bridge| bridge.is_named.get()) {
            ask(state, false);
        } else {
            state.draft.update(|draft| draft.model = first_id);
        }
        models::refresh(state).await;
    });
}

/// Takes another experiment, shows what came with it, and runs it on its model.
pub(crate) fn open(
    state: AppState,
    experiment: Experiment,
    snapshot: Option<Snapshot>,
    new_step: bool,
) {
    linked::show(state, &experiment, snapshot);
    state.draft.set(experiment);
    state.set_aside.set(None);
    let has_model = state.loaded.with_untracked(Option::is_some);
    with(|bridge| {
        bridge.is_named.set(true);
        bridge.before_edits.take();
        bridge.run_when_loaded.set(!has_model);
    });
    ask(state, new_step);
}

/// Finds the model that the draft names: in use, at hand, to be fetched, or not there at all. From here on
/// the draft names the one in use, since that is what Run takes.
fn ask(state: AppState, new_step: bool) {
    state.models.waiting.set(None);
    let in_use = with(|bridge| bridge.spec.borrow().as_ref().map(|spec| spec.identity.clone()));
    let Some(in_use) = in_use else {
        // The list of models is on its way, and this is asked again then.
        return;
    };
    let wanted = state.draft.with_untracked(|draft| draft.model.clone());
    if wanted == in_use.id {
        inspect(state, true);
        run_now_or_when_loaded(state, new_step);
        return;
    }
    state.draft.update(|draft| draft.model = in_use.id);
    inspect(state, true);
    let Some(model) = state.models.find(&wanted) else {
        if state.linked.with_untracked(Option::is_some) {
            // What was sent is shown; to run it takes files that only the sender has.
            state.models.waiting.set(Some(wanted.clone()));
            state.notice.set(Some(explain::unknown_model(&wanted, &in_use.title)));
            return;
        }
        // Its numbers would be compared with those of another model.
        linked::forget(state);
        state.notice.set(Some(explain::other_model(&wanted, &in_use.title)));
        run_now_or_when_loaded(state, new_step);
        return;
    };
    state.models.waiting.set(Some(wanted.clone()));
    spawn_local(async move {
        if !model.is_bundled() {
            models::refresh(state).await;
        }
        let still = state.models.waiting.with_untracked(|w| w.as_ref() == Some(&wanted));
        if !still {
            return;
        }
        if untrack(|| state.models.is_at_hand(&model)) {
            if let Some(spec) = state.models.spec(&wanted) {
                arrival::load(state, spec);
            }
        } else {
            let size = bytes(fetch_bytes(&model));
            let has_figure = state.linked.with_untracked(Option::is_some);
            let notice = explain::offer(&model.id, &model.title, &size, has_figure);
            state.notice.set(Some(notice));
        }
    });
}

fn run_now_or_when_loaded(state: AppState, new_step: bool) {
    if state.loaded.with_untracked(Option::is_some) {
        run(state, new_step);
    }
}
