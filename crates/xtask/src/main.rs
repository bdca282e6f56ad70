//! Chores: `cargo xtask serve | test | dist | bench | check`. Each gets what it is missing and says so.
//!
//! `tools.rs` gets what they need, `build.rs` builds the page with Trunk, `seal.rs` takes the scripts out of it, and
//! `pack.rs` packs what measures a GPU for a machine that has one and nothing else.

mod build;
mod pack;
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
cargo xtask bench-gpu     what the page asks of a GPU, through Dawn: on the GPU, or on Chromium's software adapter
    --full              a random model of GPT-2 small's size as well
    --dist FOLDER       of a page that is built already
    --pack FILE         packs it for a machine with a GPU and nothing else, as .tar.gz
    --twinbeam PROGRAM  and this with it: the command line, built with the feature `gpu`
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
    let mut arguments = std::env::args().skip(1);
    let chore = arguments.next().unwrap_or_default();
    match run(&chore, arguments.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &str, options: Vec<String>) -> anyhow::Result<()> {
    if chore != "bench-gpu" && !options.is_empty() {
        bail!("{chore} takes no options\n\n{HELP}");
    }
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
        "bench-gpu" => bench_gpu(&GpuOptions::read(options)?),
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

/// What `bench-gpu` is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct GpuOptions {
    full: bool,
    dist: Option<PathBuf>,
    pack: Option<PathBuf>,
    twinbeam: Option<PathBuf>,
}

impl GpuOptions {
    fn read(options: Vec<String>) -> anyhow::Result<Self> {
        let mut read = Self::default();
        let mut options = options.into_iter();
        while let Some(option) = options.next() {
            let place = match option.as_str() {
                "--full" => {
                    read.full = true;
                    continue;
                }
                "--dist" => &mut read.dist,
                "--pack" => &mut read.pack,
                "--twinbeam" => &mut read.twinbeam,
                _ => bail!("bench-gpu has no option {option}\n\n{HELP}"),
            };
            let path = options.next().with_context(|| format!("{option} of what?"))?;
            // Programs that are started from here have other folders.
            *place = Some(std::path::absolute(path)?);
        }
        if read.pack.is_some() && read.full {
            bail!("a packed benchmark is told on its machine: run.sh full");
        }
        if read.pack.is_none() && read.twinbeam.is_some() {
            bail!("--twinbeam is for --pack");
        }
        Ok(read)
    }
}

fn bench_gpu(options: &GpuOptions) -> anyhow::Result<()> {
    if options.dist.is_none() {
        tools::page()?;
        build::dist()?;
    }
    tools::browser()?;
    tools::vulkan()?;
    let dist = options.dist.clone().unwrap_or_else(|| root().join("dist"));
    if let Some(archive) = &options.pack {
        return pack::pack(archive, &dist, options.twinbeam.as_deref());
    }
    if options.full {
        native("build")?;
    }
    say("benchmark");
    let mut node = node()?;
    node.arg("dawn/bench.mjs").arg(dist);
    if options.full {
        node.arg("--full");
    }
    execute(&mut node)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[&str]) -> anyhow::Result<GpuOptions> {
        GpuOptions::read(options.iter().map(|option| (*option).to_owned()).collect())
    }

    #[test]
    fn options_of_the_gpu_benchmark_are_read() {
        assert_eq!(read(&[]).expect("none"), GpuOptions::default());
        let some = read(&["--dist", "/page", "--full"]).expect("two");
        let dist = Some(PathBuf::from("/page"));
        assert_eq!(some, GpuOptions { full: true, dist, ..GpuOptions::default() });
        let wrong: [&[&str]; 4] =
            [&["--dist"], &["--fast"], &["--twinbeam", "x"], &["--full", "--pack", "x"]];
        for options in wrong {
            assert!(read(options).is_err(), "{options:?}");
        }
        assert!(run("dist", vec!["--full".to_owned()]).is_err());
    }
}
