//! Streams that join a batch: on a GPU one pass instead of half a dozen.

use burn::tensor::{Int, Tensor};

/// What is added to the first stream of a batch to make further ones of it, from a list of which some are picked.
#[derive(Debug, Clone, Copy)]
pub enum Joined<'a> {
    /// A contribution per part; `[parts, all positions, d_model]`.
    Whole(&'a Tensor<3>),
    /// A number per part and position, written along the direction of the part; `[all positions, parts]` and `[parts,
    /// d_model]`.
    Along(&'a Tensor<2>, &'a Tensor<2>),
}

impl Joined<'_> {
    /// The contributions of the parts that are picked, at the last `pos` positions; `[ids]` to `[ids, pos, d_model]`.
    pub fn picked(self, ids: Tensor<1, Int>, pos: usize) -> Tensor<3> {
        match self {
            Self::Whole(parts) => {
                let [_, all, _] = parts.dims();
                parts.clone().narrow(1, all - pos, pos).select(0, ids)
            }
            Self::Along(numbers, directions) => {
                let [all, _] = numbers.dims();
                let numbers = numbers.clone().narrow(0, all - pos, pos);
                let numbers = numbers.select(1, ids.clone()).transpose(); // [ids, pos]
                let directions = directions.clone().select(0, ids); // [ids, d_model]
                numbers.unsqueeze_dim::<3>(2) * directions.unsqueeze_dim::<3>(1)
            }
        }
    }
}

/// Streams, and behind them the first one with each picked part added; `[n, pos, d_model]` to
/// `[n + ids, pos, d_model]`.
pub fn join(streams: Tensor<3>, joined: Joined<'_>, ids: Tensor<1, Int>) -> Tensor<3> {
    #[cfg(feature = "gpu")]
    if super::device::takes(&streams) && !streams.is_autodiff() {
        return gpu::join(streams, joined, ids);
    }
    by_operations(streams, joined, ids)
}

/// The definition of [`join`], one operation after the other.
pub(super) fn by_operations(
    streams: Tensor<3>,
    joined: Joined<'_>,
    ids: Tensor<1, Int>,
) -> Tensor<3> {
    let [_, pos, _] = streams.dims();
    let joined = streams.clone().narrow(0, 0, 1) + joined.picked(ids, pos);
    Tensor::cat(vec![streams, joined], 0)
}

#[cfg(feature = "gpu")]
mod gpu {
    use burn::backend::tensor::{FloatTensor, IntTensor};
    use burn::backend::{Backend, Cube, Dispatch, TensorMetadata, backend_extension};
    use burn::tensor::{Int, Shape};
    use burn_cubecl::kernel::into_contiguous;
    use burn_cubecl::tensor::CubeTensor;
    use cubecl::prelude::*;

    use super::Joined;
    use crate::kernels::device::{UNITS, beside, rows, three, with_whole_rows};

    pub(super) fn join(
        streams: burn::Tensor<3>,
        joined: Joined<'_>,
        ids: burn::Tensor<1, Int>,
    ) -> burn::Tensor<3> {
        let (streams, ids) = (streams.into_dispatch(), ids.into_dispatch());
        burn::Tensor::from_dispatch(match joined {
            Joined::Whole(parts) => {
                Dispatch::join_whole(streams, parts.clone().into_dispatch(), ids)
            }
            Joined::Along(numbers, directions) => {
                let numbers = numbers.clone().into_dispatch();
                Dispatch::join_along(streams, numbers, directions.clone().into_dispatch(), ids)
            }
        })
    }

    #[backend_extension(Cube)]
    pub(super) trait JoinOps: Backend {
        fn join_whole(
            streams: FloatTensor<Self>,
            parts: FloatTensor<Self>,
            ids: IntTensor<Self>,
        ) -> FloatTensor<Self>;

