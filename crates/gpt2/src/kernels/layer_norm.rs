//! LayerNorm: on a GPU one pass instead of nine, and one for its gradient.

use burn::tensor::Tensor;

/// LayerNorm: each position less its mean, over its standard deviation, times `weight` plus `bias`; `[batch, pos,
/// d_model]` to the same.
///
/// # Source
/// Ba et al. (2016), arXiv:1607.06450, with the variance of the numbers that are there, not of a sample.
pub(crate) fn layer_norm(
    x: Tensor<3>,
    weight: &Tensor<1>,
    bias: &Tensor<1>,
    epsilon: f64,
) -> Tensor<3> {
    #[cfg(feature = "gpu")]
    if super::device::takes(&x) && !weight.is_require_grad() && !bias.is_require_grad() {
        return gpu::layer_norm(x, weight, bias, epsilon);
    }
    by_operations(x, weight, bias, epsilon)
}

/// The definition of [`layer_norm`], one operation after the other.
pub(super) fn by_operations(
    x: Tensor<3>,
    weight: &Tensor<1>,
    bias: &Tensor<1>,
    epsilon: f64,
) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(2);
    let variance = (centred.clone() * centred.clone()).mean_dim(2); // [batch, pos, 1]
    let normalized = centred / variance.add_scalar(epsilon).sqrt();
    normalized * weight.clone().unsqueeze() + bias.clone().unsqueeze()
}

