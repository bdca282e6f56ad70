//! GPT-2 as it was trained: text to tokens to logits, with a named place to read or replace each
//! activation.
//!
//! Start with [`Gpt2`] in `model.rs`, which reads like the paper's equations. [`Hooks`] is the way
//! in for anyone who wants to see or change an activation; [`WeightPlan`] and [`Gpt2Builder`] turn
//! a published checkpoint into a model, tensor by tensor, from bytes that somebody else fetched.
//!
//! # Rooms
//! - The model: `model.rs`, with `model/` (made of named parameters, block by block, or asking for kernels),
//!   `activation.rs` and `gelu.rs` (the neurons' function), `embedding.rs` (`wte` in shards), `prefix.rs` (positions that
//!   many runs share).
//! - Hooks: `hooks.rs`, and `cache.rs`, which is a hook that remembers.
//! - Kernels of our own for a GPU: [`kernels`], each beside its plain definition.
//! - Checkpoints: `config.rs`, `params.rs`, `load.rs`, `index.rs`, `save.rs`, `init.rs`; `damage.rs` names what stands in
//!   the place of a file. Nothing here opens one.
//! - Text: `tokenizer.rs`, with `tokenizer/` for the files that a tokenizer comes in.
//!
//! # Example
//! A model of random weights, whose first head is silenced by a hook.
//! ```
//! use burn::tensor::{Device, Tensor, TensorCreationOptions};
//! use twinbeam_core::models::{HookName, ModelShape};
//! use twinbeam_gpt2::{Gpt2, Gpt2Config, Hooks, INITIAL_STD, Param, Params, random_params};
//!
//! struct Silent;
//!
//! impl Hooks for Silent {
//!     fn heads(&mut self, name: HookName, z: Tensor<4>) -> Tensor<4> {
//!         // `hook_z` of the first layer; [batch, pos, n_heads, d_head].
//!         if name != HookName::Z(0) {
//!             return z;
//!         }
//!         let first = z.clone().narrow(2, 0, 1);
//!         z.slice_assign([0..1, 0..3, 0..1, 0..8], first * 0.0)
//!     }
//! }
//!
//! let shape =
//!     ModelShape { n_layers: 2, n_heads: 2, d_model: 16, d_head: 8, d_mlp: 32, n_ctx: 8, d_vocab: 20 };
//! let cpu = TensorCreationOptions::new(Device::flex());
//! let mut params = Params::default();
//! for (name, dims, values) in random_params(&shape, 1, INITIAL_STD) {
//!     params.insert(name.clone(), Param::from_values(&name, &dims, values, &cpu)?);
//! }
//! let model = Gpt2::from_params(Gpt2Config::new(shape, 0), &params)?;
//! let prompt = || model.tokens(&[&[0, 5, 9]]);
//! let logits = model.forward(prompt());
//! let silenced = model.run_with_hooks(prompt(), &mut Silent);
//! assert_eq!(logits.dims(), [1, 3, 20]);
//! assert_eq!(silenced.dims(), logits.dims());
//! # Ok::<(), twinbeam_gpt2::LoadError>(())
//! ```

mod activation;
mod cache;
mod config;
mod damage;
mod embedding;
mod gelu;
mod hooks;
mod index;
mod init;
pub mod kernels;
mod load;
mod model;
mod params;
mod prefix;
mod save;
mod tokenizer;

pub use activation::Activation;
pub use cache::{ActivationCache, Activations};
pub use config::{ConfigError, Gpt2Config, NoBos};
pub use damage::{Damage, FileKind, NotTheFile, json_object};
pub use embedding::{Tokens, indices};
pub use gelu::gelu_new;
pub use hooks::{Hooks, NoHooks};
pub use index::{IndexError, ShardIndex};
pub use init::{INITIAL_STD, random_params};
#[cfg(all(feature = "gpu", any(test, feature = "faults")))]
pub use kernels::{Difference, KERNEL_TOLERANCE, trial};
pub use kernels::{Joined, join};
pub use load::{Gpt2Builder, LoadError, MAX_HEADER_BYTES, Part, PlannedTensor, WeightPlan};
pub use model::Gpt2;
pub use params::{Param, Params, expected_params};
pub use prefix::Prefix;
pub use save::{StoredDtype, safetensors_header, safetensors_header_of, stored_bytes};
pub use tokenizer::{PrefixSpace, Reading, Tokenizer, TokenizerError, TokenizerFiles, composed};
