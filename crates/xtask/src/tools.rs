//! What the chores need besides Rust and Node.js: from where it is already, ready from its authors, or built from a package
//! registry.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::{execute, prebuilt, root, say};

const TARGET: &str = "wasm32-unknown-unknown";

/// A program that building the page needs, in the one version that does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
    version: &'static str,
    /// How `cargo install` builds it, in as short a time as its work here allows.
    options: &'static [&'static str],
    opt_level: &'static str,
    /// Seconds that this takes on two cores.
    pub(crate) seconds: f64,
}

/// The last one that Rust 1.95 builds. It copies files and starts programs, so it need not be fast; nor does it need the
/// network, for which its default features would build a library of cryptography.
pub(crate) const TRUNK: Tool = Tool {
    program: "trunk",
    package: "trunk",
    version: "0.21.14",
    options: &["--locked", "--no-default-features"],
    opt_level: "0",
    seconds: 180.0,
};

/// Must equal the crate's version in Cargo.toml. It reads and writes 20 MB of code, so some optimisation pays. Its own lock
/// file asks for a crate that Rust 1.95 does not build: hence no `--locked`.
pub(crate) const WASM_BINDGEN: Tool = Tool {
    program: "wasm-bindgen",
    package: "wasm-bindgen-cli",
    version: "0.2.130",
    options: &["--no-default-features", "--bin", "wasm-bindgen"],
    opt_level: "1",
    seconds: 120.0,
};

impl Tool {
    /// What its authors call it, and how long getting it may take.
    pub(crate) fn words(self) -> String {
        let ready = if self.archive().is_some() {
            ", in seconds if it can be had ready to run"
        } else {
            ""
        };
        format!("{} {}{ready}", self.program, self.version)
    }

    /// Where it is, if it is here: on the path, or where these chores have put it.
    pub(crate) fn path(self) -> Option<PathBuf> {
        let own = self.folder().join("bin").join(self.program);
        [PathBuf::from(self.program), own].into_iter().find(|path| self.is(path))
    }

    /// Whether a program is this tool in this version.
    fn is(self, path: &Path) -> bool {
        let said = version(path).unwrap_or_default();
        said.split_whitespace().any(|word| word == self.version)
    }

    /// Beside what Cargo has installed, so that nobody's own version of it is replaced.
    fn folder(self) -> PathBuf {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
        let home = home.unwrap_or_else(|| root().join("target"));
        home.join("xtask-tools").join(format!("{}-{}", self.program, self.version))
    }

    /// Gets it if it is not here.
    pub(crate) fn get(self) -> anyhow::Result<()> {
        if self.path().is_some() {
            return Ok(());
        }
        if let Err(why) = self.take() {
            say(&format!(
                "{} is not to be had ready to run ({why:#}), so it is built",
                self.program
            ));
            self.build()?;
        }
        ensure!(self.path().is_some(), "{} was installed and does not run", self.program);
        Ok(())
    }

    /// Takes the tool as its authors publish it.
    fn take(self) -> anyhow::Result<()> {
        let archive = self.archive().context("no digest is known for this system")?;
        let program = prebuilt::take(&archive, "=https", &self.folder().join("bin"))?;
        ensure!(self.is(&program), "it does not run on this system");
        Ok(())
    }

    /// What its authors publish for this system, if its digest is known.
    fn archive(self) -> Option<prebuilt::Archive> {
        match self.program {
            "trunk" => prebuilt::trunk(self.version, std::env::consts::OS, std::env::consts::ARCH),
            _ => None,
        }
    }

    fn build(self) -> anyhow::Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.args(["install", self.package, "--version", self.version]).args(self.options);
        cargo.arg("--root").arg(self.folder());
        // Trunk's own settings are for programs that are published: they take three times as long.
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level);
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
        cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        execute(&mut cargo)
    }
}

/// The half of the compiler that writes WebAssembly.
pub(crate) fn target() -> anyhow::Result<()> {
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
    install(&["chromium"])?;
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
    install(&["libvulkan1"])?;
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

/// Installs packages of the system's.
pub(crate) fn install(packages: &[&str]) -> anyhow::Result<()> {
    execute(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    execute(apt.args(["install", "--yes", "--no-install-recommends"]).args(packages))
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

/// Where a program is on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}

/// Whether packages may be installed.
pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What a program says of its version; `None` if there is no such program.
fn version(program: &Path) -> Option<String> {
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
        let read = |name: &str| std::fs::read_to_string(root().join(name)).expect(name);
        let version = WASM_BINDGEN.version;
        assert!(read("Cargo.toml").contains(&format!("wasm-bindgen = \"={version}\"")));
        assert!(read("Trunk.toml").contains(&format!("wasm_bindgen = \"{version}\"")));
    }

    #[test]
    fn the_toolchain_is_the_first_that_the_crates_allow() {
        let read = |name: &str| std::fs::read_to_string(root().join(name)).expect(name);
        let between = |text: &str, before: &str| {
            let (_, after) = text.split_once(before).expect(before);
            after.split_once('"').expect("a quote").0.to_owned()
        };
        let floor = between(&read("Cargo.toml"), "\nrust-version = \"");
        let pinned = between(&read("rust-toolchain.toml"), "\nchannel = \"");
        assert_eq!(pinned, format!("{floor}.0"));
    }

    #[test]
    fn another_version_is_another_tool() {
        // The compiler is here in one version, whichever it is.
        let said = version(Path::new("rustc")).expect("rustc");
        let here = said.split_whitespace().nth(1).expect("a version").to_owned().leak();
        let rustc = Tool { program: "rustc", package: "rustc", version: here, ..TRUNK };
        assert_eq!(rustc.path(), Some(PathBuf::from("rustc")));
        assert_eq!(Tool { version: &here[..here.len() - 1], ..rustc }.path(), None);
        assert_ne!(rustc.folder(), TRUNK.folder());
    }
}
