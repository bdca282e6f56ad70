//! The worker from the page's side: one in use, replaced when it dies, and perhaps a second one in which
//! another model arrives.
//!
//! `connection.rs` is the life of a worker, `events.rs` what the page makes of its messages, `device.rs` of what it says of
//! its GPU and of the check, `arrival.rs` how another model comes into use, `asking.rs` which one an experiment is meant for, `speed.rs` how fast the
//! device is, `lab.rs` and `batch.rs` what a worker does that has nothing else to do. Here is what the rest of the page may ask for.

mod arrival;
mod asking;
pub(crate) mod batch;
mod connection;
mod device;
mod events;
pub(crate) mod lab;
mod program;
mod speed;

use std::cell::{Cell, RefCell};

use gloo::timers::callback::{Interval, Timeout};
use leptos::prelude::*;
use twinbeam_core::models::SelfCheck;
use twinbeam_core::wire::Request;
use twinbeam_core::wire::devices::{DeviceChoice, GpuState};
use twinbeam_core::words::{ComponentKind, Experiment};

pub(crate) use self::arrival::{cancel_load, choose, load, load_again, use_bundled};
pub(crate) use self::asking::{begin, open};
use self::connection::Connection;
pub(crate) use self::speed::measure_speed;
use crate::models::Spec;
use crate::state::{AppState, Committed};
use crate::{explain, url_state};

/// A worker that has said nothing lately and does not stop by then is replaced.
const CANCEL_MILLIS: u32 = 1200;
/// One that works is given as long as a large model's batch takes on a CPU: to load it again would take longer.
const CANCEL_MILLIS_AT_WORK: u32 = 4000;
/// A worker that has said something in the last seconds is at work.
const AT_WORK_SECONDS: u32 = 5;
/// A worker that keeps dying before it is ready is not started again.
const MAX_DEATHS: u64 = 2;
/// Pause in typing after which the draft is looked at.
const TYPING_MILLIS: u32 = 200;
/// Seconds without a word from a busy worker after which the page says so.
const SILENT_SECONDS: u32 = 10;

#[derive(Default)]
struct Bridge {
    /// The worker in use.
    worker: RefCell<Option<Connection>>,
    /// What it has loaded, or is loading; `None` before the list of models is there.
    spec: RefCell<Option<Spec>>,
    /// The worker in which another model arrives.
    arriving: RefCell<Option<(Connection, Spec)>>,
    /// What that one says of its model, and of its GPU, before it is in use.
    early_check: RefCell<Option<SelfCheck>>,
    early_gpu: RefCell<Option<GpuState>>,
    /// The last model that could not be loaded, and which worker was to load it.
    refused: RefCell<Option<(Role, Spec)>>,
    connections: Cell<u64>,
    /// Whether the draft's model was named by an address.
    is_named: Cell<bool>,
    next_job: Cell<u64>,
    inspections: Cell<u64>,
    typing: RefCell<Option<Timeout>>,
    stopping: RefCell<Option<Timeout>>,
    watching: RefCell<Option<Interval>>,
    silent_seconds: Cell<u32>,
    /// What the running job is of.
    running: RefCell<Option<Experiment>>,
    /// The result in the making, while a finished one from a link stays on the screen.
    pending: RefCell<Option<Committed>>,
    /// What the maps showed before the running job: it comes back if the job comes to nothing.
    previous: RefCell<Option<Committed>>,
    /// The question of the lab that is running, and the batch.
    asked: RefCell<Option<lab::Asked>>,
    batch: RefCell<batch::Running>,
    /// Workers that died before they had a model ready, in a row.
    deaths: Cell<u64>,
    /// Devices that were lost since the last job that was completed.
    losses: Cell<u64>,
    /// Run as soon as a model is there.
    run_when_loaded: Cell<bool>,
    /// Run the draft if it turns out to be one that can be run.
    run_if_possible: Cell<bool>,
    /// What a worker has said of the mistake that ends it, and which one.
    last_words: RefCell<Option<(u64, String)>>,
    /// What the first run is of, where the draft has edits from before a reload: those are for the visitor to run.
    before_edits: RefCell<Option<Experiment>>,
}

/// What a worker is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    InUse,
    Arriving,
}

impl Bridge {
    /// What the worker of a number is for; `None`: it was replaced.
    fn role(&self, number: u64) -> Option<Role> {
        let is = |connection: &Connection| connection.number == number;
        if self.worker.borrow().as_ref().is_some_and(is) {
            Some(Role::InUse)
        } else if self.arriving.borrow().as_ref().is_some_and(|(connection, _)| is(connection)) {
            Some(Role::Arriving)
        } else {
            None
        }
    }
}

