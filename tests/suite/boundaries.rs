//! What each room of the house may not know, as ARCHITECTURE.md promises.

use std::collections::{BTreeMap, BTreeSet};
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
    assert_without("twinbeam-figure", &[], &[&burn[..], &page, &["twinbeam-engine"]].concat());
    assert_without("twinbeam-batch", &[], &["leptos", "gloo", "twinbeam-web", "clap", "pyo3"]);
    assert_without("twinbeam-python", &[], &["leptos", "gloo", "twinbeam-web", "clap"]);
    assert_without("twinbeam-tasks", &[], &[&burn[..], &page, &["twinbeam-core"]].concat());
    let above = |n: usize| &["twinbeam-cli", "twinbeam-engine", "twinbeam-attribution"][..n];
    assert_without("twinbeam-gpt2", &[], &[&page[..], above(3)].concat());
    assert_without("twinbeam-attribution", &[], &[&page[..], above(2)].concat());
    assert_without("twinbeam-engine", &[], &[&["leptos", "gloo"][..], above(1)].concat());
    assert_without("twinbeam-cli", &[], &[&["leptos", "gloo", "twinbeam-web"][..]].concat());
    // The page itself; the worker is another binary, behind a feature.
    assert_without("twinbeam-web", &[], &[&burn[..], above(3), &["twinbeam-gpt2"]].concat());
}

/// Most names in the face of a room of core.
const MOST_NAMES: usize = 20;

/// A source without its comments and without its tests, which may look into any room.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that a module shows: its public modules, and what it exports of its files.
fn face(module: &Path) -> Vec<String> {
    let text = code(&fs::read_to_string(module).expect("a module"));
    let modules = text.lines().filter_map(|line| line.strip_prefix("pub mod "));
    let mut names: Vec<String> =
        modules.map(|line| line.trim_end_matches([';', '{']).trim().to_owned()).collect();
    for exported in text.split("pub use ").skip(1) {
        let path = exported.split(';').next().unwrap_or_default();
        let last = path.rsplit("::").next().unwrap_or_default();
        let list = path.split_once('{').map_or(last, |(_, list)| list.trim_end_matches('}'));
        assert!(!list.contains(['{', '*']), "{}: {path} hides names", module.display());
        let list = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.extend(list.map(str::to_owned));
    }
    names
}

/// The rooms of core with their files, face first.
fn rooms_of_core() -> Vec<(String, Vec<PathBuf>)> {
    let library = root().join("crates/core/src");
    let text = code(&read("crates/core/src/lib.rs"));
    let mut rooms = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let room = line.strip_prefix("pub mod ").and_then(|line| line.strip_suffix(';'));
        let room = room.unwrap_or_else(|| panic!("core's root only lists its rooms: {line}"));
        let mut files = vec![library.join(format!("{room}.rs"))];
        files.extend(sources(&format!("crates/core/src/{room}")));
        rooms.push((room.to_owned(), files));
    }
    assert!(rooms.len() > 3, "the rooms were read");
    rooms
}

#[test]
fn a_room_of_core_has_a_sentence_and_a_small_face() {
    for (room, files) in rooms_of_core() {
        let text = fs::read_to_string(&files[0]).expect("a room");
        assert!(text.starts_with("//! "), "{room} does not say what it holds");
        // A room within a room has a face of its own.
        for file in &files {
            let names = face(file);
            assert!(
                names.len() <= MOST_NAMES,
                "{} shows {} names: {names:?}",
                file.display(),
                names.len()
            );
        }
        assert!(face(&files[0]).len() > 2, "the face of {room} was read");
    }
}

#[test]
fn arrows_between_rooms_of_core_never_turn() {
    let rooms = rooms_of_core();
    let names: Vec<&str> = rooms.iter().map(|(room, _)| room.as_str()).collect();
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (room, files) in &rooms {
        let own = needs.entry(room).or_default();
        let is_test = |file: &Path| file.to_string_lossy().ends_with("tests.rs");
        for file in files.iter().filter(|file| !is_test(file)) {
            let text = code(&fs::read_to_string(file).expect("a file of a room"));
            for path in text.split("crate::").skip(1) {
                // `use crate::{a, b}` would hide which rooms are meant.
                let of = path.split("::").next().unwrap_or_default();
                let of = names.iter().find(|name| **name == of);
                let of = of.unwrap_or_else(|| panic!("{}: crate::{path:.40}", file.display()));
                own.insert(of);
            }
        }
        own.remove(room.as_str());
    }
    // Rooms that need nothing but what is below already come next; if none does, there is a circle.
    let mut below = BTreeSet::new();
    while below.len() < needs.len() {
        let next = needs.iter().find(|(room, own)| !below.contains(*room) && own.is_subset(&below));
        let Some((room, _)) = next else {
            needs.retain(|room, _| !below.contains(room));
            panic!("these rooms need each other: {needs:?}");
        };
        below.insert(*room);
    }
    assert!(needs.values().any(|own| own.len() > 2), "the arrows were read");
}

#[test]
fn a_folder_of_modules_has_its_face_beside_it() {
    for file in sources("crates") {
        assert!(!file.ends_with("mod.rs"), "{}: see the files beside it", file.display());
    }
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
