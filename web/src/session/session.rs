//! All that the page knows, and the questions that it can answer from it.

use std::sync::Arc;

use twinbeam_core::link::{LinkError, Note, Panel, Snapshot, View, print_link};
use twinbeam_core::models::ModelShape;
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::wire::devices::{
    Bench, CheckReport, DeviceChoice, DeviceReport, GpuState, Placement, Speed,
};
use twinbeam_core::wire::inspection::Inspection;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::{Component, ComponentKind, Direction, Experiment};

use super::address::Held;
use super::edited::Edited;
use super::many::Many;
use super::models::Models;
use super::msg::{Effect, Moment};
use super::running::Running;
use super::tour::Tour;
use super::workers::Workers;
use crate::values::{
    Answer, Committed, Edges, Job, LinkCheck, Loaded, N_SLOTS, NeuronStatus, Notice, Origin,
    Progress, Service, Sight, Slot, Status,
};

/// A result that came with a link, and what it is of.
pub(crate) type Linked = Arc<(Experiment, Snapshot)>;

/// All that the page knows. Signals show it and [`update`](super::update()) changes it; nothing else does either.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "facts, not the states of one machine")]
pub(crate) struct Session {
    /// What an address that says nothing stands for.
    pub(super) opening: Experiment,
    /// What is being typed.
    pub(crate) draft: Experiment,
    /// The draft as text, while the model in use reads token ids only.
    pub(crate) set_aside: Option<Experiment>,
    /// What the model sees of the draft.
    pub(crate) inspection: Arc<Inspection>,
    /// Whether `inspection` is of the draft as it is now.
    pub(crate) inspected: bool,
    /// Whether what `inspection` says of next tokens is of the draft as it is now.
    pub(crate) predicted: bool,
    /// Whether nothing was typed for a moment.
    pub(crate) paused: bool,
    /// Whether edits are run by themselves, where that is quick.
    pub(crate) auto_run: bool,
    pub(super) edited: Edited,
    /// How fast the CPU was found to be with the model in use.
    pub(super) cpu_speed: Option<Speed>,
    pub(crate) device_choice: DeviceChoice,
    /// Workers that compute at once on the CPU, if it is not left to the worker.
    pub(crate) most_workers: Option<usize>,
    /// What is known of the GPU.
    pub(crate) gpu: GpuState,
    /// How fast GPUs were found to be, the latest first: this visit's and those before.
    pub(crate) speeds: Vec<(String, Speed)>,
    /// Where the last job went, and why.
    pub(crate) placed: Option<(DeviceReport, Placement)>,
    pub(crate) workers: Workers,
    /// The model that the worker in use has ready.
    pub(crate) loaded: Option<Arc<Loaded>>,
    /// How much of the worker's program has come, while it comes.
    pub(crate) program: Option<Progress>,
    /// How far the loading of it is.
    pub(crate) loading: Option<Progress>,
    pub(crate) models: Models,
    /// What the worker in use is doing.
    pub(crate) running: Option<Running>,
    /// What the maps show.
    pub(crate) committed: Option<Arc<Committed>>,
    /// The result in the making, while a finished one from a link stays on the screen.
    pub(crate) pending: Option<Arc<Committed>>,
    /// What the maps showed before the running job: it comes back if the job comes to nothing.
    pub(crate) previous: Option<Arc<Committed>>,
    /// The result that came with the link.
    pub(crate) linked: Option<Linked>,
    /// Whether nothing was run since a link with a result was opened.
    pub(super) link_stays: bool,
    pub(crate) link_check: Option<LinkCheck>,
    /// Whether the last job or the loading has failed.
    pub(crate) failed: bool,
    /// How long the last figure took.
    pub(crate) seconds: Option<f64>,
    /// How fast the model in use is on the device in use.
    pub(crate) bench: Option<Arc<Bench>>,
    pub(crate) notice: Option<Notice>,
    /// For how long a busy worker has said nothing, once that is long.
    pub(crate) silent_seconds: Option<u32>,
    /// Whether the browser keeps the page, so that it opens without a network; `None`: it was not asked yet.
    pub(crate) is_kept: Option<bool>,
    /// Whether it was asked to.
    pub(super) is_keeping: bool,
    /// That there is another build of the page than this.
    pub(crate) newer: Option<Service>,
    pub(crate) sight: Sight,
    /// What the lab's panels want to know at the moment, by slot.
    pub(crate) wants: [Option<Probe>; N_SLOTS],
    pub(crate) answers: [Option<Arc<Answer>>; N_SLOTS],
    /// What the answers have said of edges so far, by direction.
    pub(super) edges: [Option<Arc<Edges>>; 2],
    pub(crate) many: Many,
    pub(super) tour: Option<Tour>,
    /// What the address holds; `None`: nothing that can be read.
    pub(crate) address: Option<Box<Held>>,
    /// Whether this is a frame in another page, which shows a figure and nothing to do.
    pub(crate) is_frame: bool,
    /// The draft that the browser remembers, and the experiment in the address then.
    pub(super) remembered: Option<(Experiment, Experiment)>,
    /// What is on the screen of a result: what links and files take along.
    pub(crate) view: Arc<View>,
    /// What that was made of: what is looked at, and the pairs of prompts. `None`: it is as the address says.
    pub(super) looked: Option<(View, Arc<Vec<PromptPair>>)>,
    pub(super) now: Moment,
    pub(super) effects: Vec<Effect>,
}