thread_local! {
    static BRIDGE: Bridge = Bridge::default();
}

fn with<T>(ask: impl FnOnce(&Bridge) -> T) -> T {
    BRIDGE.with(ask)
}

/// Counts one more.
fn count(counter: &Cell<u64>) -> u64 {
    counter.set(counter.get() + 1);
    counter.get()
}

/// Starts the worker, loads its model, and runs the draft as soon as that is done.
fn start(state: AppState) {
    with(|bridge| bridge.run_when_loaded.set(true));
    restart(state);
}

/// The same on another device.
pub(crate) fn start_on(state: AppState, device: DeviceChoice) {
    state.device_choice.set(device);
    state.notice.set(None);
    state.failed.set(false);
    // A device is given back only with its worker.
    start(state);
    arrival::again_on_this_device(state);
}

/// Replaces the worker: what it held is given back, and the model is loaded anew.
fn restart(state: AppState) {
    finished(state);
    state.loaded.set(None);
    state.models.self_check.set(None);
    state.gpu.set(GpuState::default());
    state.placed.set(None);
    state.inspected.set(false);
    // The old one first: two do not fit where memory is short.
    with(|bridge| bridge.worker.take());
    let connection = connect(state);
    with(|bridge| bridge.worker.replace(Some(connection)));
    watch(state);
    load_in_use(state);
}

/// Starts a worker.
fn connect(state: AppState) -> Connection {
    let number = with(|bridge| count(&bridge.connections));
    Connection::open(
        number,
        move |text| {
            if let Ok(event) = serde_json::from_str(text) {
                events::hear(state, number, event);
            }
        },
        move |death| events::died(state, number, &death),
    )
}

/// Has the worker in use load its model, once it is known which.
fn load_in_use(state: AppState) {
    let spec = with(|bridge| bridge.spec.borrow().clone());
    let Some(spec) = spec else {
        return;
    };
    arrival::announce(state, &spec, Role::InUse);
    with(|bridge| {
        if let Some(connection) = bridge.worker.borrow().as_ref() {
            let request = spec.request(state.device_choice.get_untracked(), device::speeds());
            connection.send(&request, spec.files());
        }
    });
}

fn send(request: &Request) {
    with(|bridge| {
        if let Some(connection) = bridge.worker.borrow().as_ref() {
            connection.send(request, &[]);
        }
    });
}

/// Counts the seconds for which a busy worker says nothing.
fn watch(state: AppState) {
    let every_second = Interval::new(1000, move || {
        let busy = is_busy(state) || state.loaded.with_untracked(Option::is_none);
        let seconds = with(|bridge| {
            let seconds = if busy { bridge.silent_seconds.get() + 1 } else { 0 };
            bridge.silent_seconds.set(seconds);
            seconds
        });
        let waits = state.models.arriving.with_untracked(|arriving| {
            arriving.as_ref().is_some_and(|a| !a.is_another && a.is_waiting())
        });
        let silent = seconds >= SILENT_SECONDS && !waits && !state.failed.get_untracked();
        let silent = silent.then_some(seconds);
        if state.silent_seconds.get_untracked() != silent {
            state.silent_seconds.set(silent);
        }
    });
    with(|bridge| {
        bridge.silent_seconds.set(0);
        // Dropping the old one stops it.
        bridge.watching.replace(Some(every_second));
    });
}

fn running_job(state: AppState) -> Option<u64> {
    let jobs = [state.job, state.neuron_job, state.bench_job, state.lab.job, state.lab.batch_job];
    jobs.into_iter().find_map(|job| job.get_untracked())
}

fn is_busy(state: AppState) -> bool {
    running_job(state).is_some()
}

/// Has the draft looked at, at once or after a pause in typing.
pub(crate) fn inspect(state: AppState, at_once: bool) {
    // It is of other inputs, and nobody waits for it to type.
    speed::stop(state);
    state.inspected.set(false);
    let ask = move || {
        // A model that comes later is asked as soon as it is there.
        if state.loaded.with_untracked(Option::is_none) {
            return;
        }
        let seq = with(|bridge| count(&bridge.inspections));
        send(&Request::Inspect { seq, draft: state.draft.get_untracked() });
    };
    with(|bridge| {
        // Dropping the old timer cancels it.
        bridge.typing.replace((!at_once).then(|| Timeout::new(TYPING_MILLIS, ask)));
    });
    if at_once {
        ask();
    }
}

