//! What the worker in use is given to do: one job at a time. Whoever has something more important takes its place.

use std::sync::Arc;

use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::wire::{Event, Request};
use twinbeam_core::words::{ComponentKind, Experiment};

use super::msg::{Effect, Timer};
use super::running::Running;
use super::session::Session;
use super::workers::Coming;
use crate::explain;
use crate::values::{Answer, Edges, Files, Job, Loss, NoAnswer, Slot};

/// A worker that has said nothing lately and does not stop by then is replaced.
const CANCEL_MILLIS: u32 = 1200;
/// One that works is given as long as a large model's batch takes on a CPU: to load it again would take longer.
const CANCEL_MILLIS_AT_WORK: u32 = 4000;
/// A worker that has said something in the last seconds is at work.
const AT_WORK_SECONDS: u32 = 5;

impl Session {
    /// Runs the draft. `new_step`: the visitor asked for it, so Back leads to what was before.
    pub(super) fn run(&mut self, new_step: bool) {
        self.edited.has_step = false;
        let first = self.workers.first.take().filter(|_| !new_step);
        let experiment = match first {
            Some(first) => Experiment { model: self.draft.model.clone(), ..first },
            None => self.draft.clone(),
        };
        self.run_of(experiment, new_step);
        if new_step {
            // What was said before the first run, of a damaged link for instance, stays until it is read.
            self.notice = None;
        }
    }

    /// Runs the draft without being told to: it was edited. `new_step`: Back leads to what was before the edits.
    pub(super) fn run_edits(&mut self, new_step: bool) {
        self.workers.first = None;
        self.run_of(self.draft.clone(), new_step);
        self.notice = None;
    }

    /// Runs an experiment on the model in use, in place of whatever is running.
    fn run_of(&mut self, experiment: Experiment, new_step: bool) {
        // Whoever runs on the model in use does not wait for another.
        self.models.waiting = None;
        self.workers.run_if_possible = false;
        self.link_stays = false;
        self.write_address(&experiment, None, new_step);
        self.failed = false;
        self.seconds = None;
        self.pending = None;
        let kinds = vec![ComponentKind::Heads];
        self.begin_run(Job::Heads, experiment, kinds);
        self.note_work();
    }

    /// Runs the draft now, or as soon as a model is there.
    pub(super) fn run_again(&mut self) {
        if self.loaded.is_some() {
            self.run(true);
        } else {
            (self.notice, self.failed) = (None, false);
            self.start();
        }
    }

    /// Scores the neurons of what the head maps show.
    pub(super) fn run_neurons(&mut self) {
        let Some(experiment) = self.committed.as_ref().map(|c| c.experiment.clone()) else {
            return;
        };
        // What a cancelled job has left.
        self.drop_neurons();
        self.begin_run(Job::Neurons, experiment, vec![ComponentKind::Neurons]);
    }

    /// Times the methods on the draft.
    pub(super) fn measure_speed(&mut self) {
        self.bench = None;
        let experiment = self.draft.clone();
        let job = self.begin_job(Job::Speed, experiment.clone(), None);
        self.tell(Request::Bench { job, experiment });
    }

    /// Begins a run of some kinds of components, the direction on the screen first.
    pub(super) fn begin_run(
        &mut self,
        job: Job,
        experiment: Experiment,
        kinds: Vec<ComponentKind>,
    ) {
        if job.is_of_figure() {
            // They wait until somebody has them go on.
            self.many.is_running = false;
        }
        let id = self.begin_job(job, experiment.clone(), None);
        let first = self.sight.direction;
        self.tell(Request::Run { job: id, experiment, first, kinds });
    }

    pub(super) fn ask(&mut self, slot: Slot, probe: Probe, of: (Experiment, String)) {
        let (experiment, fingerprint) = of;
        let question = Some((probe.clone(), fingerprint));
        let job = self.begin_job(Job::Question(slot), experiment.clone(), question);
        self.tell(Request::Probe { job, experiment, probe });
    }

    /// Takes the place of whatever is running.
    fn begin_job(
        &mut self,
        job: Job,
        experiment: Experiment,
        question: Option<(Probe, String)>,
    ) -> u64 {
        self.interrupt();
        self.workers.jobs += 1;
        self.workers.silence = 0;
        let id = self.workers.jobs;
        let begun = self.now.millis;
        let (progress, work) = (None, None);
        self.running = Some(Running { id, job, progress, begun, experiment, work, question });
        id
    }

