//! What each part of a chore took, for the table at its end.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;

use crate::say;

/// The parts of a chore, in the order in which they ended.
#[derive(Debug)]
pub(crate) struct Parts {
    begun: Instant,
    done: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    name: String,
    seconds: f64,
    failed: bool,
}

/// The time, for chores: they run natively, where the clock does not panic.
#[expect(clippy::disallowed_methods, reason = "no browser runs this program")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

impl Parts {
    pub(crate) fn new() -> Self {
        Self { begun: now(), done: Vec::new() }
    }

    /// Does a part, says its name before and keeps how long it took, also where it fails.
    pub(crate) fn run<T>(
        &mut self,
        name: &str,
        part: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        say(name);
        let begun = now();
        let result = part();
        self.add(name, begun.elapsed().as_secs_f64(), result.is_err());
        result
    }

    /// Keeps a part that was timed elsewhere.
    pub(crate) fn add(&mut self, name: &str, seconds: f64, failed: bool) {
        self.done.push(Part { name: name.to_owned(), seconds, failed });
    }

    /// The table. Parts that ran side by side are each in it, so their sum may be more than what all of it took.
    pub(crate) fn table(&self) -> String {
        let line = |Part { name, seconds, failed }: &Part| {
            let failed = if *failed { "  FAILED" } else { "" };
            format!("{seconds:>8.0} s  {name}{failed}")
        };
        let all = format!("{:>8.0} s  in all", self.begun.elapsed().as_secs_f64());
        self.done.iter().map(line).chain([all]).collect::<Vec<_>>().join("\n")
    }

    /// Writes the parts where another process of this program reads them.
    pub(crate) fn save(&self, file: &Path) -> anyhow::Result<()> {
        let line = |Part { name, seconds, failed }: &Part| format!("{seconds}\t{failed}\t{name}");
        let text = self.done.iter().map(line).collect::<Vec<_>>().join("\n");
        std::fs::write(file, text).with_context(|| file.display().to_string())
    }

    /// Adds what another process has saved.
    pub(crate) fn read(&mut self, file: &Path) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for line in text.lines() {
            let mut fields = line.splitn(3, '\t');
            let (Some(seconds), Some(failed), Some(name)) =
                (fields.next(), fields.next(), fields.next())
            else {
                anyhow::bail!("no part of a chore: {line:?}");
            };
            self.add(name, seconds.parse()?, failed.parse()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_fails_is_in_the_table() {
        let mut parts = Parts::new();
        parts.run("one", || Ok(())).expect("it is fine");
        parts.run("two", || -> anyhow::Result<()> { anyhow::bail!("not") }).expect_err("it fails");
        parts.add("three", 61.4, false);
        let table = parts.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "       0 s  one");
        assert_eq!(lines[1], "       0 s  two  FAILED");
        assert_eq!(lines[2], "      61 s  three");
        assert_eq!(lines[3], "       0 s  in all");
    }

    #[test]
    fn what_is_saved_is_read() {
        let mut parts = Parts::new();
        parts.add("one, with words", 1.25, false);
        parts.add("two", 0.5, true);
        let file = std::env::temp_dir().join(format!("twinbeam-parts-{}", std::process::id()));
        parts.save(&file).expect("it can be written");
        let mut others = Parts::new();
        others.read(&file).expect("it can be read");
        assert_eq!(others.done, parts.done);
        std::fs::write(&file, "fast\n").expect("it can be written");
        assert!(others.read(&file).is_err());
        std::fs::remove_file(file).expect("cleaned up");
    }
}
