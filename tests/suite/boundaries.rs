//! What each room of the house may not know, as ARCHITECTURE.md promises.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the repository.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rust files below a folder, in order.
pub(crate) fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no sources");
    found
}

/// What a crate is built from, itself included, one line each.
fn tree(package: &str, more: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["-p", package])
        .args(more)
        .current_dir(root())
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names are ASCII").lines().map(str::to_owned).collect()
}

fn assert_without(package: &str, more: &[&str], banned: &[&str]) {
    let lines = tree(package, more);
    let packages: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains(&package), "{package} is in its own tree");
    for name in banned {
        assert!(!packages.contains(name), "{package} must not depend on {name}");
    }
}

#[test]
fn arrows_between_crates_never_turn() {
    let burn = ["burn", "burn-tensor", "burn-wgpu", "tokenizers", "safetensors"];
    let page = ["leptos", "web-sys", "js-sys", "gloo"];
    assert_without("twinbeam-core", &[], &[&burn[..], &page].concat());
    assert_without("twinbeam-tasks", &[], &[&burn[..], &page, &["twinbeam-core"]].concat());
    let above = |n: usize| &["twinbeam-cli", "twinbeam-engine", "twinbeam-attribution"][..n];
    assert_without("twinbeam-gpt2", &[], &[&page[..], above(3)].concat());
    assert_without("twinbeam-attribution", &[], &[&page[..], above(2)].concat());
    assert_without("twinbeam-engine", &[], &[&["leptos", "gloo"][..], above(1)].concat());
    assert_without("twinbeam-cli", &[], &[&["leptos", "gloo", "twinbeam-web"][..]].concat());
    // The page itself; the worker is another binary, behind a feature.
    assert_without("twinbeam-web", &[], &[&burn[..], above(3), &["twinbeam-gpt2"]].concat());
}

#[test]
fn autotune_and_fusion_stay_off() {
    let lines =
        tree("twinbeam-web", &["--features", "worker", "--format", "{p} {f}", "--target", "all"]);
    assert!(lines.iter().any(|line| line.starts_with("burn-wgpu ")), "the worker has the GPU");
    let mut seen = 0;
    for line in lines.iter().filter(|line| line.starts_with("burn") || line.starts_with("cubecl")) {
        seen += 1;
        let features = line.rsplit(' ').next().unwrap_or_default();
        for banned in ["autotune", "fusion"] {
            assert!(!features.split(',').any(|feature| feature == banned), "{line}");
        }
    }
    assert!(seen > 3, "the tree was read");
}

#[test]
fn each_room_keeps_its_words() {
    let banned = [
        ("crates/gpt2/src", "corrupted"),
        ("crates/core/src", "burn::"),
        ("crates/attribution/src", "web_sys"),
        ("crates/engine/src", "web_sys"),
    ];
    for (folder, word) in banned {
        for file in sources(folder) {
            let text = fs::read_to_string(&file).expect("a source file").to_lowercase();
            assert!(!text.contains(word), "{} says {word:?}", file.display());
        }
    }
    // The worker's binary is the door to the engine; the rest of `web` is the page.
    for file in sources("web/src").into_iter().filter(|file| !file.iter().any(|part| part == "bin"))
    {
        let text = fs::read_to_string(&file).expect("a source file").to_lowercase();
        assert!(!text.contains("tensor"), "{} knows of tensors", file.display());
    }
}

#[test]
fn the_model_file_can_be_read_in_one_sitting() {
    let lines = read("crates/gpt2/src/model.rs").lines().count();
    assert!(lines <= 350, "model.rs has {lines} lines");
}

#[test]
fn one_place_creates_devices() {
    for file in ["crates/gpt2/src", "crates/attribution/src"].iter().flat_map(|dir| sources(dir)) {
        // Kernels are compared with their definitions on the CPU, in tests only.
        if file.ends_with("trial.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        // Whether a device is the CPU may be asked, and an example makes one.
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let code: Vec<&str> = code.lines().filter(is_code).collect();
        let code = code.join("\n").replace("== Device::flex()", "");
        assert!(!code.contains("Device::flex()"), "{} makes a device", file.display());
    }
}

#[test]
fn a_machine_path_or_a_host_of_a_registry_is_nowhere() {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output().expect("git");
    let files = String::from_utf8(output.stdout).expect("names are ASCII");
    assert!(files.lines().count() > 50, "git lists the files");
    let here = ["/work", "/main"].concat();
    for file in files.lines().filter(|file| !file.ends_with(".safetensors")) {
        let Ok(text) = fs::read_to_string(root().join(file)) else {
            continue;
        };
        assert!(!text.contains(&here), "{file} names a path of one machine");
        let resolved = ["\"resolved\"", ": \"http"].concat();
        assert!(!text.contains(&resolved), "{file} names a registry's host");
    }
}
