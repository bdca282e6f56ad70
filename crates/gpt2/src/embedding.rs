//! The token embedding `wte`, in shards that every GPU can bind, and token ids on a device.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::kernels::product::product;

/// Largest part of the embedding in one piece, in bytes of single precision. WebGPU guarantees 128 MiB
/// for what a shader reads; GPT-2 small's whole embedding has 147.
pub(crate) const SHARD_BYTES: usize = 64 << 20;

/// Token ids of a batch of prompts of equal length.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub(crate) ids: Vec<u32>, // batch * pos
    pub(crate) batch: usize,
    pub(crate) pos: usize,
}

/// `wte`, the token embedding and unembedding, in shards of consecutive rows.
///
/// Ids are known to the host, so each row is looked up in its own shard and nothing ever needs the whole
/// matrix in one binding.
#[derive(Debug, Clone)]
pub(crate) struct Embedding {
    shards: Vec<Tensor<2>>, // [rows, d_model] each
    rows: usize,            // of every shard but the last
}

/// Rows of a shard of an embedding that is `d_model` wide.
pub(crate) fn shard_rows(d_model: usize) -> usize {
    (SHARD_BYTES / (4 * d_model)).max(1)
}

impl Embedding {
    /// The embedding in one piece.
    pub(crate) fn whole(wte: Tensor<2>) -> Self {
        let [rows, _] = wte.dims();
        Self { shards: vec![wte], rows }
    }

    /// Shards of equally many rows, but the last, which may have fewer.
    pub(crate) fn new(shards: Vec<Tensor<2>>) -> Option<Self> {
        let rows = shards.first().map(|shard| shard.dims()[0])?;
        Some(Self { shards, rows })
    }

    /// Rows of some ids; `[ids, d_model]`.
    pub(crate) fn rows(&self, ids: &[u32]) -> Tensor<2> {
        if let [shard] = self.shards.as_slice() {
            return shard.clone().select(0, indices(ids.iter().copied(), &self.device()));
        }
        let shard_of = |id: u32| id as usize / self.rows;
        let mut selected = Vec::new();
        let mut order = Vec::with_capacity(ids.len());
        for (index, shard) in self.shards.iter().enumerate() {
            let here = ids.iter().enumerate().filter(|(_, id)| shard_of(**id) == index);
            let (places, local): (Vec<usize>, Vec<u32>) =
                here.map(|(place, id)| (place, id - (index * self.rows) as u32)).unzip();
            if !places.is_empty() {
                selected.push(shard.clone().select(0, indices(local, &self.device())));
                order.extend(places);
            }
        }
        // Row `order[i]` is the one that was selected as number `i`.
        let mut back = vec![0; order.len()];
        for (number, place) in order.into_iter().enumerate() {
            back[place] = number as u32;
        }
        Tensor::cat(selected, 0).select(0, indices(back, &self.device()))
    }

    /// Products with every row; `[n, d_model]` to `[n, d_vocab]`.
    pub(crate) fn logits(&self, normalized: Tensor<2>) -> Tensor<2> {
        let of = |shard: &Tensor<2>| product(normalized.clone(), shard.clone().transpose(), None);
        match self.shards.as_slice() {
            [shard] => of(shard),
            shards => Tensor::cat(shards.iter().map(of).collect(), 1),
        }
    }

    pub(crate) fn device(&self) -> Device {
        self.shards[0].device()
    }

    pub(crate) fn dtype(&self) -> DType {
        self.shards[0].dtype()
    }
}

/// Token ids, or other places, on a device; `[ids]`.
pub fn indices(ids: impl IntoIterator<Item = u32>, device: &Device) -> Tensor<1, Int> {
    // i32: browsers have no 64-bit integers on the GPU, and no vocabulary needs them.
    let ids: Vec<i32> = ids.into_iter().map(u32::cast_signed).collect();
    Tensor::from_data(TensorData::from(ids.as_slice()), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a native test on the CPU may block")]
    fn shards_are_the_whole_to_the_bit() {
        let device = Device::flex();
        let wte = Tensor::<2>::random([11, 6], Distribution::Default, &device);
        let whole = Embedding::whole(wte.clone());
        // The last shard is shorter.
        let shards = (0..3).map(|i| wte.clone().narrow(0, 4 * i, if i == 2 { 3 } else { 4 }));
        let sharded = Embedding::new(shards.collect()).expect("there are shards");
        // Across shards, one twice, one shard without any.
        for ids in [vec![10, 0, 4, 3, 10, 7], vec![9, 0], vec![5]] {
            whole.rows(&ids).into_data().assert_eq(&sharded.rows(&ids).into_data(), true);
        }
        let x = Tensor::<2>::random([5, 6], Distribution::Default, &device);
        whole.logits(x.clone()).into_data().assert_eq(&sharded.logits(x).into_data(), true);
    }

    #[test]
    fn no_shard_of_a_published_model_exceeds_what_every_device_binds() {
        for d_model in [768, 1024, 1280, 1600] {
            let bytes = shard_rows(d_model) * d_model * 4;
            assert!(bytes <= SHARD_BYTES && bytes > SHARD_BYTES / 2);
        }
    }
}
