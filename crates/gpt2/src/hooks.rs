//! Hooks: a named place in the forward pass to read or replace an activation.

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;

/// A place to read or replace activations during a forward pass.
///
/// Both methods are the identity by default, and a hook point is the identity unless a hook says
/// otherwise. What a hook returns must have the shape of what it was given, except that a batch
/// axis of 1 may grow.
pub trait Hooks {
    /// Whether an activation of this name must be there. Where none inside an operation has to be, the operation may be
    /// done in one piece, which then does not ask for them; results are the same to rounding, and on a CPU to the bit.
    fn reads(&self, _name: HookName) -> bool {
        true
    }

    /// Whether the hook may return another activation of this name than it was given. A hook that only looks on is
    /// shown what an operation that is done in one piece has read.
    fn replaces(&self, name: HookName) -> bool {
        self.reads(name)
    }

    /// Reads, and may replace, an activation with three axes: `[batch, pos, d_model]` or `[batch, pos, d_mlp]`.
    fn stream(&mut self, _name: HookName, activation: Tensor<3>) -> Tensor<3> {
        activation
    }

    /// Reads, and may replace, an activation of heads: `[batch, pos, n_heads, d_head]`, and for `hook_pattern` `[batch,
    /// n_heads, query_pos, key_pos]`.
    fn heads(&mut self, _name: HookName, activation: Tensor<4>) -> Tensor<4> {
        activation
    }
}

/// No hooks: the plain forward pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn reads(&self, _name: HookName) -> bool {
        false
    }
}
