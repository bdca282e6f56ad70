//! A list in shards: merged they are what one process writes, and what does not belong together is refused by name.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use twinbeam_batch::Shard;
use twinbeam_cli::compare::{
    DeviceOption, DirectionOption, MetricOption, Options, PrecisionOption, UnitOption, run,
};
use twinbeam_cli::merge;
use twinbeam_core::words::Steps;
use twinbeam_tasks::Task;
use twinbeam_tests::repository;

/// A folder of one test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shards").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
    fs::create_dir_all(&folder).expect("it can be made");
    folder
}

/// Pairs of a task, into a list and a summary, or a share of them into a file.
fn options(n: usize) -> Options {
    Options {
        model: repository("assets/models/mini"),
        cases: None,
        task: Some(Task::Ioi),
        n,
        seed: 3,
        out: None,
        summary: None,
        unit: UnitOption::Metric,
        device: DeviceOption::Cpu,
        precision: PrecisionOption::F64,
        neurons: false,
        nodes: Vec::new(),
        n_steps: Steps::Fixed(4),
        direction: DirectionOption::Both,
        metric: MetricOption::LogitDiff,
        no_bos: false,
        shard: None,
        svg: None,
        bundle: None,
        dark: false,
    }
}

fn part(folder: &Path, place: usize, of: usize) -> PathBuf {
    folder.join(format!("part-{place}-of-{of}.json"))
}

fn asked(options: &Options) -> Result<bool, String> {
    run(options).map_err(|error| format!("{error:#}"))
}

/// Runs one share; `false` if one of its cases has an error.
fn run_share(folder: &Path, [place, of]: [usize; 2], options: Options) -> Result<bool, String> {
    let shard = Shard::new(place, of);
    asked(&Options { out: Some(part(folder, place, of)), shard, ..options })
}

/// Runs all shares, the last one first.
fn shares(folder: &Path, of: usize, options: impl Fn() -> Options) -> Vec<PathBuf> {
    for place in (1..=of).rev() {
        run_share(folder, [place, of], options()).expect("it runs");
    }
    (1..=of).map(|place| part(folder, place, of)).collect()
}

fn merged(parts: Vec<PathBuf>, folder: &Path, unit: UnitOption) -> Result<bool, String> {
    let [out, summary] = ["all.json", "merged.json"].map(|file| Some(folder.join(file)));
    merge::run(&merge::Options { parts, out, summary, unit }).map_err(|error| format!("{error:#}"))
}

fn refused(parts: Vec<PathBuf>, folder: &Path) -> String {
    let error = merged(parts, folder, UnitOption::Metric).expect_err("it is refused");
    assert!(!folder.join("all.json").exists() && !folder.join("merged.json").exists(), "{error}");
    error
}

/// The entries of a list without what a clock said.
fn entries(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("it is written");
    let mut list: Vec<Value> = serde_json::from_str(&text).expect("a list");
    for entry in &mut list {
        entry.as_object_mut().expect("an entry").remove("seconds");
    }
    list.iter().map(Value::to_string).collect()
}

#[test]
fn shares_merged_are_what_one_process_writes_to_the_last_digit() {
    let whole = folder("whole");
    let with_a_bad_row = || {
        let list = whole.join("cases.jsonl");
        let pair = |name: &str, giver: &str| {
            format!(
                r#"{{"name":"{name}","clean":"When Kate and Tom went to the park, {giver} gave a ring to","corrupted":"When Kate and Tom went to the park, Kate gave a ring to","answer":" Kate","wrong":" Tom"}}"#
            )
        };
        // A row that is none, and a pair whose prompts are the same.
        let rows = [pair("a", "Tom"), "{}".to_owned(), pair("equal", "Kate"), pair("b", "Anna")];
        fs::write(&list, rows.join("\n")).expect("it can be written");
        Options { cases: Some(list), task: None, ..options(1) }
    };
    let neurons = || Options { neurons: true, direction: DirectionOption::Noising, ..options(3) };
    type Listed<'a> = (&'a str, &'a dyn Fn() -> Options, &'a [usize]);
    let lists: [Listed<'_>; 3] = [
        ("drawn", &|| options(7), &[1, 3, 9]),
        ("rows", &with_a_bad_row, &[2]),
        ("neurons", &neurons, &[2]),
    ];
    for (name, list, numbers) in lists {
        for unit in [UnitOption::Metric, UnitOption::Share] {
            let [all, summary] =
                ["all", "merged"].map(|file| whole.join(format!("{name}-{file}.json")));
            let (out, written) = (Some(all.clone()), Some(summary.clone()));
            let ask = Options { out, summary: written, unit, ..list() };
            let all_right = asked(&ask).expect("it runs");
            for of in numbers {
                let folder = folder(&format!("{name}-{of}"));
                let parts = shares(&folder, *of, list);
                assert_eq!(merged(parts, &folder, unit).expect("they fit"), all_right, "{name}");
                assert_eq!(entries(&folder.join("all.json")), entries(&all), "{name} in {of}");
                let read = |path: &Path| fs::read_to_string(path).expect("it is written");
                assert_eq!(read(&folder.join("merged.json")), read(&summary), "{name} in {of}");
            }
        }
    }
}

