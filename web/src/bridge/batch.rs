//! Many prompts, one after the other, each as an ordinary job of its own.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::prompts::lists::MAX_PAIRS;
use twinbeam_core::prompts::{Draw, PromptPair};
use twinbeam_core::scores::many::{CaseResult, Merging};
use twinbeam_core::scores::{Outcome, SideSummary, Tables, Unit};
use twinbeam_core::wire::{Event, Request};
use twinbeam_core::words::{ComponentKind, Experiment};

use super::lab::in_words;
use super::{finished, next_job, send, with};
use crate::explain::lists;
use crate::lab::Before;
use crate::state::{AppState, Progress};

/// The pair that is running, as far as it has come, and what those before have in common.
#[derive(Default)]
pub(super) struct Running {
    merging: Option<Merging>,
    name: String,
    outcome: Option<Outcome>,
    /// Of which weights, which components and which pairs all of it is.
    fingerprint: String,
    kinds: Vec<ComponentKind>,
    pairs: Vec<PromptPair>,
    draw: Option<Draw>,
}

/// Runs all pairs from the first one on.
pub(crate) fn begin(state: AppState) {
    let settings = state.draft.get_untracked();
    let batch = state.lab.batch;
    let loaded = state.loaded.with_untracked(|loaded| {
        loaded.as_ref().map(|loaded| (loaded.shape, loaded.fingerprint.clone()))
    });
    let Some((shape, fingerprint)) = loaded else {
        return;
    };
    pause(state);
    let mut kinds = vec![ComponentKind::Heads];
    if batch.neurons.get_untracked() {
        kinds.push(ComponentKind::Neurons);
    }
    let mut merging = Merging::new(settings.metric, Unit::Metric, shape.d_model);
    let pairs = batch.pairs.get_untracked();
    let bad_rows = batch.list_of(&pairs, |list| list.bad().cloned().collect::<Vec<_>>());
    for bad in bad_rows.unwrap_or_default() {
        let reason = if bad.name.is_empty() { bad.problem.to_string() } else { bad.to_string() };
        merging.leave_out(bad.title(), reason);
    }
    let running = Running {
        merging: Some(merging),
        name: String::new(),
        outcome: None,
        fingerprint,
        kinds,
        pairs,
        draw: batch.draw.get_untracked(),
    };
    with(|bridge| bridge.batch.replace(running));
    batch.problem.set(None);
    batch.of.set(Some(settings));
    batch.merged.set(None);
    batch.next.set(0);
    batch.running.set(true);
}

/// Goes on where it was stopped.
pub(crate) fn resume(state: AppState) {
    state.lab.batch.problem.set(None);
    state.lab.batch.running.set(true);
}

/// Stops after what is done.
pub(crate) fn pause(state: AppState) {
    state.lab.batch.running.set(false);
    if let Some(job) = state.lab.batch_job.get_untracked() {
        send(&Request::Cancel { job });
        state.lab.batch_job.set(None);
        state.lab.batch.progress.set(None);
    }
}

/// Draws pairs of a task, as soon as a worker is there: it has the words. They are added to a list of the visitor's
/// own, and take the place of pairs that were drawn.
pub(crate) fn draw(state: AppState, task: &str, n: usize, seed: u32) {
    let batch = state.lab.batch;
    let draw = Draw { task: task.to_owned(), n, seed };
    let own = batch.pairs.with_untracked(Vec::len);
    if own > 0 && batch.draw.with_untracked(Option::is_none) {
        let fits = own + n <= MAX_PAIRS;
        batch.problem.set((!fits).then(|| lists::no_room(own, n)));
        batch.adding.set(fits.then_some(draw));
        return;
    }
    keep(state, lists::drawn_instead(n));
    batch.adding.set(None);
    take(state, Vec::new());
    batch.draw.set(Some(draw));
}

/// Has the worker draw what is to be drawn and is not there. To be called whenever one may have become true; it
/// tracks what that depends on.
pub(crate) fn draw_missing(state: AppState) {
    let batch = state.lab.batch;
    let is_missing = batch.pairs.with(Vec::is_empty);
    let draw = batch.draw.get().filter(|_| is_missing);
    let draw = batch.adding.get().or(draw);
    if let Some(draw) = draw.filter(|_| state.loaded.with(Option::is_some)) {
        send(&Request::Draw { draw });
    }
}

/// Keeps the list, if there is one, before it is changed by something that can be undone.
pub(crate) fn keep(state: AppState, done: String) {
    let batch = state.lab.batch;
    let text = batch.text.get_untracked();
    if text.trim().is_empty() {
        batch.before.set(None);
        return;
    }
    let (pairs, draw) = (batch.pairs.get_untracked(), batch.draw.get_untracked());
    batch.before.set(Some(Before { text, pairs, draw, done, is_last: true }));
}

