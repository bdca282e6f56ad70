//! GPT-2s as people publish them: other types of number, names, functions and scales, in one file or in several,
//! against transformers in float64; and what is refused, by name.

use pollster::block_on;
use serde_json::{Value, json};
use twinbeam_core::models::ModelFiles;
use twinbeam_core::scores::{MetricValues, Outcome, TableKey};
use twinbeam_core::wire::Expected;
use twinbeam_core::words::{
    Answers, ComponentKind, Direction, Experiment, Method, Metric, PromptError, Steps, TokenPair,
};
use twinbeam_engine::{DeviceKind, Error, Model, Plan, Precision, Question, inspect, run};
use twinbeam_gpt2::StoredDtype;
use twinbeam_tests::{
    CPU_TOLERANCE, Files, Listener, Stored, assert_close, json, numbers, read, safetensors,
    sha256_of,
};

const CONFIG: &str = ModelFiles::CONFIG;
const WEIGHTS: &str = ModelFiles::WEIGHTS;
const INDEX: &str = ModelFiles::INDEX;
const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

/// The fixture's tensors, whose names have no prefix, in a type.
fn tensors(dtype: StoredDtype) -> Vec<Stored> {
    let bytes = read("variants/model.safetensors");
    let file = ::safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let stored = |(name, view): (&str, ::safetensors::tensor::TensorView<'_>)| Stored {
        name: name.to_owned(),
        dtype,
        dims: view.shape().to_vec(),
        values: StoredDtype::F64.decode_exactly(view.data()).collect(),
    };
    file.iter().map(stored).collect()
}

/// The fixture's configuration with some fields changed.
fn config(changes: &Value) -> Vec<u8> {
    let mut config = json("variants/config.json");
    for (field, value) in changes.as_object().expect("fields") {
        config[field] = value.clone();
    }
    config.to_string().into_bytes()
}

/// A folder with one file of weights.
fn folder(changes: &Value, tensors: &[Stored]) -> Files {
    Files::default().with(CONFIG, config(changes)).with(WEIGHTS, safetensors(tensors))
}

/// The index of two shards, the first of which holds so many of the tensors.
fn index(tensors: &[Stored], first: usize) -> Value {
    let shard = |place: usize| SHARDS[usize::from(place >= first)];
    let map = tensors.iter().enumerate().map(|(place, t)| (t.name.clone(), json!(shard(place))));
    json!({"metadata": {"total_size": 1}, "weight_map": Value::Object(map.collect())})
}

/// A folder with the tensors in two shards.
fn sharded(tensors: &[Stored], first: usize) -> Files {
    let (one, two) = tensors.split_at(first);
    Files::default()
        .with(CONFIG, config(&json!({})))
        .with(SHARDS[0], safetensors(one))
        .with(SHARDS[1], safetensors(two))
        .with(INDEX, index(tensors, first).to_string())
}

fn load(files: &Files, precision: Precision) -> Result<Model, Error> {
    let device = DeviceKind::cpu("a test").with_precision(precision);
    block_on(Model::load(files, &Expected::default(), &device, &mut Listener::default()))
}

/// What the printed refusal of a folder says.
fn refusal(files: &Files) -> String {
    load(files, Precision::Auto).expect_err("it must be refused").to_string()
}

fn outcome(files: &Files, precision: Precision) -> Outcome {
    let model = load(files, precision).unwrap_or_else(|error| panic!("{error}"));
    let case = &json("variants/cases.json")[0];
    let ids = |field: &str| -> Vec<u32> {
        numbers(&case[field]).into_iter().map(|id| id as u32).collect()
    };
    let shape = model.shape();
    let question = Question {
        tokens: TokenPair::new(ids("clean_ids"), ids("corrupted_ids"), shape).expect("a pair"),
        answers: Answers::new(ids("answer_id"), ids("wrong_id"), shape).expect("answers"),
        metric: Metric::LogitDiff,
        n_steps: Steps::Fixed(50),
    };
    let plan = Plan {
        directions: Direction::ALL.to_vec(),
        kinds: ComponentKind::ALL.to_vec(),
        zero_baseline: false,
    };
    let mut host = Listener::default();
    let job = run(&model, &question, Experiment::default(), &plan, 1, &mut host);
    block_on(job).expect("it runs")
}

