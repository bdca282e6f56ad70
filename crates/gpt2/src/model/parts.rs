//! What blocks read and write, piece by piece: for those who change one piece and leave the rest as it is.

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor};

use super::{Gpt2, LayerNorm};
use crate::kernels::product::product;
use crate::{NoHooks, Prefix, kernels};

impl Gpt2 {
    /// Unembedding directions of some tokens; `[ids, d_model]`.
    pub fn unembedding_rows(&self, ids: &[u32]) -> Tensor<2> {
        self.wte.rows(ids)
    }

    /// What each head of `layer` writes to the residual stream, without the layer's bias.
    ///
    /// # Shapes
    /// - z: `[batch, pos, n_heads, d_head]`
    /// - result: `[batch, n_heads, pos, d_model]`
    pub fn head_results(&self, layer: usize, z: Tensor<4>) -> Tensor<4> {
        kernels::head_results(z, self.h.of(layer).attn.c_proj.weight.clone())
    }

    /// What each neuron of `layer` writes per unit of activation; `[d_mlp, d_model]`.
    pub fn neuron_directions(&self, layer: usize) -> Tensor<2> {
        self.h.of(layer).mlp.c_proj.weight.clone()
    }

    /// The output bias of attention, which is `hook_attn_out` where all heads are zero; `[d_model]`.
    pub fn attn_bias(&self, layer: usize) -> Tensor<1> {
        self.h.of(layer).attn.c_proj.bias.clone()
    }

    /// What the attention of `layer` adds to the residual stream for some outputs of all heads, without its bias;
    /// `[batch, pos, n_heads, d_head]` to `[batch, pos, d_model]`.
    pub fn heads_together(&self, layer: usize, z: Tensor<4>) -> Tensor<3> {
        let [batch, pos, n_heads, d_head] = z.dims();
        let weight = self.h.of(layer).attn.c_proj.weight.clone();
        let out = product(z.reshape([batch * pos, n_heads * d_head]), weight, None);
        out.reshape([batch, pos, n_heads * d_head])
    }

    /// Queries, keys and values of all heads of `layer`, as they read the residual stream; `[batch, pos, d_model]` to
    /// `[batch, pos, n_heads, d_head]` each.
    pub fn queries_keys_values(&self, layer: usize, resid_pre: Tensor<3>) -> [Tensor<4>; 3] {
        let [batch, pos, _] = resid_pre.dims();
        let block = self.h.of(layer);
        let product = block.attn.c_attn.product(block.ln_1.forward(resid_pre));
        block.attn.split(product, [batch, pos])
    }

    /// Queries, keys and values of heads each of which reads streams of its own; `[3 * n_heads, batch * pos, d_model]`,
    /// the queries, keys and values of the first head first, to `[3 * n_heads, batch * pos, d_head]`.
    pub fn ports(&self, layer: usize, streams: Tensor<3>) -> Tensor<3> {
        let block = self.h.of(layer);
        let read = block.ln_1.forward(streams); // [3 * n_heads, batch * pos, d_model]
        let bias = self.by_port(block.attn.c_attn.bias.clone().unsqueeze()); // [3 * n_heads, 1, d_head]
        read.matmul(self.by_port(block.attn.c_attn.weight.clone())) + bias
    }

    /// Columns of `c_attn` by what they make: `[rows, 3 * d_model]` to `[3 * n_heads, rows, d_head]`, the queries, keys
    /// and values of the first head first.
    fn by_port(&self, columns: Tensor<2>) -> Tensor<3> {
        let shape = self.config.shape;
        let [rows, _] = columns.dims();
        let columns = columns.reshape([rows, 3, shape.n_heads, shape.d_head]);
        columns.permute([2, 1, 0, 3]).reshape([3 * shape.n_heads, rows, shape.d_head])
    }

    /// Attention patterns of some heads of `layer`: how much each query attends to each key; `[heads, query, d_head]` and
    /// `[heads, key, d_head]` to `[heads, query, key]`. The queries are those of the last positions.
    pub fn pattern(&self, layer: usize, q: Tensor<3>, k: Tensor<3>, prefix: &Prefix) -> Tensor<3> {
        let [_, queries, _] = q.dims();
        let mask = prefix.mask(queries).squeeze_dim::<3>(0); // [1, query, key]
        softmax(self.h.of(layer).attn.scores(q, k) + mask, 2)
    }

    /// How fast a pattern changes when its scores change at some rate: the softmax's derivative along it. `[heads, query,
    /// key]`, and queries and keys one of which is a rate of change, to `[heads, query, key]`.
    pub fn pattern_rate(
        &self,
        layer: usize,
        pattern: &Tensor<3>,
        q: Tensor<3>,
        k: Tensor<3>,
    ) -> Tensor<3> {
        let rate = pattern.clone() * self.h.of(layer).attn.scores(q, k);
        rate.clone() - pattern.clone() * rate.sum_dim(2)
    }

    /// What each of some heads of `layer` writes to the residual stream, without the layer's bias; outputs `[n, pos,
    /// d_head]` and the head that each is of `[n]` to `[n, pos, d_model]`.
    pub fn written(&self, layer: usize, z: Tensor<3>, heads: Tensor<1, Int>) -> Tensor<3> {
        let shape = self.config.shape;
        let weight = self.h.of(layer).attn.c_proj.weight.clone();
        let [_, d_model] = weight.dims();
        z.matmul(weight.reshape([shape.n_heads, shape.d_head, d_model]).select(0, heads))
    }

