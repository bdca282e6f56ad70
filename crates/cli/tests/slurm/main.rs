//! A list on Slurm: what `batch/slurm/` submits gives what one process gives, a share that dies loses nothing, and a case
//! that fails stops nothing.
//!
//! `queue.rs` stands in for Slurm with a program that does what the array would, so these tests run anywhere that has
//! bash. `cluster.rs` starts Slurm's own daemons; `cargo xtask test` runs that test where it may have their packages.

mod cluster;
mod queue;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use cluster::Cluster;
use queue::Queue;

/// The program that is tested.
const TWINBEAM: &str = env!("CARGO_BIN_EXE_twinbeam");

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A folder of one test's own, empty. Its name has a space, as folders of users may.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("on slurm").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
    fs::create_dir_all(&folder).expect("it can be made");
    folder
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn part(folder: &Path, place: usize, of: usize) -> PathBuf {
    folder.join(format!("part-{place}-of-{of}.json"))
}

/// What is asked of `compare`, besides where it is written.
fn asked(more: &[&str]) -> Vec<String> {
    let model = repository("assets/models/mini").display().to_string();
    let options = ["--model", &model].into_iter().chain(more.iter().copied());
    options.map(str::to_owned).collect()
}

/// Five drawn pairs, of which a share takes a moment.
const QUICK: [&str; 8] = ["--task", "ioi", "--n", "5", "--seed", "3", "--n-steps", "4"];

/// What tasks of the real Slurm are given.
const ONE_CORE: [&str; 1] = ["--cpus-per-task=1"];

/// `submit.sh` of these shares.
fn submit(shares: &str, folder: &Path, of_sbatch: &[&str], asked: &[String]) -> Command {
    let mut command = Command::new("bash");
    command.arg(repository("batch/slurm/submit.sh")).arg(shares).arg(folder);
    command.args(of_sbatch).arg("--").args(asked).env("TWINBEAM", TWINBEAM);
    command
}

/// Runs a command that must go well; returns what it prints.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{said}\n{wrong}", output.status);
    said
}

/// One process's list and summary of the same, and its exit code.
fn one_process(name: &str, asked: &[String]) -> (PathBuf, Option<i32>) {
    let folder = folder(name);
    let mut command = Command::new(TWINBEAM);
    // The last digit depends on the number of threads: as many as each task is given.
    command.arg("compare").args(asked).env("RAYON_NUM_THREADS", "1");
    command.arg("--out").arg(folder.join("all.json"));
    let output = command.arg("--summary").arg(folder.join("merged.json")).output();
    (folder, output.expect("it starts").status.code())
}

/// The entries of a list without what a clock said.
fn entries(folder: &Path) -> Vec<Value> {
    let mut list: Vec<Value> =
        serde_json::from_str(&read(&folder.join("all.json"))).expect("a list");
    for entry in &mut list {
        entry.as_object_mut().expect("an entry").remove("seconds");
    }
    list
}

fn assert_equal(folder: &Path, one_process: &Path) {
    assert_eq!(entries(folder), entries(one_process));
    let [here, there] = [folder, one_process].map(|folder| read(&folder.join("merged.json")));
    assert_eq!(here, there);
}

/// The file that a process writes or has left which has no name yet.
fn left(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).expect("a folder");
    let mut files = files.map(|file| file.expect("a file").path());
    let is_begun = |path: &PathBuf| path.extension().is_some_and(|end| end == "part");
    files.find(is_begun).expect("a file that is begun")
}

fn assert_not_merged(folder: &Path) {
    for file in ["all.json", "merged.json"] {
        assert!(!folder.join(file).exists(), "{file} was written without all shares");
    }
}

/// Marks a share's file: whoever computes it again writes over the mark.
fn mark(part: &Path) {
    let text = read(part);
    let marked = text.replacen("\"seconds\":{", "\"seconds\":{\"marked\":1,", 1);
    assert_ne!(marked, text);
    fs::write(part, marked).expect("it can be written");
}

fn assert_marked(part: &Path) {
    assert!(read(part).contains("\"marked\":1"), "{} was computed again", part.display());
}

/// A list with a case that fails, since its prompts are of unequal length, in the second of its two halves.
fn with_a_failing_case(folder: &Path) -> PathBuf {
    let pair = |name: &str, giver: &str| {
        let [clean, corrupted] = [giver, "Kate"]
            .map(|giver| format!("When Kate and Tom went to the park, {giver} gave a ring to"));
        format!(
            r#"{{"name":"{name}","clean":"{clean}","corrupted":"{corrupted}","answer":" Kate","wrong":" Tom"}}"#
        )
    };
    let list = folder.join("cases.jsonl");
    let rows = [pair("a", "Tom"), pair("b", "Anna"), pair("unequal", "Tom Tom"), pair("c", "Tom")];
    fs::write(&list, rows.join("\n")).expect("it can be written");
    list
}

