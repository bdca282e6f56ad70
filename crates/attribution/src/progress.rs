//! Between two batches: who is told that work is done, reads it back, and may stop it.

use std::future::{Future, ready};
use std::pin::Pin;

use burn::tensor::TensorData;

use crate::Error;
use crate::pace::{Load, Pace};

/// What is waited for between two batches. Boxed, so that the methods are compiled once, whoever listens.
pub type Advance<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// Numbers on their way back from a device. All that they depend on is submitted when this is first polled.
pub type ReadBack<'a> = Pin<Box<dyn Future<Output = Result<Vec<TensorData>, Error>> + 'a>>;

/// Who is told that work is done, and may stop it.
pub trait Progress {
    /// Called after each read-back, `units` of work (see [`crate::CostModel`]) later than before.
    ///
    /// # Errors
    /// [`Error::Cancelled`] stops the method there.
    fn advance(&mut self, units: u64) -> Advance<'_>;

    /// Waits for numbers of some work, which is then done. Whoever watches a device asks it here whether all went
    /// well: nothing is used of numbers before that.
    ///
    /// # Errors
    /// A device that does not give the numbers back, [`Error::Cancelled`], and [`Error::OutOfMemory`] of a device
    /// on which the work did not fit: the method then does all of it again in smaller batches.
    fn read<'a>(&'a mut self, numbers: ReadBack<'a>, load: Load) -> ReadBack<'a> {
        Box::pin(async move {
            let numbers = numbers.await;
            self.advance(load.units()).await?;
            numbers
        })
    }

    /// How much the device takes at a time. `None`: a CPU, whose batches fit its caches, and of which every batch is
    /// read by itself, since a read costs nothing there.
    fn pace(&self) -> Option<&Pace> {
        None
    }
}

/// A listener that counts nothing and stops nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn advance(&mut self, _units: u64) -> Advance<'_> {
        Box::pin(ready(Ok(())))
    }
}
