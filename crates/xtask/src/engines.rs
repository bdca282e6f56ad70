//! The engines besides Chromium that the page is tested in: from where they are, or from the system's package registry.

use std::path::PathBuf;

use anyhow::{bail, ensure};

use crate::say;
use crate::tools::{find, install, is_root};

/// A browser's engine, and the packages that have it.
struct Engine {
    name: &'static str,
    /// Names of the packages, as Debian has them.
    packages: &'static [&'static str],
    /// The variable that names a program that is elsewhere.
    variable: &'static str,
    /// By their names on the path, or by where a system has them.
    programs: &'static [&'static str],
    /// Programs that it does not run without.
    beside: &'static [&'static str],
}

const ENGINES: [Engine; 2] = [
    Engine {
        name: "Firefox",
        packages: &["firefox-esr"],
        variable: "TWINBEAM_FIREFOX",
        programs: &["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
        beside: &[],
    },
    // Its browser draws to a window only, so it needs a screen that nobody sees.
    Engine {
        name: "WebKit",
        packages: &["webkit2gtk-driver", "xvfb"],
        variable: "TWINBEAM_WEBKIT_DRIVER",
        programs: &["WebKitWebDriver"],
        beside: &["Xvfb"],
    },
];

/// What is done about an engine.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Install,
    /// It is for the visitor to install: only they may.
    Ask,
    /// This system has no such packages: its suite says that it has not run.
    PassOver,
    /// A missing engine ends the run, where every suite must run.
    Refuse,
}

/// What a system is like.
#[derive(Debug, Clone, Copy)]
struct System {
    has_packages: bool,
    is_root: bool,
    is_ci: bool,
}

fn step(is_here: bool, System { has_packages, is_root, is_ci }: System) -> Step {
    match (is_here, has_packages) {
        (true, _) => Step::Nothing,
        (false, true) if is_root => Step::Install,
        (false, true) => Step::Ask,
        (false, false) if is_ci => Step::Refuse,
        (false, false) => Step::PassOver,
    }
}

/// Gets the engines that are missing.
pub(crate) fn get() -> anyhow::Result<()> {
    let system = System {
        has_packages: find("apt-get").is_some(),
        is_root: is_root(),
        is_ci: std::env::var_os("CI").is_some_and(|value| !value.is_empty()),
    };
    for engine in &ENGINES {
        let (name, variable, packages) = (engine.name, engine.variable, engine.packages.join(" "));
        match step(engine.is_here(), system) {
            Step::Nothing => {}
            Step::Install => {
                say(&format!("getting {name} from the system's package registry"));
                install(engine.packages)?;
                ensure!(
                    engine.is_here(),
                    "{name} was installed and is not where it was looked for"
                );
            }
            Step::Ask => bail!(
                "{name} is missing. Install it (on Debian: sudo apt-get install {packages}), or name the one you have \
                 in {variable}"
            ),
            Step::PassOver => say(&format!(
                "{name} is not here, and this system's packages do not have it: its suite of the browser tests does not run"
            )),
            Step::Refuse => {
                bail!("{name} is missing, and in CI no suite is passed over: {variable} names one")
            }
        }
    }
    Ok(())
}

/// Engines that are here, by the variables that name them.
pub(crate) fn here() -> impl Iterator<Item = (&'static str, PathBuf)> {
    ENGINES.iter().filter_map(|engine| Some((engine.variable, engine.path()?)))
}

impl Engine {
    fn path(&self) -> Option<PathBuf> {
        let named = std::env::var_os(self.variable).map(PathBuf::from);
        named.or_else(|| self.programs.iter().copied().find_map(find))
    }

    fn is_here(&self) -> bool {
        self.path().is_some() && self.beside.iter().all(|&program| find(program).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_passed_over_only_where_no_package_has_it_and_nobody_relies_on_it() {
        let system = |has_packages, is_root, is_ci| System { has_packages, is_root, is_ci };
        assert_eq!(step(true, system(false, false, true)), Step::Nothing);
        assert_eq!(step(false, system(true, true, false)), Step::Install);
        assert_eq!(step(false, system(true, true, true)), Step::Install);
        assert_eq!(step(false, system(true, false, false)), Step::Ask);
        assert_eq!(step(false, system(true, false, true)), Step::Ask);
        assert_eq!(step(false, system(false, true, false)), Step::PassOver);
        assert_eq!(step(false, system(false, false, true)), Step::Refuse);
    }

    #[test]
    fn the_tests_drivers_know_the_same_programs_and_variables() {
        let folder = crate::root().join("tests/browser/support/engines");
        let files = std::fs::read_dir(&folder).expect("the drivers");
        let sources: String = files
            .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a source"))
            .collect();
        for Engine { variable, programs, beside, packages, .. } in &ENGINES {
            assert!(sources.contains(&format!("process.env.{variable} ??")), "{variable}");
            for name in programs.iter().chain(*beside) {
                assert!(sources.contains(&format!("\"{name}\"")), "{name}");
            }
            for package in *packages {
                assert!(sources.contains(package), "{package} is not said to be missing");
            }
        }
    }
}
