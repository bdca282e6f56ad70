//! GPT-2, all of it. Read from top to bottom: each struct is a box of the architecture, each
//! `forward` its equation, and every line that changes a shape says the new one.
//!
//! Parameters have the checkpoint's names, activations TransformerLens's.
//!
//! # Source
//! Radford et al. (2019), "Language models are unsupervised multitask learners"; pre-LayerNorm,
//! tanh GELU, Conv1D weights `[in, out]`, unembedding tied to `wte`. Nothing is folded or centred. A configuration may ask
//! for another function of the neurons, or for another scale of the attention scores.

mod assemble;
mod at_once;
mod blocks;
mod parts;

use std::ops::Range;

use burn::tensor::activation::softmax;
use burn::tensor::{DType, Device, Tensor, TensorCreationOptions, TensorData};
use twinbeam_core::models::{HookName, ModelShape};

use self::blocks::Blocks;
use crate::embedding::{Embedding, Tokens};
use crate::kernels::product::product;
use crate::{Activation, ActivationCache, Gpt2Config, Hooks, NoHooks, Prefix, kernels};

/// The number that is added to attention scores that must not be seen. Large and finite: infinities are not safe in
/// WebGPU's shading language, and `exp` of this is exactly 0 in f32.
const MASKED: f32 = -1e9;

/// A GPT-2 on one device.
#[derive(Debug, Clone)]
pub struct Gpt2 {
    config: Gpt2Config,
    wte: Embedding, // [d_vocab, d_model]
    wpe: Tensor<2>, // [n_ctx, d_model]
    h: Blocks,
    ln_f: LayerNorm,
}

#[derive(Debug, Clone)]
struct Block {
    ln_1: LayerNorm,
    attn: Attention,
    ln_2: LayerNorm,
    mlp: Mlp,
}

#[derive(Debug, Clone)]
struct Attention {
    c_attn: Conv1D,
    c_proj: Conv1D,
    n_heads: usize,
    scale: f64, // 1 / sqrt(d_head)
}

#[derive(Debug, Clone)]
struct Mlp {
    act: Activation,
    c_fc: Conv1D,
    c_proj: Conv1D,
}

#[derive(Debug, Clone)]
struct Conv1D {
    weight: Tensor<2>, // [in, out]
    bias: Tensor<1>,   // [out]
}

#[derive(Debug, Clone)]
struct LayerNorm {
    weight: Tensor<1>, // [d_model]
    bias: Tensor<1>,   // [d_model]
    epsilon: f64,
}

impl LayerNorm {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        kernels::layer_norm(x, &self.weight, &self.bias, self.epsilon)
    }
}

impl Conv1D {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let ([batch, pos, _], [_, d_out]) = (x.dims(), self.weight.dims());
        let out = self.times(x, Some(self.bias.clone())); // [batch * pos, out]
        out.reshape([batch, pos, d_out])
    }

    /// The product with the weight, without the bias; `[batch * pos, out]`.
    fn product(&self, x: Tensor<3>) -> Tensor<2> {
        self.times(x, None)
    }

    /// The product with the weight as one large product instead of one per row of the batch; `[batch * pos, out]`.
    fn times(&self, x: Tensor<3>, bias: Option<Tensor<1>>) -> Tensor<2> {
        let [batch, pos, d_in] = x.dims();
        product(x.reshape([batch * pos, d_in]), self.weight.clone(), bias)
    }

    fn with_bias(&self, product: Tensor<2>) -> Tensor<2> {
        product + self.bias.clone().unsqueeze()
    }

    /// A residual stream, or the last positions of one, with what is written there from `x` added.
    fn write(
        &self,
        name: HookName,
        resid: Tensor<3>,
        last: Option<usize>,
        x: Tensor<3>,
        hooks: &mut dyn Hooks,
    ) -> Tensor<3> {
        if hooks.reads(name) {
            let written = hooks.stream(name, self.forward(x));
            return kernels::of_last(resid, last) + written;
        }
        kernels::add(resid, last, self.product(x), &self.bias)
    }
}

impl Attention {
    /// Head outputs of the last `queries` positions, before the output projection;
    /// `[batch, queries, n_heads, d_head]`.
    fn z(
        &self,
        layer: usize,
        x: Tensor<3>,
        queries: usize,
        prefix: &Prefix,
        hooks: &mut dyn Hooks,
    ) -> Tensor<4> {
        let [batch, pos, _] = x.dims();
        let product = self.c_attn.product(x); // [batch * pos, 3 * d_model]
        if let Some(z) = self.z_at_once(layer, &product, [batch, queries], prefix, hooks) {
            return hooks.heads(HookName::Z(layer), z);
        }
        let [q, k, v] = self.split(product, [batch, pos]);
        let mut hooked = |name, heads| hooks.heads(name, heads).swap_dims(1, 2); // [batch, n_heads, pos, d_head]
        let q = hooked(HookName::Q(layer), q);
        let k = hooked(HookName::K(layer), k);
        let v = hooked(HookName::V(layer), v);
        let [k, v] = prefix.before(layer, [k, v]); // [batch, n_heads, key, d_head]
        let q = q.narrow(2, pos - queries, queries);
        let scores = self.scores(q, k) + prefix.mask(queries); // [batch, n_heads, query, key]
        let pattern = hooks.heads(HookName::Pattern(layer), softmax(scores, 3));
        let z = pattern.matmul(v).swap_dims(1, 2); // [batch, query, n_heads, d_head]
        hooks.heads(HookName::Z(layer), z)
    }

