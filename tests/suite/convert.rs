//! `convert` keeps a model's numbers as far as the new type can, says what it cost, and leaves no half model;
//! `synth` lays files out as it is told.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::DType;
use safetensors::SafeTensors;
use twinbeam_cli::convert::{Options, Report, convert};
use twinbeam_cli::self_check::describe;
use twinbeam_cli::stored::Stored;
use twinbeam_cli::synth::{self, Size};
use twinbeam_core::models::{ModelShape, SelfCheck};
use twinbeam_gpt2::{
    Gpt2, Gpt2Config, INITIAL_STD, StoredDtype, random_params, safetensors_header, stored_bytes,
};
use twinbeam_tasks::Task;
use twinbeam_tests::{
    Stored as Tensor, assert_close, fixture, load, repository, safetensors as safetensors_file,
    values,
};

/// A folder of its own for a test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("convert").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
    folder
}

fn converted(model: &Path, name: &str, dtype: Stored) -> (PathBuf, Report) {
    let out = folder(name);
    let options = Options { model: model.to_path_buf(), out: out.clone(), dtype };
    let report = convert(&options).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    (out, report)
}

fn refusal(model: &Path, out: &Path, dtype: Stored) -> String {
    let options = Options { model: model.to_path_buf(), out: out.to_path_buf(), dtype };
    format!("{:#}", convert(&options).expect_err("it must be refused"))
}

fn file(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).expect("it is there")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> =
        entries.map(name).map(|name| name.into_string().expect("ASCII")).collect();
    names.sort();
    names
}

fn model(folder: &Path) -> Gpt2 {
    let config = Gpt2Config::from_json(&file(folder, "config.json")).expect("a configuration");
    load(&config, &file(folder, "model.safetensors"), DType::F32).expect("it loads")
}

fn logits(folder: &Path) -> Vec<f32> {
    let model = model(folder);
    values(&model.forward(model.tokens(&[&[0, 7, 31, 12, 5, 52]])))
}

fn synth_options(out: &Path) -> synth::Options {
    synth::Options {
        size: Size::Tiny,
        out: out.to_path_buf(),
        seed: 3,
        dtype: Stored::F32,
        masks: false,
        std: 0.2,
        vocab: None,
        tokenizer: None,
    }
}

fn synthesised(options: &synth::Options) {
    synth::run(options).unwrap_or_else(|error| panic!("{}: {error:#}", options.out.display()));
}

#[test]
fn the_same_type_keeps_every_bit_and_drops_the_masks() {
    for name in ["hub-layout", "tiny-gpt2"] {
        let original = fixture(name);
        let (out, report) = converted(&original, &format!("{name}-f32"), Stored::F32);
        assert_eq!(logits(&out), logits(&original), "{name}");
        assert_eq!(file(&out, "config.json"), file(&original, "config.json"));
        assert_eq!(names(&out), ["config.json", "model.safetensors"]);
        let bytes = file(&out, "model.safetensors");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        let is_param = |name: &str| !name.ends_with(".attn.bias") && !name.contains("transformer");
        assert!(tensors.names().into_iter().all(is_param));
        assert_eq!(report.to.bytes, bytes.len() as u64);
        // No tokenizer: random prompts, which the report says.
        assert!(
            report.cost.random && report.cost.pairs.len() == 16 && report.cost.left_out.is_empty()
        );
        assert!(report.cost.pairs.iter().all(|pair| pair.before == pair.after), "{report}");
        assert!(report.to_string().contains("random tokens"), "{report}");
    }
}

#[test]
fn two_bytes_a_number_are_half_the_size_and_near() {
    // One part in 2^11 for F16, in 2^8 for BF16, grown by the layers.
    for (dtype, tolerance) in [(Stored::F16, 4e-3), (Stored::Bf16, 3e-2)] {
        let stored = StoredDtype::from(dtype);
        for name in ["hub-layout", "tiny-gpt2"] {
            let original = fixture(name);
            let (out, report) = converted(&original, &format!("{name}-{}", stored.id()), dtype);
            let reference: Vec<f64> = logits(&original).into_iter().map(f64::from).collect();
            let worst = assert_close(name, &logits(&out), &reference, tolerance);
            assert!(worst > 1e-7, "{name} must have been rounded");
            let Gpt2Config { shape, .. } = *model(&out).config();
            let header = safetensors_header(&shape, stored).len();
            assert_eq!(report.to.bytes, (header + 2 * shape.n_params()) as u64);
            let largest = report.cost.worst().expect("pairs").largest_change();
            let mean = report.cost.mean_change();
            assert!(0.0 < mean && mean < largest && largest < 0.1, "{report}");
        }
    }
}

