//! What the views see of the session: a signal for each thing that changes, and one way to change anything, [`AppState::tell`].
//!
//! Signals only ever show the [`Session`]. After each message all of them are held against it, and those that differ
//! are set. `room.rs` is that loop; `lab.rs`, `pairs.rs` and `models.rs` are parts of what is seen.

mod lab;
mod models;
mod pairs;
mod room;

use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::on_cleanup;
use twinbeam_core::link::{LinkError, Note, ScaleChoice, View};
use twinbeam_core::models::ModelShape;
use twinbeam_core::scores::{Coverage, Unit};
use twinbeam_core::wire::devices::{
    Bench, CheckReport, DeviceChoice, DeviceReport, GpuState, Placement,
};
use twinbeam_core::wire::inspection::Inspection;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::{Component, Direction, Experiment, Metric};

use self::lab::Lab;
use self::models::Models;
pub(crate) use self::room::Choice;
use self::room::{Door, Room, Shown};
use crate::examples;
use crate::ports::{address, recall};
use crate::reactive::effect;
use crate::session::{AUTO_RUN, DRAFT, Linked, Memory, Msg, SPEEDS, Session, Visitor};
use crate::values::{
    Answer, Committed, Job, LinkCheck, Loaded, Look, NeuronStatus, Notice, Progress, Service,
    Sight, Slot, Status, Step, Window,
};

/// Everything that changes, as signals that live as long as the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppState {
    door: Door,
    /// What is being typed.
    pub(crate) draft: Shown<Experiment>,
    /// What the model sees of it.
    pub(crate) inspection: Shown<Arc<Inspection>>,
    /// Whether `inspection` is of the draft as it is now.
    pub(crate) inspected: Shown<bool>,
    /// Whether what it says of next tokens is of the draft as it is now.
    pub(crate) predicted: Shown<bool>,
    /// Whether nothing was typed for a moment.
    pub(crate) paused: Shown<bool>,
    /// Whether edits are run by themselves, where that is quick.
    pub(crate) auto_run: Shown<bool>,
    /// Seconds that the draft is expected to take.
    pub(crate) expected_seconds: Shown<Option<f64>>,
    pub(crate) device_choice: Shown<DeviceChoice>,
    /// Workers that compute at once on the CPU, where the visitor has chosen.
    pub(crate) workers: Shown<Option<usize>>,
    /// What is known of the GPU.
    pub(crate) gpu: Shown<GpuState>,
    /// Where the last job went, and why.
    pub(crate) placed: Shown<Option<(DeviceReport, Placement)>>,
    pub(crate) loaded: Shown<Option<Arc<Loaded>>>,
    /// How much of the worker's program has come, while it comes.
    pub(crate) program: Shown<Option<Progress>>,
    /// How far the loading is.
    pub(crate) loading: Shown<Option<Progress>>,
    /// The other models.
    pub(crate) models: Models,
    pub(crate) committed: Shown<Option<Arc<Committed>>>,
    /// How a GPU's numbers in the figure compare with the CPU's, and whether that is being found out.
    pub(crate) checked: Shown<Option<(Option<CheckReport>, bool)>>,
    /// What the worker is doing, and how far it is.
    pub(crate) job: Shown<Option<Job>>,
    pub(crate) progress: Shown<Option<Progress>>,
    pub(crate) seconds: Shown<Option<f64>>,
    pub(crate) notice: Shown<Option<Notice>>,
    /// For how long a busy worker has said nothing, once that is long.
    pub(crate) silent_seconds: Shown<Option<u32>>,
    /// Whether the browser keeps the page; `None`: it was not asked yet.
    pub(crate) is_kept: Shown<Option<bool>>,
    /// That there is another build of the page than this.
    pub(crate) newer: Shown<Option<Service>>,
    /// The result that came with the link, and what it is of.
    pub(crate) linked: Shown<Option<Linked>>,
    pub(crate) link_check: Shown<Option<LinkCheck>>,
    /// What its sender has to say of what is on the screen.
    pub(crate) note: Shown<Option<Note>>,
    noted: Choice<Option<(Experiment, Note)>>,
    /// How fast the model in use is on the device in use.
    pub(crate) bench: Shown<Option<Arc<Bench>>>,
    /// The neurons that are in view.
    pub(crate) window: Choice<Window>,
    /// The component under the pointer or the focus.
    pub(crate) cell: Choice<Option<Component>>,
    /// The component that the card is about.
    pub(crate) pinned: Choice<Option<Component>>,
    /// Which run is changed in all that is shown. A choice of view: both directions are computed.
    pub(crate) direction: Choice<Direction>,
    pub(crate) unit: Choice<Unit>,
    pub(crate) scale: Choice<ScaleChoice>,
    /// What is on the screen of a result, as links and files take it along.
    pub(crate) view: Shown<Arc<View>>,
    /// Whether neurons of what the maps show can be computed now.
    can_score_neurons: Shown<bool>,
    is_of_changed_model: Shown<bool>,
    status: Shown<Status>,
    is_stale: Shown<Option<bool>>,
    can_run: Shown<bool>,
    is_edited: Shown<bool>,
    neuron_status: Shown<NeuronStatus>,
    /// The step that the tour is at, if there is one.
    pub(crate) tour: Shown<Option<Step>>,
    /// Whether the end of the tour brings other prompts back.
    pub(crate) tour_leads_back: Shown<bool>,
    /// Where the methods disagree, why, and whether it matters.
    pub(crate) lab: Lab,
}

