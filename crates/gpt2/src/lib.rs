//! GPT-2 as it was trained: text to tokens to logits, with a named place to read or replace each
//! activation.
//!
//! Start with [`Gpt2`] in `model.rs`, which reads like the paper's equations. [`Hooks`] is the way
//! in for anyone who wants to see or change an activation; [`WeightPlan`] and [`Gpt2Builder`] turn
//! a published checkpoint into a model, tensor by tensor, from bytes that somebody else fetched.

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
