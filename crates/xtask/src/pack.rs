//! What measures a GPU, in one archive for a machine that has one and nothing else: no network, no Node.js, no browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{copy, execute, root, say, tools};

/// Name of the archive's folder.
const FOLDER: &str = "twinbeam-bench-gpu";

/// The script that is run on the other machine.
const RUN: &str = include_str!("pack/run.sh");

/// What the worker is and reads, of the built page.
const OF_PAGE: [&str; 3] = ["worker.js", "worker_bg.wasm", "models/mini"];

/// Files of Dawn's package that this machine needs; it comes with libraries for five systems.
fn of_dawn() -> anyhow::Result<[String; 4]> {
    let system = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        (os, arch) => anyhow::bail!("archives are made on Linux, not on {os} {arch}"),
    };
    let library = format!("dist/{system}/dawn.node");
    Ok([library, "index.js".to_owned(), "package.json".to_owned(), "LICENSE.md".to_owned()])
}

/// Writes the archive; `twinbeam` is the command line, built with the feature `gpu`.
pub(crate) fn pack(archive: &Path, dist: &Path, twinbeam: Option<&Path>) -> anyhow::Result<()> {
    say("packing what measures a GPU");
    let folder = root().join("target").join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    for part in OF_PAGE {
        copy(&dist.join(part), &folder.join("dist").join(part))?;
    }
    let tests = root().join("tests/browser");
    copy(&tests.join("dawn"), &folder.join("dawn"))?;
    copy(&tests.join("package.json"), &folder.join("package.json"))?;
    for part in of_dawn()? {
        let inside = Path::new("node_modules/webgpu").join(part);
        copy(&tests.join(&inside), &folder.join(&inside))?;
    }
    copy(&node()?, &folder.join("node"))?;
    let loader = tools::vulkan_loader().context("the Vulkan loader has gone")?;
    copy(&loader, &folder.join("lib/libvulkan.so.1"))?;
    if let Some(twinbeam) = twinbeam {
        copy(twinbeam, &folder.join("twinbeam"))?;
    }
    fs::write(folder.join("run.sh"), RUN)?;
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--gzip").arg("--file").arg(archive);
    execute(tar.arg("--directory").arg(root().join("target")).arg(FOLDER))?;
    fs::remove_dir_all(&folder)?;
    let bytes = archive.metadata()?.len();
    say(&format!(
        "{}, {} MB: unpack it there and run `sh {FOLDER}/run.sh`",
        archive.display(),
        bytes / 1_000_000
    ));
    Ok(())
}

/// The program that runs this machine's Node.js.
fn node() -> anyhow::Result<PathBuf> {
    let output = Command::new("node").args(["--print", "process.execPath"]).output();
    let output = output.context("starting Node.js")?;
    ensure!(output.status.success(), "Node.js does not say where it is");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_runs_what_is_packed() {
        let status = Command::new("sh").args(["-n", "-c", RUN]).status().expect("sh");
        assert!(status.success());
        let dawn = root().join("tests/browser/dawn");
        assert!(RUN.contains("dawn/bench.mjs") && dawn.join("bench.mjs").exists());
    }
}
