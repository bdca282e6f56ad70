//! Both prompts run once, with what the methods need of their activations.

use burn::tensor::{Tensor, TensorData};
use twinbeam_core::models::{HookName, ModelShape};
use twinbeam_core::scores::MetricValues;
use twinbeam_core::words::{Answers, Direction, Metric, Side, TokenPair};
use twinbeam_gpt2::{ActivationCache, Gpt2, NoHooks, Prefix, Tokens};

use crate::Progress;
use crate::batches::kind_of;
use crate::cost::{Budget, CostModel};
use crate::error::{Error, finite};
use crate::lanes::lanes;
use crate::metric::{Measure, metric_values};
use crate::one_by_one::Blocks;
use crate::site::{Depth, changed};

/// Both prompts run once on a model, with what the methods need of their activations.
///
/// It can only be made from a [`TokenPair`], so the two runs have the same positions.
#[derive(Debug)]
pub struct RunPair<'model> {
    pub(crate) model: &'model Gpt2,
    pub(crate) measure: Measure,
    pub(crate) n_pos: usize,
    pub(crate) cost: CostModel,
    tokens: TokenPair,
    cache: ActivationCache,
    /// What comes before the first difference, which is the same in every run, and nothing.
    prefixes: [Prefix; 2],
    logits: [Vec<f64>; 2],
    /// The metric of each run, and whether more of it is more of the clean behaviour.
    before: [f64; 2],
    orientation: f64,
    answers: Answers,
}

impl<'model> RunPair<'model> {
    /// Runs both prompts and prepares the metric.
    ///
    /// # Errors
    /// A device that fails, logits that are not finite.
    pub async fn new(
        model: &'model Gpt2,
        tokens: &TokenPair,
        answers: Answers,
        metric: Metric,
    ) -> Result<Self, Error> {
        let (batch, mut cache) = Self::begin(model, tokens);
        let resid = model.run_from_pre(0, model.embed(batch, &mut cache), &mut cache);
        Self::end(model, tokens, answers, metric, (resid, cache)).await
    }

    /// Runs both prompts on a model whose blocks are brought one at a time, and prepares the metric. [`crate::sample`]
    /// is what can be done with such a pair.
    ///
    /// # Errors
    /// Blocks that cannot be brought, a device that fails, logits that are not finite.
    pub async fn one_by_one(
        model: &'model Gpt2,
        blocks: &mut dyn Blocks,
        tokens: &TokenPair,
        answers: Answers,
        metric: Metric,
    ) -> Result<Self, Error> {
        let (batch, mut cache) = Self::begin(model, tokens);
        let mut resid = model.embed(batch, &mut cache);
        for layer in 0..model.shape().n_layers {
            blocks.bring(layer).await?;
            resid = model.run_blocks(layer..layer + 1, resid, &mut cache);
        }
        Self::end(model, tokens, answers, metric, (resid, cache)).await
    }

    /// What is run, and what is kept of it.
    fn begin(model: &Gpt2, tokens: &TokenPair) -> (Tokens, ActivationCache) {
        let cache = ActivationCache::keeping(|name| {
            use HookName::{K, Post, ResidMid, ResidPost, ResidPre, V, Z};
            let of_layer =
                matches!(name, K(_) | V(_) | Z(_) | ResidMid(_) | Post(_) | ResidPost(_));
            of_layer || name == ResidPre(0)
        });
        // One batch of two: the same arithmetic for both, so equal prefixes are equal to the bit.
        (model.tokens(&[tokens.clean(), tokens.corrupted()]), cache)
    }

    async fn end(
        model: &'model Gpt2,
        tokens: &TokenPair,
        answers: Answers,
        metric: Metric,
        (resid, cache): (Tensor<3>, ActivationCache),
    ) -> Result<Self, Error> {
        let last = model.final_norm(resid.narrow(1, tokens.n_pos() - 1, 1)); // [2, 1, d_model]
        let budget = Budget::cpu(lanes(&model.device()));
        let cost = CostModel::new(model.shape(), tokens, metric).within(budget);
        // Before the read, so that it waits for all that is kept: a method that has to do its work again does not
        // begin before it.
        let prefix = |len| model.prefix(&cache, len, tokens.n_pos());
        let prefixes = [prefix(cost.shared_prefix_len()), prefix(0)];
        let measure = Measure::of_answers(metric, model, &answers);
        let data = read(model, model.unembed(last)).await?;
        let values = finite(&data, || "a logit of the two runs".to_owned())?;
        let (clean, corrupted) = values.split_at(model.shape().d_vocab);
        let before = [clean, corrupted]
            .map(|logits| f64::from(metric_values(logits, clean, &answers).get(metric)));
        Ok(Self {
            prefixes,
            model,
            measure: measure.unwrap_or_else(|| Measure::from_clean(model, clean)),
            n_pos: tokens.n_pos(),
            cost,
            tokens: tokens.clone(),
            orientation: f64::from(metric.orientation()),
            before,
            cache,
            logits: [clean.to_vec(), corrupted.to_vec()],
            answers,
        })
    }

