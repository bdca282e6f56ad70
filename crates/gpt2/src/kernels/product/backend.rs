//! The product as an operation of Burn's: whom it is for, its gradient, and its launch.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, Cube, Dispatch, DispatchDevice, TensorMetadata, backend_extension,
};
use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::choice::{Plan, Shape, choose};
use super::kernel;

/// Whether a product is one for [`product`]: on a GPU, in single precision, and no parameter asks for a gradient.
pub(super) fn takes(x: &Tensor<2>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> bool {
    let device = x.device().inner();
    x.dtype() == DType::F32
        && matches!(device.as_dispatch(), DispatchDevice::Cube(_))
        && !weight.is_autodiff()
        && !bias.is_some_and(Tensor::is_autodiff)
}

/// The product on a GPU.
pub(super) fn product(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::biased_product(x, weight, bias.into_dispatch()),
        None => Dispatch::product(x, weight),
    })
}

/// The product on a GPU by our kernel, in a given way.
pub(super) fn by_plan(x: Tensor<2>, weight: Tensor<2>, plan: Plan) -> Tensor<2> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::planned_product(x, weight, plan))
}

#[backend_extension(Cube)]
trait PlannedOps: Backend {
    /// `[m, k]` times `[k, n]` by our kernel.
    fn planned_product(
        lhs: FloatTensor<Self>,
        rhs: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self>;
}

impl PlannedOps for Cube {
    fn planned_product(lhs: CubeTensor, rhs: CubeTensor, plan: Plan) -> CubeTensor {
        launch(plan, lhs, rhs, None)
    }
}

#[backend_extension(Cube, Autodiff)]
trait ProductOps: Backend {
    /// `[m, k]` times `[k, n]`.
    fn product(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self>;

    /// `[m, k]` times `[k, n]`, plus a bias `[n]`, one number for each column.
    fn biased_product(
        lhs: FloatTensor<Self>,
        rhs: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl ProductOps for Cube {
    fn product(lhs: CubeTensor, rhs: CubeTensor) -> CubeTensor {
        compute(lhs, rhs, None)
    }

    fn biased_product(lhs: CubeTensor, rhs: CubeTensor, bias: CubeTensor) -> CubeTensor {
        compute(lhs, rhs, Some(bias))
    }
}

impl<C: CheckpointStrategy> ProductOps for Autodiff<Cube, C> {
    fn product(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        differentiable::<C>(lhs, rhs, None)
    }

    fn biased_product(
        lhs: FloatTensor<Self>,
        rhs: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        differentiable::<C>(lhs, rhs, Some(bias))
    }
}

/// A product whose first operand may ask for its gradient.
fn differentiable<C: CheckpointStrategy>(
    lhs: FloatTensor<Autodiff<Cube, C>>,
    rhs: FloatTensor<Autodiff<Cube, C>>,
    bias: Option<FloatTensor<Autodiff<Cube, C>>>,
) -> FloatTensor<Autodiff<Cube, C>> {
    let node = lhs.node();
    let rhs = rhs.into_primitive();
    let bias = bias.map(FloatTensor::<Autodiff<Cube, C>>::into_primitive);
    let out = compute(lhs.into_primitive(), rhs.clone(), bias);
    match ProductBackward.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(rhs, out),
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    }
}

/// The gradient of the first operand: that of the result times the second one transposed, which is read as it lies.
#[derive(Debug)]
struct ProductBackward;

impl Backward<Cube, 1> for ProductBackward {
    type State = CubeTensor;

    fn backward(self, ops: Ops<CubeTensor, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let rhs = Cube::float_transpose(ops.state);
        unary::<Cube, _>(ops.parents, ops.node, gradients, |gradient| compute(gradient, rhs, None));
    }
}

/// The product by whoever is chosen for its shape.
fn compute(lhs: CubeTensor, rhs: CubeTensor, bias: Option<CubeTensor>) -> CubeTensor {
    if let Some(plan) = choose(shape(&lhs, &rhs)) {
        return launch(plan, lhs, rhs, bias);
    }
    let product = Cube::float_matmul(lhs, rhs);
    let Some(bias) = bias else {
        return product;
    };
    let width = bias.shape()[0];
    Cube::float_add(product, Cube::float_reshape(bias, [1, width].into()))
}

fn shape(lhs: &CubeTensor, rhs: &CubeTensor) -> Shape {
    let (lhs, rhs) = (lhs.shape(), rhs.shape());
    assert_eq!(lhs[1], rhs[0], "a product of {lhs:?} and {rhs:?}");
    Shape { m: lhs[0], k: lhs[1], n: rhs[1] }
}

/// The product by our kernel.
fn launch(plan: Plan, lhs: CubeTensor, rhs: CubeTensor, bias: Option<CubeTensor>) -> CubeTensor {
    let Shape { m, k, n } = shape(&lhs, &rhs);
    let Plan { tile, parts } = plan;
    let lhs = into_contiguous(lhs);
    let by_transpose = Cube::float_transpose(rhs.clone());
    let transposed = !rhs.is_contiguous() && by_transpose.is_contiguous();
    let rhs = if transposed { by_transpose } else { into_contiguous(rhs) };
    let bias = bias.map(into_contiguous);

    let divides = |length: usize| length.is_multiple_of(kernel::WIDTH);
    let reads = divides(k) && (transposed || divides(n));
    let [read, write] = [reads, divides(n)].map(|four| if four { kernel::WIDTH } else { 1 });
    // Tiles read whole steps of `k` except at its end.
    let part = k.div_ceil(parts).next_multiple_of(tile.depth);
    let client = lhs.client.clone();
    let beside = |shape| {
        empty_device_contiguous_dtype(client.clone(), lhs.device.clone(), shape, DType::F32)
    };
    let out = beside([m, n].into());
    let [across, down] = tile.grid(Shape { m, k, n });
    let count = CubeCount::Static(across as u32, down as u32, parts as u32);
    let dim = CubeDim::new_1d(tile.units() as u32);
    let argument = |bias: CubeTensor| bias.into_buffer_arg();
    let (written, own_bias, bias) = if parts > 1 {
        (beside([parts, m, n].into()), None, bias)
    } else {
        (out.clone(), bias, None)
    };
    kernel::in_tiles::launch(
        &client,
        count,
        dim,
        read,
        write,
        lhs.clone().into_buffer_arg(),
        rhs.into_buffer_arg(),
        own_bias.map(argument).into(),
        written.clone().into_buffer_arg(),
        m,
        k,
        n,
        part,
        tile,
        transposed,
    );
    if parts > 1 {
        let fours = m * n / write;
        let dim = CubeDim::new_1d(kernel::INVOCATIONS as u32);
        let count = cubecl::calculate_cube_count_elemwise(&client, fours, dim);
        kernel::add_parts::launch(
            &client,
            count,
            dim,
            write,
            written.into_buffer_arg(),
            bias.map(argument).into(),
            out.clone().into_buffer_arg(),
            n,
            fours,
            parts,
        );
    }
    out
}