/// Compares metrics and all score tables of a folder with those of a variant of the reference.
fn assert_variant(name: &str, files: &Files, precision: Precision, tolerance: f64) {
    let expected = &json("variants/expected.json")[name];
    let outcome = outcome(files, precision);
    for (side, got) in [("clean", &outcome.clean), ("corrupted", &outcome.corrupted)] {
        let MetricValues { logit_diff, prob_diff, log_prob, kl, .. } = got.metrics;
        let got = [logit_diff, prob_diff, log_prob, kl];
        let metrics = &expected["metrics"][side];
        let fields = ["logit_diff", "prob_diff", "log_prob", "kl"];
        let reference: Vec<f64> = fields.iter().flat_map(|f| numbers(&metrics[f])).collect();
        assert_close(&format!("{name} {side}"), &got, &reference, tolerance);
    }
    for (method, field) in [(Method::Ap, "ap"), (Method::Ig, "ig")] {
        for (kind, site) in [(ComponentKind::Heads, "heads"), (ComponentKind::Neurons, "neurons")] {
            for direction in Direction::ALL {
                let way = if direction == Direction::Noising { "noising" } else { "denoising" };
                let table =
                    outcome.tables.get(TableKey { kind, method, direction }).expect("a table");
                let reference = numbers(&expected[field][site][way]);
                let what = format!("{name} {field} {site} {way}");
                assert_close(&what, table.values(), &reference, tolerance);
            }
        }
    }
}

fn assert_same(name: &str, files: &Files) {
    assert_variant(name, files, Precision::Auto, 1e-6);
}

/// The folder of each variant of the reference.
fn variants() -> Vec<(String, Files)> {
    let expected = json("variants/expected.json");
    let variants = expected.as_object().expect("variants").iter();
    let folder = |(name, entry): (&String, &Value)| {
        let dtype = StoredDtype::from_id(entry["dtype"].as_str().expect("a type"));
        (name.clone(), folder(&entry["config"], &tensors(dtype.expect("a known type"))))
    };
    variants.map(folder).collect()
}

#[test]
fn every_variant_agrees_with_transformers_in_double_precision() {
    let variants = variants();
    assert_eq!(variants.len(), 14);
    for (name, files) in variants {
        assert_variant(&name, &files, Precision::Auto, 1e-6);
    }
}

#[test]
fn every_variant_agrees_with_transformers_in_single_precision() {
    for (name, files) in variants() {
        assert_variant(&name, &files, Precision::Single, CPU_TOLERANCE);
    }
}

#[test]
fn what_changes_no_number_changes_none() {
    let tensors = tensors(StoredDtype::F64);
    for changes in [
        json!({"reorder_and_upcast_attn": true, "n_ctx": 3, "use_cache": false}),
        json!({"activation_function": "gelu_new", "tie_word_embeddings": true}),
    ] {
        assert_same("f64", &folder(&changes, &tensors));
    }
    let mark = [&b"\xef\xbb\xbf"[..], &config(&json!({}))].concat();
    assert_same("f64", &folder(&json!({}), &tensors).with(CONFIG, mark));
}

#[test]
fn names_lose_what_stands_around_the_model() {
    let names = |change: &dyn Fn(&str) -> String| {
        let rename = |tensor: Stored| {
            let name = change(&tensor.name);
            tensor.named(name)
        };
        tensors(StoredDtype::F64).into_iter().map(rename).collect::<Vec<_>>()
    };
    for prefix in [
        "transformer.",
        "_orig_mod.transformer.",
        "module.",
        "module._orig_mod.transformer.",
        "model.transformer.",
        "_orig_mod.module.model.",
        "pretrained_model.transformer.",
    ] {
        let renamed = names(&|name| format!("{prefix}{name}"));
        assert_same("f64", &folder(&json!({}), &renamed));
    }
    // A wrapper of each block puts its name in the middle.
    let compiled = names(&|name| match name.strip_prefix("h.") {
        Some(rest) => format!("transformer.h.{}", rest.replacen('.', "._orig_mod.", 1)),
        None => format!("transformer.{name}"),
    });
    assert!(compiled.iter().any(|tensor| tensor.name == "transformer.h.1._orig_mod.ln_1.bias"));
    assert_same("f64", &folder(&json!({}), &compiled));
    let unknown = names(&|name| format!("encoder.{name}"));
    let refusal = refusal(&folder(&json!({}), &unknown));
    assert!(refusal.starts_with("model.safetensors: tensor \"encoder."), "{refusal}");
}

