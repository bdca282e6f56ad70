//! How another model comes into use: in a second worker, while the first stays usable with its own.

use leptos::prelude::*;
use twinbeam_core::wire::{Event, Problem, Wait};
use twinbeam_core::words::Experiment;
use wasm_bindgen_futures::spawn_local;

use super::connection::Death;
use super::{Role, connect, device, events, finished, run_again, start, with};
use crate::explain::{self, LoadFailure};
use crate::models::{self, Arriving, Spec};
use crate::state::{AppState, Progress};

/// Brings a model of the list into use, as the visitor has asked.
pub(crate) fn choose(state: AppState, id: &str) {
    state.notice.set(None);
    if let Some(spec) = state.models.spec(id) {
        load(state, spec);
    }
}

/// Brings a model into use: at once if it is in use already, else when it has arrived.
pub(crate) fn load(state: AppState, spec: Spec) {
    with(|bridge| bridge.refused.take());
    let is_usable = state.loaded.with_untracked(Option::is_some);
    let is_loading = !is_usable && !state.failed.get_untracked();
    let is_in_use = !spec.is_local()
        && with(|bridge| {
            bridge.spec.borrow().as_ref().is_some_and(|in_use| in_use.identity == spec.identity)
        });
    let is_on_its_way = !spec.is_local()
        && with(|bridge| {
            let arriving = bridge.arriving.borrow();
            arriving.as_ref().is_some_and(|(_, arriving)| arriving.identity == spec.identity)
        });
    if is_on_its_way {
        // It is asked for a second time.
    } else if is_in_use && (is_usable || is_loading) {
        stop(state);
    } else if is_usable || is_loading {
        bring(state, spec);
    } else {
        // The worker in use has no model to keep.
        load_first(state, spec);
    }
}

/// Loads what could not be loaded once more, `any_digest`: with whatever weights are there.
pub(crate) fn load_again(state: AppState, any_digest: bool) {
    let Some((role, spec)) = with(|bridge| bridge.refused.take()) else {
        run_again(state);
        return;
    };
    let spec = if any_digest { spec.with_any_digest() } else { spec };
    state.notice.set(None);
    match role {
        Role::Arriving if state.loaded.with_untracked(Option::is_some) => bring(state, spec),
        Role::Arriving | Role::InUse => load_first(state, spec),
    }
}

/// Brings the model that comes with the page into use.
pub(crate) fn use_bundled(state: AppState) {
    let id = state.models.listed.with_untracked(|listed| {
        let catalog = &listed.as_ref()?.catalog;
        let bundled = catalog.models.iter().find(|model| model.is_bundled());
        Some(bundled.unwrap_or_else(|| catalog.first()).id.clone())
    });
    if let Some(id) = id {
        choose(state, &id);
    }
}

/// Stops the model on its way. What has arrived is kept for the next time.
pub(crate) fn cancel_load(state: AppState) {
    if with(|bridge| bridge.arriving.borrow().is_some()) {
        stop(state);
    } else {
        // The worker in use is loading it: without a model the page is of no use.
        state.failed.set(true);
        use_bundled(state);
    }
}

/// What was on its way begins anew after the device was changed; so does what that device could not load.
pub(super) fn again_on_this_device(state: AppState) {
    let on_its_way = with(|bridge| bridge.arriving.take()).map(|(_, spec)| spec);
    let refused = with(|bridge| bridge.refused.take());
    let refused = refused.filter(|(role, _)| *role == Role::Arriving).map(|(_, spec)| spec);
    if let Some(spec) = on_its_way.or(refused) {
        bring(state, spec);
    }
}

/// Shows that a model is on its way, unless that takes no time worth a word.
pub(super) fn announce(state: AppState, spec: &Spec, role: Role) {
    let is_another = role == Role::Arriving;
    if !is_another && (spec.is_bundled() || with(|bridge| bridge.arriving.borrow().is_some())) {
        return;
    }
    state.models.arriving.set(Some(Arriving::new(spec, is_another)));
}

/// The worker in use has its model, or will not have it: what is left is what the other one brings.
pub(super) fn arrived(state: AppState) {
    if with(|bridge| bridge.arriving.borrow().is_none()) {
        state.models.arriving.set(None);
    }
}

fn load_first(state: AppState, spec: Spec) {
    state.failed.set(false);
    with(|bridge| bridge.spec.replace(Some(spec)));
    start(state);
}

fn bring(state: AppState, spec: Spec) {
    // An older one first: its worker may hold the same files.
    stop(state);
    let connection = connect(state);
    let request = spec.request(state.device_choice.get_untracked(), device::speeds());
    connection.send(&request, spec.files());
    announce(state, &spec, Role::Arriving);
    with(|bridge| bridge.arriving.replace(Some((connection, spec))));
}

