//! What follows a product: its bias together with the function of the neurons, or with what the residual stream was.

use burn::tensor::Tensor;

use crate::Activation;

/// A product `[batch * pos, d_mlp]` with its bias, through the function of the neurons; `[batch, pos, d_mlp]`.
pub(crate) fn activate(
    product: Tensor<2>,
    bias: &Tensor<1>,
    act: Activation,
    [batch, pos]: [usize; 2],
) -> Tensor<3> {
    let [_, width] = product.dims();
    #[cfg(feature = "gpu")]
    if super::device::takes(&product) && !bias.is_require_grad() {
        return gpu::activate(product.reshape([batch, pos, width]), bias, act);
    }
    act.apply((product + bias.clone().unsqueeze()).reshape([batch, pos, width]))
}

/// A product `[batch * pos, d_model]` with its bias, added to a residual stream, or to the last positions of one;
/// `[batch, pos, d_model]`.
pub(crate) fn add(
    resid: Tensor<3>,
    last: Option<usize>,
    product: Tensor<2>,
    bias: &Tensor<1>,
) -> Tensor<3> {
    let [batch, all, width] = resid.dims();
    let shape = [batch, last.unwrap_or(all), width];
    #[cfg(feature = "gpu")]
    if super::device::takes(&product) && !bias.is_require_grad() {
        return gpu::add(resid, product.reshape(shape), bias);
    }
    let written = (product + bias.clone().unsqueeze()).reshape(shape);
    of_last(resid, last) + written
}

/// The last positions of a stream, or all of it.
pub(crate) fn of_last(resid: Tensor<3>, last: Option<usize>) -> Tensor<3> {
    let [_, all, _] = resid.dims();
    match last {
        Some(pos) => resid.narrow(1, all - pos, pos),
        None => resid,
    }
}

