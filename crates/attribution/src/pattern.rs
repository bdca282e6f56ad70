//! A head's attention probabilities in both runs.

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;
use twinbeam_core::wire::probes::AttentionPattern;
use twinbeam_core::words::Side;
use twinbeam_gpt2::Hooks;

use crate::batches::read_back;
use crate::error::finite;
use crate::pace::Load;
use crate::{Error, Progress, RunPair};

/// Where a head attends to, in both runs: one more run of both, which keeps this layer's pattern only.
///
/// # Units
/// Probabilities; each row adds up to 1.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, probabilities that are not finite.
pub async fn attention_pattern(
    pair: &RunPair<'_>,
    layer: usize,
    head: usize,
    progress: &mut dyn Progress,
) -> Result<AttentionPattern, Error> {
    let (model, n_pos) = (pair.model, pair.n_pos);
    let mut kept = OneHead { name: HookName::Pattern(layer), head, pattern: None };
    let both = model.tokens(&[pair.tokens(Side::Clean), pair.tokens(Side::Corrupted)]);
    model.run_from_pre(0, model.embed(both, &mut kept), &mut kept);
    let mut values = Vec::new();
    if let Some(pattern) = kept.pattern {
        let n = pattern.shape().num_elements();
        let load = Load::of(pair.cost.ablations(2));
        let numbers = progress.read(read_back(pair, [pattern.reshape([n])]), load).await?;
        values = finite(&numbers[0], || format!("the pattern of L{layer}H{head}"))?;
    }
    let mut values = values.into_iter().map(|probability| probability as f32);
    let clean = values.by_ref().take(n_pos * n_pos).collect();
    Ok(AttentionPattern { layer, head, n_pos, clean, corrupted: values.collect() })
}

/// Keeps the pattern of one head; `[batch, 1, query_pos, key_pos]`.
struct OneHead {
    name: HookName,
    head: usize,
    pattern: Option<Tensor<4>>,
}

impl Hooks for OneHead {
    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if name == self.name {
            self.pattern = Some(activation.clone().narrow(1, self.head, 1));
        }
        activation
    }
}
