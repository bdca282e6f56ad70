//! Waiting for a device: every awaited read of a job goes through here, is counted and timed, and is believed once the
//! device has been asked for errors.
//!
//! A browser takes up to 0.1 s to answer, however little was asked, so there is one wait for each read and none beside
//! it: the device is asked with the read, of all the work before it, and where nothing was submitted since it is not
//! asked again. What is read is handed on when its answer is there and clean, never sooner.

use burn::tensor::TensorData;
use twinbeam_attribution::{Error as MethodError, Load, Pace, ReadBack};

use crate::Error;
use crate::watch::Step;

/// What a job waits for.
#[derive(Debug)]
pub(crate) struct Reader {
    step: Step,
    /// When the last wait was over.
    since: f64,
    /// Whether nothing was submitted since the device was asked.
    is_asked: bool,
    /// What was wrong with the device: a method can only be told to stop.
    found: Option<Error>,
}

impl Reader {
    /// A reader for a job that begins.
    pub(crate) const fn new(step: Step, now: f64) -> Self {
        Self { step, since: now, is_asked: true, found: None }
    }

    /// How much the device takes at a time; `None`: it is not waited for.
    pub(crate) fn pace(&self) -> Option<&Pace> {
        self.step.pace()
    }

    /// Waits for numbers and for what the device says of the work that led to them.
    ///
    /// # Errors
    /// [`MethodError::OutOfMemory`], which a method can do something about, and [`MethodError::Cancelled`] of
    /// whatever else the device found, which [`Self::settle`] tells.
    pub(crate) async fn read(
        &mut self,
        numbers: ReadBack<'_>,
        load: &Load,
        now: impl Fn() -> f64,
    ) -> Result<Vec<TensorData>, MethodError> {
        let (numbers, verdict) = self.step.read(numbers).await;
        self.judge(verdict)?;
        if let Some(pace) = self.step.pace() {
            pace.took(load, now() - self.since);
        }
        numbers
    }

    /// Work begins, or goes on, after this moment.
    pub(crate) const fn goes_on(&mut self, now: f64) {
        self.since = now;
    }

    /// Asks the device of all work before this, unless it was asked and nothing was submitted since. Something may be
    /// after this.
    ///
    /// # Errors
    /// The errors of [`Self::read`].
    pub(crate) async fn begin(&mut self) -> Result<(), MethodError> {
        let asked = self.ask().await;
        let verdict = self.judge(asked);
        self.is_asked = false;
        verdict
    }

    /// Asks the device of all work before this, unless it was asked and nothing was submitted since.
    ///
    /// # Errors
    /// What the device found.
    pub(crate) async fn ask(&mut self) -> Result<(), Error> {
        if !self.is_asked {
            self.step.next().await?;
            self.is_asked = true;
        }
        Ok(())
    }

    /// The result of the job, or what was wrong on the device, which is then the cause of the result.
    ///
    /// # Errors
    /// That of `result`, or what the device has found.
    pub(crate) async fn settle<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        let result = self.found.take().map_or(result, Err);
        if result.is_ok() && self.is_asked {
            return self.step.look().and(result);
        }
        self.step.settle(result).await
    }

    fn judge(&mut self, verdict: Result<(), Error>) -> Result<(), MethodError> {
        // A method that is told to do something again may have submitted more by then.
        self.is_asked = verdict.is_ok();
        match verdict {
            Ok(()) => Ok(()),
            Err(Error::Attribution(error)) => Err(error),
            Err(found) => {
                self.found = Some(found);
                Err(MethodError::Cancelled)
            }
        }
    }

    /// Asks the device although nothing was submitted: something has happened to it.
    #[cfg(feature = "faults")]
    pub(crate) async fn ask_again(&mut self) -> Result<(), MethodError> {
        for _ in 0..2 {
            // The news of a loss may come a moment after the first answer.
            self.is_asked = false;
            self.begin().await?;
        }
        Ok(())
    }

    /// The step that is under way.
    #[cfg(feature = "faults")]
    pub(crate) const fn step(&self) -> &Step {
        &self.step
    }
}
