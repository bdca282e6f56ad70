//! A file that is damaged, or another one: each is named with what was found, what was expected and the way out, in
//! one table for all files, and no message says its cause twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use pollster::block_on;
use serde_json::json;
use twinbeam_cli::convert::{Options, convert};
use twinbeam_cli::stored::Stored;
use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::{Expected, Problem};
use twinbeam_engine::{DeviceKind, Model};
use twinbeam_tests::{Files, Listener, repository, sha256_of};

const CONFIG: &str = ModelFiles::CONFIG;
const WEIGHTS: &str = ModelFiles::WEIGHTS;
const INDEX: &str = ModelFiles::INDEX;
const TOKENIZER: &str = ModelFiles::TOKENIZER;

/// The bundled model as it is, and with its weights listed by an index.
fn whole(is_listed: bool) -> Files {
    let mini = repository("assets/models/mini");
    let read = |name: &str| fs::read(mini.join(name)).expect("the bundled model");
    let files = Files::default().with(CONFIG, read(CONFIG)).with(TOKENIZER, read(TOKENIZER));
    let weights = read(WEIGHTS);
    if !is_listed {
        return files.with(WEIGHTS, weights);
    }
    let header = u64::from_le_bytes(*weights.first_chunk().expect("8 bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&weights[8..8 + header]).expect("JSON");
    let names = header.as_object().expect("tensors").keys().filter(|name| *name != "__metadata__");
    let map: serde_json::Map<_, _> =
        names.map(|name| (name.clone(), json!("model-00001-of-00001.safetensors"))).collect();
    files
        .with(INDEX, json!({ "weight_map": map }).to_string())
        .with("model-00001-of-00001.safetensors", weights)
}

/// Text in UTF-16, as some editors save it.
fn utf16(text: &str, mark: &[u8], bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
}

/// What may stand in the place of any file, and what is said to have been found.
fn damages() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:248dfc\nsize 548105171\n";
    let page = "<!DOCTYPE html><html><title>429</title></html>";
    let object = "{\"n_layer\": 4, \"model_type\": \"gpt2\", \"n_head\": 8, \"n_embd\": 128}";
    let little = |unit: u16| unit.to_le_bytes();
    let big = |unit: u16| unit.to_be_bytes();
    let bytes = |bytes: &[u8]| bytes.to_vec();
    vec![
        ("pointer", bytes(pointer.as_bytes()), "a Git LFS pointer"),
        ("page", bytes(page.as_bytes()), "a web page"),
        ("page after a mark", [b"\xef\xbb\xbf\n ", page.as_bytes()].concat(), "a web page"),
        (
            "XML",
            bytes(b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
            "a web page",
        ),
        ("empty", Vec::new(), "an empty file"),
        ("pickle", bytes(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."), "a Python pickle"),
        ("zip", bytes(b"PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl"), "a zip archive"),
        ("gzip", bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ"), "a file packed by gzip"),
        ("GGUF", bytes(b"GGUF\x03\0\0\0\x93\0\0\0\0\0\0\0"), "a GGUF file"),
        ("zeros", vec![0; 4096], "zero bytes only"),
        ("words", bytes(b"Entry not found"), "text that begins “Entry not found”"),
        ("UTF-16 LE", utf16(object, b"\xff\xfe", little), "text in UTF-16"),
        ("UTF-16 BE", utf16(object, b"\xfe\xff", big), "text in UTF-16"),
        ("UTF-16 without a mark", utf16(object, b"", little), "text in UTF-16"),
    ]
}

/// What may stand in the place of a JSON file.
fn damages_of_json(whole: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("cut off", whole[..whole.len() / 2].to_vec(), "JSON that ends in the middle"),
        (
            "cut off at its end",
            whole.trim_ascii_end().split_last().expect("bytes").1.to_vec(),
            "JSON that ends in the middle",
        ),
        ("list", b"[1, 2]".to_vec(), "JSON that is a list"),
        ("null", b"null".to_vec(), "JSON that is null"),
        ("comma", b"{\"a\": 1,}".to_vec(), "text that is no JSON from line 1, column 9 on"),
        ("Latin-1", b"{\"a\": \"\xe9\"}".to_vec(), "bytes that are no text in UTF-8"),
    ]
}

/// A folder of its own, with these files: tests run side by side.
fn on_disk(files: &Files) -> PathBuf {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let name = FOLDERS.fetch_add(1, Ordering::Relaxed).to_string();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("damage").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
    fs::create_dir_all(&folder).expect("it can be made");
    for (name, bytes) in &files.0 {
        fs::write(folder.join(name), bytes).expect("it is written");
    }
    folder
}

/// What the command line prints of a folder, and what the page is told.
fn printed(files: &Files) -> (String, Problem) {
    let model = on_disk(files);
    let options = Options { out: model.join("out"), model, dtype: Stored::F16 };
    let text = format!("{:#}", convert(&options).expect_err("it must be refused"));
    let device = DeviceKind::cpu("a test");
    let host = &mut Listener::default();
    let error = block_on(Model::load(files, &Expected::default(), &device, host));
    fs::remove_dir_all(&options.model).expect("it can be removed");
    (text, error.expect_err("it must be refused").problem())
}

/// Whether no clause of a message is there a second time.
fn assert_once(what: &str, text: &str) {
    let clauses: Vec<&str> = text.split([':', ';']).map(str::trim).collect();
    for (place, clause) in clauses.iter().enumerate().filter(|(_, clause)| clause.len() > 3) {
        let said_before = clauses[..place].contains(clause);
        assert!(!said_before, "{what}: {clause:?} is said twice in {text:?}");
    }
}

#[test]
fn every_damage_of_every_file_is_named_once_with_the_way_out() {
    let mut seen = 0;
    for file in [CONFIG, TOKENIZER, INDEX, WEIGHTS, "model-00001-of-00001.safetensors"] {
        let files = whole(![CONFIG, TOKENIZER, WEIGHTS].contains(&file));
        let is_weights = ![CONFIG, TOKENIZER, INDEX].contains(&file);
        let expected =
            if is_weights { "weights in the safetensors format" } else { "a JSON object" };
        let mut table = damages();
        if !is_weights {
            table.extend(damages_of_json(&files.0[file]));
        }
        for (name, bytes, found) in table {
            let what = format!("{name} as {file}");
            let (text, problem) = printed(&files.clone().with(file, bytes));
            let says = format!("{file}: expected {expected}, got {found}");
            let (before, after) =
                text.split_once(&says).unwrap_or_else(|| panic!("{what}: {text}"));
            assert!(before.starts_with("loading "), "{what}: {text}");
            let way_out = after.rsplit(": ").next().unwrap_or_default();
            let leads_out = ["download", "convert", "unpack", "save", "take", "mend", "run"];
            assert!(leads_out.iter().any(|verb| way_out.contains(verb)), "{what}: {text}");
            assert_eq!(text.matches(found).count(), 1, "{what}: {text}");
            assert_once(&what, &text);
            // The page says the same, and decides where.
            let Problem::Model { message } = problem else { panic!("{what}: {problem:?}") };
            assert_eq!(
                text.split_once(file).map(|(_, rest)| format!("{file}{rest}")),
                Some(message)
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 5 * 14 + 3 * 6);
}

#[test]
fn what_only_the_content_shows_is_said_once_too() {
    let config = |field: &str, value: serde_json::Value| {
        let files = whole(false);
        let mut config: serde_json::Value = serde_json::from_slice(&files.0[CONFIG]).expect("JSON");
        config[field] = value;
        files.with(CONFIG, config.to_string())
    };
    let weights = whole(false).0[WEIGHTS].clone();
    let cut_off =
        format!("model.safetensors: file size: expected {} bytes, got 1000000", weights.len());
    let cut = |len: usize| whole(false).with(WEIGHTS, &weights[..len]);
    for (what, files, facts) in [
        (
            "BERT",
            config("model_type", json!("bert")),
            ["config.json: model_type: expected gpt2, got \"bert\"", "take a GPT-2"],
        ),
        (
            "activation",
            config("activation_function", json!("quick_gelu")),
            ["activation_function: expected one of gelu_new", "got \"quick_gelu\""],
        ),
        ("sizes", config("n_layer", json!(5)), ["model.safetensors: tensor \"h.4.", "is missing"]),
        ("width", config("n_embd", json!(256)), ["expected shape [", "take both from one place"]),
        ("cut off", cut(1_000_000), [cut_off.as_str(), "download it again"]),
        (
            "cut off early",
            cut(7),
            ["model.safetensors: file size: expected 8 bytes, got 7", "download it again"],
        ),
        ("another tokenizer", whole(false).with(TOKENIZER, "{}"), ["tokenizer.json: ", ""]),
        (
            "no weights",
            whole(false).without(WEIGHTS),
            ["model.safetensors: there is no such file", INDEX],
        ),
        (
            "no configuration",
            whole(false).without(CONFIG),
            ["config.json: there is no such file", ""],
        ),
        (
            "no shard",
            whole(true).without("model-00001-of-00001.safetensors"),
            ["index.json: model-00001-of-00001.safetensors is missing", "put it"],
        ),
        (
            "a huge configuration",
            whole(false).with(CONFIG, vec![b' '; 2 << 20]),
            ["config.json: expected at most 1048576 bytes, got 2097152", "take the model"],
        ),
    ] {
        let (text, _) = printed(&files);
        for fact in facts {
            assert!(text.contains(fact), "{what}: {fact:?} is not in {text:?}");
        }
        assert_once(what, &text);
    }
}

#[test]
fn the_bundled_model_runs_by_an_index_too() {
    let files = whole(true);
    let device = DeviceKind::cpu("a test");
    let model =
        block_on(Model::load(&files, &Expected::default(), &device, &mut Listener::default()));
    let shard = "model-00001-of-00001.safetensors";
    let list = format!("{}  {shard}\n", sha256_of(&files.0[shard]));
    let model = model.expect("it loads");
    assert_eq!(
        (model.shards(), model.fingerprint()),
        (Some(1), sha256_of(list.as_bytes()).as_str())
    );
}
