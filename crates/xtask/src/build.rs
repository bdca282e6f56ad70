//! Building the page: its programs by Cargo, and the rest of it by Trunk, which finds them built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::estimate::{Plan, Step};
use crate::parts::Parts;
use crate::tools::{self, TRUNK, Tool, WASM_BINDGEN};
use crate::{archive, cargo, copy, execute, root, say, seal};

/// Folder in which tests find the page whose worker can be made to fail.
const FAULTS: &str = "target/dist-faults";

/// A WebAssembly program, as Cargo is told of it: by Trunk in the same way, from web/index.html.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Worker,
    /// A worker that fails where a test asks it to.
    Faults,
    /// The page as small as it gets, for visitors.
    Page,
    /// The page for whoever works on it: larger, and with the worker's features, so that all but itself is built for the worker.
    /// That it uses none of them shows when it is built for visitors.
    Served,
}

impl Program {
    fn bin(self) -> &'static str {
        match self {
            Self::Worker | Self::Faults => "worker",
            Self::Page | Self::Served => "twinbeam-web",
        }
    }

    fn profile(self) -> &'static str {
        match self {
            Self::Worker | Self::Faults | Self::Served => "web",
            Self::Page => "page",
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Worker | Self::Served => &["--features", "worker"],
            Self::Faults => &["--features", "worker,faults"],
            Self::Page => &[],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Worker => "the worker",
            Self::Faults => "the worker that can be made to fail",
            Self::Page | Self::Served => "the page",
        }
    }

    /// Seconds on two cores where nothing is there but what the steps before it have built: half the time of a core that
    /// Cargo and its compilers used.
    fn seconds(self) -> f64 {
        match self {
            Self::Worker => 660.0,
            Self::Faults => 50.0,
            Self::Page => 170.0,
            Self::Served => 30.0,
        }
    }

    /// The program as Cargo writes it.
    fn file(self) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
        let folder = root().join(target).join("wasm32-unknown-unknown").join(self.profile());
        folder.join(format!("{}.wasm", self.bin()))
    }

    fn compile(self) -> anyhow::Result<()> {
        let mut cargo = cargo("build");
        cargo.args(["--target", "wasm32-unknown-unknown", "--package", "twinbeam-web"]);
        cargo.args(["--profile", self.profile(), "--bin", self.bin()]).args(self.features());
        execute(cargo.env("TWINBEAM_BUILD", build_name()))
    }

    fn step(self) -> Step {
        Step::new(self.name(), self.seconds(), self.file().exists())
    }
}

/// Builds the page, serves it, opens it, and builds again on every change.
pub(crate) fn serve() -> anyhow::Result<()> {
    programs(&[Program::Worker, Program::Served])?;
    say("the page is built again after a change, and then reloaded by hand");
    let mut trunk = trunk()?;
    trunk.env(seal::SERVED, "yes");
    execute(trunk.args(["serve", "--open"]).args(Program::Served.features()))
}

/// Builds the page into `dist/` and says how large it is.
pub(crate) fn dist() -> anyhow::Result<()> {
    programs(&[Program::Worker, Program::Page])?;
    assemble()
}

/// The tools and programs of a page, step by step.
fn programs(programs: &[Program]) -> anyhow::Result<()> {
    tools::target()?;
    let tools = [TRUNK, WASM_BINDGEN];
    let of_tool = |tool: Tool| Step::new(&tool.words(), tool.seconds, tool.path().is_some());
    let steps = tools.map(of_tool).into_iter().chain(programs.iter().map(|one| one.step()));
    let mut plan = Plan::new(steps.collect());
    for tool in tools {
        plan.step(|| tool.get())?;
    }
    for program in programs {
        plan.step(|| program.compile())?;
    }
    Ok(())
}

/// Has Trunk make a folder of the programs and all that goes with them.
fn assemble() -> anyhow::Result<()> {
    execute(trunk()?.args(["build", "--cargo-profile", Program::Page.profile()]))?;
    archive::say_sizes(&root().join("dist"))
}