impl Session {
    /// A page of which nothing is known but what is asked.
    pub(crate) fn new(draft: Experiment, device_choice: DeviceChoice) -> Self {
        Self {
            opening: draft.clone(),
            draft,
            set_aside: None,
            inspection: Arc::default(),
            inspected: false,
            predicted: false,
            paused: true,
            auto_run: true,
            edited: Edited::default(),
            cpu_speed: None,
            device_choice,
            most_workers: None,
            gpu: GpuState::default(),
            speeds: Vec::new(),
            placed: None,
            workers: Workers::default(),
            loaded: None,
            program: None,
            loading: None,
            models: Models::default(),
            running: None,
            committed: None,
            pending: None,
            previous: None,
            linked: None,
            link_stays: false,
            link_check: None,
            failed: false,
            seconds: None,
            bench: None,
            notice: None,
            silent_seconds: None,
            is_kept: None,
            is_keeping: false,
            newer: None,
            sight: Sight::default(),
            wants: [const { None }; N_SLOTS],
            answers: [const { None }; N_SLOTS],
            edges: [const { None }; 2],
            many: Many::default(),
            tour: None,
            address: None,
            is_frame: false,
            remembered: None,
            view: Arc::default(),
            looked: None,
            now: Moment { millis: 0.0, is_online: true },
            effects: Vec::new(),
        }
    }

    /// What the worker in use is doing.
    pub(crate) fn job(&self) -> Option<Job> {
        self.running.as_ref().map(|running| running.job)
    }

