//! What comes into the session, and what it wants done. Both are plain values: a test can write the one and read
//! the other.

use twinbeam_core::link::{Link, LinkError};
use twinbeam_core::prompts::Draw;
use twinbeam_core::prompts::lists::PairsError;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::wire::{Event, Request};
use twinbeam_core::words::Experiment;

use crate::values::{
    CatalogFault, Files, Listed, Notice, Order, Progress, Service, Shelves, Sight, Slot, Space,
    Spec, Step,
};

/// What the world is like while a message is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970.
    pub(crate) millis: f64,
    /// Whether the browser says that there is a network.
    pub(crate) is_online: bool,
}

/// Something has happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Msg {
    /// The visitor has done something.
    Visitor(Visitor),
    /// The worker of a number has said something.
    Worker { from: u64, event: Box<Event> },
    /// The worker of a number is no more.
    Died { from: u64, death: Death },
    /// The address has another fragment, by Back, Forward or a link that was pasted; `None`: an empty one.
    Address(Option<Box<Result<Link, LinkError>>>),
    /// The list of models is there, and why it is not another one.
    Listed { listed: Listed, fault: Option<CatalogFault> },
    /// What the browser keeps of models, and how much room there is.
    Kept { shelves: Shelves, space: Option<Space> },
    /// How much of the worker's program has come.
    Program(Progress),
    /// What the browser keeps of the page itself, or has of a newer one.
    Service(Service),
    /// A timer has run out.
    Timer(Timer),
    /// A second has passed.
    Second,
}

/// What a visitor can do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Visitor {
    /// Changes the draft. `at_once`: it was a choice, and no typing that goes on.
    Edit {
        draft: Box<Experiment>,
        at_once: bool,
    },
    /// Takes another experiment, and runs it.
    Open(Box<Experiment>),
    /// Turns text into token ids, or ids into text.
    SwitchWriting,
    /// Types token ids from now on, beginning with none.
    StartWithIds,
    /// Lets the edits go: the inputs of the figure come back.
    LetEditsGo,
    Run,
    /// Runs now, or as soon as a model is there.
    RunAgain,
    RunNeurons,
    /// Whether edits are run by themselves, where that is quick.
    SetAutoRun(bool),
    MeasureSpeed,
    Cancel,
    /// Where to compute, and by how many workers at most, if that is not left to the worker.
    ChooseDevice(DeviceChoice, Option<usize>),
    /// Brings a model of the list into use.
    ChooseModel(String),
    /// Has chosen files, in words, and perhaps a model among them.
    ChooseFiles {
        words: String,
        model: Result<Box<Spec>, Notice>,
    },
    /// Loads what could not be loaded once more; `any_digest`: whatever weights are there.
    LoadAgain {
        any_digest: bool,
    },
    /// Brings the model that comes with the page into use.
    UseBundled,
    CancelLoad,
    /// Has deleted what the browser kept in a folder.
    Deleted {
        shelf: String,
    },
    /// Looks at something else.
    Look(Box<Sight>),
    /// The same, as a step that Back undoes.
    Step(Box<Sight>),
    /// Wants to know something in the lab, for as long as this is not taken back.
    Want {
        slot: Slot,
        probe: Option<Probe>,
    },
    /// Asks once more what could not be answered.
    AskAgain(Slot),
    Pairs(OfPairs),
    Tour(OfTour),
    /// Something went wrong, or is worth saying, where only the page can know it.
    Hear(Notice),
    Dismiss,
    /// Loads the newer build of the page that waits.
    LoadNewer,
    /// Does not want to read of another build now.
    Later,
}

/// What a visitor can do with many prompts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OfPairs {
    Run,
    Stop,
    GoOn,
    Type(String),
    /// A file in place of what is in the field.
    Read {
        name: String,
        text: String,
    },
    /// A file that cannot be read.
    Refuse {
        name: String,
        why: Option<PairsError>,
    },
    Draw {
        task: String,
        n: usize,
        seed: u32,
    },
    /// Draws pairs of a task, and runs them when they are there.
    DrawAndRun(Draw),
    Undo,
}

/// What a visitor can do with the tour.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OfTour {
    /// Starts it, or begins it anew.
    Start,
    Go(Step),
    /// Shows an example that belongs to a step.
    Open(Box<Experiment>),
    End,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Starts a worker under a number.
    Open {
        worker: u64,
    },
    /// Ends a worker.
    Close {
        worker: u64,
    },
    /// A worker listens: it hears what it was told before.
    Listens {
        worker: u64,
    },
    /// Tells a worker something; the visitor's own files travel beside it.
    Tell {
        worker: u64,
        request: Box<Request>,
        files: Option<Files>,
    },
    /// Has a worker read text, with the files that another one has handed out for that.
    HandOn {
        from: u64,
        to: u64,
    },
    /// Sends a timer's message later; the same timer is set anew.
    After {
        timer: Timer,
        millis: u32,
    },
    Stop(Timer),
    /// Puts a link into the address: as a new step of the history, or in place of this one.
    Address {
        link: String,
        new_step: bool,
    },
    /// Has the browser remember something, or forget it.
    Remember {
        memory: Memory,
        key: &'static str,
        text: Option<String>,
    },
    /// Tells what keeps the page in the browser.
    Service(Order),
    ReadCatalog,
    /// Looks at what the browser keeps of models.
    LookAtShelves,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A short pause in typing, after which the model is asked what it expects.
    Typing,
    /// A longer pause in typing, after which the draft is run if that is quick.
    Pausing,
    /// The end of a job that was cancelled; after that the worker is replaced.
    Stopping,
    /// A pause in what is looked at, after which the address takes it.
    Looking,
}

impl Timer {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;
}

/// How long the browser remembers something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// For the next visits.
    Lasting,
    /// As long as this tab is open, reloads included.
    OfTab,
}

/// Why a worker is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Death {
    /// It was never started: its program did not come, or the browser forbids workers.
    Unstarted(String),
    /// It stopped.
    Stopped(String),
}

impl From<Visitor> for Msg {
    fn from(visitor: Visitor) -> Self {
        Self::Visitor(visitor)
    }
}

impl From<OfPairs> for Msg {
    fn from(pairs: OfPairs) -> Self {
        Self::Visitor(Visitor::Pairs(pairs))
    }
}

impl From<OfTour> for Msg {
    fn from(tour: OfTour) -> Self {
        Self::Visitor(Visitor::Tour(tour))
    }
}
