use burn::tensor::Tensor;
use twinbeam_core::HookName;
use twinbeam_gpt2::Hooks;

use crate::error::finite;
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
    let mut n = 0;
    for prompt in prompts.iter().filter(|prompt| prompt.len() > skip) {
        let embedded = pair.model.embed(pair.model.tokens(&[prompt]), &mut sums);
        let resid = pair.model.run_from_pre(0, embedded, &mut sums);
        // Whatever is not finite on the way is not finite at the end.
        let data = resid.sum().into_data_async().await;
        let data = data.map_err(|source| pair.device_error(&source))?;
        finite(&data, || "an activation of a prompt that is averaged".to_owned())?;
        n += prompt.len() - skip;
        progress.advance(pair.cost.runs([prompt.len()])).await?;
    }
    if n == 0 {
        return Err(Error::NotFinite { what: "a mean over no position".to_owned() });
    }
    let z = sums.z.into_iter().map(|sum| sum / n as f64).collect();
    let post = sums.post.into_iter().map(|sum| sum / n as f64).collect();
    Ok(Means { z, post, skip })
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