#[test]
fn a_number_that_f16_cannot_hold_is_refused_with_its_tensor_and_bf16_holds_it() {
    let original = folder("large");
    synthesised(&synth_options(&original));
    let mut bytes = file(&original, "model.safetensors");
    // The last number is the final LayerNorm's last bias. 65519 is the last that rounds down.
    for (value, fits) in [(65519.0_f32, true), (65520.0, false), (-7e4, false)] {
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
        fs::write(original.join("model.safetensors"), &bytes).expect("it is written");
        if fits {
            converted(&original, "large-fits", Stored::F16);
            continue;
        }
        let out = folder("large-f16");
        let message = refusal(&original, &out, Stored::F16);
        let facts = ["\"ln_f.bias\"", &value.to_string(), "F16", "--dtype bf16"];
        assert!(facts.iter().all(|fact| message.contains(fact)), "{message}");
        assert!(names(&out).is_empty(), "{:?} is left behind", names(&out));
    }
    converted(&original, "large-bf16", Stored::Bf16);
}

/// A folder with a fixture's tensors, stored as they are told.
fn variant(
    name: &str,
    changes: &[(&str, serde_json::Value)],
    files: &[(&str, Vec<Tensor>)],
) -> PathBuf {
    let folder = folder(name);
    fs::create_dir_all(&folder).expect("it can be made");
    let mut config = twinbeam_tests::json("variants/config.json");
    for (field, value) in changes {
        config[field] = value.clone();
    }
    fs::write(folder.join("config.json"), config.to_string()).expect("it is written");
    for (file, tensors) in files {
        fs::write(folder.join(file), safetensors_file(tensors)).expect("it is written");
    }
    folder
}

/// The tensors of the variants' fixture, in double precision.
fn doubles() -> Vec<Tensor> {
    let bytes = twinbeam_tests::read("variants/model.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let stored = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| Tensor {
        name: name.to_owned(),
        dtype: StoredDtype::F64,
        dims: view.shape().to_vec(),
        values: StoredDtype::F64.decode_exactly(view.data()).collect(),
    };
    file.iter().map(stored).collect()
}

#[test]
fn double_precision_is_rounded_once_and_shards_become_one_file() {
    let tensors = doubles();
    let (one, two) = tensors.split_at(9);
    let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let whole = variant("f64", &[], &[("model.safetensors", tensors.clone())]);
    let sharded =
        variant("f64-sharded", &[], &[(shards[0], one.to_vec()), (shards[1], two.to_vec())]);
    let map: serde_json::Map<String, serde_json::Value> = tensors
        .iter()
        .enumerate()
        .map(|(place, tensor)| (tensor.name.clone(), shards[usize::from(place >= 9)].into()))
        .collect();
    let index = serde_json::json!({ "weight_map": map }).to_string();
    fs::write(sharded.join("model.safetensors.index.json"), index).expect("it is written");
    fs::write(sharded.join("merges.txt"), "#version: 0.2\n").expect("it is written");
    for (dtype, stored) in [(Stored::F32, StoredDtype::F32), (Stored::F16, StoredDtype::F16)] {
        let (out, report) = converted(&whole, "f64-out", dtype);
        let bytes = file(&out, "model.safetensors");
        let read = SafeTensors::deserialize(&bytes).expect("safetensors");
        for tensor in &tensors {
            let expected: Vec<u8> = tensor.values.iter().flat_map(|v| stored.encode(*v)).collect();
            assert_eq!(read.tensor(&tensor.name).expect("it is there").data(), expected);
        }
        assert_eq!((report.from.shards, report.to.shards), (None, None));
        let (out, report) = converted(&sharded, "f64-sharded-out", dtype);
        assert_eq!(file(&out, "model.safetensors"), bytes);
        assert_eq!(names(&out), ["config.json", "merges.txt", "model.safetensors"]);
        assert_eq!(report.from.shards, Some(2));
        let line = format!("sha256 {} of the list of 2 files' digests", report.from.sha256);
        assert!(report.to_string().contains(&line), "{report}");
    }
    // What a shard holds is not looked for in a folder that has one file.
    let message = refusal(&whole, &sharded, Stored::F16);
    assert!(message.contains("is there already"), "{message}");
}

