//! Heads that are silent at random during training.

use burn::tensor::{Tensor, TensorData};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use twinbeam_core::models::HookName;
use twinbeam_gpt2::Hooks;

/// Share of the heads that are silent in a row.
const SILENT: f64 = 0.2;

/// Silences whole heads during training, other ones in every row.
///
/// Without it one head comes to carry a behaviour alone. GPT-2 was trained with dropout, and its heads
/// stand in for each other; this teaches the same to a small model.
pub(super) struct HeadDropout {
    rng: ChaCha8Rng,
}

impl HeadDropout {
    /// Draws anew for each step, so that a run that was stopped goes on with the same heads.
    pub(super) fn new(seed: u64, step: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(step as u64 + 1);
        Self { rng }
    }
}

impl Hooks for HeadDropout {
    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if !matches!(name, HookName::Z(_)) {
            return activation;
        }
        let [batch, _, n_heads, _] = activation.dims();
        // What is left is made larger by as much as is taken away on average.
        let kept = (1.0 / (1.0 - SILENT)) as f32;
        let scales: Vec<f32> = (0..batch * n_heads)
            .map(|_| if self.rng.random_bool(SILENT) { 0.0 } else { kept })
            .collect();
        let scales = TensorData::new(scales, [batch, 1, n_heads, 1]);
        activation * Tensor::<4>::from_data(scales, super::step::options()).autodiff()
    }
}
