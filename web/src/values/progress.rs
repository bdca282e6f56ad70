//! What the worker is doing, and how far it has come.

use twinbeam_core::words::Phase;

use super::Slot;

/// How far a job, or the loading of a model, has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Progress {
    pub(crate) phase: Phase,
    /// Of `total`, in the phase's own steps (bytes, or operations).
    pub(crate) done: u64,
    pub(crate) total: u64,
    /// Seconds since the job began.
    pub(crate) seconds: f64,
}

/// What a job of the worker is for. The worker does one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// The heads of a figure.
    Heads,
    /// The neurons of the figure on the screen.
    Neurons,
    /// How fast the device is.
    Speed,
    /// A question of the lab.
    Question(Slot),
    /// One pair of many prompts.
    Pair,
}

impl Job {
    /// Whether it draws into the figure.
    pub(crate) const fn is_of_figure(self) -> bool {
        matches!(self, Self::Heads | Self::Neurons)
    }
}

/// What the status line says of the figure, `data-state` in the page.
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

/// How far the neurons are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NeuronStatus {
    /// The heads come first.
    Waiting,
    Running,
    Done,
    /// Some are patched, and nothing computes the rest.
    Stopped,
    /// A click starts them.
    Offered,
}

impl NeuronStatus {
    /// Whether some may be there and others not.
    pub(crate) const fn is_partial(self) -> bool {
        matches!(self, Self::Running | Self::Stopped)
    }

    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Offered => "offered",
        }
    }
}