    /// This pair with batches for another device than a CPU.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.cost = self.cost.within(budget);
        self
    }

    /// What the methods cost.
    pub const fn cost(&self) -> &CostModel {
        &self.cost
    }

    /// How many components are patched at once as things stand; one more takes as long as a few. On a paced device
    /// these are those that are read together.
    pub fn patched_at_once(&self, progress: &dyn Progress) -> usize {
        let Some(pace) = progress.pace() else {
            return self.cost.most_rows(0) * lanes(&self.model.device());
        };
        let kind = kind_of(self, false);
        self.cost.most_rows(pace.size(kind)) * pace.batches(kind)
    }

    /// Whether the pair was computed in double precision.
    pub fn is_double(&self) -> bool {
        self.model.is_double()
    }

    /// Sizes of the model.
    pub fn shape(&self) -> &ModelShape {
        self.model.shape()
    }

    /// Layers of the model.
    pub fn n_layers(&self) -> usize {
        self.model.shape().n_layers
    }

    /// Logits of a run's last token; `[d_vocab]`.
    pub fn logits(&self, side: Side) -> &[f64] {
        &self.logits[side as usize]
    }

    /// All metrics of a run.
    pub fn metrics(&self, side: Side) -> MetricValues {
        metric_values(self.logits(side), self.logits(Side::Clean), &self.answers)
    }

    /// What positions from `start` on read of those before. After the last attention nobody does.
    pub(crate) fn prefix(&self, start: usize) -> &Prefix {
        let [prefix, none] = &self.prefixes;
        if start == 0 { none } else { prefix }
    }

    /// Tokens of a run.
    pub(crate) fn tokens(&self, side: Side) -> &[u32] {
        match side {
            Side::Clean => self.tokens.clean(),
            Side::Corrupted => self.tokens.corrupted(),
        }
    }

    /// How much more of the clean behaviour the clean run has than the corrupted one, in the metric's unit.
    pub(crate) fn gap(&self) -> f64 {
        self.orientation * (self.before[0] - self.before[1])
    }

    /// The metric of the changed run when the oriented metric is so much more than before.
    pub(crate) fn after(&self, direction: Direction, gain: f64) -> f32 {
        (self.before[changed(direction) as usize] + self.orientation * gain) as f32
    }

    /// Residual stream of a run, from position `start` on; `[1, run positions, d_model]`.
    pub(crate) fn resid(&self, depth: Depth, side: Side, start: usize) -> Tensor<3> {
        let stream = self.stream(depth.name()).narrow(0, side as usize, 1);
        stream.narrow(1, start, self.n_pos - start)
    }

    /// Activations of the site in one run: heads `[1, pos, n_heads, d_head]`.
    pub(crate) fn z(&self, layer: usize, side: Side) -> Tensor<4> {
        let z = self.cache.heads(HookName::Z(layer));
        // OK because `new` keeps `hook_z` of every layer.
        z.expect("hook_z is cached").narrow(0, side as usize, 1)
    }

    /// Activations of the site in one run: neurons `[1, pos, d_mlp]`.
    pub(crate) fn post(&self, layer: usize, side: Side) -> Tensor<3> {
        self.stream(HookName::Post(layer)).narrow(0, side as usize, 1)
    }

    fn stream(&self, name: HookName) -> Tensor<3> {
        // OK because `new` keeps these hook points of every layer.
        self.cache.stream(name).expect("the hook point is cached")
    }
}

/// Logits of the last token of one prompt; `[d_vocab]`.
///
/// # Errors
/// A device that fails, logits that are not finite.
pub async fn last_logits(model: &Gpt2, tokens: &[u32]) -> Result<Vec<f64>, Error> {
    let embedded = model.embed(model.tokens(&[tokens]), &mut NoHooks);
    let resid = model.run_from_pre(0, embedded, &mut NoHooks);
    let last = model.final_norm(resid.narrow(1, tokens.len() - 1, 1)); // [1, 1, d_model]
    let data = read(model, model.unembed(last)).await?;
    finite(&data, || "a logit".to_owned())
}

/// The numbers of a tensor, by itself.
pub(crate) async fn read<const D: usize>(
    model: &Gpt2,
    tensor: Tensor<D>,
) -> Result<TensorData, Error> {
    tensor.into_data_async().await.map_err(|source| device_error(model, &source))
}

pub(crate) fn device_error(model: &Gpt2, source: &impl std::fmt::Display) -> Error {
    Error::Device { device: format!("{:?}", model.device()), message: source.to_string() }
}
