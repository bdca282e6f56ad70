//! How workers start, say nothing, lose their device, hang and die, and what becomes of what they were doing.

use std::sync::Arc;

use twinbeam_core::wire::devices::{DeviceChoice, GpuState};
use twinbeam_core::wire::{Kept, Problem};

use super::msg::{Death, Effect};
use super::session::Session;
use super::workers::Role;
use crate::explain;
use crate::values::{Arriving, BUILD, Job, Loaded, Loss};

/// A worker that keeps dying before it is ready is not started again.
const MAX_DEATHS: u32 = 2;
/// Seconds without a word from a busy worker after which the page says so.
const SILENT_SECONDS: u32 = 10;

impl Session {
    /// Starts the worker, loads its model, and runs the draft as soon as that is done.
    pub(super) fn start(&mut self) {
        self.workers.run_when_loaded = true;
        self.restart();
    }

    /// Starts it on another device. A device is given back only with its worker.
    pub(super) fn start_on(&mut self, device: DeviceChoice, workers: Option<usize>) {
        self.device_choice = device;
        self.most_workers = workers;
        self.notice = None;
        self.failed = false;
        self.start();
        self.bring_again();
    }

    /// Replaces the worker: what it held is given back, and the model is loaded anew.
    pub(super) fn restart(&mut self) {
        self.finish();
        self.loaded = None;
        self.models.self_check = None;
        self.gpu = GpuState::default();
        self.placed = None;
        self.cpu_speed = None;
        (self.inspected, self.predicted) = (false, false);
        // The old one first: two do not fit where memory is short.
        self.close();
        let worker = self.open_worker();
        self.workers.in_use = Some(worker);
        self.workers.silence = 0;
        self.load_in_use();
    }

    /// Ends the worker in use.
    fn close(&mut self) {
        if let Some(worker) = self.workers.in_use.take() {
            self.effects.push(Effect::Close { worker });
        }
    }

    pub(super) fn open_worker(&mut self) -> u64 {
        self.workers.started += 1;
        let worker = self.workers.started;
        self.effects.push(Effect::Open { worker });
        worker
    }

    /// Has the worker in use load its model, once it is known which.
    pub(super) fn load_in_use(&mut self) {
        let Some((worker, spec)) = self.workers.in_use.zip(self.workers.spec.clone()) else {
            return;
        };
        // A model that takes no time worth a word is not announced.
        if !spec.is_bundled() && self.workers.coming.is_none() {
            self.models.arriving = Some(Arriving::new(&spec, false));
        }
        let request = spec.request(self.device_choice, self.speeds.clone(), self.most_workers);
        self.tell_worker(worker, request, spec.files());
    }

    /// A worker listens. One of another build is not spoken to.
    pub(super) fn started(&mut self, build: &str, role: Role) {
        let worker = match role {
            Role::InUse => self.workers.in_use,
            Role::Arriving => self.workers.coming.as_ref().map(|coming| coming.worker),
            Role::Reader => self.workers.reader.map(|reader| reader.worker),
        };
        let Some(worker) = worker else { return };
        self.program = None;
        if build == BUILD {
            self.effects.push(Effect::Listens { worker });
            return;
        }
        match role {
            // The worker in use looks at what is typed, and is of this build.
            Role::Reader => return self.lose_reader(),
            Role::Arriving => {
                self.close_coming();
                self.models.arriving = None;
            }
            Role::InUse => {
                self.finish();
                self.close();
                self.failed = true;
            }
        }
        self.notice = Some(explain::other_build(BUILD, build));
    }

    /// Counts the seconds for which a busy worker says nothing.
    pub(super) fn second(&mut self) {
        let is_busy = self.running.is_some() || self.loaded.is_none();
        self.workers.silence = if is_busy { self.workers.silence + 1 } else { 0 };
        let waits = |arriving: &Arriving| !arriving.is_another && arriving.is_waiting();
        let is_silent = self.workers.in_use.is_some()
            && self.workers.silence >= SILENT_SECONDS
            && !self.models.arriving.as_ref().is_some_and(waits)
            && !self.failed;
        self.silent_seconds = is_silent.then_some(self.workers.silence);
    }

