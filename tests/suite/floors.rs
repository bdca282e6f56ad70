//! The page's floors: which files of `web/src` know of which, read from their imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the ground up: a file knows of its own floor and of those below.
const FLOORS: [&[&str]; 6] = [
    &["reactive", "colour", "examples", "values"],
    &["explain"],
    &["session"],
    &["ports"],
    &["state"],
    &[
        "components",
        "export",
        "heatmap",
        "lab",
        "models",
        "neurons",
        "pinned",
        "plot",
        "share",
        "story",
        "app",
    ],
];
/// Most files that know of each other in a circle.
const MOST_IN_A_CIRCLE: usize = 4;

/// A module, by its path from the crate's root.
type Module = Vec<String>;

/// What a file says of others.
#[derive(Default)]
struct Source {
    /// Paths that it names, from the crate's root, each ending in what is named.
    names: BTreeSet<Module>,
    /// What it passes on under its own name: the name, and the path behind it.
    passes_on: BTreeMap<String, Module>,
}

struct Page {
    sources: BTreeMap<Module, Source>,
}

impl Page {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src");
        let mut sources = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder of the page") {
                let path = entry.expect("an entry").path();
                let is_worker = path.file_name().is_some_and(|name| name == "bin");
                let is_test = path.file_stem().is_some_and(|name| name == "tests");
                if is_worker || is_test {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let module = module(&root, &path);
                    let text = fs::read_to_string(&path).expect("a source file");
                    sources.insert(module.clone(), source(&module, &text));
                }
            }
        }
        assert!(sources.len() > 90, "{} files of the page were found", sources.len());
        Self { sources }
    }

    /// The file that a path leads to in the end, through whatever passes it on.
    fn file(&self, path: &[String]) -> Option<Module> {
        let known = (1..=path.len()).rev().find(|n| self.sources.contains_key(&path[..*n]))?;
        let (file, rest) = path.split_at(known);
        let passed = rest.first().and_then(|name| self.sources[file].passes_on.get(name));
        match passed {
            Some(behind) if behind != path => self.file(behind),
            _ => Some(file.to_vec()),
        }
    }

    /// The files that a file knows of.
    fn known(&self, file: &Module) -> BTreeSet<Module> {
        let names = &self.sources[file].names;
        names.iter().filter_map(|name| self.file(name)).filter(|other| other != file).collect()
    }

    /// Files that know of each other, directly or through others: one list for each circle.
    fn circles(&self) -> Vec<Vec<Module>> {
        let reaches: BTreeMap<&Module, BTreeSet<Module>> = self
            .sources
            .keys()
            .map(|file| {
                let (mut seen, mut waiting) = (BTreeSet::new(), vec![file.clone()]);
                while let Some(next) = waiting.pop() {
                    for other in self.known(&next) {
                        if seen.insert(other.clone()) {
                            waiting.push(other);
                        }
                    }
                }
                (file, seen)
            })
            .collect();
        let mut circles = BTreeSet::new();
        for file in self.sources.keys().filter(|file| reaches[file].contains(*file)) {
            let circle = reaches[file].iter().filter(|other| reaches[other].contains(file));
            circles.insert(circle.cloned().collect::<Vec<_>>());
        }
        circles.into_iter().collect()
    }
}

/// The module of a file: `session/mod.rs` and `session.rs` are `session`.
fn module(root: &Path, path: &Path) -> Module {
    let inside: PathBuf = path.strip_prefix(root).expect("inside").with_extension("");
    let mut parts: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "main") {
        parts.pop();
    }
    parts
}

/// Reads what a file names: its imports, and paths in its code that begin at the root or above it.
fn source(module: &Module, text: &str) -> Source {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut source = Source::default();
    let mut rest = code.as_str();
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].lines().last().unwrap_or_default().trim();
        let is_use = before.is_empty() || before == "pub(crate)" || before == "pub(super)";
        rest = &rest[at + 4..];
        if !is_use {
            continue;
        }
        let (tree, after) = rest.split_once(';').expect("an import ends");
        rest = after;
        for path in leaves(tree) {
            let Some(path) = from_root(module, &path) else { continue };
            if before.is_empty() {
                source.names.insert(path);
            } else if let Some(name) = path.last().cloned() {
                source.passes_on.insert(name, path);
            }
        }
    }
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let is_inside = code[..at].chars().next_back().is_some_and(is_path);
            let path: String = code[at..].chars().take_while(|c| is_path(*c)).collect();
            let line = code[..at].rfind(['\n', ';']).map_or(0, |place| place + 1);
            let is_import = code[line..at].trim_start().starts_with("use ")
                || code[line..at].trim_start().starts_with("pub(");
            if !is_inside && !is_import {
                let path: Module = path.split("::").map(str::to_owned).collect();
                source.names.extend(from_root(module, &path));
            }
        }
    }
    source
}