/// Brings back the list that was kept, to the letter, and keeps the one that was there: whoever undoes once more has it.
pub(crate) fn undo(state: AppState) {
    let batch = state.lab.batch;
    let Some(Before { text, pairs, draw, .. }) = batch.before.get_untracked() else {
        return;
    };
    keep(state, lists::UNDONE.to_owned());
    batch.before.update(|before| {
        if let Some(before) = before {
            before.is_last = false;
        }
    });
    batch.adding.set(None);
    take(state, pairs);
    batch.draw.set(draw);
    batch.text.set(text);
    batch.problem.set(read(state).1);
}

/// The pairs in the field, and what is wrong with it as a whole.
pub(crate) fn read(state: AppState) -> (Vec<PromptPair>, Option<String>) {
    let batch = state.lab.batch;
    let is_empty = batch.text.with_untracked(|text| text.trim().is_empty());
    batch.list.with_untracked(|list| match list {
        Ok(list) => (list.pairs(), None),
        // An empty field is no mistake.
        Err(_) if is_empty => (Vec::new(), None),
        Err(source) => (Vec::new(), Some(lists::unreadable(source))),
    })
}

/// Another link's pairs have taken the place of those there were, or are named by it: what was found goes, unless
/// it was found with the same.
pub(crate) fn draw_again(state: AppState) {
    let batch = state.lab.batch;
    let (pairs, draw) = (batch.pairs.get_untracked(), batch.draw.get_untracked());
    let before = with(|bridge| {
        let running = bridge.batch.borrow();
        let is_same = running.draw == draw && (draw.is_some() || running.pairs == pairs);
        (is_same && running.merging.is_some()).then(|| running.pairs.clone())
    });
    match before {
        // Drawn pairs do not travel with a link.
        Some(same) => batch.pairs.set(same),
        None => take(state, pairs),
    }
}

/// Takes what the worker has drawn, if it is what is wanted now.
pub(super) fn drawn(state: AppState, what: &Draw, pairs: Vec<PromptPair>) {
    let batch = state.lab.batch;
    let is = |draw: &Option<Draw>| draw.as_ref() == Some(what);
    let is_added = batch.adding.with_untracked(is);
    if !is_added && !batch.draw.with_untracked(is) {
        return;
    }
    batch.adding.set(None);
    if pairs.is_empty() && what.n > 0 {
        if !is_added {
            batch.draw.set(None);
        }
        let words = format!("There is no task named “{}”. Choose one of the list.", what.task);
        batch.problem.set(Some(words));
    } else if is_added {
        add(state, pairs);
    } else {
        take(state, pairs);
    }
}

/// Adds pairs to the visitor's own. A link then holds all of them: they cannot be drawn again.
fn add(state: AppState, more: Vec<PromptPair>) {
    let batch = state.lab.batch;
    let mut pairs = batch.pairs.get_untracked();
    let (own, n) = (pairs.len(), more.len());
    // More may have been typed in the meantime.
    if own + n > MAX_PAIRS {
        batch.problem.set(Some(lists::no_room(own, n)));
        return;
    }
    let n_bad =
        batch.list.with_untracked(|list| list.as_ref().map_or(0, |list| list.bad().count()));
    keep(state, lists::added(n, own, n_bad));
    pairs.extend(more);
    batch.draw.set(None);
    take(state, pairs);
}

/// What the pairs have in common, with all that it was computed with.
pub(crate) struct Summary {
    /// As programs read it.
    pub(crate) json: String,
    /// Pairs that it is of.
    pub(crate) n: usize,
    /// The settings in words.
    pub(crate) settings: String,
}

impl Summary {
    /// `None` before a pair is done.
    pub(crate) fn of(state: AppState) -> Option<Self> {
        let batch = state.lab.batch;
        let (merged, of) = (batch.merged.get_untracked()?, batch.of.get_untracked()?);
        let Experiment { model, metric, n_steps, prepend_bos, .. } = of;
        let (fingerprint, draw) = with(|bridge| {
            let running = bridge.batch.borrow();
            (running.fingerprint.clone(), running.draw.clone())
        });
        let provenance = serde_json::json!({
            "twinbeam": crate::BUILD,
            "model": model,
            "model_sha256": fingerprint,
            "metric": metric.id(),
            "n_steps": n_steps,
            "prepend_bos": prepend_bos,
            "draw": draw,
        });
        Some(Self {
            json: format!("{{\"provenance\":{provenance},\"merged\":{}}}\n", merged.to_json()),
            n: merged.n(),
            settings: format!("{model}, {}, {n_steps} steps", metric.label()),
        })
    }
}

/// Takes pairs in place of those there were.
pub(crate) fn take(state: AppState, pairs: Vec<PromptPair>) {
    let batch = state.lab.batch;
    pause(state);
    with(|bridge| bridge.batch.take());
    batch.next.set(0);
    batch.merged.set(None);
    batch.of.set(None);
    batch.problem.set(None);
    batch.pairs.set(pairs);
}

