//! Files that are not a GPT-2 are refused with the tensor, what was expected and what was there.

use burn::tensor::DType;
use serde_json::{Value, json};
use twinbeam_core::models::ModelShape;
use twinbeam_gpt2::{ConfigError, Gpt2Config, LoadError, NoBos, StoredDtype, stored_bytes};
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
        matches!(&error, LoadError::MissingTensor { tensor, .. } if tensor == "ln_f.bias"),
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
        matches!(refused(&bytes), LoadError::ExtraTensor { tensor, .. } if tensor.contains("cross"))
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
    for dtype in ["I32", "F8_E4M3", "Q4_K"] {
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
        matches!(refused(&bytes), LoadError::DuplicateTensor { tensor, .. } if tensor == "ln_f.weight")
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
    assert!(matches!(refused(&[]), LoadError::NotTheFile(_)));
    for cut in [7, 100, bytes.len() - 1] {
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
    let error = refused(&file(&header, &[data, &copy].concat()));
    assert!(matches!(error, LoadError::Untied), "{error}");
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
        ("model_type", json!("bert"), "gpt2"),
        ("model_type", json!("gpt_neo"), "gpt2"),
        ("activation_function", json!("quick_gelu"), "gelu_new"),
        ("activation_function", json!("silu"), "gelu_new"),
        ("activation_function", json!("gelu_10"), "gelu_new"),
        ("activation_function", json!(null), "gelu_new"),
        ("add_cross_attention", json!(true), "false"),
        ("scale_attn_weights", json!("yes"), "true or false"),
        ("n_layer", json!(0), "a whole number"),
        ("n_layer", json!("three"), "a whole number"),
        ("n_embd", json!(-1), "a whole number"),
        ("n_embd", json!(33), "a multiple of n_head 4"),
        ("n_head", json!(null), "a whole number"),
        ("n_inner", json!(1.5), "a whole number"),
        ("vocab_size", json!(10_000_000), "1000000"),
        ("layer_norm_epsilon", json!(0.0), "between 0 and 1"),
        ("layer_norm_epsilon", json!("1e-5"), "between 0 and 1"),
    ];
    for (name, value, wanted) in refused {
        let written = value.to_string();
        let Err(ConfigError::Unsupported { field, expected, got, way_out }) = with(name, value)
        else {
            panic!("{name} must be refused")
        };
        assert_eq!((field, got), (name, written), "{expected}");
        assert!(expected.contains(wanted) && way_out.contains(": take"), "{expected}: {way_out}");
    }
    let bert = br#"{"model_type":"bert","hidden_size":768}"#;
    assert!(matches!(Gpt2Config::from_json(bert), Err(ConfigError::Unsupported { .. })));
    for no_config in [&b"version https://git-lfs"[..], b"", b"{\"n_layer\": 2", b"[]"] {
        let refused = Gpt2Config::from_json(no_config);
        assert!(matches!(refused, Err(ConfigError::NotTheFile(_))), "{refused:?}");
    }
}

#[test]
fn what_a_configuration_leaves_out_is_as_in_transformers() {
    let read = |text: &str| Gpt2Config::from_json(text.as_bytes()).expect(text);
    let small = read(r#"{"model_type": "gpt2"}"#);
    assert_eq!(small.shape.n_params(), 124_439_808);
    assert_eq!(small, Gpt2Config::new(small.shape, 50_256));
    // Written by the first releases, which named no type, and by those who use the common names.
    for text in [
        r#"{"architectures": ["GPT2LMHeadModel"], "n_layer": 2, "n_ctx": 8}"#,
        r#"{"model_type": "gpt2", "num_hidden_layers": 2, "max_position_embeddings": 8, "n_ctx": 9}"#,
        r#"{"n_layer": 2, "n_head": 12, "n_embd": 768, "n_positions": 8, "n_ctx": 9}"#,
    ] {
        let shape = read(text).shape;
        assert_eq!(shape, ModelShape { n_layers: 2, n_ctx: 8, ..small.shape }, "{text}");
    }
    let other = Gpt2Config::from_json(br#"{"architectures": ["BertModel"], "n_layer": 2}"#);
    assert!(matches!(other, Err(ConfigError::Unsupported { field: "model_type", .. })));
    // What is read is written, the name of the activation included.
    for name in ["gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_accurate", "gelu", "relu"] {
        let text = format!(
            r#"{{"model_type": "gpt2", "activation_function": "{name}", "scale_attn_weights": false,
                "scale_attn_by_inverse_layer_idx": true, "tie_word_embeddings": false, "bos_token_id": 7}}"#
        );
        let config = read(&text);
        assert_eq!(config.activation.name(), name);
        assert_eq!(read(&config.to_json()), config);
    }
}

#[test]
fn a_bos_that_is_no_token_is_kept_as_it_is_written() {
    let bos = |value: &str| {
        let text =
            format!(r#"{{"model_type": "gpt2", "vocab_size": 560, "bos_token_id": {value}}}"#);
        Gpt2Config::from_json(text.as_bytes()).expect("it runs without").bos_token_id
    };
    assert_eq!(bos("559"), Ok(559));
    for value in ["560", "-1", "1.5", "null", "\"<|endoftext|>\"", "[559]", "4294967855"] {
        let is_named = value != "null";
        assert_eq!(bos(value), Err(NoBos { got: value.to_owned(), is_named, d_vocab: 560 }));
    }
    let missing = Gpt2Config::from_json(br#"{"model_type": "gpt2", "vocab_size": 560}"#);
    let got = missing.expect("it runs without").bos_token_id.expect_err("it has none").got;
    assert_eq!(got, "nothing, which means 50256");
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