fn stop(state: AppState) {
    let stopped = with(|bridge| bridge.arriving.take());
    with(|bridge| bridge.early_check.take());
    with(|bridge| bridge.early_gpu.take());
    if stopped.is_some() {
        drop(stopped);
        state.models.arriving.set(None);
        spawn_local(models::refresh(state));
    }
}

/// What the page makes of the second worker's messages.
pub(super) fn hear(state: AppState, event: Event) {
    match event {
        Event::Started { build } => events::started(state, &build, Role::Arriving),
        Event::Progress { phase, done, total, seconds, .. } => {
            progress(state, Progress { phase, done, total, seconds });
        }
        Event::Waiting { wait } => waiting(state, wait),
        Event::SelfChecked { check } => {
            with(|bridge| bridge.early_check.replace(Some(check)));
        }
        Event::Gpu { state } => {
            with(|bridge| bridge.early_gpu.replace(Some(state)));
        }
        Event::Loaded { .. } => {
            take_into_use(state);
            events::loaded(state, event);
        }
        Event::Failed { problem, .. } => {
            if let Some((connection, spec)) = with(|bridge| bridge.arriving.take()) {
                drop(connection);
                state.models.arriving.set(None);
                refused(state, Role::Arriving, spec, &problem);
            }
        }
        // It has not been asked for anything else.
        Event::Inspected { .. }
        | Event::Sides { .. }
        | Event::Strip { .. }
        | Event::Patched { .. }
        | Event::Benched { .. }
        | Event::Probed { .. }
        | Event::Drawn { .. }
        | Event::Panicked { .. }
        | Event::Done { .. }
        | Event::Placed { .. }
        | Event::Moved { .. }
        | Event::Checked { .. }
        | Event::Withdrawn { .. }
        | Event::Cancelled { .. } => {}
    }
}

pub(super) fn progress(state: AppState, progress: Progress) {
    state.models.arriving.update(|arriving| {
        if let Some(arriving) = arriving {
            arriving.progress(progress);
        }
    });
}

pub(super) fn waiting(state: AppState, wait: Wait) {
    state.models.arriving.update(|arriving| {
        if let Some(arriving) = arriving {
            arriving.wait(wait, js_sys::Date::now());
        }
    });
}

/// The second worker becomes the one in use; what the first was doing is lost with it.
fn take_into_use(state: AppState) {
    let Some((connection, spec)) = with(|bridge| bridge.arriving.take()) else {
        return;
    };
    finished(state);
    state.failed.set(false);
    // What a link has named is of its own model, for which it waits.
    let is_links = state.models.waiting.with_untracked(|id| *id == Some(spec.identity.id.clone()));
    if !is_links {
        state.named_window.set(None);
    }
    // The example that numbers were published for is what a visitor wants to see of it.
    let is_default = state.draft.with_untracked(|draft| {
        let default = Experiment { model: draft.model.clone(), ..Experiment::default() };
        *draft == default
    });
    let runs = spec.has_published() && is_default;
    let is_own = spec.is_local();
    let old = with(|bridge| bridge.worker.replace(Some(connection)));
    drop(old);
    with(|bridge| {
        bridge.spec.replace(Some(spec));
        bridge.run_when_loaded.set(runs);
        // Who brings files wants to see something of them.
        bridge.run_if_possible.set(is_own && !runs);
    });
    state.models.arriving.set(None);
    state.models.self_check.set(with(|bridge| bridge.early_check.take()));
    state.placed.set(None);
    state.gpu.set(with(|bridge| bridge.early_gpu.take()).unwrap_or_default());
}

/// A model could not be loaded: the inputs stay, and so does the model in use.
pub(super) fn refused(state: AppState, role: Role, spec: Spec, problem: &Problem) {
    let failure = LoadFailure {
        title: spec.identity.title.clone(),
        in_use: match role {
            Role::Arriving => state
                .loaded
                .with_untracked(|l| l.as_ref().map(|loaded| loaded.identity.title.clone())),
            Role::InUse => None,
        },
        is_local: spec.is_local(),
        is_bundled: spec.is_bundled(),
        is_offline: !window().navigator().on_line(),
    };
    state.notice.set(Some(explain::load_failed(problem, &failure)));
    with(|bridge| bridge.refused.replace(Some((role, spec))));
    spawn_local(models::refresh(state));
}

/// The second worker is gone.
pub(super) fn died(state: AppState, death: &Death) {
    let Some((connection, spec)) = with(|bridge| bridge.arriving.take()) else {
        return;
    };
    drop(connection);
    state.models.arriving.set(None);
    state.notice.set(Some(match death {
        Death::Stopped(message) => explain::arriving_died(&spec.identity.title, message),
        Death::Unstarted(message) => explain::no_worker(message),
    }));
    with(|bridge| bridge.refused.replace(Some((Role::Arriving, spec))));
}