#[cfg(feature = "gpu")]
pub(super) mod gpu {
    use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Autodiff, Backend, Cube, Dispatch, TensorMetadata, backend_extension};
    use burn::tensor::Shape;
    use burn_cubecl::tensor::CubeTensor;
    use cubecl::prelude::*;

    use crate::kernels::device::{Slope, UNITS, beside, rows, step, three, total, with_whole_rows};

    pub(super) fn layer_norm(
        x: burn::Tensor<3>,
        weight: &burn::Tensor<1>,
        bias: &burn::Tensor<1>,
        epsilon: f64,
    ) -> burn::Tensor<3> {
        let [weight, bias] = [weight, bias].map(|of| of.clone().into_dispatch());
        burn::Tensor::from_dispatch(Dispatch::layer_norm(
            x.into_dispatch(),
            weight,
            bias,
            epsilon as f32,
        ))
    }

    #[backend_extension(Cube, Autodiff)]
    pub(super) trait LayerNormOps: Backend {
        fn layer_norm(
            x: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            epsilon: f32,
        ) -> FloatTensor<Self>;
    }

    impl LayerNormOps for Cube {
        fn layer_norm(
            x: CubeTensor,
            weight: CubeTensor,
            bias: CubeTensor,
            epsilon: f32,
        ) -> CubeTensor {
            let [_, pos, _] = three(&x);
            normalize_last(x, weight, bias, epsilon, pos)
        }
    }

    /// LayerNorm of the last positions only; `[batch, all, d_model]` to `[batch, pos, d_model]`.
    pub(in crate::kernels) fn normalize_last(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        epsilon: f32,
        pos: usize,
    ) -> CubeTensor {
        let x = with_whole_rows(x);
        let [batch, _, width] = three(&x);
        let y = beside(&x, Shape::new([batch, pos, width]));
        let (count, dim) = rows(&y.shape());
        let client = x.client.clone();
        let [x, weight, bias] = [x, weight, bias].map(CubeTensor::into_tensor_arg);
        let out = y.clone().into_tensor_arg();
        normalized::launch(&client, count, dim, x, weight, bias, out, epsilon);
        y
    }

    impl<C: CheckpointStrategy> LayerNormOps for Autodiff<Cube, C> {
        fn layer_norm(
            x: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            epsilon: f32,
        ) -> FloatTensor<Self> {
            let (input, weight) = (with_whole_rows(x.primitive().clone()), weight.into_primitive());
            let y = Cube::layer_norm(input.clone(), weight.clone(), bias.into_primitive(), epsilon);
            step::<C, _>(&x, y, Normalized { x: input, weight, epsilon })
        }
    }

    #[derive(Debug, Clone)]
    struct Normalized {
        x: CubeTensor,
        weight: CubeTensor,
        epsilon: f32,
    }

    impl Slope for Normalized {
        fn pull(self, gradient: CubeTensor) -> CubeTensor {
            let Self { x, weight, epsilon } = self;
            let gradient = with_whole_rows(gradient);
            let dx = beside(&x, x.shape());
            let (count, dim) = rows(&dx.shape());
            let client = x.client.clone();
            let [x, weight, gradient] = [x, weight, gradient].map(CubeTensor::into_tensor_arg);
            pulled::launch(
                &client,
                count,
                dim,
                x,
                weight,
                gradient,
                dx.clone().into_tensor_arg(),
                epsilon,
            );
            dx
        }
    }

    /// Place at which the row of this workgroup begins, after some positions that are left out.
    #[cube]
    pub(in crate::kernels) fn row(x: &Tensor<f32>, left_out: usize) -> usize {
        CUBE_POS_Y as usize * x.stride(0) + (left_out + CUBE_POS_X as usize) * x.stride(1)
    }

    /// Mean of a row.
    #[cube]
    pub(in crate::kernels) fn mean(
        x: &Tensor<f32>,
        left_out: usize,
        numbers: &mut Shared<[f32]>,
    ) -> f32 {
        let (from, width) = (row(x, left_out), x.shape(2));
        let mut sum = 0.0f32;
        for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
            sum += x[from + i];
        }
        total(numbers, sum) / f32::cast_from(width)
    }

    /// One over the standard deviation of a row.
    #[cube]
    pub(in crate::kernels) fn inverse_deviation(
        x: &Tensor<f32>,
        left_out: usize,
        mean: f32,
        numbers: &mut Shared<[f32]>,
        epsilon: f32,
    ) -> f32 {
        let (from, width) = (row(x, left_out), x.shape(2));
        let mut sum = 0.0f32;
        for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
            let centred = x[from + i] - mean;
            sum += centred * centred;
        }
        1.0f32 / (total(numbers, sum) / f32::cast_from(width) + epsilon).sqrt()
    }

    #[cube(launch)]
    fn normalized(
        x: &Tensor<f32>,
        weight: &Tensor<f32>,
        bias: &Tensor<f32>,
        y: &mut Tensor<f32>,
        epsilon: f32,
    ) {
        let mut numbers = Shared::<[f32]>::new_slice(UNITS);
        let left_out = x.shape(1) - y.shape(1);
        let mean = mean(x, left_out, &mut numbers);
        let scale = inverse_deviation(x, left_out, mean, &mut numbers, epsilon);
        let from = row(x, left_out);
        let to = CUBE_POS_Y as usize * y.stride(0) + CUBE_POS_X as usize * y.stride(1);
        for i in range_stepped(UNIT_POS_X as usize, x.shape(2), UNITS) {
            y[to + i] = (x[from + i] - mean) * scale * weight[i] + bias[i];
        }
    }

    /// The gradient of a row before it was normalised. With `n` the normalised numbers and `g` the gradient times the
    /// weight: `(g - mean(g) - n mean(g n)) / deviation`.
    #[cube(launch)]
    fn pulled(
        x: &Tensor<f32>,
        weight: &Tensor<f32>,
        gradient: &Tensor<f32>,
        dx: &mut Tensor<f32>,
        epsilon: f32,
    ) {
        let mut numbers = Shared::<[f32]>::new_slice(UNITS);
        let width = x.shape(2);
        let mean = mean(x, 0, &mut numbers);
        let scale = inverse_deviation(x, 0, mean, &mut numbers, epsilon);
        let (from, at) = (row(x, 0), row(gradient, 0));
        let to = CUBE_POS_Y as usize * dx.stride(0) + CUBE_POS_X as usize * dx.stride(1);
        let mut sum = 0.0f32;
        let mut along = 0.0f32;
        for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
            let g = gradient[at + i] * weight[i];
            sum += g;
            along += g * ((x[from + i] - mean) * scale);
        }
        let sum = total(&mut numbers, sum) / f32::cast_from(width);
        let along = total(&mut numbers, along) / f32::cast_from(width);
        for i in range_stepped(UNIT_POS_X as usize, width, UNITS) {
            let n = (x[from + i] - mean) * scale;
            dx[to + i] = (gradient[at + i] * weight[i] - sum - n * along) * scale;
        }
    }
}
