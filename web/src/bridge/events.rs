//! What the page makes of what its worker says.

use leptos::prelude::*;
use twinbeam_core::models::ModelShape;
use twinbeam_core::scores::{SideSummary, Tables, Timed, UnitBasis};
use twinbeam_core::wire::inspection::Inspection;
use twinbeam_core::wire::{Event, Kept, Problem};
use twinbeam_core::words::ComponentKind;
use wasm_bindgen_futures::spawn_local;

use super::connection::Death;
use super::{
    MAX_DEATHS, Role, arrival, batch, count, device, finished, inspect, is_busy, lab, restart, run,
    run_neurons, speed, start, with,
};
use crate::models;
use crate::state::{AppState, Committed, Loaded, Origin, Progress};
use crate::{BUILD, explain, linked, url_state, writing};

/// The job number of loading.
const LOADING: u64 = 0;

/// What a worker says counts as long as it is one of ours.
pub(super) fn hear(state: AppState, from: u64, event: Event) {
    if let Event::Panicked { message } = event {
        with(|bridge| bridge.last_words.replace(Some((from, message))));
        return;
    }
    match with(|bridge| bridge.role(from)) {
        Some(Role::InUse) => hear_in_use(state, event),
        Some(Role::Arriving) => arrival::hear(state, event),
        None => {}
    }
}

fn hear_in_use(state: AppState, event: Event) {
    let of_neurons = |job: u64| state.neuron_job.get_untracked() == Some(job);
    let of_heads = |job: u64| state.job.get_untracked() == Some(job);
    let of_bench = |job: u64| state.bench_job.get_untracked() == Some(job);
    let of_lab = |job: u64| state.lab.job.get_untracked() == Some(job);
    let current = |job: u64| job_running(state, job);
    with(|bridge| bridge.silent_seconds.set(0));
    // A lost device is everybody's.
    let is_lost = matches!(&event, Event::Failed { problem: Problem::DeviceLost { .. }, .. });
    let event = if is_lost { Some(event) } else { of_others(state, event) };
    let Some(event) = event.and_then(|event| of_gpu(state, event)) else {
        return;
    };
    match event {
        Event::Started { build } => started(state, &build, Role::InUse),
        Event::Loaded { .. } => loaded(state, event),
        Event::SelfChecked { check } => state.models.self_check.set(Some(check)),
        Event::Waiting { wait } => {
            if !is_another_arriving(state) {
                arrival::waiting(state, wait);
            }
        }
        Event::Inspected { seq, inspection } => {
            if with(|bridge| bridge.inspections.get() == seq) {
                inspected(state, *inspection);
            }
        }
        Event::Progress { job, phase, done, total, seconds } => {
            let progress = Progress { phase, done, total, seconds };
            if of_neurons(job) {
                state.neuron_progress.set(Some(progress));
            } else if of_bench(job) {
                state.bench_progress.set(Some(progress));
            } else if of_lab(job) {
                state.lab.progress.set(Some(progress));
            } else if job == LOADING || of_heads(job) {
                state.progress.set(Some(progress));
            }
            if job == LOADING && !is_another_arriving(state) {
                arrival::progress(state, progress);
            }
        }
        Event::Sides { job, clean, corrupted } if of_heads(job) => {
            begin_result(state, *clean, *corrupted);
        }
        Event::Strip { job, strip } if current(job) => {
            let kind = strip.key.kind;
            add(state, kind, |committed| strip.add_to(&mut committed.tables));
        }
        Event::Patched { job, patches, coverage } if of_neurons(job) => {
            add(state, patches.kind, |committed| {
                patches.add_to(&mut committed.tables);
                committed.cover(patches.direction, coverage);
            });
        }
        Event::Done { job, checking, .. } if of_neurons(job) => {
            finished(state);
            if checking {
                device::checking(state, job);
            }
            keep_in_address(state);
        }
        Event::Done { job, seconds, checking, .. } if of_heads(job) => {
            heads_done(state, job, &seconds, checking);
        }
        Event::Drawn { draw, pairs } => batch::drawn(state, &draw, pairs),
        Event::Benched { job, bench } if of_bench(job) => speed::measured(state, *bench),
        // Its button is there again, which says enough.
        Event::Cancelled { job } if of_bench(job) => finished(state),
        Event::Cancelled { job } if current(job) => {
            let notice = if of_neurons(job) {
                explain::neurons_stopped()
            } else {
                explain::problem(&Problem::Cancelled, false)
            };
            finished(state);
            state.notice.set(Some(notice));
        }
        Event::Failed { job, problem } if job.is_none_or(|job| current(job) || is_lost) => {
            failed(state, &problem);
        }
        // Heard already, and of a job that is no longer wanted.
        Event::Panicked { .. }
        | Event::Sides { .. }
        | Event::Strip { .. }
        | Event::Patched { .. }
        | Event::Benched { .. }
        | Event::Probed { .. }
        | Event::Done { .. }
        | Event::Gpu { .. }
        | Event::Placed { .. }
        | Event::Moved { .. }
        | Event::Checked { .. }
        | Event::Withdrawn { .. }
        | Event::Cancelled { .. }
        | Event::Failed { .. } => {}
    }
}

