//! Attention between the two products: scores, mask, softmax and values of short sequences, on a GPU in one pass, with the
//! keys and values of a prefix read where they are.

use burn::tensor::Tensor;

/// What heads read.
#[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "without a GPU nobody takes it"))]
pub(crate) struct Inputs<'a> {
    /// The product of the stream with `c_attn`, without its bias; `[batch, pos, 3 * d_model]`.
    pub(crate) product: Tensor<3>,
    /// Bias of the product; `[3 * d_model]`.
    pub(crate) bias: &'a Tensor<1>,
    /// Keys and values of earlier positions, the same for every row; `[1, n_heads, len, d_head]` both.
    pub(crate) before: Option<&'a [Tensor<4>; 2]>,
    pub(crate) n_heads: usize,
    /// Number of last positions whose queries are asked.
    pub(crate) queries: usize,
    pub(crate) scale: f64,
}

/// Most keys of a head, which are positions of a prompt, that the kernel takes: a workgroup keeps as many scores. At
/// longer sequences products of the tensor library are better.
pub const MOST_KEYS: usize = 256;

/// Widest head that the kernel takes.
#[cfg(feature = "gpu")]
const MOST_PER_HEAD: usize = 128;

/// Head outputs of the last positions where one kernel computes them, each seeing the keys up to itself;
/// `[batch, queries, d_model]`. `None`: the plain operations do.
pub(crate) fn attention(inputs: &Inputs<'_>) -> Option<Tensor<3>> {
    #[cfg(feature = "gpu")]
    if inputs.fit() {
        return Some(gpu::attention(inputs));
    }
    let _ = inputs;
    None
}

#[cfg(feature = "gpu")]
impl Inputs<'_> {
    fn fit(&self) -> bool {
        let [_, pos, width] = self.product.dims();
        let before = self.before.map_or(0, |[k, _]| k.dims()[2]);
        super::device::takes(&self.product)
            && !self.bias.is_require_grad()
            && before + pos <= MOST_KEYS
            && width / (3 * self.n_heads) <= MOST_PER_HEAD
    }
}

/// The definition of attention between its two products, as `model.rs` has it.
#[cfg(all(feature = "gpu", any(test, feature = "faults")))]
pub(super) fn by_operations(inputs: &Inputs<'_>) -> Tensor<3> {
    use burn::tensor::activation::softmax;

    let Inputs { product, bias, before, n_heads, queries, scale } = inputs;
    let [batch, pos, width] = product.dims();
    let d_model = width / 3;
    let qkv = product.clone() + (*bias).clone().unsqueeze();
    let part = |index: usize| {
        let part = qkv.clone().narrow(2, index * d_model, d_model);
        part.reshape([batch, pos, *n_heads, d_model / n_heads]).swap_dims(1, 2)
    };
    let (q, mut k, mut v) = (part(0).narrow(2, pos - queries, *queries), part(1), part(2));
    if let Some(before) = before {
        let [k_before, v_before] = (*before).clone().map(|before| before.repeat_dim(0, batch));
        k = Tensor::cat(vec![k_before, k], 2);
        v = Tensor::cat(vec![v_before, v], 2);
    }
    let [_, _, keys, _] = k.dims();
    let unseen = |i: usize| i % keys > i / keys + keys - queries;
    let mask = (0..queries * keys).map(|i| if unseen(i) { -1e9 } else { 0.0 });
    let mask = burn::tensor::TensorData::new(mask.collect::<Vec<f32>>(), [1, 1, *queries, keys]);
    let options = burn::tensor::TensorCreationOptions::new(product.device().inner());
    let mask = Tensor::<4>::from_data(mask, options.with_dtype(product.dtype()));
    let scores = q.matmul(k.swap_dims(2, 3)).mul_scalar(*scale) + mask;
    softmax(scores, 3).matmul(v).swap_dims(1, 2).reshape([batch, *queries, d_model])
}

#[cfg(feature = "gpu")]
mod kernel;

