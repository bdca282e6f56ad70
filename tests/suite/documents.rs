//! What the documents promise of the code, and what the code's own words promise a reader: rooms that are named, tests
//! that exist, links that lead somewhere, files that say what they are.

use std::fs;
use std::path::Path;

use crate::boundaries::{read, root, sources};

/// Columns of prose, as of code comments.
const COLUMNS: usize = 120;

/// Pages for readers: in the root, and in `docs/`.
fn pages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["", "docs/"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder of the repository") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                let path = format!("{folder}{name}");
                let text = read(&path);
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 5, "README, ARCHITECTURE, METHODS and others are there");
    found
}

/// Folders that programs are built from.
fn source_folders() -> Vec<String> {
    let crates = fs::read_dir(root().join("crates")).expect("the crates");
    let names = crates.map(|entry| entry.expect("an entry").file_name());
    let mut folders: Vec<String> = names
        .map(|name| format!("crates/{}/src", name.into_string().expect("UTF-8")))
        .chain(["web/src".to_owned()])
        .collect();
    folders.sort();
    folders
}

#[test]
fn the_map_names_every_room() {
    let map = read("ARCHITECTURE.md");
    for folder in source_folders() {
        let home = folder.trim_end_matches("/src");
        assert!(map.contains(&format!("| `{home}` |")), "the map's rooms have no {home}");
        for file in sources(&folder) {
            let inside = file.strip_prefix(root().join(&folder)).expect("a file of the folder");
            for room in inside.parent().into_iter().flat_map(|parent| parent.iter()) {
                let room = room.to_str().expect("UTF-8");
                assert!(
                    map.contains(&format!("`{room}/`")),
                    "the map does not name {room}/ of {folder}"
                );
            }
        }
    }
}

/// Beginnings that need a line above them to be understood, which rustdoc does not show.
const LEANING: [&str; 5] = ["The same", "As ", "Those ", "That of ", "Likewise"];

#[test]
fn every_source_file_says_what_it_is() {
    let mut silent = Vec::new();
    for file in source_folders().iter().flat_map(|folder| sources(folder)) {
        let text = fs::read_to_string(&file).expect("a source file");
        let first = text.lines().next().unwrap_or_default();
        let says = first.strip_prefix("//! ").unwrap_or_default();
        if says.is_empty() || LEANING.iter().any(|word| says.starts_with(word)) {
            silent.push(file.strip_prefix(root()).expect("in the repository").to_path_buf());
        }
    }
    assert!(silent.is_empty(), "no sentence at the top that stands alone: {silent:#?}");
}

/// Docs of the crates are read by themselves, in rustdoc and in an editor.
#[test]
fn docs_stand_alone() {
    let mut leaning = Vec::new();
    for folder in source_folders().iter().filter(|folder| folder.starts_with("crates/")) {
        for file in sources(folder) {
            let text = fs::read_to_string(&file).expect("a source file");
            let mut is_inside = false;
            for (number, line) in text.lines().enumerate() {
                let doc = line.trim_start().strip_prefix("///").map(str::trim_start);
                if let Some(doc) = doc.filter(|_| !is_inside)
                    && LEANING.iter().any(|word| doc.starts_with(word))
                {
                    leaning.push(format!("{}:{}: {doc}", file.display(), number + 1));
                }
                is_inside = doc.is_some();
            }
        }
    }
    assert!(leaning.is_empty(), "docs that lean on the line above them: {leaning:#?}");
}

#[test]
fn prose_keeps_to_its_columns() {
    for (page, text) in pages() {
        for (number, line) in text.lines().enumerate() {
            // A row of a table and an address cannot be broken.
            let may_be_long = line.trim_start().starts_with('|') || line.contains("](");
            let columns = line.chars().count();
            assert!(may_be_long || columns <= COLUMNS, "{page}:{}: {columns} columns", number + 1);
        }
    }
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut seen = 0;
    for (page, text) in pages() {
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path =
                if path.is_empty() { root().join(&page) } else { root().join(folder).join(path) };
            assert!(path.exists(), "{page} links to {target}, which is not there");
            if !heading.is_empty() {
                let text = read(&path);
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.any(|line| anchor(line.trim_start_matches('#')) == heading);
                assert!(is_there, "{page} links to {target}: there is no such heading");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links were seen");
}

/// Whether a test of the table of faults exists: `suite::test` is native, `suite.test.mjs: title` is the browser's.
fn exists(test: &str) -> Option<bool> {
    if let Some((suite, title)) = test.split_once(".test.mjs: ") {
        return Some(read(format!("tests/browser/suite/{suite}.test.mjs")).contains(title));
    }
    let (suite, name) = test.split_once("::")?;
    Some(read(format!("tests/suite/{suite}.rs")).contains(&format!("fn {name}(")))
}

#[test]
fn every_fault_is_held_by_a_test_that_exists() {
    let text = read("docs/FAULTS.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    let mut n = 0;
    for row in rows {
        n += 1;
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[1], n.to_string(), "rows are numbered from 1 on");
        // The last cell but the empty one behind the last line.
        let held_by = cells[cells.len() - 2];
        let names = held_by.split('`').skip(1).step_by(2);
        let found: Vec<bool> = names
            .filter_map(|name| exists(name).inspect(|is| assert!(is, "row {n}: no test {name:?}")))
            .collect();
        assert!(!found.is_empty(), "row {n} is held by no test");
    }
    assert!(n > 40, "only {n} rows");
}
