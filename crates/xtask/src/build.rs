//! Building the page with Trunk.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::{execute, root, say};

/// Folder in which tests find the page whose worker can be made to fail.
const FAULTS: &str = "target/dist-faults";

/// Builds the page, serves it, opens it, and builds again on every change.
pub(crate) fn serve() -> anyhow::Result<()> {
    say("building the page; the first time this takes a quarter of an hour on two cores");
    say("it is built again after a change, and then reloaded by hand");
    execute(trunk().args(["serve", "--open"]))
}

/// Builds the page into `dist/` and says how large it is.
#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
pub(crate) fn dist() -> anyhow::Result<()> {
    say("building the page; the first time this takes a quarter of an hour on two cores");
    execute(trunk().arg("build"))?;
    println!("{:>12} {:>12}  file in dist/", "bytes", "gzip");
    let dist = root().join("dist");
    let mut files = Vec::new();
    list(&dist, &mut files)?;
    files.sort();
    for file in files {
        let bytes = file.metadata()?.len();
        let name = file.strip_prefix(&dist)?.display();
        println!("{bytes:>12} {:>12}  {name}", gzipped(&file)?);
    }
    Ok(())
}

/// Builds the page once more, with a worker that fails where a test asks it to.
pub(crate) fn faults() -> anyhow::Result<()> {
    say("building the page whose worker can be made to fail");
    let page = std::fs::read_to_string(root().join("web/index.html")).context("web/index.html")?;
    let folder = root().join("target/faults");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let source = folder.join("index.html");
    std::fs::write(&source, with_faults(&page)?).with_context(|| source.display().to_string())?;
    execute(trunk().arg("build").arg(&source).args(["--dist", FAULTS]))
}

/// The page's source with the worker's feature `faults`, as it reads in a folder below `target/`.
fn with_faults(page: &str) -> anyhow::Result<String> {
    let worker = "data-cargo-features=\"worker\"";
    ensure!(page.matches(worker).count() == 1, "web/index.html has not one worker");
    let page = page.replace(worker, "data-cargo-features=\"worker,faults\"");
    Ok(page.replace("href=\"", "href=\"../../web/"))
}

fn trunk() -> Command {
    let mut trunk = Command::new("trunk");
    trunk.current_dir(root());
    // Trunk reads this variable as a flag and refuses the usual value 1.
    trunk.env_remove("NO_COLOR");
    trunk.env("TWINBEAM_BUILD", build_name());
    trunk
}

/// Which sources the page is built from, so that page, worker and exports can say it.
fn build_name() -> String {
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

fn list(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Bytes that a visitor downloads when the server compresses, as most do.
fn gzipped(file: &Path) -> anyhow::Result<usize> {
    let mut gzip = Command::new("gzip");
    let mut child =
        gzip.arg("-9c").arg(file).stdout(Stdio::piped()).spawn().context("starting gzip")?;
    let mut bytes = Vec::new();
    child.stdout.take().context("gzip has no output")?.read_to_end(&mut bytes)?;
    child.wait()?;
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_with_faults_differs_in_the_worker_only() {
        let page = std::fs::read_to_string(root().join("web/index.html")).unwrap();
        let faulty = with_faults(&page).unwrap();
        assert_eq!(faulty.lines().count(), page.lines().count());
        let changed = page.lines().zip(faulty.lines()).filter(|(line, other)| line != other);
        for (line, other) in changed {
            if let Some((_, address)) = other.split_once("href=\"../../web/") {
                assert!(line.contains(&format!("href=\"{address}")), "{other}");
            } else {
                assert_eq!(other.trim(), "data-cargo-features=\"worker,faults\"");
            }
        }
    }
}
