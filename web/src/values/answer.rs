//! The lab's questions: a place for each kind, and what the worker has answered.

use twinbeam_core::wire::Problem;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::Experiment;

use super::Committed;

/// How many places there are.
pub(crate) const N_SLOTS: usize = 20;

/// A place for one question at a time: a new question takes the old one's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Integrand,
    Pattern,
    ZeroBaseline,
    Positions,
    Ablate,
    Faithfulness,
    Streams,
    /// Where the pinned head attends to.
    Pinned,
    /// Where the head under the pointer attends to.
    Pointed,
    /// The integrand that the tour draws.
    TourLine,
    /// The heads that the tour replaces together.
    TourSet,
    /// Queries, keys, values and patterns of all heads.
    Parts,
    /// What goes straight to the logits.
    Direct,
    /// The tokens that the pinned head writes.
    Lens,
    /// Estimates of all edges.
    Edges,
    /// Exact effects of the edges whose turn it is.
    PatchEdges,
    /// The pinned edge, token by token.
    EdgePositions,
    /// Circuits of growing size.
    CircuitCurves,
    /// The circuits that are looked at.
    Kept,
    /// One of them without each of its edges.
    Minimal,
}

impl Slot {
    /// In the order in which they are answered: what is waited for first, then the quick ones.
    pub(crate) const ALL: [Self; N_SLOTS] = [
        Self::TourLine,
        Self::TourSet,
        Self::Pinned,
        Self::Pointed,
        Self::Direct,
        Self::Lens,
        Self::Integrand,
        Self::Pattern,
        Self::Parts,
        Self::ZeroBaseline,
        Self::Positions,
        Self::Ablate,
        Self::Faithfulness,
        Self::Streams,
        Self::Edges,
        Self::EdgePositions,
        Self::Kept,
        Self::Minimal,
        Self::CircuitCurves,
        Self::PatchEdges,
    ];
}

/// What the worker has said to a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Of which experiment, and of which weights.
    pub(crate) experiment: Experiment,
    pub(crate) fingerprint: String,
    pub(crate) probe: Probe,
    /// What was found, or why not.
    pub(crate) found: Result<Finding, NoAnswer>,
    /// Whether a GPU computed it and nothing has checked that.
    pub(crate) unchecked: bool,
}

impl Answer {
    /// Whether it is of the experiment and the weights that a figure is of.
    pub(crate) fn is_of(&self, committed: &Committed) -> bool {
        committed.experiment == self.experiment
            && self.fingerprint.starts_with(&committed.model.fingerprint)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NoAnswer {
    /// The worker says why; `on_gpu`: whether it computes on one.
    Failed { problem: Problem, on_gpu: bool },
    /// The worker was lost meanwhile.
    Lost(Loss),
    /// Somebody has stopped it.
    Stopped,
}

/// How a worker was lost at what it was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It has died.
    Died,
    /// It did not answer, and was replaced.
    Hung,
    /// Its GPU was taken away.
    DeviceLost,
}