impl AppState {
    /// Opens the page as its address says, and starts computing.
    pub(crate) fn open() -> Self {
        let mut session = Session::new(examples::opening(), address::device());
        session.most_workers = address::workers();
        session.is_frame = address::is_embedded();
        let speeds = recall(Memory::Lasting, SPEEDS);
        session.speeds =
            speeds.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        session.auto_run = recall(Memory::Lasting, AUTO_RUN).is_none();
        let edits = recall(Memory::OfTab, DRAFT).filter(|_| !session.is_frame);
        session.open_address(address::read(), edits.as_deref());
        // A frame with a figure in it need not compute: its reader opens the page for that.
        let computes = !(session.is_frame && session.linked.is_some());
        let effects = if computes { session.begin() } else { Vec::new() };
        let room = Room::new(session);
        let state = Self::of(&room);
        room.connect(effects);
        state
    }

    fn of(room: &Rc<Room>) -> Self {
        Self {
            door: room.door(),
            draft: room.signal(|s| &s.draft),
            inspection: room.shared(|s| Arc::clone(&s.inspection)),
            inspected: room.signal(|s| &s.inspected),
            predicted: room.signal(|s| &s.predicted),
            paused: room.signal(|s| &s.paused),
            auto_run: room.signal(|s| &s.auto_run),
            expected_seconds: room.derived(Session::expected_seconds),
            device_choice: room.signal(|s| &s.device_choice),
            workers: room.signal(|s| &s.most_workers),
            gpu: room.signal(|s| &s.gpu),
            placed: room.signal(|s| &s.placed),
            loaded: room.shared(|s| s.loaded.clone()),
            program: room.signal(|s| &s.program),
            loading: room.signal(|s| &s.loading),
            models: Models::of(room),
            committed: room.shared(|s| s.committed.clone()),
            checked: room.derived(Session::checked),
            job: room.derived(Session::job),
            progress: room.derived(Session::progress),
            seconds: room.signal(|s| &s.seconds),
            notice: room.signal(|s| &s.notice),
            silent_seconds: room.signal(|s| &s.silent_seconds),
            is_kept: room.signal(|s| &s.is_kept),
            newer: room.signal(|s| &s.newer),
            linked: room.shared(|s| s.linked.clone()),
            link_check: room.signal(|s| &s.link_check),
            note: room.derived(|s| s.note().cloned()),
            noted: Choice::new(room, |s| &s.sight.noted, |s| &mut s.noted),
            bench: room.shared(|s| s.bench.clone()),
            window: Choice::new(room, |s| &s.sight.window, |s| &mut s.window),
            cell: Choice::new(room, |s| &s.sight.cell, |s| &mut s.cell),
            pinned: Choice::new(room, |s| &s.sight.pinned, |s| &mut s.pinned),
            direction: Choice::new(room, |s| &s.sight.direction, |s| &mut s.direction),
            unit: Choice::new(room, |s| &s.sight.unit, |s| &mut s.unit),
            scale: Choice::new(room, |s| &s.sight.scale, |s| &mut s.scale),
            can_score_neurons: room.derived(Session::can_score_neurons),
            is_of_changed_model: room.derived(Session::is_of_changed_model),
            status: room.derived(Session::status),
            view: room.shared(|s| Arc::clone(&s.view)),
            is_stale: room.derived(Session::is_stale),
            can_run: room.derived(Session::can_run),
            is_edited: room.derived(Session::is_edited),
            neuron_status: room.derived(Session::neuron_status),
            tour: room.derived(Session::tour_step),
            tour_leads_back: room.derived(Session::tour_leads_back),
            lab: Lab::of(room),
        }
    }