#[test]
fn a_head_by_definition_of_its_own_is_written_again() {
    let mut tensors = doubles();
    let head = tensors.iter().find(|tensor| tensor.name == "wte.weight").expect("one").clone();
    tensors.push(head.named("lm_head.weight"));
    let untied = [("tie_word_embeddings", false.into()), ("activation_function", "relu".into())];
    let model = variant("untied", &untied, &[("model.safetensors", tensors)]);
    // It is loaded again to be compared: without the head it would be refused.
    let (out, _) = converted(&model, "untied-out", Stored::F16);
    let bytes = file(&out, "model.safetensors");
    let read = SafeTensors::deserialize(&bytes).expect("safetensors");
    let [head, embedding] = ["lm_head.weight", "wte.weight"].map(|n| read.tensor(n).expect("one"));
    assert_eq!(head.data(), embedding.data());
    assert_eq!(file(&out, "config.json"), file(&model, "config.json"));
    let config = Gpt2Config::from_json(&file(&out, "config.json")).expect("a configuration");
    assert_eq!(config.activation.name(), "relu");
}

#[test]
fn a_model_without_a_token_to_put_in_front_is_converted_all_the_same() {
    let model =
        variant("no-bos", &[("bos_token_id", 11.into())], &[("model.safetensors", doubles())]);
    let (_, report) = converted(&model, "no-bos-out", Stored::F32);
    assert_eq!(report.cost.pairs.len(), 16, "{report}");
}

#[test]
fn no_model_is_written_over() {
    let original = folder("original");
    synthesised(&synth_options(&original));
    let before = file(&original, "model.safetensors");
    for same in [original.clone(), original.join("../original")] {
        let message = refusal(&original, &same, Stored::F16);
        assert!(message.contains("own folder"), "{message}");
    }
    let (other, _) = converted(&original, "other", Stored::F16);
    let message = refusal(&other, &original, Stored::F32);
    assert!(message.contains("is there already"), "{message}");
    assert_eq!(file(&original, "model.safetensors"), before);
    let nothing = folder("nothing");
    let message = refusal(&nothing, &folder("from-nothing"), Stored::F16);
    assert!(message.contains("config.json"), "{message}");
}

/// Prompt pairs that a model is asked: four held-out ones of each task, and the page's examples.
fn n_pairs() -> usize {
    let examples = fs::read(repository("assets/examples.json")).expect("it is there");
    let examples: serde_json::Value = serde_json::from_slice(&examples).expect("a list");
    4 * Task::ALL.len() + examples.as_array().expect("a list").len()
}

#[test]
fn the_report_has_every_pair_and_both_files() {
    let mini = repository("assets/models/mini");
    let (out, report) = converted(&mini, "mini-f32", Stored::F32);
    // Every half is a single: nothing changes.
    assert_eq!((report.cost.mean_change(), report.cost.random), (0.0, false));
    let all = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    assert_eq!(names(&out), all);
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        assert_eq!(file(&out, name), file(&mini, name), "{name}");
    }

    let (_, report) = converted(&out, "mini-bf16", Stored::Bf16);
    let n_pairs = n_pairs();
    assert_eq!((report.cost.pairs.len(), report.cost.left_out.len()), (n_pairs, 0));
    let largest = report.cost.worst().expect("pairs").largest_change();
    assert!(largest > 1e-4 && largest < 0.5, "{report}");
    let text = report.to_string();
    let counted = format!("{n_pairs} pairs: mean change");
    let facts =
        [&report.from.sha256, &report.to.sha256, "ioi 1", "hypernym 4", "the notebook's pair"];
    for fact in facts.into_iter().chain([counted.as_str(), "of the gap: mean"]) {
        assert!(text.contains(fact), "{fact} is not in\n{text}");
    }
    let lines = text.lines().filter(|line| line.contains(" %  ")).count();
    assert_eq!(lines, n_pairs, "{text}");
}

#[test]
fn pairs_that_do_not_fit_are_counted() {
    let original = folder("short");
    fs::create_dir_all(&original).expect("it can be made");
    let mini = repository("assets/models/mini");
    let d_vocab = Gpt2Config::from_json(&file(&mini, "config.json")).expect("one").shape.d_vocab;
    // A context in which the shorter prompts fit.
    let shape = ModelShape { n_ctx: 9, d_vocab, ..Size::Tiny.shape() };
    let mut bytes = safetensors_header(&shape, StoredDtype::F32);
    for (_, _, values) in random_params(&shape, 1, INITIAL_STD) {
        bytes.extend(stored_bytes(&values, StoredDtype::F32));
    }
    fs::write(original.join("model.safetensors"), bytes).expect("it is written");
    fs::write(original.join("config.json"), Gpt2Config::new(shape, 0).to_json()).expect("written");
    fs::copy(mini.join("tokenizer.json"), original.join("tokenizer.json")).expect("copied");
    let (_, report) = converted(&original, "short-f16", Stored::F16);
    let left_out: usize = report.cost.left_out.values().sum();
    assert_eq!(report.cost.pairs.len() + left_out, n_pairs());
    let line = format!("left out: {left_out} pairs, a prompt is too long");
    assert!(left_out > 0 && report.to_string().contains(&line), "{report}");
}

