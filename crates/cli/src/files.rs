//! A model in a folder, and a terminal as the engine's host.

use std::fs::File;
use std::future::{Future, ready};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use twinbeam_core::wire::Event;
use twinbeam_engine::{ByteSource, Host, SourceError};

/// Files of a folder on the disk.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    fn open(&self, file: &str) -> Result<(File, u64), SourceError> {
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => SourceError::NotFound,
            _ => SourceError::Failed(source.to_string()),
        };
        let file = File::open(self.0.join(file)).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok((file, size))
    }

    fn read_now(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        let (mut file, _) = self.open(file)?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.seek(SeekFrom::Start(range.start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|source| SourceError::Failed(source.to_string()))?;
        Ok(bytes)
    }
}

impl ByteSource for Folder {
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>> {
        ready(self.open(file).map(|(_, size)| size))
    }

    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        ready(self.read_now(file, range))
    }
}

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