    /// The one way to change anything.
    pub(crate) fn tell(&self, msg: impl Into<Msg>) {
        self.door.tell(msg.into());
    }

    /// Reads the session as it is now, without being told of changes.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Session) -> T) -> T {
        self.door.read(read)
    }

    /// Changes the draft and has it looked at: at once for a choice, after a pause for typing.
    pub(crate) fn edit(&self, at_once: bool, change: impl FnOnce(&mut Experiment)) {
        let mut draft = self.draft.get_untracked();
        change(&mut draft);
        self.tell(Visitor::Edit { draft: Box::new(draft), at_once });
    }

    /// Looks at something else, as a step that Back undoes.
    pub(crate) fn step(&self, change: impl FnOnce(&mut Sight)) {
        let mut sight = self.door.sight();
        change(&mut sight);
        self.tell(Visitor::Step(sight));
    }

    pub(crate) fn say(&self, notice: Notice) {
        self.tell(Visitor::Hear(notice));
    }

    /// Sizes of the loaded model.
    pub(crate) fn shape(&self) -> Option<ModelShape> {
        self.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.shape))
    }

    /// Sizes of what the maps show, else of the loaded model.
    pub(crate) fn shown_shape(&self) -> Option<ModelShape> {
        self.committed.track();
        self.loaded.track();
        self.read(Session::shown_shape)
    }

    /// Whether the model in use reads text, as far as it is known.
    pub(crate) fn reads_text(&self) -> bool {
        self.loaded.with(|loaded| loaded.as_ref().is_none_or(|loaded| loaded.tokenizer.is_some()))
    }

    /// Whether neurons of what the maps show can be computed now.
    pub(crate) fn can_score_neurons(&self) -> bool {
        self.can_score_neurons.get()
    }

    pub(crate) fn neuron_status(&self) -> NeuronStatus {
        self.neuron_status.get()
    }

    /// How much of the neurons' AP is exact in the direction on the screen; `None`: none is there.
    pub(crate) fn coverage(&self) -> Option<Coverage> {
        let direction = self.direction();
        self.committed.with(|c| c.as_ref().and_then(|c| c.coverage[direction as usize]))
    }

    /// Whether the maps are those of a link.
    pub(crate) fn is_from_link(&self) -> bool {
        self.committed.with(|c| c.as_ref().is_some_and(|c| c.is_from_link()))
    }

    /// Whether the maps are a link's, of a model that has changed since.
    pub(crate) fn is_of_changed_model(&self) -> bool {
        self.is_of_changed_model.get()
    }

    /// `data-source` of the result.
    pub(crate) fn source(&self) -> &'static str {
        if self.is_from_link() { "link" } else { "device" }
    }

    /// Closes what the sender of a link has to say, for good.
    pub(crate) fn close_note(&self) {
        self.noted.set(None);
    }

    /// The whole address of what is on the screen, with a note of the visitor's: it follows what it is made of.
    ///
    /// # Errors
    /// Prompts that fit into no link.
    pub(crate) fn address(&self, note: Note) -> Result<String, LinkError> {
        self.view.track();
        self.committed.track();
        self.draft.track();
        self.models.waiting.track();
        self.read(|session| session.link(note)).map(|link| address::with(&link))
    }

    /// Pins a component from elsewhere than its map and, if it is a neuron, brings it into view.
    pub(crate) fn go_to(&self, component: Component) {
        Pointer::from(*self).go_to(component);
    }

    /// Pins a component, or unpins it if it is the pinned one.
    pub(crate) fn toggle_pin(&self, cell: Component) {
        if self.pinned.get_untracked() == Some(cell) {
            self.pinned.set(None);
        } else {
            self.door.pin(cell, false);
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.status.get()
    }

    /// Whether the maps are of other inputs than those on the screen; `None` without maps.
    pub(crate) fn is_stale(&self) -> Option<bool> {
        self.is_stale.get()
    }

    /// Whether the draft can be run now.
    pub(crate) fn can_run(&self) -> bool {
        self.can_run.get()
    }

    /// Whether the worker has a job.
    pub(crate) fn is_busy(&self) -> bool {
        self.job.with(Option::is_some)
    }

    /// Whether there are edits that can be let go.
    pub(crate) fn is_edited(&self) -> bool {
        self.is_edited.get()
    }

    /// How far a job is, if it is running.
    pub(crate) fn progress_of(&self, job: Job) -> Option<Progress> {
        self.progress.get().filter(|_| self.job.get() == Some(job))
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

    /// The metric of the scores on the screen.
    pub(crate) fn metric(&self) -> Metric {
        self.committed
            .with(|committed| committed.as_ref().map(|committed| committed.experiment.metric))
            .unwrap_or_else(|| self.draft.with(|draft| draft.metric))
    }

    /// Asks `probe` for as long as it is wanted: at once, or when the worker has time. `None`: nothing.
    ///
    /// Whoever asks asks no more once that part of the page is gone.
    pub(crate) fn ask(&self, slot: Slot, probe: impl Fn() -> Option<Probe> + 'static) {
        let state = *self;
        on_cleanup(move || state.tell(Visitor::Want { slot, probe: None }));
        effect(move || {
            let probe = probe();
            if state.read(|session| session.wants[slot as usize] != probe) {
                state.tell(Visitor::Want { slot, probe });
            }
        });
    }

    /// The answer to what a slot asks now, if it is there: of the figure on the screen and no other.
    pub(crate) fn answer(&self, slot: Slot) -> Option<Arc<Answer>> {
        self.lab.answers[slot as usize].track();
        self.lab.wants.track();
        self.read(|session| session.answer(slot).cloned())
    }

    /// The last answer in a slot, if it is of the figure on the screen.
    pub(crate) fn last_answer(&self, slot: Slot) -> Option<Arc<Answer>> {
        self.lab.answers[slot as usize].get()
    }

    /// Whether a slot asks anything.
    pub(crate) fn wants(&self, slot: Slot) -> bool {
        self.lab.wants.with(|wants| wants[slot as usize].is_some())
    }

    /// The component that the lab looks at: the pinned one, else the head whose scores differ most.
    pub(crate) fn focus(&self) -> Option<Component> {
        self.pinned.get();
        self.direction.get();
        self.committed.track();
        self.read(Session::focus)
    }

    /// Whether sets have been replaced for the figure on the screen.
    pub(crate) fn is_ablated(&self) -> bool {
        self.is_figures(self.lab.ablated)
    }

    /// Whether something was asked for, and for the figure on the screen.
    pub(crate) fn is_figures(&self, asked: Choice<Option<Experiment>>) -> bool {
        let of = |asked: &Experiment| {
            self.committed.with(|c| c.as_ref().is_some_and(|c| c.experiment == *asked))
        };
        asked.with(|asked| asked.as_ref().is_some_and(of))
    }

    /// Asks something for the figure on the screen.
    pub(crate) fn ask_for_figure(&self, asked: Choice<Option<Experiment>>) {
        let of = self.read(|session| session.committed.as_ref().map(|c| c.experiment.clone()));
        asked.set(of);
    }
}

/// What is pointed at and what is pinned, wherever on the page: all that a plot needs of the state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pointer {
    pub(crate) cell: Choice<Option<Component>>,
    pub(crate) pinned: Choice<Option<Component>>,
    door: Door,
}

impl From<AppState> for Pointer {
    fn from(state: AppState) -> Self {
        Self { cell: state.cell, pinned: state.pinned, door: state.door }
    }
}

impl Pointer {
    /// Pins a component from elsewhere than its map and, if it is a neuron, brings it into view.
    pub(crate) fn go_to(&self, component: Component) {
        self.door.pin(component, true);
    }
}
