//! What each head writes: on a GPU a pass of its own, since products of a batch of second operands are the tensor
//! library's, which takes fifty times as long for ones as small as these.

use burn::tensor::Tensor;

/// Head outputs through the rows of the output projection that are theirs; `[batch, pos, n_heads, d_head]` and
/// `[d_model, d_model]` to `[batch, n_heads, pos, d_model]`.
pub(crate) fn head_results(z: Tensor<4>, weight: Tensor<2>) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if super::device::takes(&z) && !z.is_autodiff() && !weight.is_autodiff() {
        return gpu::head_results(z, weight);
    }
    by_operations(z, weight)
}

/// The definition of [`head_results`], one operation after the other.
pub(super) fn by_operations(z: Tensor<4>, weight: Tensor<2>) -> Tensor<4> {
    let [_, _, n_heads, d_head] = z.dims();
    let [_, d_model] = weight.dims();
    let weight = weight.reshape([1, n_heads, d_head, d_model]);
    z.swap_dims(1, 2).matmul(weight)
}

#[cfg(feature = "gpu")]
mod gpu {
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Backend, Cube, Dispatch, TensorMetadata, backend_extension};
    use burn::tensor::Shape;
    use burn_cubecl::kernel::into_contiguous;
    use burn_cubecl::tensor::CubeTensor;
    use cubecl::prelude::*;

    use crate::kernels::device::{UNITS, beside, units};

    pub(super) fn head_results(z: burn::Tensor<4>, weight: burn::Tensor<2>) -> burn::Tensor<4> {
        let (z, weight) = (z.into_dispatch(), weight.into_dispatch());
        burn::Tensor::from_dispatch(Dispatch::head_results(z, weight))
    }

    #[backend_extension(Cube)]
    pub(super) trait HeadOps: Backend {
        fn head_results(z: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;
    }

    impl HeadOps for Cube {
        fn head_results(z: CubeTensor, weight: CubeTensor) -> CubeTensor {
            let [z, weight] = [z, weight].map(into_contiguous);
            let (dims, d_model) = (z.shape(), weight.shape()[1]);
            let [batch, pos, n_heads, _] = [dims[0], dims[1], dims[2], dims[3]];
            let results = beside(&z, Shape::new([batch, n_heads, pos, d_model]));
            let [pieces, rows] = [d_model.div_ceil(UNITS), batch * n_heads];
            let count = CubeCount::Static(pieces as u32, pos as u32, rows as u32);
            let client = z.client.clone();
            let [z, weight, out] = [z, weight, results.clone()].map(CubeTensor::into_tensor_arg);
            written::launch(&client, count, units(), z, weight, out);
            results
        }
    }

    /// A workgroup is some numbers of what one head writes at a position of one row of the batch.
    #[cube(launch)]
    fn written(z: &Tensor<f32>, weight: &Tensor<f32>, results: &mut Tensor<f32>) {
        let (pos, row) = (CUBE_POS_Y as usize, CUBE_POS_Z as usize);
        let (n_heads, d_head) = (z.shape(2), z.shape(3));
        let head = row % n_heads;
        let d_model = weight.shape(1);
        let at = CUBE_POS_X as usize * UNITS + UNIT_POS_X as usize;
        if at < d_model {
            let from = row / n_heads * z.stride(0) + pos * z.stride(1) + head * d_head;
            let first = head * d_head * d_model + at;
            let mut sum = 0.0f32;
            for d in 0..d_head {
                sum = fma(z[from + d], weight[first + d * d_model], sum);
            }
            let to = row * results.stride(1) + pos * d_model;
            results[to + at] = sum;
        }
    }
}
