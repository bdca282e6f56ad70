//! The one thing that the worker is doing.

use twinbeam_core::wire::devices::Work;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::Experiment;

use crate::values::{Job, Progress};

/// The job that the worker is at. It does one at a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Running {
    /// Tells it apart from those before.
    pub(crate) id: u64,
    pub(crate) job: Job,
    pub(crate) progress: Option<Progress>,
    /// When it was begun, in milliseconds since 1970.
    pub(crate) begun: f64,
    /// What it is of.
    pub(crate) experiment: Experiment,
    /// What the heads ask of the device, once that is known.
    pub(crate) work: Option<Work>,
    /// What is asked, if it is a question of the lab, and of which weights.
    pub(crate) question: Option<(Probe, String)>,
}
