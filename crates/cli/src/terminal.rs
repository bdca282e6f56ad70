//! A terminal as the engine's host.

use std::future::{Future, ready};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use twinbeam_core::wire::Event;
use twinbeam_engine::Host;

/// Shows progress on a terminal; on anything else it is silent.
#[derive(Debug)]
pub struct Terminal {
    begun: Instant,
    bar: ProgressBar,
}

impl Terminal {
    /// A host without a job yet.
    #[expect(clippy::disallowed_methods, reason = "native: the clock is there")]
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        // OK because the template is a constant that is right.
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:>16} {wide_bar} {percent}% {eta} left, {msg}")
        {
            bar.set_style(style);
        }
        Self { begun: Instant::now(), bar }
    }

    /// Names what is being done from now on.
    pub fn name(&mut self, name: &str) {
        self.bar.set_prefix(name.to_owned());
        self.bar.reset();
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Host for Terminal {
    fn emit(&mut self, event: Event) {
        if let Event::Progress { phase, done, total, .. } = event {
            self.bar.set_length(total);
            self.bar.set_position(done);
            self.bar.set_message(phase.label());
        }
    }

    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        ready(())
    }

    fn cancelled(&self) -> bool {
        // Control-C ends the program.
        false
    }
}