#[test]
fn buffers_and_other_heads_are_left_out() {
    let mut all = tensors(StoredDtype::F64);
    let mut add = |name: &str, dims: &[usize]| {
        let values = vec![1e9; dims.iter().product()];
        let (name, dims) = (name.to_owned(), dims.to_vec());
        all.push(Stored { name, dtype: StoredDtype::F32, dims, values });
    };
    add("h.0.attn.bias", &[1, 1, 8, 8]);
    add("anything.at.all.h.1.attn.bias", &[1, 1, 8, 8]);
    add("module.transformer.h.1.attn.masked_bias", &[1]);
    add("v_head.summary.weight", &[1, 8]);
    add("multiple_choice_head.summary.bias", &[1]);
    assert_same("f64", &folder(&json!({}), &all));
}

#[test]
fn two_tensors_of_one_name_are_refused_by_both_names() {
    let mut twice = tensors(StoredDtype::F64);
    let copy = twice.iter().find(|tensor| tensor.name == "ln_f.bias").expect("a bias").clone();
    twice.push(copy.named("transformer.ln_f.bias"));
    let refusal = refusal(&folder(&json!({}), &twice));
    for fact in ["model.safetensors: ", "\"ln_f.bias\" is there twice", "\"transformer.ln_f.bias\""]
    {
        assert!(refusal.contains(fact), "{refusal}");
    }
}

/// The tensors with an output embedding made of the embedding, and whether that one stays.
fn with_head(dtype: StoredDtype, stays: bool, head: impl Fn(Stored) -> Stored) -> Vec<Stored> {
    let mut tensors = tensors(dtype);
    let place = tensors.iter().position(|tensor| tensor.name == "wte.weight").expect("one");
    let copy = head(tensors[place].clone().named("lm_head.weight"));
    if !stays {
        tensors.remove(place);
    }
    tensors.push(copy);
    tensors
}

#[test]
fn the_embedding_may_go_by_the_name_of_the_head() {
    for name in ["lm_head.weight", "module.lm_head.weight", "_orig_mod.lm_head.weight"] {
        let alone = with_head(StoredDtype::F64, false, |head| head.named(name));
        assert_same("f64", &folder(&json!({}), &alone));
    }
    // Where it is another matrix by definition, nobody knows the embedding.
    let alone = with_head(StoredDtype::F64, false, |head| head);
    let refusal = refusal(&folder(&json!({"tie_word_embeddings": false}), &alone));
    assert!(refusal.contains("tensor \"wte.weight\" is missing: "), "{refusal}");
}

#[test]
fn a_head_of_equal_values_runs_whatever_its_type() {
    let types = [StoredDtype::F64, StoredDtype::F32, StoredDtype::F16];
    for untied in [json!({"tie_word_embeddings": false}), json!({})] {
        for of_embedding in types {
            for of_head in types {
                // Numbers that a half holds, in whatever types.
                let mut tensors = with_head(StoredDtype::F16, true, |head| head.typed(of_head));
                for tensor in &mut tensors {
                    *tensor = tensor.clone().rounded(StoredDtype::F16);
                    if tensor.name == "wte.weight" {
                        tensor.dtype = of_embedding;
                    }
                }
                assert_same("f16", &folder(&untied, &tensors));
            }
        }
    }
}

#[test]
fn a_head_that_differs_is_refused_by_name() {
    let nudged = |place: usize, by: f64| {
        move |mut head: Stored| {
            head.values[place] += by;
            head
        }
    };
    let flipped = |mut head: Stored| {
        // Two signs: a digest that only carries upwards would not see them.
        head.values[3] = -head.values[3];
        head.values[40] = -head.values[40];
        head
    };
    let swapped = |mut head: Stored| {
        head.values.swap(0, 87);
        head
    };
    let rounded = |head: Stored| head.typed(StoredDtype::F16);
    let heads: [(&str, Vec<Stored>); 5] = [
        ("first", with_head(StoredDtype::F64, true, nudged(0, 1e-15))),
        ("last", with_head(StoredDtype::F64, true, nudged(87, 1e-3))),
        ("signs", with_head(StoredDtype::F64, true, flipped)),
        ("order", with_head(StoredDtype::F64, true, swapped)),
        ("rounded", with_head(StoredDtype::F64, true, rounded)),
    ];
    for (what, tensors) in heads {
        for tied in [true, false] {
            let files = folder(&json!({ "tie_word_embeddings": tied }), &tensors);
            let refusal = refusal(&files);
            let begin =
                "model.safetensors: tensor \"lm_head.weight\": expected the same numbers as";
            assert!(refusal.starts_with(begin), "{what}: {refusal}");
            // Leaving it out would give other numbers than the model's.
            assert!(!refusal.contains("leave"), "{what}, tied: {tied}: {refusal}");
        }
    }
    // The sign of a zero is no difference.
    let zero = |sign: f64| {
        let mut tensors = with_head(StoredDtype::F64, true, |head| head);
        for tensor in &mut tensors {
            if tensor.name == "lm_head.weight" {
                tensor.values[5] = 0.0 * sign;
            } else if tensor.name == "wte.weight" {
                tensor.values[5] = 0.0;
            }
        }
        load(&folder(&json!({}), &tensors), Precision::Auto).is_ok()
    };
    assert!(zero(1.0) && zero(-1.0));
    let headless =
        refusal(&folder(&json!({"tie_word_embeddings": false}), &tensors(StoredDtype::F64)));
    assert!(headless.contains("\"lm_head.weight\" is missing: config.json says"), "{headless}");
}