    /// The job that was cancelled has not ended in time.
    pub(super) fn replace_hung(&mut self) {
        let Some(job) = self.workers.stopping.take() else { return };
        if self.running.as_ref().is_none_or(|running| running.id != job) {
            return;
        }
        self.lose_job(Loss::Hung);
        self.restart();
        self.notice = Some(explain::worker_hung());
    }

    /// A job or the loading has failed.
    pub(super) fn failed(&mut self, problem: &Problem) {
        let on_gpu = self.is_on_gpu();
        let was_loading = self.loaded.is_none();
        // What could not be measured says nothing against the figure.
        let was_measuring = self.job() == Some(Job::Speed);
        let is_lost = matches!(problem, Problem::DeviceLost { .. });
        if is_lost {
            // They would lose the next one too.
            self.lose_job(Loss::DeviceLost);
        }
        self.finish();
        if is_lost {
            // What a device held is gone with it, and its worker cannot ask for another.
            self.workers.losses += 1;
            if self.workers.losses == 1 {
                self.start();
                self.notice = Some(explain::device_lost_once());
                return;
            }
            self.restart();
        }
        if !was_measuring {
            self.failed = true;
        }
        if was_loading {
            self.arrived();
            if let Some(spec) = self.workers.spec.clone() {
                self.refused(Role::InUse, spec, problem);
            }
            return;
        }
        // What is wrong with the inputs is said beside them already.
        if !matches!(problem, Problem::Prompt { .. }) {
            self.notice = Some(explain::problem(problem, on_gpu));
        }
    }

    /// A worker that dies is replaced; one that was never there, or dies again and again before it is ready, is
    /// not.
    pub(super) fn died(&mut self, from: u64, death: &Death) {
        // The last words of another worker wait for its own death.
        let last_words = self.workers.last_words.take_if(|(worker, _)| *worker == from);
        let death = &match (last_words, death) {
            (Some((_, words)), Death::Stopped(_)) => Death::Stopped(words),
            (_, death) => death.clone(),
        };
        match self.workers.role(from) {
            Some(Role::InUse) => {}
            Some(Role::Arriving) => return self.arriving_died(death),
            Some(Role::Reader) => return self.lose_reader(),
            None => return,
        }
        self.lose_job(Loss::Died);
        if self.placed.as_ref().is_some_and(|(_, placement)| placement.workers > 1) {
            // Memory is the likeliest cause, and the others have most of it.
            self.most_workers = Some(1);
        }
        self.distrust_copy();
        let on_gpu = self.is_on_gpu();
        let notice = match death {
            Death::Stopped(message) => explain::worker_died(message, on_gpu),
            Death::Unstarted(message) => explain::no_worker(message),
        };
        let mut again = false;
        if matches!(death, Death::Stopped(_)) {
            self.workers.deaths += 1;
            again = self.workers.deaths <= MAX_DEATHS;
        }
        if again {
            self.restart();
        } else {
            self.finish();
            self.arrived();
            self.close();
        }
        self.failed = true;
        self.notice = Some(notice);
    }

    /// What the browser kept in a folder is gone: a model in use from it is kept no longer, and there is room for
    /// another.
    pub(super) fn deleted(&mut self, shelf: &str) {
        let is_of_it = |loaded: &&mut Arc<Loaded>| {
            let model = self.models.find(&loaded.identity.id);
            model.is_some_and(|model| model.shelf() == shelf)
        };
        if let Some(loaded) = self.loaded.as_mut().filter(is_of_it) {
            Arc::make_mut(loaded).kept = Kept::Elsewhere;
        }
        self.models.refused = false;
    }
}