    /// Queries, keys and values of all heads, from the product with `c_attn` `[batch * pos, 3 * d_model]`;
    /// `[batch, pos, n_heads, d_head]` each.
    fn split(&self, product: Tensor<2>, [batch, pos]: [usize; 2]) -> [Tensor<4>; 3] {
        let qkv = self.c_attn.with_bias(product); // [batch * pos, 3 * d_model]
        let [_, width] = qkv.dims();
        let d_head = width / (3 * self.n_heads);
        let qkv = qkv.reshape([batch, pos, 3 * self.n_heads, d_head]);
        [0, 1, 2].map(|part| qkv.clone().narrow(2, part * self.n_heads, self.n_heads))
    }

    /// How much each query asks for each key, before mask and softmax; `[.., query, d_head]` and `[.., key, d_head]`.
    fn scores<const D: usize>(&self, q: Tensor<D>, k: Tensor<D>) -> Tensor<D> {
        q.matmul(k.swap_dims(D - 2, D - 1)).mul_scalar(self.scale)
    }
}

impl Mlp {
    /// Neurons after the non-linearity; `[batch, pos, d_mlp]`.
    fn post(&self, layer: usize, x: Tensor<3>, hooks: &mut dyn Hooks) -> Tensor<3> {
        let [batch, pos, _] = x.dims();
        let post = if hooks.reads(HookName::Pre(layer)) {
            self.act.apply(hooks.stream(HookName::Pre(layer), self.c_fc.forward(x)))
        } else {
            kernels::activate(self.c_fc.product(x), &self.c_fc.bias, self.act, [batch, pos])
        };
        hooks.stream(HookName::Post(layer), post)
    }
}

impl Block {
    /// The first half of a block: attention reads `resid_pre` and adds to it. Returns `resid_mid` of the last `queries`
    /// positions.
    fn attend(
        &self,
        layer: usize,
        resid_pre: Tensor<3>,
        queries: usize,
        prefix: &Prefix,
        hooks: &mut dyn Hooks,
    ) -> Tensor<3> {
        let resid_pre = hooks.stream(HookName::ResidPre(layer), resid_pre);
        let z = self.attn.z(layer, self.ln_1.forward(resid_pre.clone()), queries, prefix, hooks);
        let z = z.flatten(2, 3); // [batch, queries, d_model]
        let resid_mid =
            self.attn.c_proj.write(HookName::AttnOut(layer), resid_pre, Some(queries), z, hooks);
        hooks.stream(HookName::ResidMid(layer), resid_mid)
    }

    /// The second half of a block: the MLP reads `resid_mid` and adds to it. Returns `resid_post`.
    fn transform(&self, layer: usize, resid_mid: Tensor<3>, hooks: &mut dyn Hooks) -> Tensor<3> {
        let post = self.mlp.post(layer, self.ln_2.forward(resid_mid.clone()), hooks);
        let resid_post =
            self.mlp.c_proj.write(HookName::MlpOut(layer), resid_mid, None, post, hooks);
        hooks.stream(HookName::ResidPost(layer), resid_post)
    }
}

impl Gpt2 {
    /// Logits of every next token; tokens `[batch, pos]` to `[batch, pos, d_vocab]`.
    pub fn forward(&self, tokens: Tokens) -> Tensor<3> {
        self.run_with_hooks(tokens, &mut NoHooks)
    }

    /// Logits of every next token, every activation passing through `hooks`; tokens `[batch, pos]` to `[batch, pos,
    /// d_vocab]`.
    pub fn run_with_hooks(&self, tokens: Tokens, hooks: &mut dyn Hooks) -> Tensor<3> {
        let resid = self.run_from_pre(0, self.embed(tokens, hooks), hooks);
        self.unembed(self.final_norm(resid))
    }

    /// Logits of every next token, `[batch, pos, d_vocab]`, and every activation on the way.
    pub fn run_with_cache(&self, tokens: Tokens) -> (Tensor<3>, ActivationCache) {
        let mut cache = ActivationCache::default();
        let logits = self.run_with_hooks(tokens, &mut cache);
        (logits, cache)
    }

    /// Token and position embeddings added; tokens `[batch, pos]` to `[batch, pos, d_model]`.
    pub fn embed(&self, tokens: Tokens, hooks: &mut dyn Hooks) -> Tensor<3> {
        let Tokens { ids, batch, pos } = tokens;
        let rows = self.wte.rows(&ids); // [batch * pos, d_model]
        let embed = rows.reshape([batch, pos, self.config.shape.d_model]);
        let pos_embed = self.wpe.clone().narrow(0, 0, pos).unsqueeze_dim::<3>(0); // [1, pos, d_model]
        hooks.stream(HookName::Embed, embed) + hooks.stream(HookName::PosEmbed, pos_embed)
    }

