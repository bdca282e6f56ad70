//! What the worker does when it has nothing else to do: the lab's questions, then the next pair of a batch.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::wire::{Event, Problem, Request};
use twinbeam_core::words::{ComponentKind, Experiment};

use super::{finished, next_job, send, with};
use crate::explain;
use crate::lab::{Answer, Slot};
use crate::state::AppState;

/// The question that the worker is at.
pub(super) struct Asked {
    slot: Slot,
    probe: Probe,
    experiment: Experiment,
    fingerprint: String,
}

/// Gives the worker something to do, if it is idle and there is something. To be called whenever one of the two
/// may have become true; it tracks what that depends on.
pub(crate) fn go_on(state: AppState) {
    let jobs = [state.job, state.neuron_job, state.bench_job, state.lab.job, state.lab.batch_job];
    let is_busy = jobs.iter().any(|job| job.get().is_some());
    let of = state.figure_in_use();
    let wanted = Slot::ALL.into_iter().find_map(|slot| {
        let probe = state.lab.wants(slot).get()?;
        let answer = state.lab.answers(slot).get();
        let is_there = answer.is_some_and(|a| a.probe == probe && state.is_of_figure(&a));
        (!is_there).then_some((slot, probe))
    });
    let batch_waits = state.lab.batch.running.get() && state.loaded.with(Option::is_some);
    if state.lab.job.get().is_some() && !is_wanted_still(state) {
        // With no question running this comes here again.
        return stop(state);
    }
    if is_busy {
        return;
    }
    match (wanted, of) {
        (Some((slot, probe)), Some((experiment, fingerprint))) => {
            ask(state, Asked { slot, probe, experiment, fingerprint });
        }
        _ if batch_waits => super::batch::next(state),
        _ => {}
    }
}

/// Whether somebody waits for the answer to the running question. Without this, what is asked now would wait for
/// what nobody reads any more.
fn is_wanted_still(state: AppState) -> bool {
    with(|bridge| {
        bridge.asked.borrow().as_ref().is_none_or(|asked| {
            state.lab.wants(asked.slot).with(|probe| probe.as_ref() == Some(&asked.probe))
        })
    })
}

fn ask(state: AppState, asked: Asked) {
    let job = next_job();
    state.lab.progress.set(None);
    let (experiment, probe) = (asked.experiment.clone(), asked.probe.clone());
    with(|bridge| {
        bridge.silent_seconds.set(0);
        bridge.asked.replace(Some(asked));
    });
    state.lab.job.set(Some(job));
    send(&Request::Probe { job, experiment, probe });
}

/// The worker has died at the running question, which is not asked again by itself: it might be why.
pub(super) fn died(state: AppState, what: &str) {
    if state.lab.job.get_untracked().is_some() {
        answered(state, Err(format!("{what} while this was computed.")), false);
    }
}

/// Stops the running question, which is asked again when there is time.
pub(super) fn stop(state: AppState) {
    if let Some(job) = state.lab.job.get_untracked() {
        send(&Request::Cancel { job });
        with(|bridge| bridge.asked.take());
        state.lab.job.set(None);
        state.lab.progress.set(None);
    }
}

/// What the worker says of the running question.
pub(super) fn hear(state: AppState, event: Event) {
    let (found, unchecked) = match event {
        Event::Probed { finding, unchecked, .. } => (Ok(*finding), unchecked),
        Event::Failed { problem, .. } => (Err(in_words(&problem, state.is_on_gpu())), false),
        _ => (Err("It was stopped.".to_owned()), false),
    };
    answered(state, found, unchecked);
    finished(state);
}

fn answered(state: AppState, found: Result<Finding, String>, unchecked: bool) {
    if let Some(Asked { slot, probe, experiment, fingerprint }) = with(|bridge| bridge.asked.take())
    {
        let answer = Answer { experiment, fingerprint, probe, found, unchecked };
        state.lab.answers(slot).set(Some(Arc::new(answer)));
    }
}

/// Why there is no answer, and the way out.
pub(super) fn in_words(problem: &Problem, on_gpu: bool) -> String {
    let notice = explain::problem(problem, on_gpu);
    format!("{}. {}", notice.title, notice.what_to_do)
}

/// Asks once more what could not be answered.
pub(crate) fn ask_again(state: AppState, slot: Slot) {
    state.lab.answers(slot).set(None);
}

impl AppState {
    /// The experiment that the figure is of and its weights, if the model in use is that one.
    fn figure_in_use(&self) -> Option<(Experiment, String)> {
        let in_use = self.loaded.with(|loaded| {
            loaded.as_ref().map(|loaded| (loaded.identity.id.clone(), loaded.fingerprint.clone()))
        });
        let (id, fingerprint) = in_use?;
        self.committed.with(|committed| {
            let committed = committed.as_ref().filter(|c| c.is_complete(ComponentKind::Heads))?;
            let is_it = committed.experiment.model == id
                && fingerprint.starts_with(&committed.model.fingerprint);
            is_it.then(|| (committed.experiment.clone(), fingerprint))
        })
    }
}
