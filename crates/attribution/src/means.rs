//! Mean activations over prompts and positions, for ablation by means.

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;
use twinbeam_gpt2::Hooks;

use crate::batches::read_back;
use crate::error::finite;
use crate::pace::Load;
use crate::{Error, Progress, RunPair};

/// Mean activations of every layer, over prompts and positions.
#[derive(Debug)]
pub struct Means {
    /// Heads; `[1, 1, n_heads, d_head]` per layer.
    pub(crate) z: Vec<Tensor<4>>,
    /// Neurons; `[1, 1, d_mlp]` per layer.
    pub(crate) post: Vec<Tensor<3>>,
    /// Positions in front that the means are not of, and not for.
    pub(crate) skip: usize,
}

/// Means of `hook_z` and `hook_post` over token rows of any lengths, run one by one. Each position weighs the same;
/// the first `skip` of each prompt are left out.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, activations that are not finite, or prompts
/// without a position that counts.
pub async fn means(
    pair: &RunPair<'_>,
    prompts: &[Vec<u32>],
    skip: usize,
    progress: &mut dyn Progress,
) -> Result<Means, Error> {
    let mut sums = Sums { z: Vec::new(), post: Vec::new(), skip };
    let prompts: Vec<_> = prompts.iter().filter(|prompt| prompt.len() > skip).collect();
    let n: usize = prompts.iter().map(|prompt| prompt.len() - skip).sum();
    if n == 0 {
        return Err(Error::NotFinite { what: "a mean over no position".to_owned() });
    }
    let mut means = Means { z: Vec::new(), post: Vec::new(), skip };
    for (place, prompt) in prompts.iter().enumerate() {
        let embedded = pair.model.embed(pair.model.tokens(&[prompt]), &mut sums);
        let resid = pair.model.run_from_pre(0, embedded, &mut sums);
        if place == prompts.len() - 1 {
            // Before the last read, so that it waits for these too: whoever uses them may do so several times.
            means.z = sums.z.drain(..).map(|sum| sum / n as f64).collect();
            means.post = sums.post.drain(..).map(|sum| sum / n as f64).collect();
        }
        // Whatever is not finite on the way is not finite at the end.
        let load = Load::of(pair.cost.runs([prompt.len()]));
        let numbers = progress.read(read_back(pair, [resid.sum()]), load).await?;
        finite(&numbers[0], || "an activation of a prompt that is averaged".to_owned())?;
    }
    Ok(means)
}

/// Sums over positions, layer by layer.
struct Sums {
    z: Vec<Tensor<4>>,
    post: Vec<Tensor<3>>,
    skip: usize,
}

/// Adds an activation's positions from `skip` on to the sum of its layer. Layers come in their order.
fn add<const D: usize>(sums: &mut Vec<Tensor<D>>, layer: usize, skip: usize, own: &Tensor<D>) {
    let n_pos = own.dims()[1];
    let sum = own.clone().narrow(1, skip, n_pos - skip).sum_dim(1);
    match sums.get_mut(layer) {
        Some(so_far) => *so_far = so_far.clone() + sum,
        None => sums.push(sum),
    }
}

impl Hooks for Sums {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        if let HookName::Post(layer) = name {
            add(&mut self.post, layer, self.skip, &activation);
        }
        activation
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if let HookName::Z(layer) = name {
            add(&mut self.z, layer, self.skip, &activation);
        }
        activation
    }
}