/// How many entries have an error.
fn errors(folder: &Path) -> usize {
    entries(folder).iter().filter(|entry| entry.get("error").is_some()).count()
}

#[test]
fn what_the_array_runs_is_what_one_process_gives() {
    let asked = asked(&QUICK);
    let (expected, code) = one_process("queue-one", &asked);
    assert_eq!(code, Some(0));
    let (folder, queue) = (folder("queue"), Queue::new(folder("queue-bin")));
    let said = run(queue.has(&mut submit("3%2", &folder, &["--time=5"], &asked)));
    assert!(said.starts_with("array 1, then merge 2; "), "{said}");
    assert_eq!(queue.states(), ["1_1 0", "1_2 0", "1_3 0", "2 0"]);
    assert!(queue.submitted().contains("--array=1-3%2 "), "{}", queue.submitted());
    assert!(queue.submitted().contains(" --time=5 "), "{}", queue.submitted());
    assert_equal(&folder, &expected);
    assert!(read(&folder.join("logs/2.log")).contains("5 pairs merged"));
}

#[test]
fn a_share_that_dies_is_not_merged_and_the_same_again_completes_it() {
    let asked = asked(&QUICK);
    let (expected, _) = one_process("queue-dies-one", &asked);
    let (folder, queue) = (folder("queue-dies"), Queue::new(folder("queue-dies-bin")));
    // A program that is killed in its second share, with that begun.
    let dying = folder.join("dying");
    let begun = part(&folder, 2, 3).with_extension("json.0.part");
    let script = format!(
        "#!/bin/bash\n[[ $* != *'--shard 2/3'* ]] && exec '{TWINBEAM}' \"$@\"\necho half > '{}'\nkill -9 $$\n",
        begun.display()
    );
    queue::program(&dying, &script);
    run(queue.has(submit("3", &folder, &[], &asked).env("TWINBEAM", &dying)));
    assert_eq!(queue.states(), ["1_1 0", "1_2 137", "1_3 0", "2 cancelled"]);
    assert!(!part(&folder, 2, 3).exists());
    assert_not_merged(&folder);
    for place in [1, 3] {
        mark(&part(&folder, place, 3));
    }
    run(queue.has(&mut submit("3", &folder, &[], &asked)));
    assert_eq!(queue.states()[4..], ["3_1 0", "3_2 0", "3_3 0", "4 0"]);
    for place in [1, 3] {
        assert_marked(&part(&folder, place, 3));
    }
    assert!(read(&folder.join("logs/3_1.log")).contains("Share 1/3 is done already"));
    assert_equal(&folder, &expected);
    // Where shares lie that were made of something else, nothing is computed, written or merged.
    let before = read(&folder.join("all.json"));
    let other: Vec<String> = asked.iter().map(|word| word.replace('5', "6")).collect();
    run(queue.has(&mut submit("3", &folder, &[], &other)));
    assert_eq!(queue.states()[8..], ["5_1 2", "5_2 2", "5_3 2", "6 cancelled"]);
    assert!(read(&folder.join("logs/5_1.log")).contains("number of cases is 5 in it and 6 now"));
    assert_eq!(read(&folder.join("all.json")), before);
}

#[test]
fn a_case_that_fails_does_not_keep_the_rest_from_being_merged() {
    let (folder, queue) = (folder("queue-error"), Queue::new(folder("queue-error-bin")));
    let list = with_a_failing_case(&folder).display().to_string();
    let asked = asked(&["--cases", &list, "--n-steps", "4"]);
    let (expected, code) = one_process("queue-error-one", &asked);
    assert_eq!(code, Some(1));
    run(queue.has(&mut submit("2", &folder, &[], &asked)));
    assert_eq!(queue.states(), ["1_1 0", "1_2 0", "2 1"]);
    assert_equal(&folder, &expected);
    assert_eq!(errors(&folder), 1);
    assert!(read(&folder.join("logs/1_2.log")).contains("Some of its cases have an error"));
    assert!(read(&folder.join("logs/2.log")).contains("Some cases have an error"));
    // Of a long list, the summary alone.
    fs::remove_file(folder.join("all.json")).expect("it is there");
    let summary = format!("--summary {} --unit share", "only.json");
    let again = |command: &mut Command| {
        command.env("TWINBEAM_MERGE", &summary).current_dir(&folder).output().expect("it starts")
    };
    again(queue.has(&mut submit("2", &folder, &[], &asked)));
    assert!(folder.join("only.json").exists() && !folder.join("all.json").exists());
}

