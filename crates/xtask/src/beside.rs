//! A chore of this program that runs in a process of its own, beside what its parent does.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::parts::Parts;
use crate::{root, say};

/// The process. What it says goes into a file, and is shown when it has ended: two builds that talk at once say nothing.
#[derive(Debug)]
pub(crate) struct Beside {
    chore: &'static str,
    process: Child,
    log: PathBuf,
    parts: PathBuf,
}

/// Names the file that such a process leaves its parts in.
pub(crate) const PARTS: &str = "TWINBEAM_XTASK_PARTS";

impl Beside {
    /// Starts a chore.
    pub(crate) fn start(chore: &'static str) -> anyhow::Result<Self> {
        let folder = root().join("target/xtask");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let [log, parts] = ["log", "parts"].map(|name| folder.join(format!("{chore}.{name}")));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        std::fs::write(&parts, "").with_context(|| parts.display().to_string())?;
        say(&format!("{chore}, beside what follows: {}", log.display()));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(chore).env(PARTS, &parts).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file);
        let process = command.spawn().with_context(|| format!("starting {command:?}"))?;
        Ok(Self { chore, process, log, parts })
    }

    /// Waits for its end, shows what it has said, and adds its parts to those here.
    #[expect(clippy::print_stdout, reason = "a program that reports what it does")]
    pub(crate) fn finish(mut self, parts: &mut Parts) -> anyhow::Result<()> {
        let status = self.process.wait()?;
        say(self.chore);
        let log = std::fs::read(&self.log).with_context(|| self.log.display().to_string())?;
        println!("{}", String::from_utf8_lossy(&log));
        parts.read(&self.parts)?;
        if !status.success() {
            bail!("{status} from the chore {}", self.chore);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_ends_is_noticed() {
        // The program here is that of the tests: it runs none that has no such name, and fails where it is asked for what
        // it does not know.
        let mut parts = Parts::new();
        let fine = Beside::start("no-test-is-called-so").expect("it starts");
        let files = [fine.log.clone(), fine.parts.clone()];
        fine.finish(&mut parts).expect("it ends");
        let log = std::fs::read_to_string(&files[0]).expect("the log");
        assert!(log.contains("0 passed"), "{log}");
        let wrong = Beside::start("--no-such-option").expect("it starts");
        let files = files.into_iter().chain([wrong.log.clone(), wrong.parts.clone()]);
        let files: Vec<PathBuf> = files.collect();
        let error = wrong.finish(&mut parts).expect_err("it fails").to_string();
        assert!(error.ends_with("from the chore --no-such-option"), "{error}");
        for file in files {
            std::fs::remove_file(file).expect("cleaned up");
        }
    }
}
