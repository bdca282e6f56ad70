//! Lists of prompt pairs through `twinbeam compare`: whatever their form and encoding, the same pairs have the same
//! scores, and a row that is no pair is listed and spoils no other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use twinbeam_cli::compare::{
    DeviceOption, DirectionOption, MetricOption, Options, PrecisionOption, UnitOption, run,
};
use twinbeam_core::words::Steps;
use twinbeam_gpt2::Tokenizer;
use twinbeam_tests::repository;

const MINI: &str = "assets/models/mini";
const CLEAN: &str = "When Kate and Tom went to the park, Tom gave a ring to";
const CORRUPTED: &str = "When Kate and Tom went to the park, Kate gave a ring to";
/// A folder of one test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lists").join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// What a list comes to: whether all was right, every entry, and the summary; or why it is refused.
fn compared(name: &str, list: &[u8]) -> Result<(bool, Vec<Value>, Value), String> {
    let folder = folder(name);
    let [cases, out, summary] = ["cases", "out.json", "summary.json"].map(|file| folder.join(file));
    fs::write(&cases, list).expect("it can be written");
    let options = Options {
        model: repository(MINI),
        cases: Some(cases),
        task: None,
        n: 1,
        seed: 0,
        out: Some(out.clone()),
        summary: Some(summary.clone()),
        unit: UnitOption::Metric,
        device: DeviceOption::Cpu,
        precision: PrecisionOption::F64,
        neurons: false,
        nodes: Vec::new(),
        n_steps: Steps::Fixed(4),
        direction: DirectionOption::Noising,
        metric: MetricOption::LogitDiff,
        no_bos: false,
        shard: None,
        svg: None,
        bundle: None,
        dark: false,
    };
    let all_right = run(&options).map_err(|error| format!("{error:#}"))?;
    let read = |path: &Path| -> Value {
        serde_json::from_slice(&fs::read(path).expect("it was written")).expect("JSON")
    };
    let entries = read(&out).as_array().expect("a list").clone();
    Ok((all_right, entries, read(&summary)))
}

/// The scores of a list of one pair.
fn scores(name: &str, list: &[u8]) -> Value {
    let (all_right, entries, _) = compared(name, list).expect("it is read");
    assert!(all_right && entries.len() == 1, "{name}: {entries:?}");
    entries[0]["heads"].clone()
}