/// Runs the next pair.
pub(super) fn next(state: AppState) {
    let batch = state.lab.batch;
    let place = batch.next.get_untracked();
    let pair = batch.pairs.with_untracked(|pairs| pairs.get(place).cloned());
    let (Some(pair), Some(settings)) = (pair, batch.of.get_untracked()) else {
        batch.running.set(false);
        return;
    };
    let fingerprint = state.loaded.with_untracked(|loaded| {
        loaded.as_ref().map(|loaded| loaded.fingerprint.clone()).unwrap_or_default()
    });
    if with(|bridge| bridge.batch.borrow().fingerprint != fingerprint) {
        let words = "Another model is in use now than at the beginning: run all pairs anew, or choose that model again.";
        batch.problem.set(Some(words.to_owned()));
        batch.running.set(false);
        return;
    }
    let name = pair.title(place);
    let PromptPair { clean, corrupted, answer, wrong, written, .. } = pair;
    let experiment = Experiment { clean, corrupted, answer, wrong, written, ..settings };
    let job = next_job();
    batch.progress.set(None);
    let kinds = with(|bridge| {
        bridge.silent_seconds.set(0);
        let mut running = bridge.batch.borrow_mut();
        (running.name, running.outcome) = (name, None);
        running.kinds.clone()
    });
    state.lab.batch_job.set(Some(job));
    let first = state.direction.get_untracked();
    send(&Request::Run { job, experiment, first, kinds });
}

/// What the worker says of the running pair.
pub(super) fn hear(state: AppState, event: Event) {
    let batch = state.lab.batch;
    match event {
        Event::Progress { phase, done, total, seconds, .. } => {
            batch.progress.set(Some(Progress { phase, done, total, seconds }));
        }
        Event::Sides { clean, corrupted, .. } => sides(state, *clean, *corrupted),
        Event::Strip { strip, .. } => with(|bridge| {
            if let Some(outcome) = &mut bridge.batch.borrow_mut().outcome {
                strip.add_to(&mut outcome.tables);
            }
        }),
        Event::Patched { patches, .. } => with(|bridge| {
            if let Some(outcome) = &mut bridge.batch.borrow_mut().outcome {
                patches.add_to(&mut outcome.tables);
            }
        }),
        // A GPU's pair is taken when the CPU has confirmed a sample of it.
        Event::Done { checking: true, .. } => {}
        Event::Withdrawn { .. } => {
            with(|bridge| bridge.batch.borrow_mut().outcome.take());
            next(state);
        }
        Event::Done { .. } | Event::Checked { .. } => {
            with(|bridge| {
                let mut running = bridge.batch.borrow_mut();
                let name = running.name.clone();
                if let (Some(outcome), Some(merging)) =
                    (running.outcome.take(), &mut running.merging)
                {
                    merging.add(&CaseResult::of(name, outcome));
                }
            });
            one_more(state);
        }
        Event::Failed { problem, .. } => {
            leave_out(state, in_words(&problem, state.is_on_gpu()));
        }
        Event::Cancelled { .. } => {
            batch.running.set(false);
            batch.progress.set(None);
            finished(state);
        }
        _ => {}
    }
}

/// The worker has died at the running pair, which is not run again: it might be why.
pub(super) fn died(state: AppState, what: &str) {
    if state.lab.batch_job.get_untracked().is_some() {
        leave_out(state, format!("{what} while this pair was run."));
    }
}

/// Lists the running pair as one that failed, and goes on.
fn leave_out(state: AppState, reason: String) {
    with(|bridge| {
        let mut running = bridge.batch.borrow_mut();
        let name = running.name.clone();
        if let Some(merging) = &mut running.merging {
            merging.leave_out(name, reason);
        }
    });
    one_more(state);
}

fn sides(state: AppState, clean: SideSummary, corrupted: SideSummary) {
    let (Some(shape), Some(experiment)) = (state.shape(), state.lab.batch.of.get_untracked())
    else {
        return;
    };
    let outcome = Outcome {
        experiment,
        shape,
        clean,
        corrupted,
        tables: Tables::default(),
        joint: Vec::new(),
        seconds: Vec::new(),
    };
    with(|bridge| bridge.batch.borrow_mut().outcome.replace(outcome));
}

/// A pair is done, whatever came of it.
fn one_more(state: AppState) {
    let batch = state.lab.batch;
    let merged = with(|bridge| bridge.batch.borrow().merging.as_ref().map(Merging::merged));
    batch.merged.set(merged.map(Arc::new));
    batch.progress.set(None);
    batch.next.update(|next| *next += 1);
    let is_last = batch.next.get_untracked() >= batch.pairs.with_untracked(Vec::len);
    if is_last {
        batch.running.set(false);
    }
    finished(state);
}
