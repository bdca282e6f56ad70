//! Which workers there are, and what is known of them.

use twinbeam_core::models::SelfCheck;
use twinbeam_core::wire::devices::GpuState;
use twinbeam_core::words::Experiment;

use crate::values::Spec;

/// What a worker is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    InUse,
    /// Another model arrives in it.
    Arriving,
    /// It has no model and looks at what is typed, so that nothing is in the way of that.
    Reader,
}

/// The worker that looks at what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) worker: u64,
    /// Whether it has what it reads text with.
    pub(crate) reads: bool,
}

/// A worker in which another model arrives, and what it says of that before it is in use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coming {
    pub(crate) worker: u64,
    pub(crate) spec: Spec,
    pub(crate) self_check: Option<SelfCheck>,
    pub(crate) gpu: Option<GpuState>,
}

/// The workers: one in use, replaced when it dies, and beside it at most one in which another model arrives and one that
/// looks at what is typed. Without that one the worker in use does it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Workers {
    pub(crate) in_use: Option<u64>,
    /// What the one in use has loaded, or is loading; `None` before the list of models is there.
    pub(crate) spec: Option<Spec>,
    pub(crate) coming: Option<Coming>,
    pub(crate) reader: Option<Reader>,
    /// The last model that could not be loaded, and which worker was to load it.
    pub(crate) refused: Option<(Role, Spec)>,
    /// Workers that were started so far.
    pub(crate) started: u64,
    /// Jobs that were begun so far.
    pub(crate) jobs: u64,
    /// How often the draft was looked at.
    pub(crate) inspections: u64,
    /// Workers that died before they had a model ready, in a row.
    pub(crate) deaths: u32,
    /// Devices that were lost since the last job that was completed.
    pub(crate) losses: u32,
    /// What a worker has said of the mistake that ends it, and which one.
    pub(crate) last_words: Option<(u64, String)>,
    /// Seconds for which a busy worker has said nothing.
    pub(crate) silence: u32,
    /// The job that was cancelled and has not ended yet.
    pub(crate) stopping: Option<u64>,
    /// Whether to run as soon as a model is there.
    pub(crate) run_when_loaded: bool,
    /// Whether to run the draft if it turns out to be one that can be run.
    pub(crate) run_if_possible: bool,
    /// What the first run is of, where the draft has edits from before a reload: those are for the visitor to run.
    pub(crate) first: Option<Experiment>,
    /// Whether the draft's model was named by an address.
    pub(crate) is_named: bool,
}

impl Workers {
    /// What the worker of a number is for; `None`: it was replaced.
    pub(crate) fn role(&self, worker: u64) -> Option<Role> {
        if self.in_use == Some(worker) {
            Some(Role::InUse)
        } else if self.coming.as_ref().is_some_and(|coming| coming.worker == worker) {
            Some(Role::Arriving)
        } else if self.reader.is_some_and(|reader| reader.worker == worker) {
            Some(Role::Reader)
        } else {
            None
        }
    }
}
