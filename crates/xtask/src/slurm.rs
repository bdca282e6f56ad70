//! Slurm's daemons, by which a list runs as on a cluster: from where they are, or from the system's package registry.

use anyhow::ensure;

use crate::tools::{find, install, is_root};
use crate::{NATIVE, execute, of, say};

/// Names of the packages, as Debian has them; its `slurm-client` comes with them.
const PACKAGES: [&str; 3] = ["slurmctld", "slurmd", "munge"];

/// What the test starts.
const PROGRAMS: [&str; 6] = ["slurmctld", "slurmd", "munged", "sbatch", "scontrol", "sinfo"];

/// Whether the daemons can be had. Where they are missing and may not be installed, what is not tested is said: a program
/// in place of them runs the same scripts in the native tests.
pub(crate) fn get() -> anyhow::Result<bool> {
    if is_here() {
        return Ok(true);
    }
    if !is_root() || find("apt-get").is_none() {
        say(&format!(
            "Slurm is not here: lists run by a program in its place only. On Debian: sudo apt-get install {}",
            PACKAGES.join(" ")
        ));
        return Ok(false);
    }
    say("getting Slurm from the system's package registry");
    install(&PACKAGES)?;
    ensure!(is_here(), "Slurm was installed and is not where it was looked for");
    Ok(true)
}

/// Runs the test, which starts the daemons and ends them.
pub(crate) fn test() -> anyhow::Result<()> {
    execute(of(&NATIVE, "test").args(["--test", "slurm", "--", "--ignored"]))
}

fn is_here() -> bool {
    PROGRAMS.into_iter().all(|program| find(program).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_starts_what_is_looked_for() {
        let folder = crate::root().join("crates/cli/tests/slurm");
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect(file);
        let sources = read("cluster.rs") + &read("main.rs");
        for program in PROGRAMS.into_iter().filter(|&program| program != "sbatch") {
            assert!(sources.contains(&format!("\"{program}\"")), "{program}");
        }
        assert!(sources.contains("#[ignore = "), "the test runs where it was not asked for");
    }
}
