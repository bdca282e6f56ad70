//! A model on its way: what has come of it, how fast, and what it waits for.

use twinbeam_core::wire::Wait;
use twinbeam_core::words::Phase;

use super::pace::Pace;
use super::{Identity, Progress, Spec};

/// Seconds for which something that was fetched makes the whole a fetching.
const RECENT: f64 = 5.0;

/// A model on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arriving {
    pub(crate) identity: Identity,
    /// Where it comes from, in few words.
    pub(crate) source: String,
    /// Whether it is another one than the model in use, which stays usable meanwhile.
    pub(crate) is_another: bool,
    pub(crate) phase: Option<Phase>,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) pace: Pace,
    /// At which second something was fetched last: what comes next may have been read ahead.
    fetched_at: Option<f64>,
    /// What it waits for, and until when, in milliseconds since 1970.
    pub(crate) wait: Option<(Wait, f64)>,
}

impl Arriving {
    pub(crate) fn new(spec: &Spec, is_another: bool) -> Self {
        Self {
            identity: spec.identity.clone(),
            source: spec.source(),
            is_another,
            phase: None,
            done: 0,
            total: 0,
            pace: Pace::default(),
            fetched_at: None,
            wait: None,
        }
    }

    /// A step is done, so nothing is waited for.
    pub(crate) fn progress(&mut self, progress: Progress) {
        let Progress { done, total, seconds, .. } = progress;
        self.wait = None;
        let phase = self.steady(progress);
        if self.phase != Some(phase) {
            self.pace = Pace::default();
        }
        self.phase = Some(phase);
        if is_bytes(phase) {
            // What a server sends beyond what it promised is not progress.
            (self.done, self.total) = (done.min(total), total);
            self.pace.add(seconds, self.done);
        }
    }

    /// The phase without its flicker: what is read within seconds of a fetch is part of fetching.
    fn steady(&mut self, progress: Progress) -> Phase {
        let Progress { phase, seconds, .. } = progress;
        if phase == Phase::Fetching {
            self.fetched_at = Some(seconds);
        }
        let is_recent = self.fetched_at.is_some_and(|at| (0.0..RECENT).contains(&(seconds - at)));
        if phase == Phase::Loading && is_recent { Phase::Fetching } else { phase }
    }

    /// What it waits for, from `now` on (milliseconds since 1970).
    pub(crate) fn wait(&mut self, wait: Wait, now: f64) {
        let seconds = match wait {
            Wait::Retry { seconds, .. } => seconds,
            Wait::OtherTab => 0,
        };
        self.wait = Some((wait, now + 1000.0 * f64::from(seconds)));
        self.pace = Pace::default();
    }

    pub(crate) const fn is_waiting(&self) -> bool {
        self.wait.is_some()
    }

    /// Which share of its bytes has come; `None`: it is not known how many there are.
    pub(crate) fn share(&self) -> Option<f64> {
        (self.total > 0).then(|| self.done as f64 / self.total as f64)
    }
}

const fn is_bytes(phase: Phase) -> bool {
    matches!(phase, Phase::Fetching | Phase::Loading)
}
