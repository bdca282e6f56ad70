//! Queries, keys and values of a layer in several versions, and what its heads write when they mix them.

use burn::tensor::Tensor;
use twinbeam_gpt2::indices;

use crate::RunPair;

/// Queries, keys and values of the heads of one layer, in several versions; the first is that of the changed run.
///
/// They are of the positions that can differ; what attention reads of those before is the same in every version.
pub(crate) struct Versions<'a> {
    pair: &'a RunPair<'a>,
    layer: usize,
    /// `[versions * n_heads, run positions, d_head]` each.
    qkv: [Tensor<3>; 3],
}

/// A head with the version of its queries, of its keys and of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mix {
    pub(crate) head: usize,
    pub(crate) versions: [usize; 3],
}

impl Mix {
    /// A head as it is in the changed run.
    pub(crate) const fn unchanged(head: usize) -> Self {
        Self { head, versions: [0; 3] }
    }
}

impl<'a> Versions<'a> {
    /// What heads of `layer` make of some streams that they read; `[versions, run positions, d_model]`.
    pub(crate) fn of_streams(pair: &'a RunPair<'_>, layer: usize, streams: Tensor<3>) -> Self {
        let qkv = pair.model.queries_keys_values(layer, streams);
        let qkv = qkv.map(|part| {
            let [versions, n_run, n_heads, d_head] = part.dims();
            part.swap_dims(1, 2).reshape([versions * n_heads, n_run, d_head])
        });
        Self { pair, layer, qkv }
    }

    fn n_run(&self) -> usize {
        self.qkv[0].dims()[1]
    }

    /// Rows of one of the three, by the versions that mixes ask for.
    fn picked(&self, part: usize, mixes: &[Mix]) -> Tensor<3> {
        let n_heads = self.pair.shape().n_heads;
        let row = |mix: &Mix| (mix.versions[part] * n_heads + mix.head) as u32;
        let rows = indices(mixes.iter().map(row), &self.pair.model.device());
        self.qkv[part].clone().select(0, rows)
    }

    /// Queries of the last `pos` positions, and keys and values of all, those before the first difference with them;
    /// `[mixes, pos, d_head]` and twice `[mixes, n_pos, d_head]`.
    pub(crate) fn read(&self, mixes: &[Mix], pos: usize) -> [Tensor<3>; 3] {
        let n_run = self.n_run();
        let q = self.picked(0, mixes).narrow(1, n_run - pos, pos);
        let prefix = self.pair.prefix(self.pair.n_pos - n_run);
        let [k, v] = match prefix.of(self.layer) {
            None => [1, 2].map(|part| self.picked(part, mixes)),
            Some(before) => {
                let heads = mixes.iter().map(|mix| mix.head as u32);
                let heads = indices(heads, &self.pair.model.device());
                [1, 2].map(|part| {
                    let before = before[part - 1].clone().squeeze_dim::<3>(0); // [n_heads, len, d_head]
                    let before = before.select(0, heads.clone());
                    Tensor::cat(vec![before, self.picked(part, mixes)], 1)
                })
            }
        };
        [q, k, v]
    }

    /// How much more the head of each mix writes at the last `pos` positions than it does unchanged; `[mixes, pos,
    /// d_model]`. Exactly 0 where the versions are equal.
    pub(crate) fn changes(&self, mixes: &[Mix], pos: usize) -> Tensor<3> {
        let Self { pair, layer, .. } = *self;
        let n_heads = pair.shape().n_heads;
        // The unchanged heads go the same way: what is the same comes out the same.
        let all: Vec<Mix> = (0..n_heads).map(Mix::unchanged).chain(mixes.iter().copied()).collect();
        let [q, k, v] = self.read(&all, pos);
        let prefix = pair.prefix(pair.n_pos - self.n_run());
        let z = pair.model.pattern(layer, q, k, prefix).matmul(v); // [n_heads + mixes, pos, d_head]
        let heads = indices(mixes.iter().map(|mix| mix.head as u32), &pair.model.device());
        let unchanged = z.clone().narrow(0, 0, n_heads).select(0, heads.clone());
        let changed = z.narrow(0, n_heads, mixes.len());
        pair.model.written(layer, changed - unchanged, heads)
    }
}
