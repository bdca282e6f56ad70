//! Chores: `cargo xtask serve | test | dist | wheel | card | bench | check`. Each gets what it is missing and says so.
//!
//! - What the chores need: `tools.rs`, ready from its authors by `prebuilt.rs` or built; `estimate.rs` says how long a first
//!   build will take.
//! - The page: `build.rs` builds it, `seal.rs` takes the scripts out of it, `service.rs` says what of it browsers
//!   keep, `site.rs` writes its address into it, `archive.rs` packs it for a host.
//! - Tests: `check.rs` for formatting, lints and documents, `browser.rs` for the suites in a browser, `beside.rs` for what
//!   runs beside, `slurm.rs` for a list on Slurm, `parts.rs` for what each part took.
//! - `python.rs` makes the Python package and tests it.
//! - `pack.rs` packs what measures a GPU, for a machine that has one and nothing else.

mod archive;
mod beside;
mod browser;
mod build;
mod check;
mod engines;
mod estimate;
mod pack;
mod parts;
mod prebuilt;
mod python;
mod seal;
mod service;
mod site;
mod slurm;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use beside::Beside;
use parts::Parts;

const HELP: &str = "\
cargo xtask serve    build the page, serve it and open it in a browser
cargo xtask test     everything: native tests, lints, Python, and the page in three browsers; at the end what each part took
    --native            native tests only
    --python            the Python package only
    --browser [NAME..]  tests in the browser only, of the page that is built; of these suites, if some are named
cargo xtask dist     build the page into dist/, for any static host
    --site URL          of the address that it will have: its card is shown beside links to it
    --zip               and pack it, with a README, for a host without Rust
cargo xtask wheel    the Python package, in target/wheels
    --gpu               that can compute on a GPU
cargo xtask seal FOLDER   after a file in a built page was changed by hand: browsers keep what is there now
cargo xtask card     draws the page's card, assets/card.png, anew: with the first figure of the page
cargo xtask check    formatting, lints and documents
cargo xtask bench    how long a visitor waits, in Chromium on the CPU
cargo xtask bench-full    the same for a model of GPT-2 small's size, with random weights
cargo xtask bench-workers what several workers gain at that size, in Chromium on the CPU
cargo xtask bench-engines the bundled model in Chromium, Firefox and WebKit, by what the page measures itself
cargo xtask soak     a tab that is used for long, in Chromium: what it holds, and how long it takes
cargo xtask bench-gpu     what the page asks of a GPU, through Dawn: on the GPU, or on Chromium's software adapter
    --full              a random model of GPT-2 small's size as well
    --dist FOLDER       of a page that is built already
    --pack FILE         packs it for a machine with a GPU and nothing else, as .tar.gz
    --twinbeam PROGRAM  and this with it: the command line, built with the feature `gpu`
cargo xtask record   records the README's moving picture anew, assets/twinbeam.png
cargo xtask bundle   saves the page's bundle of one case, for tests/reference/run_notebook.py
    --cases FILE        one case, as `twinbeam compare` reads it
    --out FILE          the archive
    --model FOLDER      of another model than the bundled one
    --metric NAME       --steps N   other than the page's own";

/// What runs natively, with all that it is built from. `twinbeam-python` by itself asks the libraries that they share for
/// the same features as all of these do, so that maturin, which knows one package at a time, finds them built.
const NATIVE: [&str; 13] = [
    "gemm",
    "twinbeam-core",
    "twinbeam-tasks",
    "twinbeam-gpt2",
    "twinbeam-attribution",
    "twinbeam-engine",
    "twinbeam-figure",
    "twinbeam-record",
    "twinbeam-batch",
    "twinbeam-cli",
    "twinbeam-python",
    "twinbeam-tests",
    "xtask",
];
/// The page, whose tests run natively too. It does not link the engine, and asks smaller libraries for more.
const PAGE: [&str; 1] = ["twinbeam-web"];

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
    let words: Vec<&str> = options.iter().map(String::as_str).collect();
    match (chore, words.as_slice()) {
        ("serve", []) => build::serve(),
        ("dist", []) => build::dist(),
        ("dist", ["--zip"]) => build::dist().and_then(|()| archive::zip()),
        ("dist", ["--site", site]) => dist_of(site),
        ("dist", ["--site", site, "--zip"] | ["--zip", "--site", site]) => {
            dist_of(site).and_then(|()| archive::zip())
        }
        ("card", []) => card(),
        ("test", []) => in_parts(everything),
        ("test", ["--native"]) => in_parts(native_tests),
        ("test", ["--browser", ..]) => in_parts(|parts| browser_tests(parts, &options[1..])),
        ("test", ["--python"]) => in_parts(python::test),
        ("wheel", []) => python::wheel(false),
        ("wheel", ["--gpu"]) => python::wheel(true),
        ("check", []) => in_parts(check::all),
        ("bench", []) => bench("bench.mjs"),
        ("bench-full", []) => bench("bench_full.mjs"),
        ("bench-workers", []) => bench("bench_workers.mjs"),
        ("bench-engines", []) => bench("bench_engines.mjs"),
        ("soak", []) => bench("soak.mjs"),
        ("bench-gpu", _) => bench_gpu(&GpuOptions::read(options)?),
        ("bundle", [_, ..]) => bundle(&options),
        ("record", []) => record(),
        // What `test` does beside its native part.
        ("pages", []) => in_parts(pages),
        // Called by Trunk, see Trunk.toml.
        ("seal", []) => {
            let folder = std::env::var_os("TRUNK_STAGING_DIR");
            seal::seal(Path::new(&folder.context("which folder?")?))
        }
        // Its files are named from where the chore was started.
        ("seal", [folder]) => seal::seal(&std::path::absolute(folder)?),
        _ => bail!("{} is not a chore\n\n{HELP}", [&[chore], words.as_slice()].concat().join(" ")),
    }
}

