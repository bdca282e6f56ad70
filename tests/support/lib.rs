//! What the suite shares: fixtures, small models, tolerances.

mod files;
mod question;

use std::future::{Future, ready};
use std::path::PathBuf;

use burn::tensor::{DType, Device, Tensor, TensorCreationOptions};
use serde_json::Value;
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::devices::Claim;
use twinbeam_core::wire::{Event, pack, unpack};
use twinbeam_core::words::{Answers, TokenPair};
use twinbeam_engine::Host;
use twinbeam_gpt2::{
    Gpt2, Gpt2Builder, Gpt2Config, INITIAL_STD, LoadError, Params, WeightPlan, random_params,
};

pub use self::files::{Files, Stored, safetensors};
pub use self::question::{Question, VOCABULARY, any_question};

/// Agreement with TransformerLens and captum in float64, relative to the largest value of a table.
pub const CPU_TOLERANCE: f64 = 1e-4;

/// What f32 resolves of a difference between two runs, in logits, at the fixtures' sizes: one unit in
/// the last place of each run at their largest residual stream value, 14. Only a table whose largest score is
/// under 0.01 logits ever sees it (hub-layout case 0).
pub const F32_FLOOR: f64 = 2.0 * 9.6e-7;

/// The fixture folders.
pub const FIXTURES: [&str; 2] = ["tiny-gpt2", "hub-layout"];

/// Path below `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// Path below the root of the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Bytes of a fixture.
///
/// # Panics
/// If it is not there: a test without its fixture has failed.
pub fn read(path: &str) -> Vec<u8> {
    let path = fixture(path);
    std::fs::read(&path).unwrap_or_else(|source| panic!("{}: {source}", path.display()))
}

/// A JSON fixture.
///
/// # Panics
/// If it is not there or not JSON.
pub fn json(path: &str) -> Value {
    serde_json::from_slice(&read(path)).unwrap_or_else(|source| panic!("{path}: {source}"))
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A host of the engine's: keeps what it hears and stops when told.
#[derive(Debug, Default)]
pub struct Listener {
    /// What it has heard.
    pub events: Vec<Event>,
    /// What was claimed for a check.
    pub claims: Vec<Claim>,
    /// After how many events it wants the job to stop.
    pub cancel_after: Option<usize>,
}

impl Host for Listener {
    fn emit(&mut self, event: Event) {
        // Whatever the engine says reaches the page as it was said. NaN is not equal to itself, so by its words.
        let there = pack(&event).and_then(|bytes| unpack::<Event>(&bytes));
        assert_eq!(
            format!("{there:?}"),
            format!("{:?}", Some(&event)),
            "it is packed and unpacked"
        );
        self.events.push(event);
    }

    fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    fn seconds(&self) -> f64 {
        0.0
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        ready(())
    }

    fn cancelled(&self) -> bool {
        self.cancel_after.is_some_and(|most| self.events.len() >= most)
    }
}

/// A model from the bytes of its two files.
///
/// # Errors
/// As [`WeightPlan`] and [`Gpt2Builder`].
pub fn load(config: &Gpt2Config, weights: &[u8], dtype: DType) -> Result<Gpt2, LoadError> {
    let file_len = weights.len() as u64;
    let header = WeightPlan::header_len(&weights[..weights.len().min(64)], file_len)? as usize;
    let plan = WeightPlan::new(&weights[8..8 + header], file_len, config)?;
    let mut builder = Gpt2Builder::new(config.clone(), [&plan], on_cpu(dtype));
    for tensor in &plan.tensors {
        builder.push(tensor, &weights[tensor.range.start as usize..tensor.range.end as usize])?;
    }
    builder.finish()
}

/// The CPU, and a type of number.
pub fn on_cpu(dtype: DType) -> TensorCreationOptions {
    TensorCreationOptions::new(Device::flex()).with_dtype(dtype)
}

/// The model of a fixture folder.
///
/// # Panics
/// If it does not load.
pub fn fixture_model(folder: &str, dtype: DType) -> Gpt2 {
    let config = Gpt2Config::from_json(&read(&format!("{folder}/config.json")))
        .unwrap_or_else(|error| panic!("{folder}: {error}"));
    load(&config, &read(&format!("{folder}/model.safetensors")), dtype)
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
}

/// A case of `cases.json` or `expected.json`.
///
/// # Panics
/// If it is not a legal case of the model.
pub fn case(model: &Gpt2, case: &Value) -> (TokenPair, Answers) {
    let ids =
        |key: &str| -> Vec<u32> { numbers(&case[key]).into_iter().map(|id| id as u32).collect() };
    let id = |key: &str| vec![case[key].as_u64().expect("an id") as u32];
    let shape = model.shape();
    let tokens = TokenPair::new(ids("clean_ids"), ids("corrupted_ids"), shape).expect("a pair");
    let answers = Answers::new(id("answer_id"), id("wrong_id"), shape).expect("answers");
    (tokens, answers)
}

/// All numbers of a nested list, in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

/// A random GPT-2 whose weights are large enough for every non-linearity to matter.
///
/// # Panics
/// Never: the parameters are made for the shape.
pub fn random_model(shape: ModelShape, seed: u64, dtype: DType) -> Gpt2 {
    let params = Params::from_values(random_weights(shape, seed), &on_cpu(dtype)).expect("it fits");
    Gpt2::from_params(Gpt2Config::new(shape, 0), &params).expect("all are there")
}

/// What [`random_model`] is made of: names, shapes and numbers.
pub fn random_weights(shape: ModelShape, seed: u64) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let scaled = |(name, dims, values): (String, Vec<usize>, Vec<f32>)| {
        let scale = if name.contains("ln_") { 1.0 } else { 12.0 };
        (name, dims, values.into_iter().map(|value| value * scale).collect())
    };
    random_params(&shape, seed, INITIAL_STD).map(scaled).collect()
}

/// Largest absolute value; 0 of none.
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// Compares a table with its reference and returns the worst difference, relative to the largest
/// reference value.
///
/// # Panics
/// If it is over `tolerance`.
pub fn assert_close(name: &str, got: &[f32], expected: &[f64], tolerance: f64) -> f64 {
    assert_close_or(name, got, expected, tolerance, 0.0)
}

/// The same, but differences up to `floor` pass.
///
/// # Panics
/// If a difference is over both.
pub fn assert_close_or(
    name: &str,
    got: &[f32],
    expected: &[f64],
    tolerance: f64,
    floor: f64,
) -> f64 {
    assert_eq!(got.len(), expected.len(), "{name}: number of values");
    assert!(got.iter().all(|value| value.is_finite()), "{name}: not finite");
    let scale = largest(expected).max(f64::MIN_POSITIVE);
    let differences: Vec<f64> = got.iter().zip(expected).map(|(g, e)| f64::from(*g) - e).collect();
    let worst = largest(&differences) / scale;
    let most = tolerance.max(floor / scale);
    assert!(worst <= most, "{name}: off by {worst:e} of the largest value, {scale:e}");
    worst
}

/// Numbers of a CPU tensor.
#[expect(clippy::disallowed_methods, reason = "native tests on the CPU may block")]
pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}
