//! A known answer before any other: a small GPT-2 whose numbers were computed on the CPU in double
//! precision and are stored beside this file.

use burn::tensor::TensorCreationOptions;
use twinbeam_attribution::{NoProgress, Nodes, RunPair, integrate, patch};
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::devices::GPU_TOLERANCE;
use twinbeam_core::words::{Answers, ComponentKind, Direction, Metric, Side, TokenPair};
use twinbeam_gpt2::{Gpt2, Gpt2Config, INITIAL_STD, LoadError, Params, random_params};

use crate::Error;
use crate::check::{distance, largest};

const KNOWN: &str = include_str!("self_test.json");

const SHAPE: ModelShape = ModelShape {
    n_layers: 2,
    n_heads: 2,
    d_model: 32,
    d_head: 16,
    d_mlp: 64,
    n_ctx: 16,
    d_vocab: 48,
};

/// Compares a device with the known answers and returns the worst difference, relative to the
/// largest value of its list.
///
/// # Errors
/// A device that fails or is off by more than 0.2 %.
pub async fn self_test(options: &TensorCreationOptions) -> Result<f32, Error> {
    let known: Vec<(String, Vec<f32>)> = serde_json::from_str(KNOWN)
        .map_err(|source| Error::Device(format!("the known answers are damaged: {source}")))?;
    // Boxed: five methods in a row make a large future.
    let values = Box::pin(self_test_values(options)).await?;
    #[cfg(feature = "faults")]
    let values = {
        let mut values = values;
        crate::faults::spoil_answers(&mut values);
        values
    };
    if known.len() != values.len() {
        let (expected, got) = (known.len(), values.len());
        return Err(Error::Device(format!("{expected} known answers for {got} questions")));
    }
    let mut worst = 0.0_f32;
    for ((name, expected), (_, got)) in known.iter().zip(values) {
        let off = distance(expected, &got, largest(expected));
        if off.is_nan() || off > GPU_TOLERANCE {
            return Err(Error::Device(format!(
                "failed its self-test: {name} is off by {off:.1e} of its largest value, \
                 {GPU_TOLERANCE:.0e} is allowed"
            )));
        }
        worst = worst.max(off);
    }
    Ok(worst)
}

/// The numbers that the self-test compares: a forward pass, a patch of heads and of neurons, and a
/// backward pass.
///
/// # Errors
/// A device that fails.
pub async fn self_test_values(
    options: &TensorCreationOptions,
) -> Result<Vec<(&'static str, Vec<f32>)>, Error> {
    let random = random_params(&SHAPE, 20, INITIAL_STD).map(|(name, dims, values)| {
        // Large enough for every non-linearity to matter.
        let scale = if name.contains("ln_") { 1.0 } else { 10.0 };
        (name, dims, values.iter().map(|value| value * scale).collect())
    });
    let params = Params::from_values(random, options).map_err(of_itself)?;
    let model = Gpt2::from_params(Gpt2Config::new(SHAPE, 0), &params).map_err(of_itself)?;
    let clean = vec![0, 5, 9, 13, 21, 34, 7, 2];
    let corrupted = vec![0, 5, 9, 14, 21, 34, 8, 2];
    let tokens = TokenPair::new(clean, corrupted, &SHAPE)?;
    let answers = Answers::new(vec![11], vec![29], &SHAPE)?;
    let pair = RunPair::new(&model, &tokens, answers, Metric::LogitDiff).await?;
    let (heads, neurons) = (ComponentKind::Heads, ComponentKind::Neurons);
    let (noising, denoising) = (Direction::Noising, Direction::Denoising);
    let no = &mut NoProgress;
    Ok(vec![
        (
            "the forward pass",
            pair.logits(Side::Corrupted).iter().map(|logit| *logit as f32).collect(),
        ),
        ("a patch of heads", patch(&pair, heads, 0, noising, no).await?),
        ("a patch of neurons", patch(&pair, neurons, 0, denoising, no).await?),
        ("the backward pass", integrate(&pair, heads, 0, noising, Nodes::Fixed(4), no).await?.ig),
        (
            "attribution patching",
            integrate(&pair, neurons, 1, denoising, Nodes::Fixed(4), no).await?.atp,
        ),
    ])
}

/// The model is made here, of numbers that fit it.
fn of_itself(cause: LoadError) -> Error {
    Error::Load { file: "the self-test's model".to_owned(), cause }
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use burn::tensor::{DType, Device, DeviceKind};

    use super::*;

    /// A forward pass, patches of heads and neurons and a backward pass, with positions that both runs share.
    #[test]
    fn a_gpu_and_its_kernels_give_what_the_cpu_gives_in_double_precision() {
        let on = |device: Device, dtype| TensorCreationOptions::new(device).with_dtype(dtype);
        let gpu = on(Device::wgpu(DeviceKind::DefaultDevice), DType::F32);
        let got = pollster::block_on(self_test_values(&gpu)).expect("a GPU, if only a program");
        let cpu = on(Device::flex(), DType::F64);
        let expected = pollster::block_on(self_test_values(&cpu)).expect("a CPU");
        for ((name, expected), (_, got)) in expected.iter().zip(&got) {
            let off = distance(expected, got, largest(expected));
            // A score is a difference of metrics, and loses the digits in which these agree.
            assert!(off <= 5e-5, "{name} is off by {off:e}");
        }
    }
}