#[cfg(feature = "gpu")]
mod gpu {
    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary};
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Autodiff, Backend, Cube, Dispatch, TensorMetadata, backend_extension};
    use burn::tensor::Shape;
    use burn_cubecl::tensor::CubeTensor;
    use cubecl::prelude::*;

    use crate::Activation;
    use crate::activation::Function;
    use crate::kernels::device::{Slope, UNITS, beside, rows, step, three, with_whole_rows};
    use crate::kernels::neuron::{slope_at, value_at};

    pub(super) fn activate(
        x: burn::Tensor<3>,
        bias: &burn::Tensor<1>,
        act: Activation,
    ) -> burn::Tensor<3> {
        let bias = bias.clone().into_dispatch();
        burn::Tensor::from_dispatch(Dispatch::activate(x.into_dispatch(), bias, act.function()))
    }

    pub(super) fn add(
        resid: burn::Tensor<3>,
        x: burn::Tensor<3>,
        bias: &burn::Tensor<1>,
    ) -> burn::Tensor<3> {
        let bias = bias.clone().into_dispatch();
        burn::Tensor::from_dispatch(Dispatch::add_biased(
            resid.into_dispatch(),
            x.into_dispatch(),
            bias,
        ))
    }

    #[backend_extension(Cube, Autodiff)]
    pub(super) trait BiasOps: Backend {
        fn activate(
            x: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            function: Function,
        ) -> FloatTensor<Self>;

        fn add_biased(
            resid: FloatTensor<Self>,
            x: FloatTensor<Self>,
            bias: FloatTensor<Self>,
        ) -> FloatTensor<Self>;
    }

    impl BiasOps for Cube {
        fn activate(x: CubeTensor, bias: CubeTensor, function: Function) -> CubeTensor {
            let x = with_whole_rows(x);
            let y = beside(&x, x.shape());
            let (count, dim) = rows(&y.shape());
            let client = x.client.clone();
            let [x, bias] = [x, bias].map(CubeTensor::into_tensor_arg);
            activated::launch(&client, count, dim, x, bias, y.clone().into_tensor_arg(), function);
            y
        }

        fn add_biased(resid: CubeTensor, x: CubeTensor, bias: CubeTensor) -> CubeTensor {
            let [resid, x] = [resid, x].map(with_whole_rows);
            let y = beside(&x, x.shape());
            let (count, dim) = rows(&y.shape());
            let client = x.client.clone();
            let [resid, x, bias] = [resid, x, bias].map(CubeTensor::into_tensor_arg);
            added::launch(&client, count, dim, resid, x, bias, y.clone().into_tensor_arg());
            y
        }
    }

    impl<C: CheckpointStrategy> BiasOps for Autodiff<Cube, C> {
        fn activate(
            x: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            function: Function,
        ) -> FloatTensor<Self> {
            let (input, bias) = (with_whole_rows(x.primitive().clone()), bias.into_primitive());
            let y = Cube::activate(input.clone(), bias.clone(), function);
            step::<C, _>(&x, y, Activated { x: input, bias, function })
        }

        fn add_biased(
            resid: FloatTensor<Self>,
            x: FloatTensor<Self>,
            bias: FloatTensor<Self>,
        ) -> FloatTensor<Self> {
            let nodes = [resid.node(), x.node()];
            let all = resid.primitive().shape();
            let y =
                Cube::add_biased(resid.into_primitive(), x.into_primitive(), bias.into_primitive());
            match Added.prepare::<C>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(prepared) => prepared.finish(all, y),
                OpsKind::UnTracked(prepared) => prepared.finish(y),
            }
        }
    }

    #[derive(Debug, Clone)]
    struct Activated {
        x: CubeTensor,
        bias: CubeTensor,
        function: Function,
    }

    impl Slope for Activated {
        fn pull(self, gradient: CubeTensor) -> CubeTensor {
            let Self { x, bias, function } = self;
            let gradient = with_whole_rows(gradient);
            let dx = beside(&x, x.shape());
            let (count, dim) = rows(&dx.shape());
            let client = x.client.clone();
            let [x, bias, gradient] = [x, bias, gradient].map(CubeTensor::into_tensor_arg);
            let out = dx.clone().into_tensor_arg();
            sloped::launch(&client, count, dim, x, bias, gradient, out, function);
            dx
        }
    }

    /// The gradient of a sum is that of both its parts; a residual stream has none at positions that were left out.
    #[derive(Debug)]
    struct Added;

    impl Backward<Cube, 2> for Added {
        type State = Shape;

        fn backward(self, ops: Ops<Shape, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
            let all = ops.state;
            let of_resid = |gradient| behind_nothing(gradient, all);
            binary::<Cube, _, _>(ops.parents, ops.node, gradients, of_resid, |gradient| gradient);
        }
    }

    /// A gradient of the last positions as one of all.
    fn behind_nothing(gradient: CubeTensor, all: Shape) -> CubeTensor {
        let [_, pos, _] = three(&gradient);
        if pos == all[1] {
            return gradient;
        }
        let gradient = with_whole_rows(gradient);
        let padded = beside(&gradient, all);
        let (count, dim) = rows(&padded.shape());
        let client = gradient.client.clone();
        let out = padded.clone().into_tensor_arg();
        behind_zeros::launch(&client, count, dim, gradient.into_tensor_arg(), out);
        padded
    }

    #[cube(launch)]
    fn activated(
        x: &Tensor<f32>,
        bias: &Tensor<f32>,
        y: &mut Tensor<f32>,
        #[comptime] function: Function,
    ) {
        let (batch, pos) = (CUBE_POS_Y as usize, CUBE_POS_X as usize);
        let from = batch * x.stride(0) + pos * x.stride(1);
        let to = batch * y.stride(0) + pos * y.stride(1);
        for i in range_stepped(UNIT_POS_X as usize, x.shape(2), UNITS) {
            y[to + i] = value_at(x[from + i] + bias[i], function);
        }
    }

    #[cube(launch)]
    fn sloped(
        x: &Tensor<f32>,
        bias: &Tensor<f32>,
        gradient: &Tensor<f32>,
        dx: &mut Tensor<f32>,
        #[comptime] function: Function,
    ) {
        let (batch, pos) = (CUBE_POS_Y as usize, CUBE_POS_X as usize);
        let from = batch * x.stride(0) + pos * x.stride(1);
        let at = batch * gradient.stride(0) + pos * gradient.stride(1);
        let to = batch * dx.stride(0) + pos * dx.stride(1);
        for i in range_stepped(UNIT_POS_X as usize, x.shape(2), UNITS) {
            dx[to + i] = gradient[at + i] * slope_at(x[from + i] + bias[i], function);
        }
    }

    #[cube(launch)]
    fn added(resid: &Tensor<f32>, x: &Tensor<f32>, bias: &Tensor<f32>, y: &mut Tensor<f32>) {
        let (batch, pos) = (CUBE_POS_Y as usize, CUBE_POS_X as usize);
        let left_out = resid.shape(1) - x.shape(1);
        let of_resid = batch * resid.stride(0) + (pos + left_out) * resid.stride(1);
        let from = batch * x.stride(0) + pos * x.stride(1);
        let to = batch * y.stride(0) + pos * y.stride(1);
        for i in range_stepped(UNIT_POS_X as usize, x.shape(2), UNITS) {
            y[to + i] = resid[of_resid + i] + (x[from + i] + bias[i]);
        }
    }

    #[cube(launch)]
    fn behind_zeros(x: &Tensor<f32>, y: &mut Tensor<f32>) {
        let (batch, pos) = (CUBE_POS_Y as usize, CUBE_POS_X as usize);
        let left_out = y.shape(1) - x.shape(1);
        let to = batch * y.stride(0) + pos * y.stride(1);
        let width = y.shape(2);
        if pos < left_out {
            for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
                y[to + i] = 0.0f32;
            }
        } else {
            let from = batch * x.stride(0) + (pos - left_out) * x.stride(1);
            for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
                y[to + i] = x[from + i];
            }
        }
    }
}
