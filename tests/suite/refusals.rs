//! Files that are not a GPT-2 are refused with the tensor, what was expected and what was there.

use burn::tensor::DType;
use serde_json::{Value, json};
use twinbeam_gpt2::{ConfigError, Gpt2Config, LoadError, StoredDtype, stored_bytes};
use twinbeam_tests::{assert_close, fixture_model, load, read, values};

const FOLDER: &str = "tiny-gpt2";

fn config() -> Gpt2Config {
    Gpt2Config::from_json(&read(&format!("{FOLDER}/config.json"))).expect("a configuration")
}

fn weights() -> Vec<u8> {
    read(&format!("{FOLDER}/model.safetensors"))
}

/// The file with its header changed and its data kept.
fn with_header(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Vec<u8> {
    let bytes = weights();
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes")) as usize;
    let mut header: serde_json::Map<String, Value> =
        serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    change(&mut header);
    file(&Value::Object(header), &bytes[8 + length..])
}

fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn refused(bytes: &[u8]) -> LoadError {
    load(&config(), bytes, DType::F32).expect_err("it must be refused")
}

#[test]
fn a_missing_tensor_is_named() {
    // Its bytes stay, under a name that is skipped, so that only the name is missing.
    let bytes = with_header(|header| {
        let entry = header.remove("transformer.ln_f.bias").expect("it was there");
        header.insert("h.0.attn.masked_bias".to_owned(), entry);
    });
    let error = refused(&bytes);
    assert!(
        matches!(&error, LoadError::MissingTensor { tensor } if tensor == "ln_f.bias"),
        "{error}"
    );
}

#[test]
fn an_extra_tensor_is_named() {
    let bytes = with_header(|header| {
        let entry = header.remove("transformer.ln_f.bias").expect("it was there");
        header.insert("transformer.h.0.crossattention.bias".to_owned(), entry);
    });
    assert!(
        matches!(refused(&bytes), LoadError::ExtraTensor { tensor } if tensor.contains("cross"))
    );
}

#[test]
fn a_wrong_shape_is_named_with_both_shapes() {
    let bytes = with_header(|header| {
        header["transformer.wpe.weight"]["shape"] = json!([32, 24]);
    });
    let LoadError::Shape { tensor, expected, got } = refused(&bytes) else { panic!("a shape") };
    assert_eq!((tensor.as_str(), expected, got), ("wpe.weight", vec![24, 32], vec![32, 24]));
}

#[test]
fn unknown_types_are_named() {
    for dtype in ["I32", "F64", "Q4_K"] {
        let bytes = with_header(|header| header["transformer.ln_f.bias"]["dtype"] = json!(dtype));
        let LoadError::Dtype { tensor, got } = refused(&bytes) else { panic!("a type") };
        assert_eq!((tensor.contains("ln_f.bias"), got.as_str()), (true, dtype));
    }
}

#[test]
fn twice_the_same_tensor_is_refused() {
    let bytes = with_header(|header| {
        let entry = header.remove("transformer.ln_f.bias").expect("it was there");
        header.insert("ln_f.weight".to_owned(), entry);
    });
    assert!(
        matches!(refused(&bytes), LoadError::DuplicateTensor { tensor } if tensor == "ln_f.weight")
    );
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let mut bytes = weights();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(matches!(refused(&bytes), LoadError::NotFinite { .. }));
}

#[test]
fn truncated_and_padded_files_are_refused_with_both_lengths() {
    let bytes = weights();
    let whole = bytes.len() as u64;
    for cut in [0, 7, 100, bytes.len() - 1] {
        let LoadError::Length { expected, got } = refused(&bytes[..cut]) else {
            panic!("a length")
        };
        assert!(got == cut as u64 && expected > got, "{expected} {got}");
    }
    let LoadError::Length { expected, got } = refused(&[&bytes[..], b"!"].concat()) else {
        panic!("a length")
    };
    assert_eq!((expected, got), (whole, whole + 1));
}

#[test]
fn long_and_broken_headers_are_refused() {
    let long = |length: u64| [&length.to_le_bytes()[..], &[b' '; 100]].concat();
    for length in [(1 << 20) + 1, 100_000_001, u64::MAX] {
        assert!(
            matches!(refused(&long(length)), LoadError::HeaderTooLarge { got } if got == length)
        );
    }
    for header in
        ["[]", "{", "\u{0}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}"]
    {
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        assert!(matches!(refused(&bytes), LoadError::Header { .. }), "{header}");
    }
    let deep = "[".repeat(100_000);
    let bytes = [&(deep.len() as u64).to_le_bytes()[..], deep.as_bytes()].concat();
    assert!(matches!(refused(&bytes), LoadError::Header { .. }), "nested");
    // Overlapping and overflowing tensors.
    let overlap = with_header(|header| {
        header["transformer.ln_f.bias"]["data_offsets"] = json!([0, 128]);
    });
    assert!(matches!(refused(&overlap), LoadError::Header { .. }));
    let overflow = with_header(|header| {
        header["transformer.ln_f.bias"]["shape"] = json!([u64::MAX, 16]);
    });
    assert!(matches!(refused(&overflow), LoadError::Header { .. }));
}

#[test]
fn files_that_people_mistake_for_safetensors_are_recognised() {
    let pointer =
        b"version https://git-lfs.github.com/spec/v1\noid sha256:248dfc\nsize 548105171\n";
    assert!(matches!(refused(pointer), LoadError::LfsPointer));
    assert!(matches!(
        refused(b"PK\x03\x04\x00\x00\x08\x08\x00\x00archive/data.pkl"),
        LoadError::Pickle
    ));
    assert!(matches!(refused(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."), LoadError::Pickle));
    assert!(matches!(refused(b"<!doctype html><title>429</title>"), LoadError::Html));
}

#[test]
fn an_untied_output_embedding_is_refused_and_a_copy_is_not() {
    let bytes = weights();
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes")) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    let data = &bytes[8 + length..];
    let range = &header["transformer.wte.weight"]["data_offsets"];
    let (start, end) = (range[0].as_u64().unwrap() as usize, range[1].as_u64().unwrap() as usize);
    let mut head = header["transformer.wte.weight"].clone();
    head["data_offsets"] = json!([data.len(), data.len() + end - start]);
    header["lm_head.weight"] = head;
    let mut copy = data[start..end].to_vec();
    assert!(load(&config(), &file(&header, &[data, &copy].concat()), DType::F32).is_ok());
    copy[0] ^= 1;
    assert!(matches!(refused(&file(&header, &[data, &copy].concat())), LoadError::Untied));
}

#[test]
fn other_architectures_and_variants_are_refused() {
    let original: Value =
        serde_json::from_slice(&read(&format!("{FOLDER}/config.json"))).expect("JSON");
    let with = |field: &str, value: Value| {
        let mut config = original.clone();
        config[field] = value;
        Gpt2Config::from_json(config.to_string().as_bytes())
    };
    let refused = [
        ("model_type", json!("bert")),
        ("model_type", json!("gpt_neo")),
        ("activation_function", json!("relu")),
        ("scale_attn_weights", json!(false)),
        ("scale_attn_by_inverse_layer_idx", json!(true)),
        ("add_cross_attention", json!(true)),
        ("tie_word_embeddings", json!(false)),
        ("n_layer", json!(0)),
        ("n_head", json!(5)),
        ("vocab_size", json!(10_000_000)),
        ("layer_norm_epsilon", json!(0.0)),
    ];
    for (name, value) in refused {
        let Err(ConfigError::Unsupported { field, expected, got }) = with(name, value) else {
            panic!("{name} must be refused")
        };
        assert!(field == name || name == "n_head", "{field}: {expected} {got}");
    }
    for (field, value) in
        [("n_layer", json!("three")), ("n_embd", json!(-1)), ("n_head", json!(null))]
    {
        assert!(matches!(with(field, value), Err(ConfigError::Malformed(_))), "{field}");
    }
    let bert = br#"{"model_type":"bert","hidden_size":768}"#;
    assert!(matches!(Gpt2Config::from_json(bert), Err(ConfigError::Unsupported { .. })));
    assert!(matches!(Gpt2Config::from_json(b"version https"), Err(ConfigError::Malformed(_))));
}

#[test]
fn half_precision_files_load_to_their_rounding() {
    let whole = fixture_model(FOLDER, DType::F32);
    let tokens: Vec<u32> = vec![0, 7, 31, 12, 5];
    let reference: Vec<f64> =
        values(&whole.forward(whole.tokens(&[&tokens]))).into_iter().map(f64::from).collect();
    // One part in 2^11 for F16, in 2^8 for BF16, grown by three layers.
    for (dtype, tolerance) in [(StoredDtype::F16, 4e-3), (StoredDtype::Bf16, 3e-2)] {
        let bytes = rewritten(dtype);
        assert!(bytes.len() < weights().len() * 6 / 10, "half the size");
        let model = load(&config(), &bytes, DType::F32).expect("it loads");
        let got = values(&model.forward(model.tokens(&[&tokens])));
        let worst = assert_close(dtype.id(), &got, &reference, tolerance);
        assert!(worst > 1e-7, "{} must have been rounded", dtype.id());
    }
}

/// The fixture's weights stored in another type.
fn rewritten(dtype: StoredDtype) -> Vec<u8> {
    let bytes = weights();
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let shape = config().shape;
    let mut out = twinbeam_gpt2::safetensors_header(&shape, dtype);
    for (name, dims) in twinbeam_gpt2::expected_params(&shape) {
        let view = file.tensor(&format!("transformer.{name}")).expect("it is there");
        assert_eq!(view.shape(), dims);
        out.extend(stored_bytes(&StoredDtype::F32.decode(view.data()), dtype));
    }
    out
}