#[test]
fn shards_are_read_as_one() {
    let tensors = tensors(StoredDtype::F64);
    for first in [1, 7, tensors.len() - 1] {
        assert_same("f64", &sharded(&tensors, first));
    }
    // With prefixes, and with masks that an index may list or not.
    let prefixed: Vec<Stored> =
        tensors.iter().map(|t| t.clone().named(format!("transformer.{}", t.name))).collect();
    let mut files = sharded(&prefixed, 9);
    let mask = Stored {
        name: "transformer.h.0.attn.bias".to_owned(),
        dtype: StoredDtype::F32,
        dims: vec![1, 1, 8, 8],
        values: vec![0.0; 64],
    };
    files = files.with(SHARDS[0], safetensors(prefixed[..9].iter().chain([&mask])));
    assert_same("f64", &files);
    let mut listed = index(&prefixed, 9);
    listed["weight_map"]["transformer.h.1.attn.masked_bias"] = json!(SHARDS[1]);
    assert_same("f64", &files.with(INDEX, format!("\u{feff}{listed}")));
    // The head alone, and a head beside the embedding in the other shard.
    assert_same("f64", &sharded(&with_head(StoredDtype::F64, false, |head| head), 20));
    assert_same("f64", &sharded(&with_head(StoredDtype::F64, true, |head| head), 20));
}

#[test]
fn the_fingerprint_of_shards_is_that_of_their_digests() {
    let tensors = tensors(StoredDtype::F64);
    let files = sharded(&tensors, 9);
    let list = SHARDS.iter().fold(String::new(), |list, name| {
        format!("{list}{}  {name}\n", sha256_of(&files.0[*name]))
    });
    let model = load(&files, Precision::Auto).expect("it loads");
    assert_eq!(
        (model.fingerprint(), model.shards()),
        (sha256_of(list.as_bytes()).as_str(), Some(2))
    );
    // One file goes before an index, as in transformers: whatever the index says.
    let whole = safetensors(&tensors);
    for index in [files.0[INDEX].clone(), b"version https://git-lfs".to_vec()] {
        let both = files.clone().with(WEIGHTS, whole.clone()).with(INDEX, index);
        let model = load(&both, Precision::Auto).expect("it loads");
        assert_eq!((model.fingerprint(), model.shards()), (sha256_of(&whole).as_str(), None));
    }
}