    /// Stops the running job without waiting for its end. A question is asked again when there is time.
    pub(super) fn interrupt(&mut self) {
        if let Some(running) = self.running.take() {
            self.tell(Request::Cancel { job: running.id });
        }
    }

    /// Stops the running job if it is one that makes way.
    pub(super) fn interrupt_if(&mut self, job: impl Fn(Job) -> bool) {
        if self.job().is_some_and(job) {
            self.interrupt();
        }
    }

    /// Stops the running job: at its next step, or, if the worker does not answer, by replacing it.
    pub(super) fn cancel(&mut self) {
        let Some(job) = self.running.as_ref().map(|running| running.id) else {
            return;
        };
        self.tell(Request::Cancel { job });
        // Many prompts go on when they are told to, also with another worker.
        self.many.is_running = false;
        self.workers.stopping = Some(job);
        let is_silent = self.workers.silence > AT_WORK_SECONDS;
        let millis = if is_silent { CANCEL_MILLIS } else { CANCEL_MILLIS_AT_WORK };
        self.effects.push(Effect::After { timer: Timer::Stopping, millis });
    }

    /// Nothing is running any more, whatever came of it.
    pub(super) fn finish(&mut self) {
        let previous = self.previous.take();
        let left_in_part =
            self.committed.as_ref().is_some_and(|c| !c.is_complete(ComponentKind::Heads));
        if self.job() == Some(Job::Heads) && left_in_part {
            self.committed = previous;
        }
        self.running = None;
        self.loading = None;
        self.silent_seconds = None;
        self.pending = None;
        if self.workers.stopping.take().is_some() {
            self.effects.push(Effect::Stop(Timer::Stopping));
        }
    }

    /// The answer to the running question, or why there is none.
    pub(super) fn hear_answer(&mut self, slot: Slot, event: Event) {
        let (found, unchecked) = match event {
            Event::Probed { finding, unchecked, .. } => (Ok(*finding), unchecked),
            Event::Failed { problem, .. } => {
                (Err(NoAnswer::Failed { problem, on_gpu: self.is_on_gpu() }), false)
            }
            Event::Cancelled { .. } => (Err(NoAnswer::Stopped), false),
            _ => return,
        };
        self.answered(slot, found, unchecked);
        self.finish();
    }

    fn answered(&mut self, slot: Slot, found: Result<Finding, NoAnswer>, unchecked: bool) {
        let Some(running) = self.running.take() else { return };
        let Some((probe, fingerprint)) = running.question else { return };
        let experiment = running.experiment;
        let answer = Answer { experiment, fingerprint, probe, found, unchecked };
        self.learn_edges(&answer, (self.now.millis - running.begun) / 1000.0);
        self.answers[slot as usize] = Some(answer.into());
    }

    /// Keeps what an answer says of edges, which took so long.
    fn learn_edges(&mut self, answer: &Answer, seconds: f64) {
        match &answer.found {
            Ok(Finding::Edges(found)) => {
                let edges = self.committed.as_ref().and_then(|c| Edges::of(answer, c));
                self.edges[found.direction as usize] = edges.map(Arc::new);
            }
            Ok(Finding::PatchEdges(found)) => {
                if let Some(edges) = &mut self.edges[found.direction as usize] {
                    Arc::make_mut(edges).add(answer, seconds);
                }
            }
            _ => {}
        }
    }

    /// The worker has died at what it was doing. A question, and a pair, are not tried again by themselves: they might be
    /// why.
    pub(super) fn lose_job(&mut self, loss: Loss) {
        match self.job() {
            Some(Job::Question(slot)) => {
                self.answered(slot, Err(NoAnswer::Lost(loss)), false);
            }
            Some(Job::Pair) => self.leave_out(explain::lists::lost(loss)),
            _ => {}
        }
    }

    /// Tells the worker in use.
    pub(super) fn tell(&mut self, request: Request) {
        if let Some(worker) = self.workers.in_use {
            self.tell_worker(worker, request, None);
        }
    }

    pub(super) fn tell_worker(&mut self, worker: u64, request: Request, files: Option<Files>) {
        let request = Box::new(request);
        self.effects.push(Effect::Tell { worker, request, files });
    }

    /// Ends a worker in which a model was arriving, if there is one.
    pub(super) fn close_coming(&mut self) -> Option<Coming> {
        let coming = self.workers.coming.take()?;
        self.effects.push(Effect::Close { worker: coming.worker });
        Some(coming)
    }
}