/// Does a chore of several parts, and says at its end what each took, also where one has failed.
#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
fn in_parts(chore: impl FnOnce(&mut Parts) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut parts = Parts::new();
    let result = chore(&mut parts);
    println!("\n{}", parts.table());
    if let Some(file) = std::env::var_os(beside::PARTS) {
        parts.save(Path::new(&file))?;
    }
    result
}

fn everything(parts: &mut Parts) -> anyhow::Result<()> {
    check::quick(parts)?;
    // Both build for minutes, neither needs the other, and each has times when only one core has work.
    let pages = Beside::start("pages")?;
    let native = native_tests(parts)
        .and_then(|()| on_slurm(parts))
        .and_then(|()| check::of_native(parts))
        .and_then(|()| python::test(parts));
    let pages = pages.finish(parts);
    native.and(pages)?;
    browser_tests(parts, &[])
}

/// All that the tests in a browser need, and the lints of what runs there.
fn pages(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("what the browser's tests need", || {
        tools::browser()?;
        engines::get()
    })?;
    build::pages(parts)?;
    check::of_wasm(parts)
}

fn native_tests(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("native build", || {
        natively("test").into_iter().try_for_each(|mut test| execute(test.arg("--no-run")))?;
        build_command_line()
    })?;
    parts.run("native tests", || {
        natively("test").into_iter().try_for_each(|mut test| execute(&mut test))
    })
}

/// A list by Slurm's own daemons. It is no native test, of which nobody expects that they install or start any.
fn on_slurm(parts: &mut Parts) -> anyhow::Result<()> {
    if slurm::get()? {
        parts.run("a list on Slurm", slurm::test)?;
    }
    Ok(())
}

/// The command line, with which the browser's tests compare the page. Of the other packages' programs nothing is used.
fn build_command_line() -> anyhow::Result<()> {
    execute(of(&NATIVE, "build").args(["--bin", "twinbeam"]))
}

/// A subcommand of Cargo for all that runs natively. Always of the same lists of packages, since with others the shared
/// libraries would be built once more.
fn natively(subcommand: &str) -> [Command; 2] {
    [of(&NATIVE, subcommand), of(&PAGE, subcommand)]
}

fn of(packages: &[&str], subcommand: &str) -> Command {
    let mut cargo = cargo(subcommand);
    cargo.arg("--release").args(packages.iter().flat_map(|package| ["--package", package]));
    cargo
}

fn browser_tests(parts: &mut Parts, named: &[String]) -> anyhow::Result<()> {
    tools::browser()?;
    engines::get()?;
    browser::run(parts, named)
}

fn dist_of(site: &str) -> anyhow::Result<()> {
    build::dist()?;
    site::name(&root().join("dist"), site)
}

/// Draws the card with the scores of the page's first figure. The page that is built then has the new one.
fn card() -> anyhow::Result<()> {
    build::dist()?;
    tools::browser()?;
    execute(node()?.arg("card.mjs"))?;
    copy(&root().join("assets/card.png"), &root().join("dist/card.png"))
}

fn bench(program: &str) -> anyhow::Result<()> {
    build::dist()?;
    build_command_line()?;
    tools::browser()?;
    say("benchmark");
    execute(node()?.arg(program))
}

/// Records the moving picture of the README.
fn record() -> anyhow::Result<()> {
    build::dist()?;
    tools::browser()?;
    execute(node()?.arg("record.mjs"))
}

/// Has a browser save the bundle of a case. Files are named from where the chore was started.
fn bundle(options: &[String]) -> anyhow::Result<()> {
    build::dist()?;
    tools::browser()?;
    let mut node = node()?;
    node.arg("bundle.mjs").arg(std::env::current_dir()?).args(options);
    execute(&mut node)
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
        build::dist()?;
    }
    tools::browser()?;
    tools::vulkan()?;
    let dist = options.dist.clone().unwrap_or_else(|| root().join("dist"));
    if let Some(archive) = &options.pack {
        return pack::pack(archive, &dist, options.twinbeam.as_deref());
    }
    if options.full {
        build_command_line()?;
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
    node.envs(engines::here());
    Ok(node)
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

/// Copies a file or all of a folder.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_dir() {
        for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
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
    }

    #[test]
    fn what_is_no_chore_is_an_error_that_helps() {
        for words in [["dist", "--full"], ["serve", "--zip"], ["test", "native"], ["bake", ""]] {
            let error = run(words[0], vec![words[1].to_owned()]).expect_err(words[0]).to_string();
            assert!(
                error.contains(&format!("{} {} is not a chore", words[0], words[1])),
                "{error}"
            );
            assert!(error.contains("cargo xtask serve"));
        }
        assert!(run("bundle", Vec::new()).is_err());
    }

    #[test]
    fn folders_are_copied_whole() {
        let [from, to] = ["from", "to"].map(|name| {
            std::env::temp_dir().join(format!("twinbeam-copy-{}-{name}", std::process::id()))
        });
        std::fs::create_dir_all(from.join("inner")).expect("a folder");
        std::fs::write(from.join("inner/file"), "text").expect("a file");
        copy(&from, &to).expect("a copy");
        assert_eq!(std::fs::read_to_string(to.join("inner/file")).expect("the file"), "text");
        assert!(copy(&from.join("missing"), &to).is_err());
        for folder in [from, to] {
            std::fs::remove_dir_all(folder).expect("cleaned up");
        }
    }
}
