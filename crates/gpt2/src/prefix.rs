use burn::tensor::Tensor;
use twinbeam_core::HookName;

use crate::ActivationCache;

/// Keys and values of the first positions of a run, which are the same in every run that begins with
/// the same tokens: what later positions read of them.
#[derive(Debug, Clone, Default)]
pub struct Prefix {
    /// Of each layer; `[1, n_heads, len, d_head]` both.
    layers: Vec<[Tensor<4>; 2]>,
    len: usize,
}

impl Prefix {
    /// The first `len` positions of the first row of a cached batch.
    ///
    /// # Panics
    /// If the cache lacks `hook_k` or `hook_v` of a layer.
    pub fn of(cache: &ActivationCache, n_layers: usize, len: usize) -> Self {
        if len == 0 {
            return Self::default();
        }
        let part = |name| {
            let heads = cache.heads(name).expect("keys and values are cached");
            heads.narrow(0, 0, 1).narrow(1, 0, len).swap_dims(1, 2)
        };
        let layer = |layer| [part(HookName::K(layer)), part(HookName::V(layer))];
        Self { layers: (0..n_layers).map(layer).collect(), len }
    }

    /// Positions.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no positions.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keys and values of a layer `[batch, n_heads, pos, d_head]` with the prefix before them.
    pub(crate) fn before(&self, layer: usize, own: [Tensor<4>; 2]) -> [Tensor<4>; 2] {
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