/// The paths of an import, one for each name.
fn leaves(tree: &str) -> Vec<Module> {
    let tree = tree.trim();
    let Some((head, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let head: Module = head
        .split("::")
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let inside = inside.trim_end().strip_suffix('}').expect("a list ends");
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(std::mem::take(&mut item));
                continue;
            }
            _ => {}
        }
        item.push(character);
    }
    items.push(item);
    let items = items.into_iter().filter(|item| !item.trim().is_empty());
    items.flat_map(|item| leaves(&item)).map(|leaf| [head.clone(), leaf].concat()).collect()
}

/// A path from the crate's root, if it is one of this crate.
fn from_root(module: &Module, path: &[String]) -> Option<Module> {
    let mut here = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" => module.clone(),
        "super" => module[..module.len().checked_sub(1)?].to_vec(),
        _ => {
            // In a face, modules are named as they are.
            return (path.len() > 1 && path[0].chars().all(char::is_lowercase))
                .then(|| [module.clone(), path.to_vec()].concat());
        }
    };
    for part in &path[1..] {
        match part.as_str() {
            "super" => drop(here.pop()?),
            "self" => {}
            part => here.push(part.to_owned()),
        }
    }
    Some(here)
}

fn name(module: &Module) -> String {
    module.join("/")
}

#[test]
fn no_floor_of_the_page_knows_of_one_above() {
    let floor = |module: &Module| {
        let room = module.first()?;
        FLOORS.iter().position(|rooms| rooms.contains(&room.as_str()))
    };
    let page = Page::read();
    let mut n = 0;
    for file in page.sources.keys().filter(|file| !file.is_empty()) {
        let own = floor(file).unwrap_or_else(|| panic!("{} has no floor", name(file)));
        for other in page.known(file) {
            n += 1;
            let knows_of_root = other.is_empty();
            assert!(!knows_of_root, "{} knows of main.rs", name(file));
            let below = floor(&other).is_some_and(|other| other <= own);
            assert!(below, "{} knows of {}, which is above it", name(file), name(&other));
        }
    }
    assert!(n > 300, "{n} imports were read");
}

#[test]
fn no_large_circle_of_files() {
    let page = Page::read();
    for circle in page.circles() {
        let names: Vec<String> = circle.iter().map(name).collect();
        assert!(
            circle.len() <= MOST_IN_A_CIRCLE,
            "{} files know of each other: {names:?}",
            names.len()
        );
    }
}

#[test]
fn the_lower_floors_know_no_browser_and_no_signals() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src");
    for room in ["values", "explain", "session"] {
        for entry in fs::read_dir(root.join(room)).expect("a room") {
            let path = entry.expect("an entry").path();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for word in ["leptos", "web_sys", "js_sys", "wasm_bindgen", "gloo"] {
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let says = code.into_iter().any(|line| line.contains(word));
                assert!(!says, "{} knows of {word}", path.display());
            }
        }
    }
}

#[test]
fn imports_are_read_as_they_are_written() {
    let of = |module: &str, text: &str| {
        let module: Module = module.split('/').map(str::to_owned).collect();
        let source = source(&module, text);
        source.names.iter().map(name).collect::<Vec<_>>()
    };
    let text = "use crate::values::{Job, pairs::{self, Before}};\nuse super::shown::Shown as S;";
    assert_eq!(
        of("lab/frame", text),
        ["lab/shown/Shown", "values/Job", "values/pairs", "values/pairs/Before"]
    );
    let inline = "fn f() { crate::plot::draw(super::x()) } // crate::bridge::no\n";
    assert_eq!(of("lab/frame", inline), ["lab/x", "plot/draw"]);
    assert_eq!(of("lab/frame", "#[cfg(test)]\nmod tests { use crate::app::App; }"), [""; 0]);
}
