//! The worker from the page's side: one at a time, replaced when it dies.

use std::cell::{Cell, RefCell};

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use twinbeam_core::{Event, Experiment, Problem, Request, UnitBasis};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::state::{AppState, Committed, Loaded, Progress};
use crate::{BUILD, explain, url_state};

/// A worker that has not stopped by then is replaced.
const CANCEL_MILLIS: u32 = 2000;
/// A worker that keeps dying before it is ready is not started again.
const MAX_DEATHS: u32 = 2;
/// Pause in typing after which the draft is looked at.
const TYPING_MILLIS: u32 = 200;

#[derive(Default)]
struct Bridge {
    worker: RefCell<Option<Connection>>,
    next_job: Cell<u64>,
    inspections: Cell<u64>,
    typing: RefCell<Option<Timeout>>,
    stopping: RefCell<Option<Timeout>>,
    /// What the running job is of.
    running: RefCell<Option<Experiment>>,
    /// Workers that died before they had a model ready, in a row.
    deaths: Cell<u32>,
    /// Run as soon as a model is there.
    run_when_loaded: Cell<bool>,
}

/// A worker with what it must hear once it has started, and the closures that hear it.
struct Connection {
    worker: Worker,
    waiting: Option<Vec<String>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

thread_local! {
    static BRIDGE: Bridge = Bridge::default();
}

/// Starts the worker, loads the model, and runs the draft as soon as that is done.
pub(crate) fn start(state: AppState) {
    BRIDGE.with(|bridge| bridge.run_when_loaded.set(true));
    restart(state);
}

/// Replaces the worker: what it held is given back, and the model is loaded anew.
pub(crate) fn restart(state: AppState) {
    state.job.set(None);
    state.progress.set(None);
    state.loaded.set(None);
    state.inspected.set(false);
    BRIDGE.with(|bridge| {
        if let Some(old) = bridge.worker.take() {
            old.worker.terminate();
        }
        match connect(state) {
            Ok(connection) => {
                bridge.worker.replace(Some(connection));
            }
            Err(error) => {
                state.failed.set(true);
                state.notice.set(Some(explain::worker_died(&format!("{error:?}"))));
            }
        }
    });
    send(&Request::Load {
        model: state.draft.with_untracked(|draft| draft.model.clone()),
        base: url_state::beside_the_page("models/mini/"),
        device: state.device_choice.get_untracked(),
    });
}

fn connect(state: AppState) -> Result<Connection, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let address = url_state::beside_the_page("worker_loader.js");
    let worker = Worker::new_with_options(&address, &options)?;
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(text) = event.data().as_string()
            && let Ok(event) = serde_json::from_str(&text)
        {
            hear(state, event);
        }
    });
    // Out of memory does not run a panic hook: this event is the only sign of it.
    let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
        event.prevent_default();
        let message = event.message();
        let deaths = BRIDGE.with(|bridge| {
            bridge.deaths.set(bridge.deaths.get() + 1);
            bridge.deaths.get()
        });
        if deaths <= MAX_DEATHS {
            restart(state);
        }
        state.job.set(None);
        state.progress.set(None);
        state.failed.set(true);
        state.notice.set(Some(explain::worker_died(&message)));
    });
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    Ok(Connection {
        worker,
        waiting: Some(Vec::new()),
        _on_message: on_message,
        _on_error: on_error,
    })
}

/// Sends now, or as soon as the worker has started: what it is told earlier would be lost.
fn send(request: &Request) {
    // OK because requests hold strings, numbers and lists.
    let Ok(text) = serde_json::to_string(request) else {
        return;
    };
    BRIDGE.with(|bridge| {
        if let Some(connection) = bridge.worker.borrow_mut().as_mut() {
            match &mut connection.waiting {
                Some(waiting) => waiting.push(text),
                None => {
                    connection.worker.post_message(&JsValue::from_str(&text)).ok();
                }
            }
        }
    });
}

/// Has the draft looked at, at once or after a pause in typing.
pub(crate) fn inspect(state: AppState, at_once: bool) {
    state.inspected.set(false);
    let ask = move || {
        let seq = BRIDGE.with(|bridge| {
            bridge.inspections.set(bridge.inspections.get() + 1);
            bridge.inspections.get()
        });
        send(&Request::Inspect { seq, draft: state.draft.get_untracked() });
    };
    BRIDGE.with(|bridge| {
        // Dropping the old timer cancels it.
        bridge.typing.replace((!at_once).then(|| Timeout::new(TYPING_MILLIS, ask)));
    });
    if at_once {
        ask();
    }
}

