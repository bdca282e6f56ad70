//! Queries, or keys, of a layer that move evenly: the curve that the residual stream then takes.

use burn::tensor::Tensor;
use twinbeam_core::circuits::Port;

use super::versions::{Mix, Versions};
use crate::RunPair;
use crate::line::Moves;

/// Queries, or keys, of all heads of a layer on their way from the changed run to the values put in.
pub(crate) struct Curve<'a> {
    pair: &'a RunPair<'a>,
    layer: usize,
    /// Whether keys move; else queries do.
    keys: bool,
    /// Queries, keys and values of the changed run; `[n_heads, pos, d_head]` and twice `[n_heads, n_pos, d_head]`.
    qkv: [Tensor<3>; 3],
    /// What is added at the end to that which moves.
    way: Tensor<3>,
    /// Outputs of the heads of the changed run; `[n_heads, pos, d_head]`.
    z: Tensor<3>,
    n_run: usize,
}

impl<'a> Curve<'a> {
    /// The curve of the queries or the keys, as the residual stream's last `pos` positions see it. The versions are that
    /// of the changed run and that of the values put in.
    ///
    /// # Panics
    /// If it is asked for values, in which attention is linear.
    pub(crate) fn new(
        pair: &'a RunPair<'_>,
        (layer, port): (usize, Port),
        versions: &Versions<'_>,
        pos: usize,
    ) -> Self {
        assert_ne!(port, Port::Value, "values move on a straight line");
        let keys = port == Port::Key;
        let n_heads = pair.shape().n_heads;
        let of = |version: usize| {
            let mix = |head| Mix { head, versions: [version; 3] };
            versions.read(&(0..n_heads).map(mix).collect::<Vec<_>>(), pos)
        };
        let (qkv, put_in) = (of(0), of(1));
        let moves = usize::from(keys);
        let way = put_in[moves].clone() - qkv[moves].clone();
        let n_run = pair.n_pos - pair.cost.shared_prefix_len();
        let prefix = pair.prefix(pair.n_pos - n_run);
        let [q, k, v] = qkv.clone();
        let z = pair.model.pattern(layer, q, k, prefix).matmul(v);
        Self { pair, layer, keys, qkv, way, z, n_run }
    }

    /// Patterns at some points with what they are made of, for all heads of each point; `[n * heads, pos, keys]`,
    /// and queries, keys and values likewise.
    fn at(&self, t: Tensor<1>) -> (Tensor<3>, [Tensor<3>; 3]) {
        let [n] = t.dims();
        let moves = usize::from(self.keys);
        let mut part = 0;
        let [q, k, v] = self.qkv.clone().map(|fixed| {
            let [heads, len, d_head] = fixed.dims();
            let fixed = fixed.unsqueeze_dim::<4>(0);
            let moved = if part == moves {
                fixed + self.way.clone().unsqueeze_dim::<4>(0) * t.clone().reshape([n, 1, 1, 1])
            } else {
                fixed.expand([n, heads, len, d_head])
            };
            part += 1;
            moved.reshape([n * heads, len, d_head])
        });
        let prefix = self.pair.prefix(self.pair.n_pos - self.n_run);
        let pattern = self.pair.model.pattern(self.layer, q.clone(), k.clone(), prefix);
        (pattern, [q, k, v])
    }
}

impl Moves for Curve<'_> {
    fn parts(&self) -> usize {
        self.z.dims()[0]
    }

    fn width(&self) -> usize {
        self.parts()
    }

    fn change(&self, t: Tensor<1>) -> Tensor<3> {
        let [n] = t.dims();
        let (pattern, [.., v]) = self.at(t);
        let [heads, pos, d_head] = self.z.dims();
        let z = pattern.matmul(v).reshape([n, heads, pos, d_head]);
        let change = z - self.z.clone().unsqueeze_dim(0);
        self.pair.model.heads_together(self.layer, change.swap_dims(1, 2))
    }

    fn slopes(&self, t: Tensor<1>, gradients: Tensor<3>) -> Tensor<2> {
        let [n] = t.dims();
        let [heads, pos, d_head] = self.z.dims();
        let (pattern, [q, k, v]) = self.at(t);
        let [_, len, _] = self.way.dims();
        let way = self.way.clone().unsqueeze_dim::<4>(0).expand([n, heads, len, d_head]);
        let way = way.reshape([n * heads, len, d_head]);
        let (q, k) = if self.keys { (q, way) } else { (way, k) };
        let rate = self.pair.model.pattern_rate(self.layer, &pattern, q, k).matmul(v);
        let rate = rate.reshape([n, heads, pos, d_head]);
        let at = self.pair.model.at_heads(self.layer, gradients).swap_dims(1, 2);
        (rate * at).sum_dim(3).sum_dim(2).reshape([n, heads])
    }
}
