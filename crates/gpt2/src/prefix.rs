//! Keys and values of positions that are the same in many runs, computed once.

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;

use crate::ActivationCache;

/// Keys and values of the first positions of a run, which are the same in every run that begins with
/// the same tokens: what later positions read of them.
#[derive(Debug, Clone)]
pub struct Prefix {
    /// Keys and values of each layer; `[1, n_heads, len, d_head]` both.
    layers: Vec<[Tensor<4>; 2]>,
    /// Which keys the later positions see; `[1, 1, pos, len + pos]`.
    mask: Tensor<4>,
}

impl Prefix {
    /// The first `len` positions of the first row of a cached batch.
    pub(crate) fn new(
        cache: &ActivationCache,
        n_layers: usize,
        len: usize,
        mask: Tensor<4>,
    ) -> Self {
        let part = |name| {
            let heads = cache.heads(name).expect("keys and values are cached");
            heads.narrow(0, 0, 1).narrow(1, 0, len).swap_dims(1, 2)
        };
        let layer = |layer| [part(HookName::K(layer)), part(HookName::V(layer))];
        let layers = if len == 0 { Vec::new() } else { (0..n_layers).map(layer).collect() };
        Self { layers, mask }
    }

    /// A prefix of no position, with a mask.
    pub(crate) fn none(mask: Tensor<4>) -> Self {
        Self { layers: Vec::new(), mask }
    }

    /// Which keys the last `queries` positions see: 0, or a large negative number to be added to a score; `[1, 1, queries,
    /// key_pos]`.
    pub fn mask(&self, queries: usize) -> Tensor<4> {
        let [_, _, pos, _] = self.mask.dims();
        self.mask.clone().narrow(2, pos - queries, queries)
    }

    /// Keys and values of a layer, `[1, n_heads, len, d_head]` both, if there are any.
    pub fn of(&self, layer: usize) -> Option<&[Tensor<4>; 2]> {
        self.layers.get(layer)
    }

    /// Keys and values of a layer `[batch, n_heads, pos, d_head]` with the prefix before them.
    pub fn before(&self, layer: usize, own: [Tensor<4>; 2]) -> [Tensor<4>; 2] {
        let Some(prefix) = self.layers.get(layer) else {
            return own;
        };
        let [batch, ..] = own[0].dims();
        let mut prefix = prefix.iter();
        own.map(|own| match prefix.next() {
            Some(prefix) => {
                let [_, n_heads, len, d_head] = prefix.dims();
                let prefix = prefix.clone().expand([batch, n_heads, len, d_head]);
                Tensor::cat(vec![prefix, own], 2)
            }
            None => own,
        })
    }
}
