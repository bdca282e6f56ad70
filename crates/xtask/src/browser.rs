//! The page's tests in a browser: a suite is a file, and runs in a process of its own.

use std::collections::VecDeque;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context as _, bail};

use crate::parts::Parts;
use crate::{node, root, say};

/// What a suite's first lines say if it measures time, and would measure the others' work too.
const ALONE: &str = "// Runs alone: ";

/// More browsers at once than this wait for the disk and for each other.
const MOST: usize = 4;

/// A file of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suite {
    name: String,
    /// What it took once; `None` for one that is new.
    seconds: Option<u64>,
    alone: bool,
}

/// What a suite has said and how it ended.
struct Ended {
    name: String,
    seconds: f64,
    output: Vec<u8>,
    passed: bool,
}

/// Runs suites, all of them unless some are named: as many at once as there are cores, and those that measure time afterwards
/// and one by one. One more would save a tenth of the time, and have each test wait for two others.
pub(crate) fn run(parts: &mut Parts, named: &[String]) -> anyhow::Result<()> {
    say("browser tests");
    let suites = chosen(suites(&root().join("tests/browser"))?, named)?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let [beside, alone] = in_order(suites);
    let mut failed = Vec::new();
    for (suites, lanes) in [(beside, cores.min(MOST)), (alone, 1)] {
        for Ended { name, seconds, passed, .. } in run_in_lanes(suites, lanes, run_one)? {
            parts.add(&format!("browser: {name}"), seconds, !passed);
            if !passed {
                failed.push(name);
            }
        }
    }
    if !failed.is_empty() {
        bail!(
            "tests fail in {}; cargo xtask test --browser NAME runs one suite",
            failed.join(", ")
        );
    }
    Ok(())
}

/// Every suite that is there: one that is added is run.
fn suites(tests: &Path) -> anyhow::Result<Vec<Suite>> {
    let text = std::fs::read_to_string(tests.join("seconds.json")).context("seconds.json")?;
    let folder = tests.join("suite");
    let mut suites = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".test.mjs") {
            let source =
                std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let comments = source.lines().take_while(|line| line.starts_with("//"));
            let alone = comments.into_iter().any(|line| line.starts_with(ALONE));
            suites.push(Suite { name: name.to_owned(), seconds: seconds_of(&text, name), alone });
        }
    }
    Ok(suites)
}

/// What a suite took, of a table that is one JSON object of names and numbers.
fn seconds_of(table: &str, name: &str) -> Option<u64> {
    let (_, rest) = table.split_once(&format!("\"{name}\":"))?;
    rest.split([',', '}']).next()?.trim().parse().ok()
}

/// The suites that are named; all, if none is.
fn chosen(suites: Vec<Suite>, named: &[String]) -> anyhow::Result<Vec<Suite>> {
    if let Some(name) = named.iter().find(|&name| suites.iter().all(|suite| suite.name != *name)) {
        let mut names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
        names.sort_unstable();
        bail!("there is no suite {name}; there are {}", names.join(", "));
    }
    let is_named = |suite: &Suite| named.is_empty() || named.contains(&suite.name);
    Ok(suites.into_iter().filter(is_named).collect())
}

/// The suites that run side by side and those that run alone, the longest first, so that nothing long is left for the
/// end. A suite that is new may be long.
fn in_order(mut suites: Vec<Suite>) -> [Vec<Suite>; 2] {
    let last = |suite: &Suite| std::cmp::Reverse(suite.seconds.unwrap_or(u64::MAX));
    suites
        .sort_by(|one, other| last(one).cmp(&last(other)).then_with(|| one.name.cmp(&other.name)));
    let (alone, beside) = suites.into_iter().partition(|suite| suite.alone);
    [beside, alone]
}

/// Runs so many suites at once, and shows what each says when it has ended.
fn run_in_lanes(
    suites: Vec<Suite>,
    lanes: usize,
    run: impl Fn(&Suite) -> anyhow::Result<Ended> + Sync,
) -> anyhow::Result<Vec<Ended>> {
    let queue = Mutex::new(VecDeque::from(suites));
    let ended = Mutex::new(Ok(Vec::new()));
    let next = || queue.lock().expect("no lane panics").pop_front();
    let lane = || {
        while let Some(suite) = next() {
            let result = run(&suite);
            let mut ended = ended.lock().expect("no lane panics");
            match (result, ended.as_mut()) {
                (Ok(one), Ok(all)) => {
                    show(&one);
                    all.push(one);
                }
                // It did not start, and neither would the others.
                (Err(error), Ok(_)) => {
                    queue.lock().expect("no lane panics").clear();
                    *ended = Err(error);
                }
                (_, Err(_)) => {}
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(lane);
        }
    });
    ended.into_inner().expect("no lane panics")
}

