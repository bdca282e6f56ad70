use leptos::prelude::*;
use twinbeam_core::link::{NeuronScores, ScaleChoice, Snapshot};
use twinbeam_core::models::ModelShape;
use twinbeam_core::scores::{Coverage, ScoreTable, SideSummary, TableKey, Tables, Unit, UnitBasis};
use twinbeam_core::wire::devices::{
    Bench, CheckReport, DeviceChoice, DeviceReport, GpuState, Placement,
};
use twinbeam_core::wire::inspection::{Inspection, TokenizerReport};
use twinbeam_core::wire::{Kept, LoadPart};
use twinbeam_core::words::{
    Component, ComponentKind, Direction, Experiment, Method, Metric, Phase,
};

use crate::components::reading;
use crate::explain::Notice;
use crate::heatmap::Look;
use crate::lab::Lab;
use crate::linked::LinkCheck;
use crate::models::{Identity, Models};
use crate::neurons::{NeuronStatus, Window};

/// A model that the worker has ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) identity: Identity,
    pub(crate) shape: ModelShape,
    pub(crate) device: DeviceReport,
    pub(crate) fingerprint: String,
    /// In how many files its weights are, if not in one: the fingerprint is then that of their digests.
    pub(crate) shards: Option<usize>,
    /// Whether that is the expected one; `None`: none is known.
    pub(crate) as_expected: Option<bool>,
    /// What reads text for it; `None`: nothing, or it is a link's.
    pub(crate) tokenizer: Option<TokenizerReport>,
    pub(crate) kept: Kept,
    /// Seconds per part of loading.
    pub(crate) seconds: Vec<(LoadPart, f64)>,
    /// Most memory that the worker had while loading, in bytes.
    pub(crate) memory_bytes: u64,
}

/// How far a job, or the loading, has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Progress {
    pub(crate) phase: Phase,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) seconds: f64,
}

/// Where a result comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Origin {
    /// Computed here, and on a GPU compared with the CPU, beside it.
    Device { checked: Option<CheckReport> },
    /// Came with the link, rounded.
    Link,
}

/// What the maps show. It belongs to the experiment that was run, not to what is being typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Committed {
    pub(crate) experiment: Experiment,
    pub(crate) origin: Origin,
    /// What it was run on, which may be another by now.
    pub(crate) model: Loaded,
    /// Where the neurons were computed, if not where the heads were.
    pub(crate) neurons_on: Option<DeviceReport>,
    /// Jobs of it of which a sample is being computed again on the CPU.
    pub(crate) checking: Vec<u64>,
    pub(crate) sides: (SideSummary, SideSummary),
    pub(crate) basis: UnitBasis,
    pub(crate) tables: Tables,
    /// How much of the neurons' AP is exact, by direction; `None`: none is there.
    pub(crate) coverage: [Option<Coverage>; 2],
    /// The neurons that a link names.
    pub(crate) neurons: Vec<NeuronScores>,
}

impl Committed {
    /// IG's and AP's scores, as far as they are computed.
    pub(crate) fn tables(
        &self,
        kind: ComponentKind,
        direction: Direction,
    ) -> [Option<&ScoreTable>; 2] {
        [Method::Ig, Method::Ap].map(|method| self.tables.get(TableKey { kind, method, direction }))
    }

    /// Where components of a kind were computed.
    pub(crate) fn device(&self, kind: ComponentKind) -> &DeviceReport {
        let of_neurons = self.neurons_on.as_ref().filter(|_| kind == ComponentKind::Neurons);
        of_neurons.unwrap_or(&self.model.device)
    }

    /// Whether a GPU computed any of it.
    pub(crate) fn is_of_gpu(&self) -> bool {
        ComponentKind::ALL.into_iter().any(|kind| self.device(kind).gpu)
    }

    /// How a GPU's numbers compare with the CPU's.
    pub(crate) const fn checked(&self) -> Option<CheckReport> {
        match self.origin {
            Origin::Device { checked } => checked,
            Origin::Link => None,
        }
    }

    /// Whether every component has both methods' scores in both directions, exact ones.
    pub(crate) fn is_complete(&self, kind: ComponentKind) -> bool {
        let n_layers = self.model.shape.n_layers;
        let full = |table: Option<&ScoreTable>| {
            table.is_some_and(|t| t.n_layers() == n_layers && t.is_all_exact())
        };
        Direction::ALL.into_iter().all(|d| self.tables(kind, d).into_iter().all(full))
    }

    /// Takes the neurons out, as they are to be computed anew.
    pub(crate) fn drop_neurons(&mut self) {
        self.tables.retain(|table| table.kind() != ComponentKind::Neurons);
        self.coverage = [None; 2];
    }