#[test]
fn shards_that_are_not_one_model_are_refused_by_name() {
    let all = tensors(StoredDtype::F64);
    let files = sharded(&all, 9);
    let says = |files: &Files, facts: &[&str]| {
        let refusal = refusal(files);
        assert!(refusal.starts_with(INDEX), "{refusal}");
        for fact in facts {
            assert!(refusal.contains(fact), "{fact}: {refusal}");
        }
    };
    says(&files.clone().without(SHARDS[1]), &[SHARDS[1], "is missing", "19 of the model"]);
    let (first, last) = (&all[0].name, &all[all.len() - 1].name);
    let with_index = |index: String| files.clone().with(INDEX, index);

    // Listed twice, in two shards or in one.
    let text = index(&all, 9).to_string();
    for shard in SHARDS {
        let again = text.replacen("{\"h.", &format!("{{\"{last}\":\"{shard}\",\"h."), 1);
        assert_ne!(again, text);
        says(&with_index(again), &[last, "listed twice", SHARDS[1], shard]);
    }
    // Listed in the other shard.
    let mut elsewhere = index(&all, 9);
    elsewhere["weight_map"][first] = json!(SHARDS[1]);
    says(&with_index(elsewhere.to_string()), &[first, SHARDS[0], SHARDS[1]]);
    // In both shards, and listed in one of them.
    let both = safetensors(all[9..].iter().chain([&all[0]]));
    says(&files.clone().with(SHARDS[1], both), &[first, "lies in", SHARDS[1], SHARDS[0]]);
    // Not listed, and listed without being there.
    let mut nowhere = index(&all, 9);
    nowhere["weight_map"].as_object_mut().expect("a map").remove(last);
    says(&with_index(nowhere.to_string()), &[last, "lies in", "nowhere"]);
    let lacking = safetensors(&all[9..all.len() - 1]);
    says(&files.clone().with(SHARDS[1], lacking), &[last, SHARDS[1], "does not hold it"]);
    let mut in_part = index(&all, 9);
    in_part["weight_map"].as_object_mut().expect("a map").retain(|_, s| s == SHARDS[0]);
    says(&with_index(in_part.to_string()), &["is missing", "a part of a model"]);
    // Two names of one tensor in two shards.
    let mut renamed = all.clone();
    renamed.push(all[0].clone().named(format!("transformer.{first}")));
    says(&sharded(&renamed, 9), &[first, "is there twice"]);
    // A shard's own damage is said of the shard.
    let cut = &files.0[SHARDS[0]];
    let cut = files.clone().with(SHARDS[0], &cut[..cut.len() - 1]);
    assert!(refusal(&cut).starts_with(&format!("{}: file size: ", SHARDS[0])));
    // Names that lead elsewhere are not followed.
    for name in [
        "../a.safetensors",
        "/a.safetensors",
        "a\\b.safetensors",
        "a.bin",
        "",
        "http://a/b.safetensors",
    ] {
        let mut index = index(&all, 9);
        index["weight_map"][first] = json!(name);
        says(&with_index(index.to_string()), &["the same folder", &format!("{name:?}")]);
    }
    for text in
        ["{}", "{\"weight_map\": []}", "{\"weight_map\": {}}", "{\"weight_map\": {\"a\": 1}}"]
    {
        says(&with_index(text.to_owned()), &["weight_map", "got none"]);
    }
}

#[test]
fn weights_that_are_nowhere_are_named_with_what_is_there() {
    let none = Files::default().with(CONFIG, config(&json!({})));
    let refused = refusal(&none);
    assert!(refused.contains(WEIGHTS) && refused.contains(INDEX), "{refused}");
    let pickled = none.with("pytorch_model.bin", "PK\u{3}\u{4}archive/data.pkl");
    let refused = refusal(&pickled);
    assert!(refused.starts_with("pytorch_model.bin: ") && refused.contains("convert"), "{refused}");
}

#[test]
fn a_bos_outside_the_vocabulary_is_refused_where_it_is_asked_for() {
    let tensors = tensors(StoredDtype::F64);
    let tokenizer = std::fs::read(twinbeam_tests::repository("assets/models/mini/tokenizer.json"));
    let tokenizer = tokenizer.expect("the bundled model's");
    for (written, got) in
        [(json!(11), "11"), (json!(-1), "-1"), (json!(1.5), "1.5"), (json!(null), "null")]
    {
        let files = folder(&json!({ "bos_token_id": written }), &tensors);
        assert_same("f64", &files);
        let error =
            load(&files, Precision::Auto).expect("it loads").words().bos().expect_err("none");
        assert_eq!(error, PromptError::NoBos { got: got.to_owned(), d_vocab: 11 });
        let words = error.to_string();
        for fact in ["bos_token_id", "0 to 10", &format!("got {got}:"), "BOS off", "--no-bos"] {
            assert!(words.contains(fact), "{fact}: {words}");
        }
    }
    let good = folder(&json!({}), &tensors);
    assert_eq!(load(&good, Precision::Auto).expect("it loads").words().bos(), Ok(10));
    // A draft with it has that problem, and one without has not.
    let shape = json!({ "vocab_size": 2048, "bos_token_id": 2048 });
    let mut wide = tensors.clone();
    for tensor in &mut wide {
        if tensor.name == "wte.weight" {
            tensor.dims[0] = 2048;
            tensor.values = (0..2048 * 8).map(|i| f64::from(i % 97) / 97.0).collect();
        }
    }
    let files = folder(&shape, &wide).with("tokenizer.json", tokenizer);
    let model = load(&files, Precision::Auto).expect("it loads");
    let draft = Experiment {
        clean: "The key".to_owned(),
        corrupted: "The keys".to_owned(),
        answer: vec![" is".to_owned()],
        wrong: vec![" are".to_owned()],
        ..Experiment::default()
    };
    let look = |draft: &Experiment| block_on(inspect(&model, draft)).expect("it can be looked at");
    assert!(matches!(look(&draft).problem, Some(PromptError::NoBos { d_vocab: 2048, .. })));
    assert_eq!(look(&Experiment { prepend_bos: false, ..draft }).problem, None);
}