    /// What the MLP of `layer` adds to the residual stream that it reads; `[batch, pos, d_model]` to the same.
    pub fn mlp_out(&self, layer: usize, resid_mid: Tensor<3>) -> Tensor<3> {
        let block = self.h.of(layer);
        let post = block.mlp.post(layer, block.ln_2.forward(resid_mid), &mut NoHooks);
        block.mlp.c_proj.forward(post)
    }

    /// Gradients at the outputs of all heads of `layer`, from those at the residual stream that they write to; `[batch, pos,
    /// d_model]` to `[batch, pos, n_heads, d_head]`.
    pub fn at_heads(&self, layer: usize, at_resid: Tensor<3>) -> Tensor<4> {
        let shape = self.config.shape;
        let [batch, pos, d_model] = at_resid.dims();
        let weight = self.h.of(layer).attn.c_proj.weight.clone().transpose();
        let at = product(at_resid.reshape([batch * pos, d_model]), weight, None);
        at.reshape([batch, pos, shape.n_heads, shape.d_head])
    }

    /// Gradients at what each query, key and value of `layer` reads, from the gradients at themselves.
    ///
    /// # Shapes
    /// - `resid_pre`: `[batch, pos, d_model]`
    /// - gradients: `[batch, pos, n_heads, d_head]` of queries, of keys and of values
    /// - result: `[3 * n_heads, batch, pos, d_model]`, the queries, keys and values of the first head first
    pub fn read_by_ports(
        &self,
        layer: usize,
        resid_pre: Tensor<3>,
        at: [Tensor<4>; 3],
    ) -> Tensor<4> {
        let [batch, pos, d_model] = resid_pre.dims();
        let [_, _, n_heads, d_head] = at[0].dims();
        let block = self.h.of(layer);
        let at = at.map(|gradient| gradient.unsqueeze_dim::<5>(3)); // [batch, pos, n_heads, 1, d_head]
        let at = Tensor::cat(at.to_vec(), 3).reshape([batch * pos, 3 * n_heads, d_head]);
        let weight = self.by_port(block.attn.c_attn.weight.clone()); // [3 * n_heads, d_model, d_head]
        let read = at.swap_dims(0, 1).matmul(weight.swap_dims(1, 2)); // [3 * n_heads, batch * pos, d_model]
        let read = read.reshape([3 * n_heads, batch, pos, d_model]);
        block.ln_1.pull_back(resid_pre, read)
    }

    /// Gradients at what the MLP of `layer` reads, from those at its neurons before the non-linearity; `[batch, pos,
    /// d_model]` and `[batch, pos, d_mlp]` to `[batch, pos, d_model]`.
    pub fn read_by_mlp(&self, layer: usize, resid_mid: Tensor<3>, at_pre: Tensor<3>) -> Tensor<3> {
        let [batch, pos, d_mlp] = at_pre.dims();
        let block = self.h.of(layer);
        let weight = block.mlp.c_fc.weight.clone().transpose(); // [d_mlp, d_model]
        let [_, d_model] = weight.dims();
        let read = product(at_pre.reshape([batch * pos, d_mlp]), weight, None);
        let read = read.reshape([1, batch, pos, d_model]);
        block.ln_2.pull_back(resid_mid, read).squeeze_dim(0)
    }

    /// What is added to a residual stream, as it comes through the last LayerNorm while that keeps the stream's
    /// scale; stream `[1, 1, d_model]`, added `[n, 1, d_model]` to the same.
    pub fn through_frozen_norm(&self, resid: Tensor<3>, added: Tensor<3>) -> Tensor<3> {
        let centred = |x: Tensor<3>| x.clone() - x.mean_dim(2);
        let variance = centred(resid).powi_scalar(2).mean_dim(2); // [1, 1, 1]
        let scale = variance.add_scalar(self.ln_f.epsilon).sqrt();
        centred(added) / scale * self.ln_f.weight.clone().unsqueeze()
    }
}

impl LayerNorm {
    /// Gradients at what it reads, from several at what it gives: `[batch, pos, d_model]` and `[n, batch, pos, d_model]`
    /// to `[n, batch, pos, d_model]`.
    ///
    /// Mean and scale move with the stream, so of each gradient is left what is neither along the ones nor along the
    /// normalised stream.
    fn pull_back(&self, read: Tensor<3>, at: Tensor<4>) -> Tensor<4> {
        let centred = read.clone() - read.mean_dim(2);
        let variance = centred.clone().powi_scalar(2).mean_dim(2);
        let scale = variance.add_scalar(self.epsilon).sqrt(); // [batch, pos, 1]
        let normalized = (centred / scale.clone()).unsqueeze_dim::<4>(0);
        let at = at * self.weight.clone().unsqueeze();
        let along = (at.clone() * normalized.clone()).mean_dim(3); // [n, batch, pos, 1]
        let even = at.clone().mean_dim(3);
        (at - even - normalized * along) / scale.unsqueeze_dim::<4>(0)
    }
}