#[test]
fn a_share_that_is_there_is_not_computed_again_and_no_other_file_is_written_over() {
    let folder = folder("resume");
    assert!(run_share(&folder, [1, 2], options(3)).expect("it runs"));
    let path = part(&folder, 1, 2);
    // A number that nothing computes: whoever computes the share again would write over it.
    let text = fs::read_to_string(&path).expect("it is written").replacen(
        "\"seconds\":{",
        "\"seconds\":{\"never\":1,",
        1,
    );
    fs::write(&path, &text).expect("it can be written");
    assert!(run_share(&folder, [1, 2], options(3)).expect("it is there"));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    let other_inputs: [(&str, Options); 6] = [
        ("n_steps is 4 in it and 5 now", Options { n_steps: Steps::Fixed(5), ..options(3) }),
        (
            "metric is logit_diff in it and kl now",
            Options { metric: MetricOption::Kl, ..options(3) },
        ),
        (
            "precision is f64 in it and f32 now",
            Options { precision: PrecisionOption::F32, ..options(3) },
        ),
        ("number of cases is 3 in it and 4 now", options(4)),
        ("sha256 of the cases is", Options { seed: 4, ..options(3) }),
        (
            "<|endoftext|> in front is true in it and false now",
            Options { no_bos: true, ..options(3) },
        ),
    ];
    for (what, options) in other_inputs {
        let error = run_share(&folder, [1, 2], options).expect_err(what);
        assert!(
            error.contains(what) && error.contains("Nothing was computed: move it away"),
            "{error}"
        );
    }
    let error = asked(&Options { out: Some(path.clone()), shard: Shard::new(2, 2), ..options(3) });
    let error = error.expect_err("another share");
    assert!(error.contains("the share is 1/2 in it and 2/2 now"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    // Somebody else's file is as safe.
    fs::write(&path, "[1]").expect("it can be written");
    let error = run_share(&folder, [1, 2], options(3)).expect_err("another file");
    assert!(error.contains("is no share of a list"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "[1]");
}

#[test]
fn a_share_that_dies_leaves_no_file_of_its_name() {
    let folder = folder("dies");
    let path = part(&folder, 1, 1);
    // Where its file cannot get its name, nothing has it.
    fs::create_dir(&path).expect("it can be made");
    let error = run_share(&folder, [1, 1], options(2)).expect_err("a folder is in its place");
    assert!(error.contains("reading"), "{error}");
    fs::remove_dir(&path).expect("it can be removed");
    // What a process that was killed has left is another file, and in nobody's way.
    let left = folder.join("part-1-of-1.json.0123456789abcdef.part");
    fs::write(&left, "{\"part\": {\"shard\"").expect("it can be written");
    assert!(run_share(&folder, [1, 1], options(2)).expect("it runs"));
    assert!(path.exists() && left.exists());
}

#[test]
fn parts_that_do_not_belong_together_are_refused_by_name() {
    let folder = folder("refused");
    let parts = shares(&folder, 3, || options(5));
    let (one, two, three) = (parts[0].clone(), parts[1].clone(), parts[2].clone());
    let name = |path: &Path| path.display().to_string();
    let missing = refused(vec![one.clone()], &folder);
    assert!(
        missing.starts_with("2 of 3 shares are missing: 2/3, 3/3. Run compare --shard"),
        "{missing}"
    );
    let twice = refused(vec![three.clone(), one.clone(), two.clone(), one.clone()], &folder);
    assert!(
        twice.starts_with(&format!("{} and {} are both share 1/3", name(&one), name(&one))),
        "{twice}"
    );
    let strange = part(&folder, 2, 4);
    asked(&Options { out: Some(strange.clone()), shard: Shard::new(2, 4), ..options(5) })
        .expect("it runs");
    let number = refused(vec![one.clone(), strange.clone(), three.clone()], &folder);
    assert!(
        number.contains(&name(&strange))
            && number.contains("the number of shares is 3 in one and 4"),
        "{number}"
    );
    let other = folder.join("other.json");
    let steps = Options { n_steps: Steps::Auto { tolerance_ppm: 1000 }, ..options(5) };
    asked(&Options { out: Some(other.clone()), shard: Shard::new(2, 3), ..steps })
        .expect("it runs");
    let unlike = refused(vec![one.clone(), other.clone(), three.clone()], &folder);
    assert!(
        unlike.contains(&name(&other)) && unlike.contains("n_steps is 4 in one and auto"),
        "{unlike}"
    );
    // A file that lost its end, and one of another program.
    let text = fs::read_to_string(&two).expect("it is there");
    let cut = folder.join("cut.json");
    fs::write(&cut, &text[..text.len() - 20]).expect("it can be written");
    let lost = refused(vec![one.clone(), cut, three.clone()], &folder);
    assert!(
        lost.contains(
            "cut.json: this is no part of a result (its first or its last line is missing)"
        ),
        "{lost}"
    );
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(1);
    let short = folder.join("short.json");
    fs::write(&short, lines.join("\n")).expect("it can be written");
    let fewer = refused(vec![one, short, three], &folder);
    assert!(fewer.contains("short.json") && fewer.contains("cases, and its share"), "{fewer}");
    assert!(refused(Vec::new(), &folder).contains("there is no part to merge"));
}
