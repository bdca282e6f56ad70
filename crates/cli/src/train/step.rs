//! One step of training: loss, gradients, AdamW.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use burn::optim::{AdamW, AdamWConfig, AdamWState, Optimizer as _};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Gradients, Tensor, TensorCreationOptions};
use pollster::block_on;
use twinbeam_gpt2::{
    Gpt2, Gpt2Config, Hooks, INITIAL_STD, Param, Params, StoredDtype, expected_params, indices,
    random_params, safetensors_header, stored_bytes,
};

use super::checkpoint::{Checkpoint, Moments};
use super::data::Batch;

/// `d_model` of GPT-2 small.
const GPT2_WIDTH: f32 = 768.0;
/// The norm that the gradient of all parameters together is cut to.
const MAX_GRADIENT_NORM: f64 = 1.0;

/// A model in training: its parameters with AdamW's moments.
pub(super) struct Trainer {
    config: Gpt2Config,
    optimizer: AdamW,
    step: usize,
    params: Params,
    vectors: BTreeMap<String, AdamWState<1>>,
    matrices: BTreeMap<String, AdamWState<2>>,
}

impl Trainer {
    pub(super) fn new(config: Gpt2Config, seed: u64) -> anyhow::Result<Self> {
        // As large a layer's output as at the width that GPT-2's weights were chosen for: a narrow model's
        // attention would otherwise start all but uniform, and learn late.
        let std = INITIAL_STD * (GPT2_WIDTH / config.shape.d_model as f32).sqrt();
        let params = Params::from_values(random_params(&config.shape, seed, std), &options())?;
        Ok(Self::with_params(config, params))
    }

    fn with_params(config: Gpt2Config, params: Params) -> Self {
        let optimizer = AdamWConfig::new().with_weight_decay(0.01).with_epsilon(1e-8).build();
        let (vectors, matrices) = (BTreeMap::new(), BTreeMap::new());
        Self { config, optimizer, step: 0, params, vectors, matrices }
    }

    pub(super) fn resume(config: Gpt2Config, path: &Path) -> anyhow::Result<Self> {
        let checkpoint = Checkpoint::read(path)?;
        let mut params = Params::default();
        for (name, dims) in expected_params(&config.shape) {
            let values = checkpoint.values(&name)?;
            params.insert(name.clone(), Param::from_values(&name, &dims, values, &options())?);
        }
        let mut trainer = Self::with_params(config.clone(), params);
        trainer.step = checkpoint.step();
        for (name, dims) in expected_params(&config.shape) {
            let (first, second) = checkpoint.moments(&name, &dims, &options())?;
            let time = trainer.step;
            match (first, second) {
                (Param::Vector(first), Param::Vector(second)) => {
                    let state = AdamWState::new(Moments::new(time, first, second));
                    trainer.vectors.insert(name, state);
                }
                (Param::Matrix(first), Param::Matrix(second)) => {
                    let state = AdamWState::new(Moments::new(time, first, second));
                    trainer.matrices.insert(name, state);
                }
                _ => anyhow::bail!("{}: the moments of {name} differ in shape", path.display()),
            }
        }
        Ok(trainer)
    }

    /// Steps done.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// One optimiser step; the mean cross-entropy before it, in nats.
    pub(super) fn train(
        &mut self,
        batch: &Batch,
        rate: f64,
        hooks: &mut dyn Hooks,
    ) -> anyhow::Result<f32> {
        let mut leaves = Params::default();
        for (name, param) in self.params.iter() {
            leaves.insert(name.to_owned(), leaf(param));
        }
        let model = Gpt2::from_params(self.config.clone(), &leaves)?;
        let loss = cross_entropy(&model, batch, hooks);
        let gradients = loss.backward();
        let scale = clip(&leaves, &gradients)?;
        let mut updated = Params::default();
        for (name, param) in leaves.iter() {
            updated.insert(name.to_owned(), self.update(name, param, &gradients, scale, rate)?);
        }
        self.params = updated;
        self.step += 1;
        let data = block_on(loss.inner().into_data_async()).context("reading the loss")?;
        let loss = data.iter::<f32>().next().unwrap_or(f32::NAN);
        anyhow::ensure!(loss.is_finite(), "the loss is {loss} at step {}", self.step);
        Ok(loss)
    }