    /// Some neurons have been patched, and this is how many.
    pub(crate) fn cover(&mut self, direction: Direction, coverage: Coverage) {
        self.coverage[direction as usize] = Some(coverage);
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
    /// The draft as text, while the model in use reads token ids only.
    pub(crate) set_aside: RwSignal<Option<Experiment>>,
    /// What the model sees of it.
    pub(crate) inspection: RwSignal<Inspection>,
    /// Whether `inspection` is of the draft as it is now.
    pub(crate) inspected: RwSignal<bool>,
    pub(crate) device_choice: RwSignal<DeviceChoice>,
    /// What is known of the GPU.
    pub(crate) gpu: RwSignal<GpuState>,
    /// Where the last job went, and why.
    pub(crate) placed: RwSignal<Option<(DeviceReport, Placement)>>,
    pub(crate) loaded: RwSignal<Option<Loaded>>,
    /// The other models.
    pub(crate) models: Models,
    pub(crate) committed: RwSignal<Option<Committed>>,
    /// The running job.
    pub(crate) job: RwSignal<Option<u64>>,
    pub(crate) progress: RwSignal<Option<Progress>>,
    pub(crate) failed: RwSignal<bool>,
    pub(crate) seconds: RwSignal<Option<f64>>,
    pub(crate) notice: RwSignal<Option<Notice>>,
    /// For how long a busy worker has said nothing, once that is long.
    pub(crate) silent_seconds: RwSignal<Option<u32>>,
    /// The result that came with the link, and what it is of.
    pub(crate) linked: RwSignal<Option<(Experiment, Snapshot)>>,
    pub(crate) link_check: RwSignal<Option<LinkCheck>>,
    /// The job that scores neurons, after the heads are done.
    pub(crate) neuron_job: RwSignal<Option<u64>>,
    pub(crate) neuron_progress: RwSignal<Option<Progress>>,
    /// The job that measures the device, and what it found: of the model and the device in use.
    pub(crate) bench_job: RwSignal<Option<u64>>,
    pub(crate) bench_progress: RwSignal<Option<Progress>>,
    pub(crate) bench: RwSignal<Option<Bench>>,
    /// The neurons that are in view.
    pub(crate) window: RwSignal<Window>,
    /// The component under the pointer or the focus.
    pub(crate) cell: RwSignal<Option<Component>>,
    /// The component that the card is about.
    pub(crate) pinned: RwSignal<Option<Component>>,
    /// Those that a link has named, as long as its model is the one that is shown.
    pub(crate) named_window: RwSignal<Option<[usize; 2]>>,
    /// Which run is changed in all that is shown. A choice of view: both directions are computed.
    pub(crate) direction: RwSignal<Direction>,
    pub(crate) unit: RwSignal<Unit>,
    pub(crate) scale: RwSignal<ScaleChoice>,
    /// Whether "How to read this" is open.
    pub(crate) reading: RwSignal<bool>,
    /// Where the methods disagree, why, and whether it matters.
    pub(crate) lab: Lab,
}

impl AppState {
    pub(crate) fn new(draft: Experiment, device_choice: DeviceChoice) -> Self {
        Self {
            draft: RwSignal::new(draft),
            set_aside: RwSignal::new(None),
            inspection: RwSignal::new(Inspection::default()),
            inspected: RwSignal::new(false),
            device_choice: RwSignal::new(device_choice),
            gpu: RwSignal::new(GpuState::default()),
            placed: RwSignal::new(None),
            loaded: RwSignal::new(None),
            models: Models::new(),
            committed: RwSignal::new(None),
            job: RwSignal::new(None),
            progress: RwSignal::new(None),
            failed: RwSignal::new(false),
            seconds: RwSignal::new(None),
            notice: RwSignal::new(None),
            silent_seconds: RwSignal::new(None),
            linked: RwSignal::new(None),
            link_check: RwSignal::new(None),
            neuron_job: RwSignal::new(None),
            neuron_progress: RwSignal::new(None),
            bench_job: RwSignal::new(None),
            bench_progress: RwSignal::new(None),
            bench: RwSignal::new(None),
            window: RwSignal::new(Window::default()),
            cell: RwSignal::new(None),
            pinned: RwSignal::new(None),
            named_window: RwSignal::new(None),
            direction: RwSignal::new(Direction::default()),
            unit: RwSignal::new(Unit::default()),
            scale: RwSignal::new(ScaleChoice::default()),
            reading: RwSignal::new(reading::was_open()),
            lab: Lab::new(),
        }
    }

