use std::future::{Future, ready};
use std::pin::Pin;

use crate::Error;

/// What is waited for between two batches. Boxed, so that the methods are compiled once, whoever listens.
pub type Advance<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// Who is told that work is done, and may stop it.
pub trait Progress {
    /// Called after each read-back, `units` of work (see [`crate::CostModel`]) later than before.
    ///
    /// # Errors
    /// [`Error::Cancelled`] stops the method there.
    fn advance(&mut self, units: u64) -> Advance<'_>;
}

/// Nobody is.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn advance(&mut self, _units: u64) -> Advance<'_> {
        Box::pin(ready(Ok(())))
    }
}
