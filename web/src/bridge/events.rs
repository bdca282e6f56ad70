//! What the page makes of what its worker says.

use leptos::prelude::*;
use twinbeam_core::{
    CheckReport, ComponentKind, Event, ModelShape, Problem, SideSummary, Strip, UnitBasis,
};

use super::{MAX_DEATHS, count, finished, inspect, restart, run, run_neurons, start, with};
use crate::state::{AppState, Committed, Loaded, Origin, Progress};
use crate::{BUILD, explain, linked, url_state};

/// The job number of loading.
const LOADING: u64 = 0;
/// Parameters times neurons up to which neurons are scored without being asked for.
const QUICK_WORK: u64 = 10_000_000_000;

pub(super) fn hear(state: AppState, event: Event) {
    let of_neurons = |job: u64| state.neuron_job.get_untracked() == Some(job);
    let of_heads = |job: u64| state.job.get_untracked() == Some(job);
    let current = |job: u64| of_heads(job) || of_neurons(job);
    with(|bridge| bridge.silent_seconds.set(0));
    match event {
        Event::Started { build } => started(state, &build),
        Event::Loaded { shape, device, fingerprint, .. } => {
            with(|bridge| bridge.deaths.set(0));
            state.loaded.set(Some(Loaded { shape, device, fingerprint }));
            state.progress.set(None);
            inspect(state, true);
            if with(|bridge| bridge.run_when_loaded.replace(false)) {
                run(state, false);
            }
        }
        Event::Inspected { seq, inspection } => {
            if with(|bridge| bridge.inspections.get() == seq) {
                state.inspection.set(*inspection);
                state.inspected.set(true);
            }
        }
        Event::Progress { job, phase, done, total, seconds } => {
            let progress = Some(Progress { phase, done, total, seconds });
            if of_neurons(job) {
                state.neuron_progress.set(progress);
            } else if job == LOADING || of_heads(job) {
                state.progress.set(progress);
            }
        }
        Event::Sides { job, clean, corrupted } if of_heads(job) => {
            begin_result(state, *clean, *corrupted);
        }
        Event::Strip { job, strip } if current(job) => add(state, strip),
        Event::Done { job, checked, .. } if of_neurons(job) => {
            finished(state);
            add_check(state, checked);
            keep_in_address(state);
        }
        Event::Done { job, seconds, checked, .. } if of_heads(job) => {
            state.seconds.set(Some(seconds.iter().map(|(_, seconds)| seconds).sum()));
            with(|bridge| bridge.losses.set(0));
            if let Some(own) = with(|bridge| bridge.pending.take()) {
                state.committed.set(Some(own));
            }
            finished(state);
            add_check(state, checked);
            linked::compare(state);
            keep_in_address(state);
            if state.shape().is_some_and(|shape| neurons_are_quick(&shape)) {
                run_neurons(state);
            }
        }
        Event::Cancelled { job } if current(job) => {
            finished(state);
            state.notice.set(Some(explain::problem(&Problem::Cancelled, false)));
        }
        Event::Failed { job, problem } if job.is_none_or(current) => failed(state, &problem),
        // Of a job that is no longer wanted.
        Event::Sides { .. }
        | Event::Strip { .. }
        | Event::Done { .. }
        | Event::Cancelled { .. }
        | Event::Failed { .. } => {}
    }
}

/// A worker of another build is not spoken to.
fn started(state: AppState, build: &str) {
    if build != BUILD {
        finished(state);
        with(|bridge| bridge.worker.take());
        state.failed.set(true);
        state.notice.set(Some(explain::other_build(BUILD, build)));
        return;
    }
    with(|bridge| {
        if let Some(connection) = bridge.worker.borrow().as_ref() {
            connection.started();
        }
    });
}

/// Both runs are measured: the maps begin anew, unless a finished figure from a link is to stay until
/// this one is finished too.
fn begin_result(state: AppState, clean: SideSummary, corrupted: SideSummary) {
    let experiment = with(|bridge| bridge.running.borrow().clone());
    let Some((experiment, model)) = experiment.zip(state.loaded.get_untracked()) else {
        return;
    };
    let own = Committed {
        basis: UnitBasis::new(experiment.metric, &clean, &corrupted, model.shape.d_model),
        origin: Origin::Device { checked: None },
        experiment,
        model,
        sides: (clean, corrupted),
        tables: Vec::new(),
        neurons: Vec::new(),
    };
    let stays = state.committed.with_untracked(|shown| {
        let of_the_same = |shown: &Committed| shown.experiment.same_numbers(&own.experiment);
        shown.as_ref().is_some_and(|shown| shown.origin == Origin::Link && of_the_same(shown))
    });
    if stays {
        with(|bridge| bridge.pending.replace(Some(own)));
    } else {
        let previous = state.committed.get_untracked();
        with(|bridge| bridge.previous.replace(previous));
        state.committed.set(Some(own));
    }
}

fn add(state: AppState, strip: Strip) {
    let shown_later = with(|bridge| match bridge.pending.borrow_mut().as_mut() {
        Some(pending) if strip.kind == ComponentKind::Heads => {
            strip.clone().add_to(&mut pending.tables);
            true
        }
        _ => false,
    });
    if !shown_later {
        state.committed.update(|committed| {
            if let Some(committed) = committed {
                strip.add_to(&mut committed.tables);
            }
        });
    }
}

/// What a job's check says joins what the one before it said: the worst counts.
fn add_check(state: AppState, check: Option<CheckReport>) {
    let Some(check) = check else {
        return;
    };
    state.committed.update(|committed| {
        if let Some(Committed { origin: Origin::Device { checked }, .. }) = committed {
            let before = checked.unwrap_or_default();
            let (worst, values) = (before.worst.max(check.worst), before.values + check.values);
            *checked = Some(CheckReport { worst, values });
        }
    });
}

/// The address holds the result of what it asks for.
fn keep_in_address(state: AppState) {
    if state.is_stale() == Some(false) {
        let snapshot = linked::snapshot(state);
        state.draft.with_untracked(|draft| url_state::write(draft, snapshot.as_ref(), false));
    }
}

fn failed(state: AppState, problem: &Problem) {
    let on_gpu = state.is_on_gpu();
    finished(state);
    if matches!(problem, Problem::DeviceLost { .. }) {
        // What a device held is gone with it, and its worker cannot ask for another.
        if with(|bridge| count(&bridge.losses)) == 1 {
            start(state);
            state.notice.set(Some(explain::device_lost_once()));
            return;
        }
        restart(state);
    }
    state.failed.set(true);
    // What is wrong with the inputs is said beside them already.
    if !matches!(problem, Problem::Prompt { .. }) {
        state.notice.set(Some(explain::problem(problem, on_gpu)));
    }
}

/// A worker that dies is replaced; one that dies again and again before it is ready is not.
pub(super) fn died(state: AppState, message: &str) {
    let on_gpu = state.is_on_gpu();
    if with(|bridge| count(&bridge.deaths)) <= MAX_DEATHS {
        restart(state);
    } else {
        finished(state);
        with(|bridge| bridge.worker.take());
    }
    state.failed.set(true);
    state.notice.set(Some(explain::worker_died(message, on_gpu)));
}

/// Whether a visitor would wait for them anyway: parameters times patches, each of which runs a part of
/// the model.
fn neurons_are_quick(shape: &ModelShape) -> bool {
    let patches = (shape.n_layers * shape.d_mlp) as u64;
    patches.saturating_mul(shape.n_params() as u64) <= QUICK_WORK
}