/// Runs the draft. `new_step`: the visitor asked for it, so Back leads to what was before.
pub(crate) fn run(state: AppState, new_step: bool) {
    let experiment = state.draft.get_untracked();
    url_state::write(&experiment, new_step);
    let job = BRIDGE.with(|bridge| {
        bridge.next_job.set(bridge.next_job.get() + 1);
        bridge.next_job.get()
    });
    state.failed.set(false);
    if new_step {
        // What was said before the first run, of a damaged link for instance, stays until it is read.
        state.notice.set(None);
    }
    state.progress.set(None);
    state.seconds.set(None);
    state.job.set(Some(job));
    BRIDGE.with(|bridge| bridge.running.replace(Some(experiment.clone())));
    send(&Request::Run { job, experiment });
}

/// Takes another experiment and runs it.
pub(crate) fn open(state: AppState, experiment: Experiment, new_step: bool) {
    state.draft.set(experiment);
    inspect(state, true);
    if state.loaded.with_untracked(Option::is_some) {
        run(state, new_step);
    } else {
        BRIDGE.with(|bridge| bridge.run_when_loaded.set(true));
    }
}

/// Stops the running job: at its next step, or, if the worker does not answer, by replacing it.
pub(crate) fn cancel(state: AppState) {
    let Some(job) = state.job.get_untracked() else {
        return;
    };
    send(&Request::Cancel { job });
    let replace = Timeout::new(CANCEL_MILLIS, move || {
        if state.job.get_untracked() == Some(job) {
            restart(state);
            state.notice.set(Some(explain::worker_hung()));
        }
    });
    BRIDGE.with(|bridge| bridge.stopping.replace(Some(replace)));
}

fn hear(state: AppState, event: Event) {
    let current = |job: u64| state.job.get_untracked() == Some(job);
    match event {
        Event::Started { build } => started(state, &build),
        Event::Loaded { shape, device, fingerprint, .. } => {
            BRIDGE.with(|bridge| bridge.deaths.set(0));
            state.loaded.set(Some(Loaded { shape, device, fingerprint }));
            state.progress.set(None);
            inspect(state, true);
            if BRIDGE.with(|bridge| bridge.run_when_loaded.replace(false)) {
                run(state, false);
            }
        }
        Event::Inspected { seq, inspection } => {
            if BRIDGE.with(|bridge| bridge.inspections.get() == seq) {
                state.inspection.set(*inspection);
                state.inspected.set(true);
            }
        }
        Event::Progress { job, phase, done, total, seconds } => {
            if job == 0 || current(job) {
                state.progress.set(Some(Progress { phase, done, total, seconds }));
            }
        }
        Event::Sides { job, clean, corrupted } if current(job) => {
            let experiment = BRIDGE.with(|bridge| bridge.running.borrow().clone());
            let model = state.loaded.get_untracked();
            state.committed.set(experiment.zip(model).map(|(experiment, model)| Committed {
                basis: UnitBasis::new(experiment.metric, &clean, &corrupted, model.shape.d_model),
                experiment,
                model,
                sides: (*clean, *corrupted),
                tables: Vec::new(),
            }));
        }
        Event::Table { job, table } if current(job) => {
            state.committed.update(|committed| {
                if let Some(committed) = committed {
                    committed.tables.push(*table);
                }
            });
        }
        Event::Done { job, outcome } if current(job) => {
            let seconds = outcome.seconds.iter().map(|(_, seconds)| seconds).sum();
            state.committed.update(|committed| {
                if let Some(committed) = committed {
                    committed.tables = outcome.tables;
                }
            });
            state.seconds.set(Some(seconds));
            finished(state);
        }
        Event::Cancelled { job } if current(job) => {
            finished(state);
            state.notice.set(Some(explain::problem(&Problem::Cancelled)));
        }
        Event::Failed { job, problem } if job.is_none_or(current) => {
            finished(state);
            state.failed.set(true);
            // What is wrong with the inputs is said beside them already.
            if !matches!(problem, Problem::Prompt { .. }) {
                state.notice.set(Some(explain::problem(&problem)));
            }
        }
        // Of a job that is no longer wanted.
        Event::Sides { .. }
        | Event::Table { .. }
        | Event::Joint { .. }
        | Event::Done { .. }
        | Event::Cancelled { .. }
        | Event::Failed { .. } => {}
    }
}

fn started(state: AppState, build: &str) {
    if build != BUILD {
        state.failed.set(true);
        state.notice.set(Some(explain::other_build(BUILD, build)));
        return;
    }
    BRIDGE.with(|bridge| {
        if let Some(connection) = bridge.worker.borrow_mut().as_mut() {
            for text in connection.waiting.take().unwrap_or_default() {
                connection.worker.post_message(&JsValue::from_str(&text)).ok();
            }
        }
    });
}

fn finished(state: AppState) {
    state.job.set(None);
    state.progress.set(None);
    BRIDGE.with(|bridge| bridge.stopping.replace(None));
}