#[test]
fn what_cannot_be_submitted_is_refused_with_the_usage() {
    let queue = Queue::new(folder("queue-refused"));
    let folder = folder("refused");
    for (shares, separator) in [("0", "--"), ("", "--"), ("a", "--"), ("3/4", "--"), ("3", "-")] {
        let mut command = Command::new("bash");
        command.arg(repository("batch/slurm/submit.sh")).arg(shares).arg(&folder);
        let output = queue.has(command.args([separator, "--model", "x"])).output();
        let output = output.expect("it starts");
        assert_eq!(output.status.code(), Some(2), "{shares}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("submit.sh SHARES FOLDER"), "{said}");
    }
    assert_eq!(queue.states(), [""; 0]);
}

#[test]
#[ignore = "it starts slurmctld, slurmd and munged: cargo xtask test runs it where they may be had"]
fn slurm_itself_runs_it() {
    let cluster = Cluster::start();
    equal_to_one_process(&cluster);
    a_failing_case(&cluster);
    killed_and_submitted_again(&cluster);
}

fn equal_to_one_process(cluster: &Cluster) {
    let asked = asked(&QUICK);
    let (expected, _) = one_process("real-one", &asked);
    let folder = folder("real");
    let (array, merge) = cluster.submit(&mut submit("3%2", &folder, &ONE_CORE, &asked));
    assert_eq!(cluster.ended(&merge), "COMPLETED 0:0");
    for place in 1..=3 {
        assert_eq!(cluster.ended(&format!("{array}_{place}")), "COMPLETED 0:0");
    }
    assert_equal(&folder, &expected);
}

fn a_failing_case(cluster: &Cluster) {
    let folder = folder("real-error");
    let list = with_a_failing_case(&folder).display().to_string();
    let asked = asked(&["--cases", &list, "--n-steps", "4"]);
    let (expected, _) = one_process("real-error-one", &asked);
    let (array, merge) = cluster.submit(&mut submit("2", &folder, &ONE_CORE, &asked));
    assert_eq!(cluster.ended(&merge), "FAILED 1:0");
    assert_eq!(cluster.ended(&format!("{array}_2")), "COMPLETED 0:0");
    assert_equal(&folder, &expected);
    assert_eq!(errors(&folder), 1);
}

/// A program that takes much longer for the second of three shares, while the file is there that is returned with it,
/// and else is the one that is tested: long enough to be killed in its middle, also on a busy machine.
fn held(folder: &Path) -> (PathBuf, PathBuf) {
    let (program, hold) = (folder.join("held"), folder.join("hold"));
    fs::write(&hold, "").expect("it can be written");
    // It does not come to its end, so what it computes does not matter: more points than are asked for, and neurons.
    let script = format!(
        "#!/bin/bash\n\
         if [[ $* == *'--shard 2/3'* && -e '{}' ]]; then exec '{TWINBEAM}' \"${{@/#4/300}}\" --neurons; fi\n\
         exec '{TWINBEAM}' \"$@\"\n",
        hold.display()
    );
    queue::program(&program, &script);
    (program, hold)
}

fn killed_and_submitted_again(cluster: &Cluster) {
    let asked = asked(&QUICK);
    let (expected, _) = one_process("real-killed-one", &asked);
    let folder = folder("real-killed");
    let (program, hold) = held(&folder);
    let again =
        || cluster.submit(submit("3", &folder, &ONE_CORE, &asked).env("TWINBEAM", &program));
    let (array, merge) = again();
    // The second share is killed in its middle.
    let task = format!("{array}_2");
    cluster.until("the second share runs", || Cluster::is_writing(&part(&folder, 2, 3)));
    cluster.kill(&task);
    assert_eq!(cluster.ended(&task), "FAILED 137:0");
    assert_eq!(cluster.ended(&merge), "CANCELLED 0:0");
    for place in [1, 3] {
        assert_eq!(cluster.ended(&format!("{array}_{place}")), "COMPLETED 0:0");
        mark(&part(&folder, place, 3));
    }
    assert!(!part(&folder, 2, 3).exists());
    assert_not_merged(&folder);
    fs::remove_file(left(&folder)).expect("what the killed process has left");
    // The rest is computed, and Slurm itself takes it away once more, as it does when a node is lost.
    let (array, merge) = again();
    let task = format!("{array}_2");
    cluster.until("the second share runs again", || Cluster::is_writing(&part(&folder, 2, 3)));
    fs::remove_file(hold).expect("it is there");
    cluster.requeue(&task);
    assert_eq!(cluster.ended(&merge), "COMPLETED 0:0");
    assert_eq!(cluster.restarts(&task), 1);
    for place in [1, 3] {
        assert_marked(&part(&folder, place, 3));
    }
    assert_equal(&folder, &expected);
}
