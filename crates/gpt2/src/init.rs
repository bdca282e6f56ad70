//! Random parameters, as GPT-2 is initialised.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use twinbeam_core::models::ModelShape;

use crate::expected_params;

/// Standard deviation of GPT-2's initial weights and embeddings.
pub const INITIAL_STD: f32 = 0.02;

/// Random parameters as GPT-2 is initialised, one at a time, in the order of [`expected_params`].
///
/// Embeddings are normal with standard deviation [`INITIAL_STD`] and weights with `std`, which is the same in
/// GPT-2. Weights that write to the residual stream are smaller by `sqrt(2 n_layers)`; biases are 0 and
/// LayerNorm weights 1. Each parameter has a stream of its own, so that the same seed gives the same
/// tensor whatever the other sizes are.
///
/// # Source
/// Radford et al. (2019), "Language models are unsupervised multitask learners", section 2.3.
pub fn random_params(
    shape: &ModelShape,
    seed: u64,
    std: f32,
) -> impl Iterator<Item = (String, Vec<usize>, Vec<f32>)> {
    let residual_std = std / (2.0 * shape.n_layers as f32).sqrt();
    expected_params(shape).into_iter().enumerate().map(move |(index, (name, dims))| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        let n = dims.iter().product();
        let values = if name.contains(".ln_") || name.starts_with("ln_") {
            vec![if name.ends_with("weight") { 1.0 } else { 0.0 }; n]
        } else if name.ends_with("bias") {
            vec![0.0; n]
        } else {
            let embedding = name == "wte.weight" || name == "wpe.weight";
            let projection = if name.ends_with("c_proj.weight") { residual_std } else { std };
            normals(&mut rng, n, if embedding { INITIAL_STD } else { projection })
        };
        (name, dims, values)
    })
}

/// Normal numbers by the Box-Muller transform, two from each pair of uniforms.
fn normals(rng: &mut ChaCha8Rng, n: usize, std: f32) -> Vec<f32> {
    let mut values = Vec::with_capacity(n + 1);
    while values.len() < n {
        // In (0, 1], so that the logarithm is finite.
        let u = 1.0 - rng.random::<f32>();
        let angle = std::f32::consts::TAU * rng.random::<f32>();
        let radius = std * (-2.0 * u.ln()).sqrt();
        values.extend([radius * angle.cos(), radius * angle.sin()]);
    }
    values.truncate(n);
    values
}