/// The heads of a figure are complete.
fn heads_done(state: AppState, job: u64, seconds: &[(Timed, f64)], checking: bool) {
    state.seconds.set(Some(seconds.iter().map(|(_, seconds)| seconds).sum()));
    with(|bridge| bridge.losses.set(0));
    if let Some(own) = with(|bridge| bridge.pending.take()) {
        state.committed.set(Some(own));
    }
    finished(state);
    if checking {
        device::checking(state, job);
    }
    linked::compare(state);
    keep_in_address(state);
    if state.shape().is_some_and(|shape| neurons_are_quick(&shape)) {
        run_neurons(state);
    }
}

/// Takes what is said of the GPU and of the check, and gives the rest back.
fn of_gpu(state: AppState, event: Event) -> Option<Event> {
    let current = |job: u64| job_running(state, job);
    match event {
        Event::Gpu { state: gpu } => device::gpu(state, gpu),
        Event::Placed { job, device, placement } if current(job) => {
            device::placed(state, job, device, placement);
        }
        Event::Moved { job, problem } if current(job) => device::moved(state, job, &problem),
        Event::Checked { job, report, .. } => {
            if device::checked(state, job, report) {
                keep_in_address(state);
            }
        }
        Event::Withdrawn { job, problem } => device::withdrawn(state, job, &problem),
        event => return Some(event),
    }
    None
}

/// Whether a job is one of the figure's, or measures the device.
fn job_running(state: AppState, job: u64) -> bool {
    [state.job, state.neuron_job, state.bench_job]
        .into_iter()
        .any(|running| running.get_untracked() == Some(job))
}

/// What the draft is, as the model sees it; it runs if that is wanted and it can.
fn inspected(state: AppState, inspection: Inspection) {
    let can_run = inspection.problem.is_none();
    state.inspection.set(inspection);
    state.inspected.set(true);
    let wanted = with(|bridge| bridge.run_if_possible.take());
    if wanted && can_run && !is_busy(state) {
        run(state, false);
    }
}

/// Gives the lab and the batch what is theirs, and the rest back.
fn of_others(state: AppState, event: Event) -> Option<Event> {
    let job = job_of(&event);
    let is = |running: RwSignal<Option<u64>>| job.is_some() && running.get_untracked() == job;
    if is(state.lab.batch_job) {
        batch::hear(state, event);
        None
    } else if is(state.lab.job) && !matches!(event, Event::Progress { .. } | Event::Placed { .. }) {
        lab::hear(state, event);
        None
    } else {
        Some(event)
    }
}

/// The job that an event belongs to.
const fn job_of(event: &Event) -> Option<u64> {
    match event {
        Event::Progress { job, .. }
        | Event::Sides { job, .. }
        | Event::Strip { job, .. }
        | Event::Patched { job, .. }
        | Event::Benched { job, .. }
        | Event::Probed { job, .. }
        | Event::Done { job, .. }
        | Event::Placed { job, .. }
        | Event::Moved { job, .. }
        | Event::Checked { job, .. }
        | Event::Withdrawn { job, .. }
        | Event::Cancelled { job } => Some(*job),
        Event::Failed { job, .. } => *job,
        Event::Started { .. }
        | Event::Panicked { .. }
        | Event::Loaded { .. }
        | Event::SelfChecked { .. }
        | Event::Gpu { .. }
        | Event::Waiting { .. }
        | Event::Inspected { .. }
        | Event::Drawn { .. } => None,
    }
}