fn run_one(suite: &Suite) -> anyhow::Result<Ended> {
    let begun = crate::parts::now();
    let mut node = node()?;
    node.arg("--test").arg(format!("suite/{}.test.mjs", suite.name));
    let output = node.output().context("starting Node.js")?;
    let said = [output.stdout, output.stderr].concat();
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Ended { name: suite.name.clone(), seconds, output: said, passed: output.status.success() })
}

#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
fn show(Ended { name, seconds, output, passed }: &Ended) {
    let outcome = if *passed { "passed" } else { "FAILED" };
    // In one piece, since other lanes show theirs.
    let text =
        format!("== {name}: {outcome} in {seconds:.0} s\n{}", String::from_utf8_lossy(output));
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(name: &str, seconds: Option<u64>, alone: bool) -> Suite {
        Suite { name: name.to_owned(), seconds, alone }
    }

    fn names(suites: &[Suite]) -> Vec<&str> {
        suites.iter().map(|suite| suite.name.as_str()).collect()
    }

    #[test]
    fn every_suite_is_found_and_none_is_missing_that_is_in_the_table() {
        let tests = root().join("tests/browser");
        let suites = suites(&tests).expect("the suites");
        assert!(suites.len() >= 18, "{suites:?}");
        assert!(suites.iter().any(|suite| suite.alone) && suites.iter().any(|suite| !suite.alone));
        let table = std::fs::read_to_string(tests.join("seconds.json")).expect("the table");
        let in_table = table.matches("\":").count();
        let found = suites.iter().filter(|suite| suite.seconds.is_some()).count();
        assert_eq!(in_table, found, "the table names a suite that is not there");
    }

    #[test]
    fn the_longest_begins_and_a_new_one_before_it() {
        let suites = vec![
            suite("short", Some(5), false),
            suite("speed", Some(60), true),
            suite("long", Some(300), false),
            suite("new", None, false),
        ];
        let [beside, alone] = in_order(suites);
        assert_eq!(names(&beside), ["new", "long", "short"]);
        assert_eq!(names(&alone), ["speed"]);
    }

    #[test]
    fn named_suites_are_chosen_and_others_are_an_error() {
        let all = vec![suite("page", None, false), suite("links", None, false)];
        let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&chosen(all.clone(), &[]).expect("all")), ["page", "links"]);
        assert_eq!(names(&chosen(all.clone(), &named(&["links"])).expect("one")), ["links"]);
        let error = chosen(all, &named(&["pages"])).expect_err("no such suite").to_string();
        assert_eq!(error, "there is no suite pages; there are links, page");
    }

    #[test]
    fn all_run_though_one_fails_and_none_after_one_that_cannot_start() {
        let ended = |suite: &Suite| Ended {
            name: suite.name.clone(),
            seconds: 0.0,
            output: Vec::new(),
            passed: suite.name != "b",
        };
        let all = ["a", "b", "c", "d"].map(|name| suite(name, None, false)).to_vec();
        let run = run_in_lanes(all.clone(), 2, |suite| Ok(ended(suite))).expect("they start");
        let mut names: Vec<(String, bool)> =
            run.into_iter().map(|one| (one.name, one.passed)).collect();
        names.sort();
        let expected = [("a", true), ("b", false), ("c", true), ("d", true)];
        assert_eq!(names, expected.map(|(name, passed)| (name.to_owned(), passed)));

        let begun = Mutex::new(Vec::new());
        let result = run_in_lanes(all, 1, |suite| {
            begun.lock().expect("no panic").push(suite.name.clone());
            anyhow::ensure!(suite.name != "b", "no Node.js");
            Ok(ended(suite))
        });
        assert_eq!(result.err().expect("it does not start").to_string(), "no Node.js");
        assert_eq!(begun.into_inner().expect("no panic"), ["a", "b"]);
    }

    #[test]
    fn the_table_is_read() {
        let table = "{\n  \"page\": 102,\n  \"gpu\": 60\n}\n";
        assert_eq!(seconds_of(table, "page"), Some(102));
        assert_eq!(seconds_of(table, "gpu"), Some(60));
        assert_eq!(seconds_of(table, "age"), None);
    }
}
