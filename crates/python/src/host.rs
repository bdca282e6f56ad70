//! Python as the engine's host: a callback hears of progress, and Ctrl-C stops the job.

use std::cell::{Cell, RefCell};
use std::future::{Future, ready};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use twinbeam_core::wire::Event;
use twinbeam_engine::Host;

/// How often Python is asked for signals, and told of progress: it is asked for its lock each time.
const EVERY: Duration = Duration::from_millis(50);

/// Who waits for a job in Python. The job itself runs without Python's lock.
pub(crate) struct Waiting {
    begun: Instant,
    /// Hears of a phase, how much of it is done, and how much there is.
    progress: Option<Py<PyAny>>,
    told: Instant,
    looked: Cell<Instant>,
    /// What Python has raised meanwhile: Ctrl-C, or an exception of the callback.
    raised: RefCell<Option<PyErr>>,
}

impl Waiting {
    #[expect(clippy::disallowed_methods, reason = "native: the clock is there")]
    pub(crate) fn new(progress: Option<Py<PyAny>>) -> Self {
        let now = Instant::now();
        Self { begun: now, progress, told: now, looked: Cell::new(now), raised: RefCell::new(None) }
    }

    /// What Python has raised, or the exception of an error.
    pub(crate) fn exception(&self, error: &twinbeam_batch::Error) -> PyErr {
        self.raised.borrow_mut().take().unwrap_or_else(|| crate::error::raised(error))
    }

    /// Tells Python how far the job is.
    fn tell(&self, phase: &str, done: u64, total: u64) {
        let Some(progress) = &self.progress else { return };
        let told = Python::attach(|py| progress.call1(py, (phase, done, total)));
        if let Err(error) = told {
            self.raised.borrow_mut().get_or_insert(error);
        }
    }
}

impl Host for Waiting {
    fn emit(&mut self, event: Event) {
        if let Event::Progress { phase, done, total, .. } = event
            && (self.told.elapsed() >= EVERY || done >= total)
        {
            self.tell(phase.label(), done, total);
            self.told += self.told.elapsed();
        }
    }

    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        ready(())
    }

    fn cancelled(&self) -> bool {
        let looked = self.looked.get();
        if looked.elapsed() >= EVERY {
            self.looked.set(looked + looked.elapsed());
            // Only the main thread hears of signals: in every other one this is nothing.
            let heard = Python::attach(|py: Python<'_>| -> PyResult<()> { py.check_signals() });
            if let Err(error) = heard {
                self.raised.borrow_mut().get_or_insert(error);
            }
        }
        self.raised.borrow().is_some()
    }
}