#[test]
fn masks_lie_among_the_parameters_and_change_nothing() {
    let (plain, masked) = (folder("plain"), folder("masked"));
    synthesised(&synth_options(&plain));
    synthesised(&synth::Options { masks: true, ..synth_options(&masked) });
    assert_eq!(logits(&masked), logits(&plain));
    let bytes = file(&masked, "model.safetensors");
    let header = u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes")) as usize;
    assert!(header.is_multiple_of(8));
    let shape = Size::Tiny.shape();
    let mask = shape.n_ctx * shape.n_ctx;
    assert_eq!(bytes.len(), 8 + header + 4 * (shape.n_params() + shape.n_layers * mask));
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a header");
    let names = metadata.offset_keys();
    assert!(names.is_sorted() && names[0] == "h.0.attn.bias", "{names:?}");
    for layer in 0..shape.n_layers {
        let view = tensors.tensor(&format!("h.{layer}.attn.bias")).expect("a mask");
        assert_eq!(view.shape(), [1, 1, shape.n_ctx, shape.n_ctx]);
        let values = StoredDtype::F32.decode(view.data());
        let is_right = |(i, value): (usize, &f32)| {
            *value == if i % shape.n_ctx <= i / shape.n_ctx { 1.0 } else { 0.0 }
        };
        assert!(values.iter().enumerate().all(is_right), "layer {layer}");
    }
    // Half precision too, and back out of the Hub's layout.
    let half = folder("masked-f16");
    synthesised(&synth::Options { masks: true, dtype: Stored::F16, ..synth_options(&half) });
    let (back, _) = converted(&half, "masked-back", Stored::F32);
    assert_eq!(logits(&back), logits(&half));
}

#[test]
fn weights_are_as_large_as_told_and_the_vocabulary_as_well() {
    let out = folder("told");
    let tokenizer = repository("assets/models/mini/tokenizer.json");
    let options = synth::Options {
        vocab: Some(5000),
        tokenizer: Some(tokenizer.clone()),
        ..synth_options(&out)
    };
    synthesised(&options);
    let model = model(&out);
    // `<|endoftext|>` is the tokenizer's, not the last token as it is in GPT-2.
    assert_eq!(model.shape().d_vocab, 5000);
    assert_eq!(model.config().bos_token_id, Ok(0));
    assert_eq!(file(&out, "tokenizer.json"), fs::read(&tokenizer).expect("it is there"));
    let bytes = file(&out, "model.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let std = |name: &str| {
        let values = StoredDtype::F32.decode(tensors.tensor(name).expect("it is there").data());
        (values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32).sqrt()
    };
    let [weights, embedding] = ["h.1.attn.c_attn.weight", "wte.weight"].map(std);
    assert!((weights / 0.2 - 1.0).abs() < 0.1 && (embedding / 0.02 - 1.0).abs() < 0.1);

    let small = synth::Options { vocab: Some(1000), ..options };
    let message = format!("{:#}", synth::run(&small).expect_err("too small"));
    assert!(message.contains("vocabulary of 1000"), "{message}");
}

#[test]
fn a_self_check_is_told_line_by_line() {
    let mut check = SelfCheck::default();
    check.same("sha256 of the weights", "ab", "ab");
    check.logits("logit difference of the clean run", 4.276, 4.2763);
    let passed = describe(&check);
    assert_eq!(passed.lines().count(), 3, "{passed}");
    assert!(passed.contains("  sha256 of the weights: expected ab, got ab: ok\n"), "{passed}");
    assert!(passed.ends_with("Self-check passed: 2 of 2\n"), "{passed}");
    check.logits("logit difference of the corrupted run", -2.738, 1.0);
    let differs = describe(&check);
    assert!(differs.contains("got +1.0000 logits: DIFFERENT\n"), "{differs}");
    let last = differs.lines().last().expect("lines");
    assert!(
        last.starts_with("Self-check: 2 of 3 agree.") && last.contains("corrupted run"),
        "{last}"
    );
}
