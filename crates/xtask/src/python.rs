//! Python for the package of that language: an environment of its own under `target/`, the wheel, and its tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::parts::Parts;
use crate::tools::{find, install, is_root};
use crate::{execute, root, say};

/// What builds the package, and what its tests need, in versions that were tried together.
const REQUIREMENTS: &str = "crates/python/requirements.txt";

/// Makes the wheel: in `target/wheels`, for any Python from 3.10 on.
pub(crate) fn wheel(gpu: bool) -> anyhow::Result<()> {
    environment()?;
    build(gpu).map(|wheel| say(&format!("the wheel is {}", wheel.display())))
}

/// The package as a user has it, tested by its own tests, with a notebook that is run from beginning to end.
pub(crate) fn test(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("what Python's tests need", environment)?;
    parts.run("the wheel", || {
        let wheel = build(false)?;
        let mut pip = python("pip");
        pip.args(["install", "--quiet", "--no-deps", "--force-reinstall"]);
        execute(pip.arg(wheel))
    })?;
    parts.run("lints of Python", || {
        execute(python("ruff").args(["check", "."]))?;
        execute(python("ruff").args(["format", "--check", "."]))?;
        execute(python("mypy").arg("python"))
    })?;
    parts.run("Python's tests", || execute(python("pytest").args(["-q", "tests"])))
}

/// Builds the wheel, and says where it is.
fn build(gpu: bool) -> anyhow::Result<PathBuf> {
    let wheels = root().join("target/wheels");
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels)?;
    }
    let mut maturin = Command::new(folder().join("bin/maturin"));
    maturin.current_dir(root().join("crates/python"));
    // The features of one package at a time are those of all of them together: see `NATIVE`.
    maturin.args(["build", "--release", "--locked", "--out"]).arg(&wheels);
    if gpu {
        maturin.args(["--features", "gpu"]);
    }
    execute(&mut maturin)?;
    let made = std::fs::read_dir(&wheels)?.next().context("maturin made no wheel")??;
    Ok(made.path())
}

/// A module of the environment, as a program in the package's folder.
fn python(module: &str) -> Command {
    let mut python = Command::new(folder().join("bin/python"));
    python.args(["-m", module]).current_dir(root().join("crates/python"));
    python
}

fn folder() -> PathBuf {
    root().join("target/python")
}

/// Makes the environment, if it is not there with what is wanted now.
fn environment() -> anyhow::Result<()> {
    let wanted = std::fs::read(root().join(REQUIREMENTS))?;
    let stamp = folder().join("twinbeam-requirements.txt");
    if std::fs::read(&stamp).ok().as_ref() == Some(&wanted) {
        return Ok(());
    }
    if folder().exists() {
        std::fs::remove_dir_all(folder())?;
    }
    make()?;
    say("getting Python's packages from the package index");
    let mut pip = python("pip");
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    execute(pip.arg(root().join(REQUIREMENTS)))?;
    std::fs::write(stamp, wanted)?;
    Ok(())
}

fn make() -> anyhow::Result<()> {
    let venv = |python: &Path| {
        let mut venv = Command::new(python);
        venv.args(["-m", "venv"]).arg(folder()).stderr(Stdio::null());
        venv.status().is_ok_and(|status| status.success())
    };
    if here().is_some_and(|python| venv(&python)) {
        return Ok(());
    }
    if find("apt-get").is_none() || !is_root() {
        bail!(
            "Python 3.10 or later with its module venv is missing. On Debian: sudo apt-get install python3 python3-venv"
        );
    }
    say("getting Python from the system's package registry");
    install(&["python3", "python3-venv"])?;
    let python = here().context("Python was installed and is not where it was looked for")?;
    ensure!(venv(&python), "{} makes no environment", python.display());
    Ok(())
}

/// A Python that is new enough.
fn here() -> Option<PathBuf> {
    let is_new = |python: &PathBuf| {
        let mut asked = Command::new(python);
        asked.args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]);
        asked.status().is_ok_and(|status| status.success())
    };
    [find("python3"), Some(PathBuf::from("/usr/bin/python3"))].into_iter().flatten().find(is_new)
}