    /// Sizes of the loaded model.
    pub(crate) fn shape(&self) -> Option<ModelShape> {
        self.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.shape))
    }

    /// Whether the model in use reads text, as far as it is known.
    pub(crate) fn reads_text(&self) -> bool {
        self.loaded.with(|loaded| loaded.as_ref().is_none_or(|loaded| loaded.tokenizer.is_some()))
    }

    /// Sizes of what the maps show, else of the loaded model.
    pub(crate) fn shown_shape(&self) -> Option<ModelShape> {
        let shown = self.committed.with(|c| c.as_ref().map(|c| c.model.shape));
        shown.or_else(|| self.shape())
    }

    pub(crate) fn neuron_status(&self) -> NeuronStatus {
        let complete =
            |kind| self.committed.with(|c| c.as_ref().is_some_and(|c| c.is_complete(kind)));
        if self.neuron_job.get().is_some() {
            NeuronStatus::Running
        } else if complete(ComponentKind::Neurons) {
            NeuronStatus::Done
        } else if self.committed.with(|c| c.as_ref().is_some_and(|c| c.coverage != [None; 2])) {
            NeuronStatus::Stopped
        } else if self.can_score_neurons() {
            NeuronStatus::Offered
        } else {
            NeuronStatus::Waiting
        }
    }

    /// Whether the neurons of what the maps show can be computed now.
    pub(crate) fn can_score_neurons(&self) -> bool {
        let has_heads = |c: &Committed| c.is_complete(ComponentKind::Heads);
        self.job.get().is_none()
            && self.neuron_job.get().is_none()
            && self.committed.with(|c| c.as_ref().is_some_and(has_heads))
            && self.is_of_model_in_use()
    }

    /// How much of the neurons' AP is exact in the direction on the screen; `None`: none is there.
    pub(crate) fn coverage(&self) -> Option<Coverage> {
        let direction = self.direction();
        self.committed.with(|c| c.as_ref().and_then(|c| c.coverage[direction as usize]))
    }

    /// Whether more of what the maps show can be computed.
    fn is_of_model_in_use(&self) -> bool {
        let in_use = self.loaded.with(|l| l.as_ref().map(|l| l.identity.id.clone()));
        self.committed.with(|committed| {
            let shown = committed.as_ref().map(|committed| &committed.experiment.model);
            shown.is_some() && shown == in_use.as_ref()
        })
    }

    /// Whether the maps are those of a link.
    pub(crate) fn is_from_link(&self) -> bool {
        self.committed.with(|c| c.as_ref().is_some_and(|c| c.origin == Origin::Link))
    }

    /// `data-source` of the result.
    pub(crate) fn source(&self) -> &'static str {
        if self.is_from_link() { "link" } else { "device" }
    }

    /// Pins a component from elsewhere than its map and, if it is a neuron, brings it into view.
    pub(crate) fn go_to(&self, component: Component) {
        self.pinned.set(Some(component));
        if self.cell.get_untracked() != Some(component) {
            // Where pointer or keys have been before is not what is looked at now.
            self.cell.set(None);
        }
        if component.kind == ComponentKind::Neurons {
            self.window.update(|window| *window = window.about(component.index));
        }
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

    /// What is asked on the screen: the draft, and the model that it is meant for. Run takes the one in
    /// use, which the draft itself names.
    pub(crate) fn asked(&self) -> Experiment {
        let draft = self.draft.get();
        let model = self.models.waiting.get().unwrap_or_else(|| draft.model.clone());
        Experiment { model, ..draft }
    }

    /// Whether the maps are of other inputs than those on the screen; `None` without maps.
    pub(crate) fn is_stale(&self) -> Option<bool> {
        let asked = self.asked();
        let in_use = self.loaded.with(|loaded| loaded.as_ref().map(|l| l.fingerprint.clone()));
        self.committed.with(|committed| {
            let committed = committed.as_ref()?;
            // Two models of the visitor's own have one name.
            let is_of_others = committed.origin != Origin::Link
                && in_use.is_some_and(|digest| digest != committed.model.fingerprint);
            Some(is_of_others || committed.experiment != asked)
        })
    }

    /// Whether the draft can be run now.
    pub(crate) fn can_run(&self) -> bool {
        self.loaded.with(Option::is_some)
            && self.job.get().is_none()
            && self.inspected.get()
            && self.inspection.with(|inspection| inspection.problem.is_none())
    }

    /// Whether the worker has a job.
    pub(crate) fn is_busy(&self) -> bool {
        let jobs = [self.job, self.neuron_job, self.bench_job, self.lab.job, self.lab.batch_job];
        jobs.iter().any(|job| job.with(Option::is_some))
    }

    /// Whether the last job went to a GPU; before the first one, whether the next one will.
    pub(crate) fn is_on_gpu(&self) -> bool {
        let placed =
            self.placed.with_untracked(|placed| placed.as_ref().map(|(device, _)| device.gpu));
        placed.unwrap_or_else(|| {
            self.loaded.with_untracked(|loaded| loaded.as_ref().is_some_and(|l| l.device.gpu))
        })
    }

    /// The direction on the screen.
    pub(crate) fn direction(&self) -> Direction {
        self.direction.get()
    }

    /// How the result on the screen is looked at, as it was chosen.
    pub(crate) fn look(&self) -> Look {
        let (direction, unit, scale) = (self.direction.get(), self.unit.get(), self.scale.get());
        Look { direction, unit, scale }
    }

    /// Pins a component, or unpins it if it is the pinned one.
    pub(crate) fn toggle_pin(&self, cell: Component) {
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
