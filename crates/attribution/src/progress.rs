use std::future::{Future, ready};

use crate::Error;

/// Who is told that work is done, and may stop it.
pub trait Progress {
    /// Called after each read-back, `units` of work (see [`crate::CostModel`]) later than before.
    ///
    /// # Errors
    /// [`Error::Cancelled`] stops the method there.
    fn advance(&mut self, units: u64) -> impl Future<Output = Result<(), Error>>;
}

/// Nobody is.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn advance(&mut self, _units: u64) -> impl Future<Output = Result<(), Error>> {
        ready(Ok(()))
    }
}
