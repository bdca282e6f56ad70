//! Who runs the engine: a browser's worker, a terminal, a test.

use std::future::Future;
use std::rc::Rc;

use twinbeam_core::wire::Event;
use twinbeam_core::wire::devices::Claim;

use crate::Pool;

/// Who runs the engine: it has a clock, hears events, and may want a job to stop.
pub trait Host {
    /// Takes an event.
    fn emit(&mut self, event: Event);

    /// Takes a part of a job's result that a GPU has computed, for a [`Check`](crate::Check) to look at: by default
    /// nobody does.
    fn claim(&mut self, _claim: Claim) {}

    /// Seconds since some fixed moment.
    fn seconds(&self) -> f64;

    /// Gives others a turn. A worker handles its messages here: without it no `Cancel` could arrive
    /// while the CPU is busy.
    fn pause(&mut self) -> impl Future<Output = ()>;

    /// Who else computes shares of a job on the CPU: by default nobody.
    fn pool(&self) -> Option<Rc<Pool>> {
        None
    }

    /// Waits a moment for what others compute.
    fn idle(&mut self) -> impl Future<Output = ()> {
        self.pause()
    }

    /// Whether the job is to stop.
    fn cancelled(&self) -> bool;
}

/// A host that nobody listens to and that never stops: a job runs to its end, and its result is what it returns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Host for Silent {
    fn emit(&mut self, _event: Event) {}

    fn seconds(&self) -> f64 {
        0.0
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    fn cancelled(&self) -> bool {
        false
    }
}
