//! What a linear metric makes of the last position: on a GPU two passes and one back.

use burn::tensor::Tensor;

use super::layer_norm::layer_norm;

/// The last LayerNorm of a model.
pub(crate) struct Norm<'a> {
    pub(crate) weight: &'a Tensor<1>,
    pub(crate) bias: &'a Tensor<1>,
    pub(crate) epsilon: f64,
}

/// How much further the last position of each stream, normalised, reaches along a direction than that of the first stream;
/// `[batch, pos, d_model]` and `[d_model, 1]` to `[batch]`.
///
/// The difference is taken before the sum over `d_model`, and no gradient flows through the first stream's part in the others.
pub(crate) fn gain(resid: Tensor<3>, norm: &Norm<'_>, direction: &Tensor<2>) -> Tensor<1> {
    #[cfg(feature = "gpu")]
    if super::device::takes(&resid)
        && ![norm.weight, norm.bias].iter().any(|of| of.is_require_grad())
    {
        return gpu::gain(resid, norm, direction);
    }
    by_operations(resid, norm, direction)
}

/// The definition of [`gain`], one operation after the other.
pub(super) fn by_operations(resid: Tensor<3>, norm: &Norm<'_>, direction: &Tensor<2>) -> Tensor<1> {
    let [batch, pos, d_model] = resid.dims();
    let last = layer_norm(resid.narrow(1, pos - 1, 1), norm.weight, norm.bias, norm.epsilon);
    let last = last.reshape([batch, d_model]);
    let gain = last.clone() - last.narrow(0, 0, 1).detach();
    gain.matmul(direction.clone()).reshape([batch])
}

#[cfg(feature = "gpu")]
mod gpu {
    use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Autodiff, Backend, Cube, Dispatch, TensorMetadata, backend_extension};
    use burn::tensor::Shape;
    use burn_cubecl::kernel::into_contiguous;
    use burn_cubecl::tensor::CubeTensor;
    use cubecl::prelude::*;

    use super::Norm;
    use crate::kernels::device::{
        Slope, UNITS, beside, rows, step, three, total, units, with_whole_rows,
    };
    use crate::kernels::layer_norm::gpu::{inverse_deviation, mean, normalize_last, row};

    pub(super) fn gain(
        resid: burn::Tensor<3>,
        norm: &Norm<'_>,
        direction: &burn::Tensor<2>,
    ) -> burn::Tensor<1> {
        let [weight, bias] = [norm.weight, norm.bias].map(|of| of.clone().into_dispatch());
        let direction = direction.clone().into_dispatch();
        let epsilon = norm.epsilon as f32;
        let resid = resid.into_dispatch();
        burn::Tensor::from_dispatch(Dispatch::gain(resid, weight, bias, direction, epsilon))
    }

    #[backend_extension(Cube, Autodiff)]
    pub(super) trait GainOps: Backend {
        fn gain(
            resid: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            direction: FloatTensor<Self>,
            epsilon: f32,
        ) -> FloatTensor<Self>;
    }

    impl GainOps for Cube {
        fn gain(
            resid: CubeTensor,
            weight: CubeTensor,
            bias: CubeTensor,
            direction: CubeTensor,
            epsilon: f32,
        ) -> CubeTensor {
            let [batch, _, _] = three(&resid);
            // In memory, not in registers: what is equal in two streams must be so when it is subtracted.
            let last = normalize_last(resid, weight, bias, epsilon, 1);
            let gain = beside(&last, Shape::new([batch]));
            let client = last.client.clone();
            let count = CubeCount::Static(batch as u32, 1, 1);
            let [last, direction] = [last, direction].map(CubeTensor::into_tensor_arg);
            along::launch(&client, count, units(), last, direction, gain.clone().into_tensor_arg());
            gain
        }
    }

    impl<C: CheckpointStrategy> GainOps for Autodiff<Cube, C> {
        fn gain(
            resid: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            direction: FloatTensor<Self>,
            epsilon: f32,
        ) -> FloatTensor<Self> {
            let x = with_whole_rows(resid.primitive().clone());
            let (weight, direction) = (weight.into_primitive(), direction.into_primitive());
            let bias = bias.into_primitive();
            let gain = Cube::gain(x.clone(), weight.clone(), bias, direction.clone(), epsilon);
            step::<C, _>(&resid, gain, Gained { x, weight, direction, epsilon })
        }
    }

    #[derive(Debug, Clone)]
    struct Gained {
        x: CubeTensor,
        weight: CubeTensor,
        direction: CubeTensor,
        epsilon: f32,
    }

    impl Slope for Gained {
        fn pull(self, gradient: CubeTensor) -> CubeTensor {
            let Self { x, weight, direction, epsilon } = self;
            let gradient = into_contiguous(gradient);
            let dx = beside(&x, x.shape());
            let (count, dim) = rows(&dx.shape());
            let client = x.client.clone();
            let [x, weight, direction, gradient] =
                [x, weight, direction, gradient].map(CubeTensor::into_tensor_arg);
            let out = dx.clone().into_tensor_arg();
            pulled::launch(&client, count, dim, x, weight, direction, gradient, out, epsilon);
            dx
        }
    }

    #[cube(launch)]
    fn along(last: &Tensor<f32>, direction: &Tensor<f32>, gain: &mut Tensor<f32>) {
        let mut numbers = Shared::<[f32]>::new_slice(UNITS);
        let from = CUBE_POS_X as usize * last.stride(0);
        let mut sum = 0.0f32;
        for i in range_stepped(UNIT_POS_X as usize, last.shape(2), UNITS) {
            sum += (last[from + i] - last[i]) * direction[i * direction.stride(0)];
        }
        let sum = total(&mut numbers, sum);
        if UNIT_POS_X == 0 {
            gain[CUBE_POS_X as usize] = sum;
        }
    }

    /// The gradient of LayerNorm's input, where the gradient of its output is along the direction at the last position
    /// and 0 before.
    #[cube(launch)]
    fn pulled(
        x: &Tensor<f32>,
        weight: &Tensor<f32>,
        direction: &Tensor<f32>,
        gradient: &Tensor<f32>,
        dx: &mut Tensor<f32>,
        epsilon: f32,
    ) {
        let mut numbers = Shared::<[f32]>::new_slice(UNITS);
        let width = x.shape(2);
        let mean = mean(x, 0, &mut numbers);
        let scale = inverse_deviation(x, 0, mean, &mut numbers, epsilon);
        let from = row(x, 0);
        let to = CUBE_POS_Y as usize * dx.stride(0) + CUBE_POS_X as usize * dx.stride(1);
        let mut sum = 0.0f32;
        let mut aligned = 0.0f32;
        for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
            let g = direction[i * direction.stride(0)] * weight[i];
            sum += g;
            aligned += g * ((x[from + i] - mean) * scale);
        }
        let sum = total(&mut numbers, sum) / f32::cast_from(width);
        let aligned = total(&mut numbers, aligned) / f32::cast_from(width);
        let is_last = CUBE_POS_X as usize + 1 == x.shape(1);
        let size = select(is_last, scale * gradient[CUBE_POS_Y as usize], 0.0f32);
        for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
            let n = (x[from + i] - mean) * scale;
            let g = direction[i * direction.stride(0)] * weight[i];
            dx[to + i] = (g - sum - n * aligned) * size;
        }
    }
}