/// All that the tests in a browser run against, part by part.
pub(crate) fn pages(parts: &mut Parts) -> anyhow::Result<()> {
    parts.run("tools of the page", || {
        tools::target()?;
        [TRUNK, WASM_BINDGEN].into_iter().try_for_each(Tool::get)
    })?;
    for program in [Program::Worker, Program::Page] {
        parts.run(program.name(), || program.compile())?;
    }
    parts.run("dist/", assemble)?;
    parts.run(Program::Faults.name(), faults)
}

/// Copies `dist/`, and puts a worker into the copy that fails where a test asks it to.
pub(crate) fn faults() -> anyhow::Result<()> {
    Program::Faults.compile()?;
    let folder = root().join(FAULTS);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    copy(&root().join("dist"), &folder)?;
    let mut bindgen = Command::new(WASM_BINDGEN.path().context("wasm-bindgen has gone")?);
    // As Trunk does it, which gives the worker's files these names in every build.
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "worker", "--out-dir"]);
    execute(bindgen.arg(&folder).arg(Program::Faults.file()))?;
    seal::seal(&folder)
}

fn trunk() -> anyhow::Result<Command> {
    let mut trunk = Command::new(TRUNK.path().context("Trunk has gone")?);
    trunk.current_dir(root());
    // It looks for wasm-bindgen on the path.
    let bindgen = WASM_BINDGEN.path().context("wasm-bindgen has gone")?;
    if let Some(folder) = bindgen.parent().filter(|folder| folder.is_absolute()) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
        trunk.env("PATH", std::env::join_paths(folders)?);
    }
    // Trunk reads this variable as a flag and refuses the usual value 1.
    trunk.env_remove("NO_COLOR");
    trunk.env("TWINBEAM_BUILD", build_name());
    Ok(trunk)
}

/// Which sources the page is built from, so that page, worker and exports can say it.
pub(crate) fn build_name() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let version = env!("CARGO_PKG_VERSION");
    let commit = git(&["rev-parse", "--short=10", "HEAD"]);
    let changed = git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    match commit {
        Some(commit) if changed => format!("{version}-{commit}-changed"),
        Some(commit) => format!("{version}-{commit}"),
        None => version.to_owned(),
    }
}

/// A folder's files, all the way down.
pub(crate) fn files_of(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut files_of(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Trunk tells Cargo of a program: what its link in web/index.html says, or else what Trunk was started with.
    fn by_trunk(
        page: &str,
        bin: &str,
        profile: &str,
        features: Option<&str>,
    ) -> [Option<String>; 2] {
        let link = page.split("<link").find(|link| link.contains(&format!("data-bin=\"{bin}\"")));
        let link = link.expect(bin);
        let attribute = |name: &str, or: Option<&str>| {
            let said =
                link.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
            said.map(|(said, _)| said).or(or).map(str::to_owned)
        };
        [attribute("data-cargo-profile", Some(profile)), attribute("data-cargo-features", features)]
    }

    #[test]
    fn trunk_finds_the_programs_that_were_built_for_it() {
        let read = |name: &str| std::fs::read_to_string(root().join(name)).expect(name);
        let page = read("web/index.html");
        assert!(read("Trunk.toml").contains("\ncargo_profile = \"web\"\n"));
        // `serve` goes by Trunk.toml and names features, `dist` names the page's profile.
        for (program, profile, features) in [
            (Program::Worker, "web", Some("worker")),
            (Program::Served, "web", Some("worker")),
            (Program::Worker, "page", None),
            (Program::Page, "page", None),
        ] {
            let told = program.features().get(1).map(|&features| features.to_owned());
            let told = [Some(program.profile().to_owned()), told];
            assert_eq!(by_trunk(&page, program.bin(), profile, features), told, "{program:?}");
        }
    }

    #[test]
    fn the_worker_that_fails_differs_in_one_feature() {
        let [plain, faults] = [Program::Worker, Program::Faults];
        assert_eq!((plain.bin(), plain.profile()), (faults.bin(), faults.profile()));
        assert_eq!(faults.features()[1], format!("{},faults", plain.features()[1]));
    }
}
