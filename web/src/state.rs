use leptos::prelude::*;
use twinbeam_core::{
    ComponentKind, DeviceChoice, DeviceReport, Direction, Experiment, Inspection, Method, Metric,
    ModelShape, Phase, ScoreTable, SideSummary, Unit, UnitBasis,
};

use crate::explain::Notice;
use crate::heatmap::ScaleChoice;

/// A model that the worker has ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) shape: ModelShape,
    pub(crate) device: DeviceReport,
    pub(crate) fingerprint: String,
}

/// How far a job, or the loading, has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Progress {
    pub(crate) phase: Phase,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) seconds: f64,
}

/// What the maps show. It belongs to the experiment that was run, not to what is being typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Committed {
    pub(crate) experiment: Experiment,
    /// What it was run on, which may be another by now.
    pub(crate) model: Loaded,
    pub(crate) sides: (SideSummary, SideSummary),
    pub(crate) basis: UnitBasis,
    pub(crate) tables: Vec<ScoreTable>,
}

impl Committed {
    pub(crate) fn table(&self, method: Method, direction: Direction) -> Option<&ScoreTable> {
        let wanted = |table: &&ScoreTable| {
            table.kind == ComponentKind::Heads
                && table.method == method
                && table.direction == direction
        };
        self.tables.iter().find(wanted)
    }
}

/// `data-state` of the status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Loading,
    Running,
    Done,
    Stale,
    Error,
}

impl Status {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }
}

/// Everything that changes, as signals that live as long as the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppState {
    /// What is being typed.
    pub(crate) draft: RwSignal<Experiment>,
    /// What the model sees of it.
    pub(crate) inspection: RwSignal<Inspection>,
    /// Whether `inspection` is of the draft as it is now.
    pub(crate) inspected: RwSignal<bool>,
    pub(crate) device_choice: RwSignal<DeviceChoice>,
    pub(crate) loaded: RwSignal<Option<Loaded>>,
    pub(crate) committed: RwSignal<Option<Committed>>,
    /// The running job.
    pub(crate) job: RwSignal<Option<u64>>,
    pub(crate) progress: RwSignal<Option<Progress>>,
    pub(crate) failed: RwSignal<bool>,
    pub(crate) seconds: RwSignal<Option<f64>>,
    pub(crate) notice: RwSignal<Option<Notice>>,
    /// Layer and head under the pointer or the focus.
    pub(crate) cell: RwSignal<Option<(usize, usize)>>,
    /// Layer and head that the card is about.
    pub(crate) pinned: RwSignal<Option<(usize, usize)>>,
    pub(crate) unit: RwSignal<Unit>,
    pub(crate) scale: RwSignal<ScaleChoice>,
}

impl AppState {
    pub(crate) fn new(draft: Experiment, device_choice: DeviceChoice) -> Self {
        Self {
            draft: RwSignal::new(draft),
            inspection: RwSignal::new(Inspection::default()),
            inspected: RwSignal::new(false),
            device_choice: RwSignal::new(device_choice),
            loaded: RwSignal::new(None),
            committed: RwSignal::new(None),
            job: RwSignal::new(None),
            progress: RwSignal::new(None),
            failed: RwSignal::new(false),
            seconds: RwSignal::new(None),
            notice: RwSignal::new(None),
            cell: RwSignal::new(None),
            pinned: RwSignal::new(None),
            unit: RwSignal::new(Unit::default()),
            scale: RwSignal::new(ScaleChoice::default()),
        }
    }

    /// Name of the model that the shown result is of.
    pub(crate) fn model_name(&self) -> String {
        self.committed.with(|committed| {
            committed.as_ref().map_or_else(String::new, |c| c.experiment.model.clone())
        })
    }

    pub(crate) fn status(&self) -> Status {
        if self.job.get().is_some() {
            Status::Running
        } else if self.failed.get() {
            Status::Error
        } else if self.loaded.with(Option::is_none) {
            Status::Loading
        } else {
            match self.is_stale() {
                Some(false) => Status::Done,
                // Without a result yet, too, what is on the screen has not been run.
                Some(true) | None => Status::Stale,
            }
        }
    }

    /// Whether the maps are of other inputs than those on the screen; `None` without maps.
    pub(crate) fn is_stale(&self) -> Option<bool> {
        let draft = self.draft.get();
        self.committed.with(|committed| {
            committed.as_ref().map(|committed| !committed.experiment.same_numbers(&draft))
        })
    }

    /// Whether the draft can be run now.
    pub(crate) fn can_run(&self) -> bool {
        self.loaded.with(Option::is_some)
            && self.job.get().is_none()
            && self.inspected.get()
            && self.inspection.with(|inspection| inspection.problem.is_none())
    }

    /// The direction on the screen.
    pub(crate) fn direction(&self) -> Direction {
        self.draft.with(|draft| draft.direction)
    }

    /// Pins a head, or unpins it if it is the pinned one.
    pub(crate) fn toggle_pin(&self, cell: (usize, usize)) {
        self.pinned.update(|pinned| {
            *pinned = if *pinned == Some(cell) { None } else { Some(cell) };
        });
    }

    /// The metric of the scores on the screen.
    pub(crate) fn metric(&self) -> Metric {
        self.committed
            .with(|committed| committed.as_ref().map(|committed| committed.experiment.metric))
            .unwrap_or_else(|| self.draft.with(|draft| draft.metric))
    }
}
