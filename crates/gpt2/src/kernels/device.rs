//! What all kernels share: when they are taken, how rows are dealt to workgroups, and how a kernel becomes a step of
//! the backward pass.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Cube, DispatchDevice, TensorMetadata};
use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// Units that share a row. A power of two, so that sums over them halve.
pub(super) const UNITS: usize = 64;

/// Whether a kernel takes numbers: single precision on a GPU.
pub(crate) fn takes<const D: usize>(x: &burn::Tensor<D>) -> bool {
    let device = x.device().inner();
    x.dtype() == DType::F32 && matches!(device.as_dispatch(), DispatchDevice::Cube(_))
}

/// One workgroup for each row of `[batch, pos, width]`, with its units side by side.
pub(super) fn rows(shape: &Shape) -> (CubeCount, CubeDim) {
    (CubeCount::Static(shape[1] as u32, shape[0] as u32, 1), units())
}

/// The units of a workgroup.
pub(super) fn units() -> CubeDim {
    CubeDim::new_1d(UNITS as u32)
}

/// A tensor of some shape beside another one.
pub(super) fn beside(x: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, x.dtype)
}

/// A tensor whose rows lie in one piece, wherever they begin.
pub(super) fn with_whole_rows(x: CubeTensor) -> CubeTensor {
    if x.meta.strides().last() == Some(&1) { x } else { into_contiguous(x) }
}

/// The sizes of a tensor with three axes.
pub(super) fn three(x: &CubeTensor) -> [usize; 3] {
    let shape = x.shape();
    [shape[0], shape[1], shape[2]]
}

/// What a kernel makes of a gradient, with all that it needs for it.
pub(super) trait Slope: Clone + Send + Debug + 'static {
    /// The gradient of what went in from that of what came out.
    fn pull(self, gradient: CubeTensor) -> CubeTensor;
}

/// A step of the backward pass.
#[derive(Debug)]
struct Step<S>(PhantomData<S>);

impl<S: Slope> Backward<Cube, 1> for Step<S> {
    type State = S;

    fn backward(self, ops: Ops<S, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        unary::<Cube, _>(ops.parents, ops.node, gradients, |gradient| ops.state.pull(gradient));
    }
}

/// A kernel's value as a differentiable function of `x`.
pub(super) fn step<C: CheckpointStrategy, S: Slope>(
    x: &FloatTensor<Autodiff<Cube, C>>,
    value: CubeTensor,
    slope: S,
) -> FloatTensor<Autodiff<Cube, C>> {
    match Step::<S>(PhantomData).prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(slope, value),
        OpsKind::UnTracked(prepared) => prepared.finish(value),
    }
}

/// The sum of one number of each unit. `numbers` is free again when it is known.
#[cube]
pub(super) fn total(numbers: &mut Shared<[f32]>, own: f32) -> f32 {
    let unit = UNIT_POS_X as usize;
    numbers[unit] = own;
    sync_cube();
    #[unroll]
    for step in 1..comptime!(UNITS.ilog2() as usize + 1) {
        let half = comptime!(UNITS >> step);
        if unit < half {
            let sum = numbers[unit] + numbers[unit + half];
            numbers[unit] = sum;
        }
        sync_cube();
    }
    let total = numbers[0];
    sync_cube();
    total
}

/// The largest of one number of each unit. `numbers` is free again when it is known.
#[cube]
pub(super) fn largest(numbers: &mut Shared<[f32]>, own: f32) -> f32 {
    let unit = UNIT_POS_X as usize;
    numbers[unit] = own;
    sync_cube();
    #[unroll]
    for step in 1..comptime!(UNITS.ilog2() as usize + 1) {
        let half = comptime!(UNITS >> step);
        if unit < half {
            let most = max(numbers[unit], numbers[unit + half]);
            numbers[unit] = most;
        }
        sync_cube();
    }
    let largest = numbers[0];
    sync_cube();
    largest
}