        fn join_along(
            streams: FloatTensor<Self>,
            numbers: FloatTensor<Self>,
            directions: FloatTensor<Self>,
            ids: IntTensor<Self>,
        ) -> FloatTensor<Self>;
    }

    impl JoinOps for Cube {
        fn join_whole(streams: CubeTensor, parts: CubeTensor, ids: CubeTensor) -> CubeTensor {
            let [streams, parts] = [streams, parts].map(with_whole_rows);
            let all = room(&streams, &ids);
            let (count, dim) = rows(&all.shape());
            let client = all.client.clone();
            let [streams, parts, ids, out] =
                [streams, parts, ids, all.clone()].map(CubeTensor::into_tensor_arg);
            joined_whole::launch(&client, count, dim, streams, parts, ids, out);
            all
        }

        fn join_along(
            streams: CubeTensor,
            numbers: CubeTensor,
            directions: CubeTensor,
            ids: CubeTensor,
        ) -> CubeTensor {
            let [streams, numbers] = [streams, numbers].map(with_whole_rows);
            let directions = into_contiguous(directions);
            let all = room(&streams, &ids);
            let (count, dim) = rows(&all.shape());
            let client = all.client.clone();
            let [streams, numbers, directions, ids, out] =
                [streams, numbers, directions, ids, all.clone()].map(CubeTensor::into_tensor_arg);
            joined_along::launch(&client, count, dim, streams, numbers, directions, ids, out);
            all
        }
    }

    /// An empty tensor that has room for all streams.
    fn room(streams: &CubeTensor, ids: &CubeTensor) -> CubeTensor {
        let [n, pos, d_model] = three(streams);
        beside(streams, Shape::new([n + ids.shape()[0], pos, d_model]))
    }

    #[cube(launch)]
    fn joined_whole(
        streams: &Tensor<f32>,
        parts: &Tensor<f32>,
        ids: &Tensor<i32>,
        all: &mut Tensor<f32>,
    ) {
        let (stream, pos) = (CUBE_POS_Y as usize, CUBE_POS_X as usize);
        let to = stream * all.stride(0) + pos * all.stride(1);
        let n = streams.shape(0);
        if stream < n {
            let from = stream * streams.stride(0) + pos * streams.stride(1);
            for i in range_stepped(UNIT_POS_X as usize, all.shape(2), UNITS) {
                all[to + i] = streams[from + i];
            }
        } else {
            let id = usize::cast_from(ids[stream - n]);
            let left_out = parts.shape(1) - streams.shape(1);
            let part = id * parts.stride(0) + (left_out + pos) * parts.stride(1);
            let from = pos * streams.stride(1);
            for i in range_stepped(UNIT_POS_X as usize, all.shape(2), UNITS) {
                all[to + i] = streams[from + i] + parts[part + i];
            }
        }
    }

    #[cube(launch)]
    fn joined_along(
        streams: &Tensor<f32>,
        numbers: &Tensor<f32>,
        directions: &Tensor<f32>,
        ids: &Tensor<i32>,
        all: &mut Tensor<f32>,
    ) {
        let (stream, pos) = (CUBE_POS_Y as usize, CUBE_POS_X as usize);
        let to = stream * all.stride(0) + pos * all.stride(1);
        let n = streams.shape(0);
        if stream < n {
            let from = stream * streams.stride(0) + pos * streams.stride(1);
            for i in range_stepped(UNIT_POS_X as usize, all.shape(2), UNITS) {
                all[to + i] = streams[from + i];
            }
        } else {
            let id = usize::cast_from(ids[stream - n]);
            let left_out = numbers.shape(0) - streams.shape(1);
            let number = numbers[(left_out + pos) * numbers.stride(0) + id];
            let part = id * directions.stride(0);
            let from = pos * streams.stride(1);
            for i in range_stepped(UNIT_POS_X as usize, all.shape(2), UNITS) {
                all[to + i] = streams[from + i] + number * directions[part + i];
            }
        }
    }
}