    /// How far the running job is.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.running.as_ref().and_then(|running| running.progress)
    }

    /// Sizes of the loaded model.
    pub(crate) fn shape(&self) -> Option<ModelShape> {
        self.loaded.as_ref().map(|loaded| loaded.shape)
    }

    /// Sizes of what the maps show, else of the loaded model.
    pub(crate) fn shown_shape(&self) -> Option<ModelShape> {
        self.committed.as_ref().map(|committed| committed.model.shape).or_else(|| self.shape())
    }

    /// Whether the maps are those of a link.
    pub(crate) fn is_from_link(&self) -> bool {
        self.committed.as_ref().is_some_and(|committed| committed.origin == Origin::Link)
    }

    /// Whether the maps are a link's, of a model that has changed since: its numbers cannot be computed here again.
    pub(crate) fn is_of_changed_model(&self) -> bool {
        let shown = self.committed.as_ref().filter(|_| self.is_from_link());
        shown.zip(self.loaded.as_ref()).is_some_and(|(of, now)| of.model.has_changed_to(now))
    }

    /// Whether nothing is run by itself, since that would take the place of such a figure: until the visitor asks for others,
    /// by Run or by opening something else.
    pub(super) fn keeps_link(&self) -> bool {
        self.link_stays && self.is_of_changed_model()
    }

    /// Whether neurons of what the maps show can be computed now.
    pub(crate) fn can_score_neurons(&self) -> bool {
        let is_free = !self.job().is_some_and(Job::is_of_figure);
        let shown = self.committed.as_ref().zip(self.loaded.as_ref());
        let is_of_model_in_use = shown.is_some_and(|(shown, in_use)| {
            shown.experiment.model == in_use.identity.id
                && shown.is_complete(ComponentKind::Heads)
                && !self.is_of_changed_model()
        });
        is_free && is_of_model_in_use
    }

    /// Whether the neurons are there, are coming, or can be had.
    pub(crate) fn neuron_status(&self) -> NeuronStatus {
        let has = |kind| self.committed.as_ref().is_some_and(|c| c.is_complete(kind));
        if self.job() == Some(Job::Neurons) {
            NeuronStatus::Running
        } else if has(ComponentKind::Neurons) {
            NeuronStatus::Done
        } else if self.committed.as_ref().is_some_and(|c| c.coverage != [None; 2]) {
            NeuronStatus::Stopped
        } else if self.can_score_neurons() {
            NeuronStatus::Offered
        } else {
            NeuronStatus::Waiting
        }
    }

    pub(crate) fn status(&self) -> Status {
        if self.job() == Some(Job::Heads) {
            Status::Running
        } else if self.failed {
            Status::Error
        } else if self.loaded.is_none() {
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
        Experiment { model: self.asked_model().clone(), ..self.draft.clone() }
    }

    fn asked_model(&self) -> &String {
        self.models.waiting.as_ref().unwrap_or(&self.draft.model)
    }

    /// Whether the maps are of other inputs than those on the screen; `None` without maps.
    pub(crate) fn is_stale(&self) -> Option<bool> {
        let committed = self.committed.as_ref()?;
        // Two models of the visitor's own have one name.
        let is_of_others = committed.origin != Origin::Link
            && self.loaded.as_ref().is_some_and(|l| l.fingerprint != committed.model.fingerprint);
        let is_asked = committed.experiment.model == *self.asked_model()
            && committed.experiment.has_inputs_of(&self.draft);
        Some(is_of_others || !is_asked)
    }

    /// Whether the draft can be run now, in place of whatever is running.
    pub(crate) fn can_run(&self) -> bool {
        let is_running = self
            .running
            .as_ref()
            .is_some_and(|running| running.job == Job::Heads && running.experiment == self.draft);
        self.loaded.is_some() && !is_running && self.inspected && self.inspection.problem.is_none()
    }

    /// Whether the last job went to a GPU; before the first one, whether the next one will.
    pub(crate) fn is_on_gpu(&self) -> bool {
        match (&self.placed, &self.loaded) {
            (Some((device, _)), _) => device.gpu,
            (None, Some(loaded)) => loaded.device.gpu,
            (None, None) => false,
        }
    }

    /// How a GPU's numbers compare with the CPU's: what is known, and whether a check is under way. `None`: no GPU
    /// has computed any of the figure here.
    pub(crate) fn checked(&self) -> Option<(Option<CheckReport>, bool)> {
        let committed = self.committed.as_ref().filter(|committed| committed.is_of_gpu())?;
        // What a GPU says is being checked from the first cell on.
        let is_running = self.job().is_some_and(Job::is_of_figure);
        match committed.origin {
            Origin::Link => None,
            Origin::Device { checked } => {
                Some((checked, !committed.checking.is_empty() || is_running))
            }
        }
    }

    /// The component that the lab looks at: the pinned one, else the head whose scores differ most.
    pub(crate) fn focus(&self) -> Option<Component> {
        if let Some(pinned) = self.sight.pinned {
            return Some(pinned);
        }
        let committed = self.committed.as_ref()?;
        let [ig, ap] = committed.tables(ComponentKind::Heads, self.sight.direction);
        let (ig, ap) = (ig?, ap?);
        if ig.values().len() != ap.values().len() {
            return None;
        }
        ig.minus(ap).strongest(1).into_iter().next()
    }

    /// The answer to what a slot asks now, if it is there: of the figure on the screen and no other.
    pub(crate) fn answer(&self, slot: Slot) -> Option<&Arc<Answer>> {
        let asked = self.wants[slot as usize].as_ref();
        self.last_answer(slot).filter(|answer| asked == Some(&answer.probe))
    }

    /// The last answer in a slot, if it is of the experiment and the weights that the figure is of.
    pub(crate) fn last_answer(&self, slot: Slot) -> Option<&Arc<Answer>> {
        let answer = self.answers[slot as usize].as_ref()?;
        let committed = self.committed.as_ref()?;
        answer.is_of(committed).then_some(answer)
    }

    /// What is known of the edges of the figure on the screen, in a direction.
    pub(crate) fn edges(&self, direction: Direction) -> Option<&Arc<Edges>> {
        let edges = self.edges[direction as usize].as_ref()?;
        let committed = self.committed.as_ref()?;
        edges.is_of(committed).then_some(edges)
    }

    /// The experiment that the figure is of and its weights, if the model in use is that one.
    pub(super) fn figure_in_use(&self) -> Option<(Experiment, String)> {
        let (shown, in_use) = self.committed.as_ref().zip(self.loaded.as_ref())?;
        let is_it = shown.is_complete(ComponentKind::Heads)
            && shown.experiment.model == in_use.identity.id
            && in_use.fingerprint.starts_with(&shown.model.fingerprint);
        is_it.then(|| (shown.experiment.clone(), in_use.fingerprint.clone()))
    }

    /// What a link to the result on the screen carries.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        let linked = self.linked.as_ref().map(|linked| &linked.1);
        self.committed.as_ref()?.snapshot(linked)
    }

    /// What the sender of a link has to say of what is on the screen: of the figure, or of what is asked.
    pub(crate) fn note(&self) -> Option<&Note> {
        let (of, note) = self.sight.noted.as_ref()?;
        let is_figures = self.committed.as_ref().is_some_and(|c| c.experiment == *of);
        let is_asked = of.model == *self.asked_model() && of.has_inputs_of(&self.draft);
        (is_figures || is_asked).then_some(note)
    }

    /// The link to what is on the screen: what is asked, its result unless that is out of date, and a note of whoever
    /// sends it.
    ///
    /// # Errors
    /// Prompts that fit into no link.
    pub(crate) fn link(&self, note: Note) -> Result<String, LinkError> {
        let snapshot = if self.is_stale() == Some(false) { self.snapshot() } else { None };
        let view = View { note, ..(*self.view).clone() };
        print_link(&self.asked(), snapshot.as_ref(), &view)
    }

    /// The link to a chapter of the lab, about the figure that the address is of.
    ///
    /// # Errors
    /// Prompts that fit into no link.
    pub(crate) fn link_to(&self, chapter: Panel) -> Result<String, LinkError> {
        let view = View { chapter, ..(*self.view).clone() };
        match &self.address {
            Some(held) => print_link(&held.experiment, held.snapshot.as_ref(), &view),
            None => print_link(&self.asked(), None, &view),
        }
    }

    /// Whether a link to what is on the screen has no room for the pairs of prompts.
    pub(crate) fn leaves_pairs_behind(&self) -> bool {
        !View::holds(&self.view.pairs)
    }

    /// The figure's experiment, where the inputs on the screen are others; `None`: there is nothing to let go. Which model
    /// is used is not typed, and said elsewhere.
    pub(super) fn behind_edits(&self) -> Option<&Experiment> {
        let shown = &self.committed.as_ref()?.experiment;
        (!shown.has_inputs_of(&self.draft)).then_some(shown)
    }

    /// Whether there are edits that can be let go.
    pub(crate) fn is_edited(&self) -> bool {
        self.job() != Some(Job::Heads) && self.behind_edits().is_some()
    }
}