    fn update(
        &mut self,
        name: &str,
        param: &Param,
        gradients: &Gradients,
        scale: f64,
        rate: f64,
    ) -> anyhow::Result<Param> {
        let missing = || format!("{name} has no gradient");
        Ok(match param {
            Param::Vector(leaf) => {
                let gradient = leaf.grad(gradients).with_context(missing)? * scale;
                let state = self.vectors.remove(name);
                let (tensor, state) =
                    self.optimizer.step(rate, leaf.clone().inner(), gradient, state);
                self.vectors.extend(state.map(|state| (name.to_owned(), state)));
                Param::Vector(tensor)
            }
            Param::Matrix(leaf) => {
                let gradient = leaf.grad(gradients).with_context(missing)? * scale;
                let state = self.matrices.remove(name);
                let (tensor, state) =
                    self.optimizer.step(rate, leaf.clone().inner(), gradient, state);
                self.matrices.extend(state.map(|state| (name.to_owned(), state)));
                Param::Matrix(tensor)
            }
        })
    }

    /// Writes parameters and moments, so that a run that is stopped can continue.
    pub(super) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut checkpoint = Checkpoint::new(self.step);
        for (name, param) in self.params.iter() {
            checkpoint.insert(name, &values(param)?);
        }
        for (name, state) in &self.vectors {
            let Moments { moment_1, moment_2, .. } = &state.momentum;
            checkpoint.insert_moments(
                name,
                &values(&Param::Vector(moment_1.clone()))?,
                &values(&Param::Vector(moment_2.clone()))?,
            );
        }
        for (name, state) in &self.matrices {
            let Moments { moment_1, moment_2, .. } = &state.momentum;
            checkpoint.insert_moments(
                name,
                &values(&Param::Matrix(moment_1.clone()))?,
                &values(&Param::Matrix(moment_2.clone()))?,
            );
        }
        checkpoint.write(path)
    }

    /// Writes the model as a Hugging Face `model.safetensors`.
    pub(super) fn export(&self, path: &Path, dtype: StoredDtype) -> anyhow::Result<()> {
        let params: BTreeMap<&str, &Param> = self.params.iter().collect();
        let mut file = safetensors_header(&self.config.shape, dtype);
        for (name, _) in expected_params(&self.config.shape) {
            file.extend(stored_bytes(&values(params[name.as_str()])?, dtype));
        }
        std::fs::write(path, file).with_context(|| format!("writing {}", path.display()))
    }
}

pub(super) fn options() -> TensorCreationOptions {
    TensorCreationOptions::new(Device::flex()).with_dtype(DType::F32)
}

fn leaf(param: &Param) -> Param {
    match param {
        Param::Vector(tensor) => Param::Vector(tensor.clone().autodiff().require_grad()),
        Param::Matrix(tensor) => Param::Matrix(tensor.clone().autodiff().require_grad()),
    }
}

/// Mean cross-entropy of the next token over the batch's real tokens, in nats; `[1]`.
fn cross_entropy(model: &Gpt2, batch: &Batch, hooks: &mut dyn Hooks) -> Tensor<1> {
    let inputs: Vec<&[u32]> = batch.rows.iter().map(|row| &row[..row.len() - 1]).collect();
    let targets = batch.rows.iter().flat_map(|row| &row[1..]);
    let logits = model.run_with_hooks(model.tokens(&inputs), hooks); // [rows, pos, d_vocab]
    let [n_rows, pos, d_vocab] = logits.dims();
    let log_probs = log_softmax(logits.reshape([n_rows * pos, d_vocab]), 1);
    let targets = indices(targets.copied(), &model.device()).reshape([n_rows * pos, 1]);
    let real: Vec<f32> = batch
        .lengths
        .iter()
        .flat_map(|length| (1..=pos).map(move |target| f32::from(target < *length)))
        .collect();
    let n_real: f32 = real.iter().sum();
    let real = Tensor::<1>::from_data(real.as_slice(), options()).reshape([n_rows * pos, 1]);
    (log_probs.gather(1, targets) * real.autodiff()).sum() / -n_real
}

/// The factor that brings the gradient's norm down to its limit.
fn clip(leaves: &Params, gradients: &Gradients) -> anyhow::Result<f64> {
    let squares: Vec<Tensor<1>> = leaves
        .iter()
        .filter_map(|(_, param)| match param {
            Param::Vector(leaf) => leaf.grad(gradients).map(|g| g.square().sum()),
            Param::Matrix(leaf) => leaf.grad(gradients).map(|g| g.square().sum()),
        })
        .collect();
    let total = Tensor::cat(squares, 0).sum();
    let data = block_on(total.into_data_async()).context("reading the gradient's norm")?;
    let norm = data.iter::<f64>().next().unwrap_or(0.0).sqrt();
    Ok(if norm > MAX_GRADIENT_NORM { MAX_GRADIENT_NORM / norm } else { 1.0 })
}

fn values(param: &Param) -> anyhow::Result<Vec<f32>> {
    let data = match param {
        Param::Vector(tensor) => block_on(tensor.clone().into_data_async()),
        Param::Matrix(tensor) => block_on(tensor.clone().into_data_async()),
    };
    Ok(data.context("reading a parameter")?.iter::<f32>().collect())
}