fn is_another_arriving(state: AppState) -> bool {
    state.models.arriving.with_untracked(|a| a.as_ref().is_some_and(|a| a.is_another))
}

/// A worker of another build is not spoken to.
pub(super) fn started(state: AppState, build: &str, role: Role) {
    if build != BUILD {
        if role == Role::Arriving {
            with(|bridge| bridge.arriving.take());
            state.models.arriving.set(None);
        } else {
            finished(state);
            with(|bridge| bridge.worker.take());
            state.failed.set(true);
        }
        state.notice.set(Some(explain::other_build(BUILD, build)));
        return;
    }
    with(|bridge| match role {
        Role::InUse => {
            if let Some(connection) = bridge.worker.borrow().as_ref() {
                connection.started();
            }
        }
        Role::Arriving => {
            if let Some((connection, _)) = bridge.arriving.borrow().as_ref() {
                connection.started();
            }
        }
    });
}

/// The worker in use has its model.
pub(super) fn loaded(state: AppState, event: Event) {
    let Event::Loaded {
        shape,
        device,
        fingerprint,
        shards,
        as_expected,
        tokenizer,
        kept,
        seconds,
        memory_bytes,
        ..
    } = event
    else {
        return;
    };
    let Some(spec) = with(|bridge| bridge.spec.borrow().clone()) else {
        return;
    };
    let mut identity = spec.identity;
    // Known weights are named as what they are, wherever they come from.
    let known =
        (identity.id == models::LOCAL).then(|| state.models.title_of(&fingerprint)).flatten();
    if let Some(known) = known {
        identity.title = format!("{known}, from {}", identity.title);
    }
    with(|bridge| bridge.deaths.set(0));
    state.draft.update(|draft| draft.model.clone_from(&identity.id));
    let from_memory = match &kept {
        Kept::Memory { reason } => Some(explain::from_memory(&identity.title, reason)),
        Kept::Elsewhere | Kept::Stored { .. } => None,
    };
    let id = identity.id.clone();
    if id != models::LOCAL {
        // What was chosen before is neither in use nor on its way.
        state.models.chosen.set(None);
    }
    let must_be_typed = writing::follow(state, tokenizer.is_some());
    state.loaded.set(Some(Loaded {
        identity,
        shape,
        device,
        fingerprint,
        shards,
        as_expected,
        tokenizer,
        kept,
        seconds,
        memory_bytes,
    }));
    state.progress.set(None);
    // It was another model's, or another device's.
    state.bench.set(None);
    arrival::arrived(state);
    inspect(state, true);
    let was_waited_for = state.models.waiting.with_untracked(|waiting| *waiting == Some(id));
    if was_waited_for {
        state.models.waiting.set(None);
    }
    let runs = with(|bridge| bridge.run_when_loaded.replace(false)) || was_waited_for;
    // What is meant for another model waits for that.
    if runs && !must_be_typed && state.models.waiting.with_untracked(Option::is_none) {
        run(state, false);
    }
    if from_memory.is_some() {
        state.notice.set(from_memory);
    }
    spawn_local(models::refresh(state));
}

/// Both runs are measured: the maps begin anew, unless a finished figure from a link is to stay until
/// this one is finished too.
fn begin_result(state: AppState, clean: SideSummary, corrupted: SideSummary) {
    let experiment = with(|bridge| bridge.running.borrow().clone());
    let Some((experiment, mut model)) = experiment.zip(state.loaded.get_untracked()) else {
        return;
    };
    if let Some((device, _)) = state.placed.get_untracked() {
        model.device = device;
    }
    let own = Committed {
        basis: UnitBasis::new(experiment.metric, &clean, &corrupted, model.shape.d_model),
        origin: Origin::Device { checked: None },
        experiment,
        model,
        neurons_on: None,
        checking: Vec::new(),
        sides: (clean, corrupted),
        tables: Tables::default(),
        coverage: [None; 2],
        neurons: Vec::new(),
    };
    let stays = state.committed.with_untracked(|shown| {
        let of_the_same = |shown: &Committed| shown.experiment == own.experiment;
        shown.as_ref().is_some_and(|shown| shown.origin == Origin::Link && of_the_same(shown))
    });
    if stays {
        with(|bridge| bridge.pending.replace(Some(own)));
    } else {
        // A job that began anew on another device takes the place of its own beginning.
        let is_whole = |c: &Committed| c.is_complete(ComponentKind::Heads);
        let previous = state.committed.get_untracked();
        if previous.as_ref().is_none_or(is_whole) {
            with(|bridge| bridge.previous.replace(previous));
        }
        state.committed.set(Some(own));
    }
}