    /// The blocks from `layer` on; its `resid_pre` `[batch, pos, d_model]` to the last `resid_post`.
    pub fn run_from_pre(
        &self,
        layer: usize,
        resid_pre: Tensor<3>,
        hooks: &mut dyn Hooks,
    ) -> Tensor<3> {
        self.run_blocks(layer..self.h.len(), resid_pre, hooks)
    }

    /// Some blocks in a row; `resid_pre` of the first `[batch, pos, d_model]` to `resid_post` of the last.
    pub fn run_blocks(
        &self,
        layers: Range<usize>,
        resid_pre: Tensor<3>,
        hooks: &mut dyn Hooks,
    ) -> Tensor<3> {
        let [_, pos, _] = resid_pre.dims();
        let no_prefix = Prefix::none(self.causal_mask(pos, pos));
        self.run_after(&no_prefix, layers, resid_pre, hooks)
    }

    /// Some blocks in a row for the positions after `prefix`; `resid_pre` of the first `[batch, pos, d_model]` to
    /// `resid_post` of the last.
    pub fn run_after(
        &self,
        prefix: &Prefix,
        layers: Range<usize>,
        resid_pre: Tensor<3>,
        hooks: &mut dyn Hooks,
    ) -> Tensor<3> {
        let [_, pos, _] = resid_pre.dims();
        layers.fold(resid_pre, |resid, layer| {
            let block = self.h.of(layer);
            let resid_mid = block.attend(layer, resid, pos, prefix, hooks);
            block.transform(layer, resid_mid, hooks)
        })
    }

    /// The first half of a block, its attention, for the positions after `prefix` and those who need the last one only:
    /// `resid_pre` `[batch, pos, d_model]` to `resid_mid`, which in the last block is `[batch, 1, d_model]`.
    pub fn attend(&self, layer: usize, resid_pre: Tensor<3>, prefix: &Prefix) -> Tensor<3> {
        let [_, pos, _] = resid_pre.dims();
        let queries = if layer + 1 == self.h.len() { 1 } else { pos };
        self.h.of(layer).attend(layer, resid_pre, queries, prefix, &mut NoHooks)
    }

    /// The second half of a block, its MLP: `resid_mid` `[batch, pos, d_model]` to `resid_post`.
    pub fn transform(&self, layer: usize, resid_mid: Tensor<3>) -> Tensor<3> {
        self.h.of(layer).transform(layer, resid_mid, &mut NoHooks)
    }

    /// What runs of `n_pos` positions share that are the first cached run up to position `len`.
    ///
    /// # Panics
    /// If the cache lacks `hook_k` or `hook_v` of a layer.
    pub fn prefix(&self, cache: &ActivationCache, len: usize, n_pos: usize) -> Prefix {
        Prefix::new(cache, self.h.len(), len, self.causal_mask(n_pos - len, n_pos))
    }

    /// `[1, 1, query_pos, key_pos]` for every row: 0 where a key may be seen. The queries are those
    /// of the last positions.
    fn causal_mask(&self, queries: usize, keys: usize) -> Tensor<4> {
        let seen = |i: usize| i % keys <= i / keys + keys - queries;
        let mask = (0..queries * keys).map(|i| if seen(i) { 0.0 } else { MASKED });
        self.vector(&mask.collect::<Vec<f32>>()).reshape([1, 1, queries, keys])
    }

    /// The last LayerNorm; `[batch, pos, d_model]` to the same.
    pub fn final_norm(&self, resid: Tensor<3>) -> Tensor<3> {
        self.ln_f.forward(resid)
    }

    /// Logits of a normalised residual stream; `[batch, pos, d_model]` to `[batch, pos, d_vocab]`.
    pub fn unembed(&self, normalized: Tensor<3>) -> Tensor<3> {
        let [batch, pos, d_model] = normalized.dims();
        let flat = normalized.reshape([batch * pos, d_model]);
        let logits = self.wte.logits(flat); // [batch * pos, d_vocab]
        logits.reshape([batch, pos, self.config.shape.d_vocab])
    }

    /// Token ids as the model takes them, of rows of equal length.
    pub fn tokens(&self, rows: &[&[u32]]) -> Tokens {
        let pos = rows.first().map_or(0, |row| row.len());
        Tokens { ids: rows.concat(), batch: rows.len(), pos }
    }

    /// Sizes of the model.
    pub fn shape(&self) -> &ModelShape {
        &self.config.shape
    }

    /// Configuration of the model.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// Device of the model.
    pub fn device(&self) -> Device {
        self.wte.device()
    }

    /// Whether the model computes in double precision.
    pub fn is_double(&self) -> bool {
        self.wte.dtype() == DType::F64
    }

    /// Numbers on the model's device and in its type; `[values]`.
    pub fn vector(&self, values: &[f32]) -> Tensor<1> {
        let options = TensorCreationOptions::new(self.device()).with_dtype(self.wte.dtype());
        Tensor::from_data(TensorData::from(values), options)
    }
}
