//! How a result comes together, and whether what a GPU says of it is confirmed.

use std::sync::Arc;

use twinbeam_core::scores::{SideSummary, Tables, UnitBasis};
use twinbeam_core::wire::Problem;
use twinbeam_core::wire::devices::{CheckReport, DeviceReport, Placement};
use twinbeam_core::words::{ComponentKind, Experiment};

use super::session::Session;
use crate::explain;
use crate::values::{Committed, Job, LinkCheck, Loaded, Origin};

impl Session {
    /// Both runs are measured: the maps begin anew, unless a finished figure from a link is to stay until
    /// this one is finished too.
    pub(super) fn begin_result(&mut self, clean: SideSummary, corrupted: SideSummary) {
        let heads = self.running.as_ref().filter(|running| running.job == Job::Heads);
        let Some((running, model)) = heads.zip(self.loaded.as_deref()) else {
            return;
        };
        let experiment = running.experiment.clone();
        let device = self.placed.as_ref().map_or(&model.device, |(device, _)| device).clone();
        let own = Committed {
            basis: UnitBasis::new(experiment.metric, &clean, &corrupted, model.shape.d_model),
            origin: Origin::Device { checked: None },
            experiment,
            model: Loaded { device, ..model.clone() },
            neurons_on: None,
            checking: Vec::new(),
            sides: (clean, corrupted),
            tables: Tables::default(),
            coverage: [None; 2],
            neurons: Vec::new(),
        };
        let own = Arc::new(own);
        let stays = self.committed.as_ref().is_some_and(|shown| {
            shown.origin == Origin::Link && shown.experiment == own.experiment
        });
        if stays {
            self.pending = Some(own);
        } else {
            // A job that began anew on another device takes the place of its own beginning.
            let is_whole = |c: &Arc<Committed>| c.is_complete(ComponentKind::Heads);
            if self.committed.as_ref().is_none_or(is_whole) {
                self.previous = self.committed.take();
            }
            self.committed = Some(own);
        }
    }

    /// Adds scores to the result that they belong to: heads to the one in the making, if it is not shown yet.
    pub(super) fn add(&mut self, kind: ComponentKind, add: impl FnOnce(&mut Committed)) {
        match &mut self.pending {
            Some(pending) if kind == ComponentKind::Heads => add(Arc::make_mut(pending)),
            _ => self.change(add),
        }
    }

    /// The heads of a figure are complete.
    pub(super) fn heads_done(&mut self, job: u64, checking: bool) {
        self.workers.losses = 0;
        if let Some(own) = self.pending.take() {
            self.committed = Some(own);
        }
        self.finish();
        self.check(job, checking);
        self.compare_with_link();
        self.keep_in_address();
        self.run_later_edits();
        if self.running.is_some() {
            return;
        }
        // What a visitor would wait for anyway is computed by itself.
        let is_quick = self.shape().is_some_and(|s| s.is_quick(s.n_layers * s.d_mlp));
        if is_quick {
            self.run_neurons();
        }
    }

    /// Compares the visitor's own result with the link's, if it is of the same experiment.
    fn compare_with_link(&mut self) {
        let own = self.committed.as_ref().filter(|own| own.origin != Origin::Link);
        let linked = self.linked.as_ref();
        self.link_check = own.zip(linked).and_then(|(own, linked)| {
            let (experiment, snapshot) = &**linked;
            (own.experiment == *experiment).then(|| LinkCheck::of(snapshot, own))
        });
    }

    /// Changes the figure, if there is one.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Committed)) {
        if let Some(committed) = &mut self.committed {
            change(Arc::make_mut(committed));
        }
    }

    /// Takes the neurons out of the figure, as they are to be computed anew.
    pub(super) fn drop_neurons(&mut self) {
        let has_any = |c: &Committed| {
            c.coverage != [None; 2] || c.tables.iter().any(|t| t.kind() == ComponentKind::Neurons)
        };
        if self.committed.as_ref().is_some_and(|c| has_any(c)) {
            self.change(Committed::drop_neurons);
        }
    }

    /// A job of the figure on the screen is being checked from now on.
    pub(super) fn check(&mut self, job: u64, checking: bool) {
        if checking {
            self.change(|committed| committed.checking.push(job));
        }
    }

    /// It is decided where the running job is computed.
    pub(super) fn placed(&mut self, device: DeviceReport, placement: Placement) {
        if self.job() == Some(Job::Neurons) {
            let on = device.clone();
            self.change(|committed| {
                committed.neurons_on = Some(on).filter(|on| *on != committed.model.device);
            });
        }
        self.placed = Some((device, placement));
    }

    /// The GPU has failed, and the CPU begins the running job anew.
    pub(super) fn moved(&mut self, problem: &Problem) {
        if self.job() == Some(Job::Neurons) {
            self.drop_neurons();
        }
        self.notice = Some(explain::device::moved(problem));
    }

    /// The CPU agrees with what a job has found. Whether it was a job of the figure on the screen.
    pub(super) fn confirmed(&mut self, job: u64, report: CheckReport) -> bool {
        if !self.is_being_checked(job) {
            return false;
        }
        self.change(|committed| {
            committed.checking.retain(|checking| *checking != job);
            if let Origin::Device { checked } = &mut committed.origin {
                // What one job's check says joins what the one before it said: the worst counts.
                let before = checked.unwrap_or_default();
                let worst = before.worst.max(report.worst);
                let values = before.values + report.values;
                // Nothing was compared where the CPU could not compute it.
                *checked = (values > 0).then_some(CheckReport { worst, values });
            }
        });
        true
    }

    fn is_being_checked(&self, job: u64) -> bool {
        self.committed.as_ref().is_some_and(|committed| committed.checking.contains(&job))
    }

    /// The CPU does not agree: what the job has drawn is taken back, and the CPU computes it.
    pub(super) fn withdrawn(&mut self, job: u64, problem: &Problem) {
        let is_running = self
            .running
            .as_ref()
            .is_some_and(|running| running.id == job && running.job.is_of_figure());
        if !is_running && !self.is_being_checked(job) {
            return;
        }
        self.finish();
        let experiment = self.committed.as_ref().map(|committed| committed.experiment.clone());
        let only_neurons =
            |c: &Arc<Committed>| !c.model.device.gpu && c.is_complete(ComponentKind::Heads);
        if self.committed.as_ref().is_some_and(only_neurons) {
            self.drop_neurons();
            self.change(|committed| committed.checking.clear());
            self.run_neurons();
        } else {
            if !self.is_from_link() {
                self.committed = None;
            }
            self.run_again_of(experiment);
        }
        self.notice = Some(explain::device::withdrawn(problem));
        self.previous = None;
    }

    /// Runs an experiment once more, whatever is being typed.
    fn run_again_of(&mut self, experiment: Option<Experiment>) {
        if experiment.is_some() {
            self.workers.first = experiment;
        }
        self.run(false);
    }
}
