//! Formatting, lints and documents, and what other programs have to say of the sources.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::parts::Parts;
use crate::{cargo, execute, natively, root, say};

/// All of it.
pub(crate) fn all(parts: &mut Parts) -> anyhow::Result<()> {
    quick(parts)?;
    of_native(parts)?;
    of_wasm(parts)
}

/// What takes seconds and compiles nothing.
pub(crate) fn quick(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("formatting", || execute(cargo("fmt").args(["--all", "--check"])))?;
    if is_here("typos", "the spelling") {
        parts.run("spelling", || execute(Command::new("typos").current_dir(root())))?;
    }
    if is_here("cargo-deny", "licences, sources and doubles of the dependencies") {
        // Advisories come from the network, and would fail a build on a day when nothing of it has changed.
        let what = ["--offline", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
        let mut deny = Command::new("cargo-deny");
        parts.run("dependencies", || execute(deny.args(what).current_dir(root())))?;
    }
    Ok(())
}

/// Lints and documents of what runs natively. Both ask the compiler for the same of every library, so the second is quick.
pub(crate) fn of_native(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("native lints", || {
        natively("clippy").into_iter().try_for_each(|mut clippy| {
            execute(clippy.args(["--all-targets", "--", "-D", "warnings"]))
        })
    })?;
    parts.run("documents", || {
        natively("doc").into_iter().try_for_each(|mut doc| {
            execute(doc.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"))
        })
    })
}

/// Lints of what runs in a browser, with the worker that can be made to fail and without.
pub(crate) fn of_wasm(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("lints of the page and its worker", || {
        for features in ["worker", "worker,faults"] {
            let mut clippy = cargo("clippy");
            clippy.args(["--profile", "web", "--target", "wasm32-unknown-unknown"]);
            clippy.args(["--package", "twinbeam-web", "--features", features, "--bins"]);
            execute(clippy.args(["--", "-D", "warnings"]))?;
        }
        Ok(())
    })
}

/// Whether a program that is not needed is here; says what goes unchecked if not.
fn is_here(program: &str, what: &str) -> bool {
    let is_here = starts(program);
    if !is_here {
        say(&format!("{program} is not installed: {what} are left to the hosted workflow"));
    }
    is_here
}

fn starts(program: impl AsRef<Path>) -> bool {
    let mut command = Command::new(program.as_ref());
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_noticed() {
        assert!(starts("rustc"));
        assert!(!starts("a-program-that-nobody-has"));
    }

    #[test]
    fn the_hosted_workflow_checks_what_is_skipped_here() {
        let workflow = root().join(".github/workflows/check.yml");
        let text = std::fs::read_to_string(workflow).expect("the workflow");
        for line in ["run: typos", "run: cargo deny check", "run: cargo xtask test"] {
            assert!(text.contains(line), "{line}");
        }
    }
}