/// Adds scores to the result that they belong to: heads to the one in the making, if it is not shown yet.
fn add(state: AppState, kind: ComponentKind, add: impl FnOnce(&mut Committed)) {
    let add = with(|bridge| match bridge.pending.borrow_mut().as_mut() {
        Some(pending) if kind == ComponentKind::Heads => {
            add(pending);
            None
        }
        _ => Some(add),
    });
    if let Some(add) = add {
        state.committed.update(|committed| {
            if let Some(committed) = committed {
                add(committed);
            }
        });
    }
}

/// The address holds the result of what it asks for, once that is no longer being checked.
fn keep_in_address(state: AppState) {
    let checking =
        state.committed.with_untracked(|c| c.as_ref().is_some_and(|c| !c.checking.is_empty()));
    if state.is_stale() == Some(false) && !checking {
        let snapshot = linked::snapshot(state);
        let view = untrack(|| state.view());
        state
            .draft
            .with_untracked(|draft| url_state::write(draft, snapshot.as_ref(), &view, false));
    }
}

fn failed(state: AppState, problem: &Problem) {
    let on_gpu = state.is_on_gpu();
    let was_loading = state.loaded.with_untracked(Option::is_none);
    // What could not be measured says nothing against the figure.
    let was_measuring = state.bench_job.with_untracked(Option::is_some);
    if matches!(problem, Problem::DeviceLost { .. }) {
        // They would lose the next one too.
        lab::died(state, "The GPU was lost");
        batch::died(state, "The GPU was lost");
    }
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
    if !was_measuring {
        state.failed.set(true);
    }
    if was_loading {
        arrival::arrived(state);
        if let Some(spec) = with(|bridge| bridge.spec.borrow().clone()) {
            arrival::refused(state, Role::InUse, spec, problem);
        }
        return;
    }
    // What is wrong with the inputs is said beside them already.
    if !matches!(problem, Problem::Prompt { .. }) {
        state.notice.set(Some(explain::problem(problem, on_gpu)));
    }
}

/// A worker that dies is replaced; one that was never there, or dies again and again before it is ready, is
/// not.
pub(super) fn died(state: AppState, from: u64, death: &Death) {
    // Those of another worker wait for its own death.
    let last_words = with(|bridge| {
        let mut last_words = bridge.last_words.borrow_mut();
        last_words.take_if(|(number, _)| *number == from)
    });
    let death = &match (last_words, death) {
        (Some((_, words)), Death::Stopped(_)) => Death::Stopped(words),
        (_, death) => death.clone(),
    };
    match with(|bridge| bridge.role(from)) {
        Some(Role::InUse) => {}
        Some(Role::Arriving) => return arrival::died(state, death),
        None => return,
    }
    lab::died(state, "The worker stopped");
    batch::died(state, "The worker stopped");
    let on_gpu = state.is_on_gpu();
    let notice = match death {
        Death::Stopped(message) => explain::worker_died(message, on_gpu),
        Death::Unstarted(message) => explain::no_worker(message),
    };
    let again = matches!(death, Death::Stopped(_));
    if again && with(|bridge| count(&bridge.deaths)) <= MAX_DEATHS {
        restart(state);
    } else {
        finished(state);
        arrival::arrived(state);
        with(|bridge| bridge.worker.take());
    }
    state.failed.set(true);
    state.notice.set(Some(notice));
}

/// Whether a visitor would wait for them anyway.
fn neurons_are_quick(shape: &ModelShape) -> bool {
    shape.is_quick(shape.n_layers * shape.d_mlp)
}