#[cfg(feature = "gpu")]
mod gpu {
    use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Autodiff, Backend, Cube, Dispatch, TensorMetadata, backend_extension};
    use burn::tensor::Shape;
    use burn_cubecl::kernel::into_contiguous;
    use burn_cubecl::tensor::CubeTensor;
    use cubecl::prelude::*;

    use super::Inputs;
    use super::kernel::{attended, of_keys, of_queries};
    use crate::kernels::device::{Slope, beside, step, three, units, with_whole_rows};

    /// Numbers that say how the inputs are to be read.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Sizes {
        n_heads: usize,
        queries: usize,
        /// Positions of the prefix.
        before: usize,
        scale: f32,
    }

    pub(super) fn attention(inputs: &Inputs<'_>) -> burn::Tensor<3> {
        let Inputs { product, bias, before, n_heads, queries, scale } = inputs;
        let sizes = Sizes {
            n_heads: *n_heads,
            queries: *queries,
            before: before.map_or(0, |[k, _]| k.dims()[2]),
            scale: *scale as f32,
        };
        let product = product.clone().into_dispatch();
        // Where nothing is before, nothing of it is read, and anything stands for it.
        let [k, v] = match before {
            Some(before) => (*before).clone().map(burn::Tensor::into_dispatch),
            None => [(); 2].map(|()| (*bias).clone().unsqueeze::<4>().into_dispatch()),
        };
        let bias = (*bias).clone().into_dispatch();
        burn::Tensor::from_dispatch(Dispatch::attention(product, bias, k, v, sizes))
    }

    #[backend_extension(Cube, Autodiff)]
    pub(super) trait AttentionOps: Backend {
        fn attention(
            product: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            k_before: FloatTensor<Self>,
            v_before: FloatTensor<Self>,
            sizes: Sizes,
        ) -> FloatTensor<Self>;
    }

    impl AttentionOps for Cube {
        fn attention(
            product: CubeTensor,
            bias: CubeTensor,
            k_before: CubeTensor,
            v_before: CubeTensor,
            sizes: Sizes,
        ) -> CubeTensor {
            Attended::new(product, bias, [k_before, v_before], sizes).value()
        }
    }

    impl<C: CheckpointStrategy> AttentionOps for Autodiff<Cube, C> {
        fn attention(
            product: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            k_before: FloatTensor<Self>,
            v_before: FloatTensor<Self>,
            sizes: Sizes,
        ) -> FloatTensor<Self> {
            let before = [k_before, v_before].map(FloatTensor::<Self>::into_primitive);
            let of =
                Attended::new(product.primitive().clone(), bias.into_primitive(), before, sizes);
            step::<C, _>(&product, of.value(), of)
        }
    }

    #[derive(Debug, Clone)]
    struct Attended {
        product: CubeTensor,
        bias: CubeTensor,
        before: [CubeTensor; 2],
        sizes: Sizes,
    }

    impl Attended {
        fn new(
            product: CubeTensor,
            bias: CubeTensor,
            before: [CubeTensor; 2],
            sizes: Sizes,
        ) -> Self {
            let product = into_contiguous(product);
            Self { product, bias, before: before.map(with_whole_rows), sizes }
        }

        /// One workgroup per query, head and row of the batch.
        fn value(&self) -> CubeTensor {
            let Self { product, bias, before, sizes } = self.clone();
            let [batch, _, width] = three(&product);
            let z = beside(&product, Shape::new([batch, sizes.queries, width / 3]));
            let client = product.client.clone();
            let count = CubeCount::Static(sizes.queries as u32, sizes.n_heads as u32, batch as u32);
            let [k, v] = before.map(CubeTensor::into_tensor_arg);
            let [product, bias] = [product, bias].map(CubeTensor::into_tensor_arg);
            let out = z.clone().into_tensor_arg();
            let Sizes { before, scale, .. } = sizes;
            attended::launch(&client, count, units(), product, bias, k, v, out, before, scale);
            z
        }
    }

    impl Slope for Attended {
        fn pull(self, gradient: CubeTensor) -> CubeTensor {
            let Self { product, bias, before, sizes } = self;
            let gradient = into_contiguous(gradient);
            let [batch, pos, _] = three(&product);
            let Sizes { n_heads, queries, before: len, scale } = sizes;
            let keys = len + pos;
            let pulled = beside(&product, product.shape());
            // The pattern, and behind it the gradient of the scores.
            let inside = beside(&product, Shape::new([2, batch, n_heads, queries, keys]));
            let client = product.client.clone();
            let [k, v] = before.map(CubeTensor::into_tensor_arg);
            let arg = |tensor: &CubeTensor| tensor.clone().into_tensor_arg();
            let count = |pos: usize| CubeCount::Static(pos as u32, n_heads as u32, batch as u32);
            of_queries::launch(
                &client,
                count(queries),
                units(),
                arg(&product),
                arg(&bias),
                k,
                v,
                arg(&gradient),
                arg(&inside),
                arg(&pulled),
                len,
                scale,
            );
            of_keys::launch(
                &client,
                count(pos),
                units(),
                arg(&product),
                arg(&bias),
                arg(&gradient),
                arg(&inside),
                arg(&pulled),
            );
            pulled
        }
    }
}