fn id(text: &str) -> u32 {
    let bytes = fs::read(repository(MINI).join("tokenizer.json")).expect("it is there");
    let ids = Tokenizer::from_json(&bytes).expect("a tokenizer").encode(text).expect("tokens");
    assert_eq!(ids.len(), 1, "{text}");
    ids[0]
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn one_pair_has_the_same_scores_in_every_form_and_encoding() {
    let pair =
        json!({ "clean": CLEAN, "corrupted": CORRUPTED, "answer": " Kate", "wrong": " Tom" });
    let expected = scores("list", json!([pair]).to_string().as_bytes());
    assert!(expected["ap"]["noising"][0][0].is_number(), "{expected}");
    let (kate, tom) = (id(" Kate"), id(" Tom"));
    let by_text = format!("clean,corrupted,answer,wrong\n\"{CLEAN}\",\"{CORRUPTED}\", Kate, Tom\n");
    let by_id = format!(
        ",clean,corrupted,correct_idx,incorrect_idx\n470,\"{CLEAN}\",\"{CORRUPTED}\",{kate},{tom}\n"
    );
    let prompts = json!({ "prompts": [
        { "clean": CLEAN, "corrupt": CORRUPTED, "answers": [" Kate"], "wrong_answers": [" Tom"] }
    ] });
    for (name, list) in [
        ("mark", format!("\u{feff}[{pair}]").into_bytes()),
        ("lines", format!("{pair}\n").into_bytes()),
        ("table", by_text.clone().into_bytes()),
        ("table-utf16", utf16(&by_text)),
        ("ids", by_id.into_bytes()),
        ("prompts", prompts.to_string().into_bytes()),
    ] {
        assert_eq!(scores(name, &list), expected, "{name}");
    }
}

#[test]
fn several_ids_are_several_answers() {
    let [clean, corrupted] = ["The war lasted from 17 54 to 17", "The war lasted from 17 08 to 17"];
    // The bundled model writes years with a space in the middle.
    let years =
        |years: std::ops::Range<u32>| years.map(|year| format!(" {year:02}")).collect::<Vec<_>>();
    let (answer, wrong) = (years(55..100), years(1..55));
    let spelled =
        json!([{ "clean": clean, "corrupted": corrupted, "answer": answer, "wrong": wrong }]);
    let expected = scores("years", spelled.to_string().as_bytes());
    let ids = |years: &[String]| years.iter().map(|year| id(year)).collect::<Vec<_>>();
    let by_id = json!({
        "clean": clean, "corrupted": corrupted, "answer_id": ids(&answer), "wrong_id": ids(&wrong)
    });
    assert_eq!(scores("years-ids", by_id.to_string().as_bytes()), expected);
    let table = format!(
        "clean,corrupted,answers_idx,corrupted_answers_idx\n{clean},{corrupted},\"{:?}\",\"{:?}\"\n",
        ids(&answer),
        ids(&wrong)
    );
    assert_eq!(scores("years-table", table.as_bytes()), expected);
}

#[test]
fn a_bad_row_is_an_entry_with_its_error_and_the_others_run() {
    let good = |name: Value| json!({ "name": name, "clean": CLEAN, "corrupt": CORRUPTED, "answer": " Kate", "wrong": " Tom" });
    let ids = json!({ "clean_ids": [5, 6, 7], "corrupted_ids": [5, 8, 7], "answer_id": 9, "wrong_id": 10 });
    let lines = format!(
        "{}\nnot JSON\n{}\n{}\n",
        good(json!(3)),
        json!({ "name": "half", "clean": CLEAN, "corrupted": CORRUPTED }),
        ids
    );
    let (all_right, entries, summary) = compared("bad", lines.as_bytes()).expect("it is read");
    assert!(!all_right, "as for any case with an error");
    let names: Vec<&str> = entries.iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names, ["3", "case1", "half", "case3"]);
    let error = |at: usize| entries[at]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error(1).starts_with("line 2: this is not JSON"), "{}", error(1));
    assert!(
        error(2).starts_with("line 3: the answer is missing: wanted are clean"),
        "{}",
        error(2)
    );
    assert_eq!((error(0).as_str(), error(3).as_str()), ("", ""));
    assert!(entries[3]["heads"]["ap"]["noising"].is_array());
    assert_eq!(summary["names"], json!(["3", "case3"]));
    let left: Vec<&str> =
        (0..2).filter_map(|at| summary["left_out"][at]["name"].as_str()).collect();
    assert_eq!(left, ["case1", "half"]);
    let alone = scores("good", good(json!(3)).to_string().as_bytes());
    assert_eq!(entries[0]["heads"], alone, "as without the bad rows");
}

#[test]
fn a_list_that_cannot_be_read_is_refused_by_file_place_and_way_out() {
    let latin = b"clean,corrupted,answer,wrong\nCaf\xe9 a,Caf\xe9 b, c, d\n";
    let refused = |name: &str, list: &[u8]| compared(name, list).expect_err("it must be refused");
    let said = refused("latin", latin);
    assert!(said.contains("cases: line 2: byte 0xe9 at 32 is neither UTF-8"), "{said}");
    assert!(said.ends_with("save it as UTF-8"), "{said}");
    let said = refused("columns", b"clean,corrupted,group,plural\na,b,c,1\n");
    assert!(said.contains("no column is the answer: wanted are clean, corrupted"), "{said}");
    assert!(said.ends_with("the first line names clean, corrupted, group, plural"), "{said}");
    for (name, list, what) in [
        ("packed", &b"PK\x03\x04\x14\0list.csv"[..], "a zip archive"),
        ("pickled", b"PK\x03\x04 data.pkl", "a file of PyTorch"),
    ] {
        let said = refused(name, list);
        assert!(said.contains(&format!("cases: this is {what}, and no list of pairs: ")), "{said}");
        assert_eq!(said.matches(what).count(), 1, "once: {said}");
    }
}
