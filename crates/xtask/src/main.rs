//! Chores: `cargo xtask serve | test | dist | bench | check`. Each gets what it is missing and says so.

mod build;
mod seal;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

const HELP: &str = "\
cargo xtask serve    build the page, serve it and open it in a browser
cargo xtask test     all tests: native, and the page in Chromium
cargo xtask dist     build the page into dist/, for any static host
cargo xtask bench    how long a visitor waits, in Chromium on the CPU
cargo xtask bench-full    the same for a model of GPT-2 small's size, with random weights
cargo xtask bench-gpu     what a job asks of a GPU, counted on Chromium's software adapter
cargo xtask check    formatting and lints";

/// Packages whose tests run natively. The worker's binary runs in the browser's tests.
const NATIVE: [&str; 9] = [
    "twinbeam-core",
    "twinbeam-tasks",
    "twinbeam-gpt2",
    "twinbeam-attribution",
    "twinbeam-engine",
    "twinbeam-cli",
    "twinbeam-tests",
    "twinbeam-web",
    "xtask",
];

#[expect(clippy::print_stderr, reason = "a program that reports why it failed")]
fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_default();
    match run(&chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &str) -> anyhow::Result<()> {
    match chore {
        "serve" => {
            tools::page()?;
            build::serve()
        }
        "dist" => {
            tools::page()?;
            build::dist()
        }
        "test" => {
            native_tests()?;
            tools::page()?;
            build::dist()?;
            build::faults()?;
            tools::browser()?;
            browser_tests()
        }
        "bench" => bench("bench.mjs"),
        "bench-full" => bench("bench_full.mjs"),
        "bench-gpu" => bench("bench_gpu.mjs"),
        // A part of `test`, for whoever works on its faults.
        "faults" => {
            tools::page()?;
            build::faults()
        }
        // Called by Trunk, see Trunk.toml.
        "seal" => {
            let folder = std::env::var_os("TRUNK_STAGING_DIR");
            seal::seal(Path::new(&folder.context("this chore is Trunk's, which names the folder")?))
        }
        "check" => check(),
        _ => bail!("{chore:?} is not a chore\n\n{HELP}"),
    }
}

fn native_tests() -> anyhow::Result<()> {
    say("native tests");
    native("test")?;
    // The browser's tests compare the page with the command line.
    native("build")
}

/// Always of the same list of packages, since with another list the shared libraries would be built once more.
fn native(subcommand: &str) -> anyhow::Result<()> {
    let packages = NATIVE.iter().flat_map(|package| ["-p", package]);
    execute(cargo(subcommand).arg("--release").args(packages))
}

fn browser_tests() -> anyhow::Result<()> {
    say("browser tests");
    let mut node = node()?;
    // One browser at a time: its timings and its software GPU share the cores with nobody.
    node.args(["--test", "--test-concurrency=1"]);
    node.args(suites()?);
    execute(&mut node)
}

/// Every suite that is there, in the order of names: one that is added is run.
fn suites() -> anyhow::Result<Vec<String>> {
    let folder = root().join("tests/browser/suite");
    let mut suites = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") {
            suites.push(format!("suite/{name}"));
        }
    }
    suites.sort();
    Ok(suites)
}

fn bench(program: &str) -> anyhow::Result<()> {
    tools::page()?;
    build::dist()?;
    native("build")?;
    tools::browser()?;
    say("benchmark");
    execute(node()?.arg(program))
}

fn node() -> anyhow::Result<Command> {
    let mut node = Command::new("node");
    node.current_dir(root().join("tests/browser"));
    node.env("TWINBEAM_CHROMIUM", tools::chromium().context("Chromium has gone")?);
    Ok(node)
}

fn check() -> anyhow::Result<()> {
    execute(cargo("fmt").args(["--all", "--check"]))?;
    let mut clippy = cargo("clippy");
    clippy.args(["--release", "--all-targets"]);
    clippy.args(NATIVE.iter().flat_map(|package| ["-p", package]));
    execute(clippy.args(["--", "-D", "warnings"]))?;
    for features in ["worker", "worker,faults"] {
        execute(cargo("clippy").args([
            "--profile",
            "web",
            "--target",
            "wasm32-unknown-unknown",
            "-p",
            "twinbeam-web",
            "--features",
            features,
            "--bins",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    Ok(())
}

/// The folder that holds the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand).current_dir(root());
    command
}

/// Says what is being done, apart from what the tools say.
#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
fn say(what: &str) {
    println!("== {what}");
}

/// Runs a command to its end; a failure is an error that names it.
fn execute(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{status} from {command:?}");
    }
    Ok(())
}
