//! Edits that are run by themselves when typing pauses, where that is expected to be quick; and how long a run is
//! expected to take.

use twinbeam_core::prompts::About;
use twinbeam_core::wire::devices::{Placement, Speed};

use super::msg::{Effect, Memory, Timer};
use super::session::Session;
use super::settle::AUTO_RUN;
use crate::values::Job;

/// Pause in typing after which an edit is run.
const PAUSE_MILLIS: u32 = 400;
/// A run that is expected to take longer is for the visitor to begin.
const MOST_SECONDS: f64 = 1.0;
/// Edits that follow each other within this are one step of the history.
const SPREE_MILLIS: f64 = 10_000.0;

impl Session {
    /// Has an edit run by itself: at once for a choice, after a pause for typing.
    pub(super) fn plan_auto_run(&mut self, at_once: bool) {
        let edited = &mut self.edited;
        edited.has_step &= self.now.millis - edited.at < SPREE_MILLIS;
        edited.at = self.now.millis;
        edited.is_due = at_once;
        if !self.auto_run {
            return;
        }
        let timer = Timer::Pausing;
        self.effects.push(if at_once {
            Effect::Stop(timer)
        } else {
            Effect::After { timer, millis: PAUSE_MILLIS }
        });
    }

    /// Typing has paused.
    pub(super) fn auto_run_is_due(&mut self) {
        self.edited.is_due = true;
        self.run_by_itself();
    }

    /// Runs what was edited while a figure came together: only then it may be known how long that takes.
    pub(super) fn run_later_edits(&mut self) {
        if self.edited.at > 0.0 && self.paused {
            self.auto_run_is_due();
        }
    }

    /// Whether edits are run by themselves from now on.
    pub(super) fn set_auto_run(&mut self, wanted: bool) {
        self.auto_run = wanted;
        let text = (!wanted).then(|| "off".to_owned());
        self.effects.push(Effect::Remember { memory: Memory::Lasting, key: AUTO_RUN, text });
        self.auto_run_is_due();
    }

    /// Runs the draft if it waits for a pause, typing has paused, and it is known what it is.
    pub(super) fn run_by_itself(&mut self) {
        if !self.edited.is_due || !self.inspected {
            return;
        }
        self.edited.is_due = false;
        if self.is_run_by_itself() {
            let new_step = !self.edited.has_step;
            self.run_edits(new_step);
            self.edited.has_step = true;
        }
    }

    /// Whether an edit is one that is run without being asked: nothing is wrong with it, it is no half sentence, nobody
    /// waits for anything else, and it is quick.
    fn is_run_by_itself(&self) -> bool {
        let is_open = self.inspection.hints.iter().any(|hint| hint.about == About::EndsInSpace);
        self.auto_run
            && !self.is_frame
            && self.can_run()
            && !is_open
            && self.is_stale() != Some(false)
            && !self.many.is_running
            && self.models.waiting.is_none()
            && self.expected_seconds().is_some_and(|seconds| seconds < MOST_SECONDS)
    }

    /// Seconds that the heads of the draft are expected to take, by how fast this model was on this device; `None`: that
    /// is not known, or the draft cannot be run.
    pub(crate) fn expected_seconds(&self) -> Option<f64> {
        let work = self.inspection.work.filter(|_| self.inspected)?;
        let loaded = self.loaded.as_ref()?;
        // Before it was measured it is only placed by what a CPU is like.
        let cpu = self.cpu_speed.unwrap_or(Speed::BROWSER_CPU);
        let cpu = Some(cpu).filter(|_| self.cpu_speed.is_some() || !loaded.device.gpu);
        let placement = Placement::of(work, self.device_choice, cpu, &self.gpu);
        if placement.gpu {
            placement.gpu_seconds
        } else {
            placement.cpu_seconds.filter(|_| self.cpu_speed.is_some())
        }
    }

    /// Notes what the running heads ask of the device, once that is known.
    pub(super) fn note_work(&mut self) {
        let work = self.inspection.work.filter(|_| self.inspected);
        if let Some(running) = &mut self.running
            && running.job == Job::Heads
            && running.experiment.has_inputs_of(&self.draft)
        {
            running.work = running.work.or(work);
        }
    }

    /// The running heads have taken so many seconds. Where a GPU computes, its worker says how fast that is.
    pub(super) fn learn_speed(&mut self, seconds: f64) {
        let work = self.running.as_ref().and_then(|running| running.work);
        // What is expected is known of one worker: others may not be there the next time.
        let is_alone = self.placed.as_ref().is_none_or(|(_, placement)| placement.workers == 1);
        if let (Some(work), false, true) = (work, self.is_on_gpu(), is_alone) {
            self.cpu_speed = Speed::learn_cpu(self.cpu_speed, work, seconds);
        }
    }
}
