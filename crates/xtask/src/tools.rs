//! What the chores need besides Rust and Node.js, all of it from package registries.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::{execute, root, say};

const TARGET: &str = "wasm32-unknown-unknown";
/// Version of Trunk, the last one that Rust 1.95 builds.
const TRUNK: &str = "0.21.14";
/// Version of wasm-bindgen, which must equal the crate's in Cargo.toml.
const WASM_BINDGEN: &str = "0.2.130";

/// What building the page needs.
pub(crate) fn page() -> anyhow::Result<()> {
    target()?;
    if version("trunk").is_none_or(|version| !version.contains(TRUNK)) {
        say(&format!("getting trunk {TRUNK} from crates.io: about ten minutes, once"));
        execute(Command::new("cargo").args(["install", "trunk", "--locked", "--version", TRUNK]))?;
    }
    if version("wasm-bindgen").is_none_or(|version| !version.contains(WASM_BINDGEN)) {
        say(&format!(
            "getting wasm-bindgen {WASM_BINDGEN} from crates.io: about five minutes, once"
        ));
        // Its own lock file asks for a crate that Rust 1.95 does not build: hence no `--locked`.
        execute(Command::new("cargo").args([
            "install",
            "wasm-bindgen-cli",
            "--version",
            WASM_BINDGEN,
        ]))?;
    }
    Ok(())
}

fn target() -> anyhow::Result<()> {
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    match installed {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains(TARGET) => Ok(()),
        Ok(_) => {
            say(&format!("getting the Rust target {TARGET}"));
            execute(Command::new("rustup").args(["target", "add", TARGET]))
        }
        // A Rust without rustup: the build says it if the target is missing.
        Err(_) => Ok(()),
    }
}

/// What testing in a browser needs.
pub(crate) fn browser() -> anyhow::Result<()> {
    let folder = root().join("tests/browser");
    let lock = std::fs::read(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.twinbeam-lock");
    if std::fs::read(&stamp).ok().as_ref() != Some(&lock) {
        say("getting the browser tests' packages from the npm registry");
        let mut npm = Command::new("npm");
        execute(npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        std::fs::write(&stamp, lock)?;
    }
    if chromium().is_some() {
        return Ok(());
    }
    if !is_root() {
        bail!(
            "Chromium is missing. Install it (on Debian: sudo apt-get install chromium), or name the one \
             you have in TWINBEAM_CHROMIUM"
        );
    }
    say("getting Chromium from the system's package registry");
    install("chromium")?;
    if chromium().is_none() {
        bail!("Chromium was installed and is not where it was looked for");
    }
    Ok(())
}

/// What Dawn needs outside of a browser: the loader of Vulkan's drivers.
pub(crate) fn vulkan() -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") || vulkan_loader().is_some() {
        return Ok(());
    }
    if !is_root() {
        bail!("the Vulkan loader is missing. On Debian: sudo apt-get install libvulkan1");
    }
    say("getting the Vulkan loader from the system's package registry");
    install("libvulkan1")?;
    if vulkan_loader().is_none() {
        bail!("the Vulkan loader was installed and is not where it was looked for");
    }
    Ok(())
}

/// Path of the loader, as the system's own linker finds it.
pub(crate) fn vulkan_loader() -> Option<PathBuf> {
    let output = ["ldconfig", "/sbin/ldconfig"]
        .into_iter()
        .find_map(|program| Command::new(program).arg("-p").output().ok())?;
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    list.lines().find_map(|line| loader_of(line, std::env::consts::ARCH)).map(PathBuf::from)
}

/// The file of a line of the linker's list, if it is the loader for an architecture.
fn loader_of<'line>(line: &'line str, arch: &str) -> Option<&'line str> {
    let (name, file) = line.split_once(" => ")?;
    let of_arch = match arch {
        "x86_64" => "x86-64",
        "aarch64" => "AArch64",
        _ => return None,
    };
    (name.trim().starts_with("libvulkan.so.1 ") && name.contains(of_arch)).then(|| file.trim())
}

fn install(package: &str) -> anyhow::Result<()> {
    execute(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    execute(apt.args(["install", "--yes", "--no-install-recommends", package]))
}

/// A Chromium or Chrome on this machine.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TWINBEAM_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    let on_path = ["chromium", "chromium-browser", "google-chrome"].into_iter().filter_map(find);
    on_path.chain(Path::new(mac).exists().then(|| mac.into())).next()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What a program says of its version; `None` if there is no such program.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_is_found_in_the_linkers_list() {
        let line = "\tlibvulkan.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libvulkan.so.1";
        assert_eq!(loader_of(line, "x86_64"), Some("/lib/x86_64-linux-gnu/libvulkan.so.1"));
        assert_eq!(loader_of(line, "aarch64"), None);
        assert_eq!(
            loader_of("\tlibvulkan.so.1 (libc6) => /lib/i386/libvulkan.so.1", "x86_64"),
            None
        );
        assert_eq!(loader_of("1234 libs found in cache", "x86_64"), None);
    }

    #[test]
    fn tool_and_crate_are_of_one_version() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
        assert!(manifest.contains(&format!("wasm-bindgen = \"={WASM_BINDGEN}\"")));
        let trunk = std::fs::read_to_string(root().join("Trunk.toml")).expect("Trunk.toml");
        assert!(trunk.contains(&format!("wasm_bindgen = \"{WASM_BINDGEN}\"")));
    }
}
