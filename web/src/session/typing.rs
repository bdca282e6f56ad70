//! What is seen of the draft: its tokens at once, by a worker that does nothing else; what the model expects behind it
//! after a short pause, by the worker that has the model, between two steps of whatever that is doing.

use std::sync::Arc;

use twinbeam_core::wire::inspection::{Inspection, Predictions};
use twinbeam_core::wire::{Event, Request};

use super::msg::{Effect, Timer};
use super::session::Session;
use super::workers::{Reader, Role};
use crate::values::Job;

/// Pause in typing after which the model is asked what it expects: a large one takes a while for that.
const TYPING_MILLIS: u32 = 200;

impl Session {
    /// Has the draft looked at, at once or, as far as that takes a while, after a pause in typing.
    pub(super) fn inspect(&mut self, at_once: bool) {
        // The speed is measured on other inputs, and nobody waits for it to type.
        self.interrupt_if(|job| job == Job::Speed);
        (self.inspected, self.predicted, self.paused) = (false, false, at_once);
        if at_once {
            self.effects.push(Effect::Stop(Timer::Typing));
            self.look_at_draft();
            self.predict();
        } else {
            if self.workers.reader.is_some_and(|reader| reader.reads) {
                self.look_at_draft();
            }
            self.effects.push(Effect::After { timer: Timer::Typing, millis: TYPING_MILLIS });
        }
    }

    /// Nothing was typed for a moment.
    pub(super) fn typing_paused(&mut self) {
        self.paused = true;
        if !self.workers.reader.is_some_and(|reader| reader.reads) {
            self.look_at_draft();
        }
        self.predict();
    }

    /// Asks what the draft is in tokens: the reader, or else the worker in use. A model that comes later is asked as soon as
    /// it is there.
    pub(super) fn look_at_draft(&mut self) {
        let reader = self.workers.reader.filter(|reader| reader.reads).map(|reader| reader.worker);
        let in_use = self.workers.in_use.filter(|_| self.loaded.is_some());
        if let Some(worker) = reader.or(in_use) {
            self.workers.inspections += 1;
            let seq = self.workers.inspections;
            self.tell_worker(worker, Request::Inspect { seq, draft: self.draft.clone() }, None);
        }
    }

    /// Asks the model what it expects behind the draft.
    fn predict(&mut self) {
        if self.loaded.is_some() {
            let seq = self.workers.inspections;
            self.tell(Request::Predict { seq, draft: self.draft.clone() });
        }
    }

    /// What the draft is in tokens; it runs if that is wanted and it can.
    pub(super) fn take_inspection(&mut self, seq: u64, mut inspection: Inspection) {
        if self.workers.inspections != seq || self.inspected {
            return;
        }
        // What was expected before stays until it is known what is expected now.
        inspection.clean.next = self.inspection.clean.next.clone();
        inspection.corrupted.next = self.inspection.corrupted.next.clone();
        let can_run = inspection.problem.is_none();
        self.inspection = Arc::new(inspection);
        self.inspected = true;
        self.note_work();
        let wanted = std::mem::take(&mut self.workers.run_if_possible);
        // What a worker does that has nothing else to do makes way.
        if wanted && can_run && self.job() != Some(Job::Heads) {
            self.run(false);
        } else {
            self.run_by_itself();
        }
    }

    /// What the model expects behind the draft.
    pub(super) fn take_predictions(&mut self, seq: u64, predictions: Predictions) {
        if self.workers.inspections == seq {
            let inspection = Arc::make_mut(&mut self.inspection);
            let Predictions { clean, corrupted } = predictions;
            (inspection.clean.next, inspection.corrupted.next) = (clean, corrupted);
            self.predicted = true;
        }
    }

    /// The worker in use has handed out what reads text: another one takes it, unless it reads text already.
    pub(super) fn open_reader(&mut self) {
        let Some(from) = self.workers.in_use.filter(|_| !self.is_frame) else {
            return;
        };
        if self.workers.reader.is_none() {
            let to = self.open_worker();
            self.workers.reader = Some(Reader { worker: to, reads: false });
            self.effects.push(Effect::HandOn { from, to });
        }
    }

    /// Ends the reader, if there is one: it reads for another model, or does not read at all.
    pub(super) fn close_reader(&mut self) {
        if let Some(Reader { worker, .. }) = self.workers.reader.take() {
            self.effects.push(Effect::Close { worker });
        }
    }

    /// What the reader says.
    pub(super) fn hear_reader(&mut self, event: Event) {
        match event {
            Event::Started { build } => self.started(&build, Role::Reader),
            Event::Reads => {
                if let Some(reader) = &mut self.workers.reader {
                    reader.reads = true;
                }
                self.look_again();
            }
            Event::Inspected { seq, inspection } => self.take_inspection(seq, *inspection),
            Event::Failed { .. } => self.lose_reader(),
            // It has not been asked for anything else.
            _ => {}
        }
    }

    /// The reader is gone, or of no use: the worker in use looks at what is typed, until it hands out its files again.
    pub(super) fn lose_reader(&mut self) {
        self.close_reader();
        self.look_again();
    }

    /// Asks somebody else what was not answered.
    fn look_again(&mut self) {
        if !self.inspected {
            self.look_at_draft();
            // While somebody types that follows by itself.
            if self.paused {
                self.predict();
            }
        }
    }
}