/// Runs the draft. `new_step`: the visitor asked for it, so Back leads to what was before.
pub(crate) fn run(state: AppState, new_step: bool) {
    let draft = state.draft.get_untracked();
    let before_edits = with(|bridge| bridge.before_edits.take()).filter(|_| !new_step);
    let experiment = match before_edits {
        Some(before) => Experiment { model: draft.model, ..before },
        None => draft,
    };
    // Whoever runs on the model in use does not wait for another.
    state.models.waiting.set(None);
    url_state::write(&experiment, None, &untrack(|| state.view()), new_step);
    if let Some(job) = state.neuron_job.get_untracked() {
        send(&Request::Cancel { job });
        state.neuron_job.set(None);
    }
    speed::stop(state);
    lab::stop(state);
    batch::pause(state);
    state.failed.set(false);
    if new_step {
        // What was said before the first run, of a damaged link for instance, stays until it is read.
        state.notice.set(None);
    }
    state.progress.set(None);
    state.seconds.set(None);
    let job = next_job();
    state.job.set(Some(job));
    with(|bridge| {
        bridge.running.replace(Some(experiment.clone()));
        bridge.pending.take();
        bridge.silent_seconds.set(0);
    });
    // What is looked at comes first.
    let first = state.direction.get_untracked();
    send(&Request::Run { job, experiment, first, kinds: vec![ComponentKind::Heads] });
}

/// Has the first run be of an experiment, and not of the draft.
pub(crate) fn run_first(experiment: Experiment) {
    with(|bridge| bridge.before_edits.replace(Some(experiment)));
}

/// Runs the draft now, or as soon as a model is there.
pub(crate) fn run_again(state: AppState) {
    if state.loaded.with_untracked(Option::is_some) {
        run(state, true);
    } else {
        start(state);
    }
}

/// Scores the neurons of what the head maps show.
pub(crate) fn run_neurons(state: AppState) {
    let Some(experiment) = state
        .committed
        .with_untracked(|committed| committed.as_ref().map(|c| c.experiment.clone()))
    else {
        return;
    };
    state.committed.update(|committed| {
        if let Some(committed) = committed {
            // What a cancelled job has left.
            committed.drop_neurons();
        }
    });
    let job = next_job();
    speed::stop(state);
    lab::stop(state);
    batch::pause(state);
    state.neuron_progress.set(None);
    state.neuron_job.set(Some(job));
    with(|bridge| bridge.silent_seconds.set(0));
    let first = state.direction.get_untracked();
    send(&Request::Run { job, experiment, first, kinds: vec![ComponentKind::Neurons] });
}

fn next_job() -> u64 {
    with(|bridge| count(&bridge.next_job))
}

/// Stops the running job: at its next step, or, if the worker does not answer, by replacing it.
pub(crate) fn cancel(state: AppState) {
    let Some(job) = running_job(state) else {
        return;
    };
    send(&Request::Cancel { job });
    // A batch goes on when it is told to, also with another worker.
    state.lab.batch.running.set(false);
    let silent_seconds = with(|bridge| bridge.silent_seconds.get());
    let millis =
        if silent_seconds > AT_WORK_SECONDS { CANCEL_MILLIS } else { CANCEL_MILLIS_AT_WORK };
    let replace = Timeout::new(millis, move || {
        if running_job(state) == Some(job) {
            lab::died(state, "The worker hung");
            batch::died(state, "The worker hung");
            restart(state);
            state.notice.set(Some(explain::worker_hung()));
        }
    });
    with(|bridge| bridge.stopping.replace(Some(replace)));
}

fn finished(state: AppState) {
    let previous = with(|bridge| bridge.previous.take());
    let in_part = |c: &Committed| !c.is_complete(ComponentKind::Heads);
    let left_in_part = state.committed.with_untracked(|c| c.as_ref().is_some_and(in_part));
    if state.job.get_untracked().is_some() && left_in_part {
        state.committed.set(previous);
    }
    state.job.set(None);
    state.progress.set(None);
    state.neuron_job.set(None);
    state.neuron_progress.set(None);
    state.bench_job.set(None);
    state.lab.job.set(None);
    state.lab.progress.set(None);
    state.lab.batch_job.set(None);
    state.silent_seconds.set(None);
    with(|bridge| {
        bridge.stopping.replace(None);
        bridge.pending.take();
    });
}
