//! Matrix products in WebAssembly, in place of the crate `gemm` that the tensor library asks for.
//!
//! A product of this project's models is a few hundred rows times a weight. In a browser it runs on one thread and with
//! vectors of 16 bytes. A tile of four rows and two vectors is the largest that a browser's compiler keeps in registers, and
//! large products run at 93 to 97 % of its speed (SPEED.md has them before and after).
//!
//! - **Where it stands:** `[patch.crates-io]` in the workspace's `Cargo.toml`. Burn's CPU calls [`gemm()`] for every product,
//!   forward and backward, in single and in double precision, and knows nothing of this.
//! - **What it is:** natively what it stands in for, unchanged (`native.rs`). In WebAssembly `product.rs` cuts a product into
//!   blocks that stay in the caches, `lines.rs` lays them out as tiles read them, `tile.rs` computes the tiles and `target.rs`
//!   takes them. `thin.rs` is for products of a few rows or columns, where laying out would take longer than computing.
//! - **What some browsers do faster:** a multiplication and an addition by one instruction, which a program that has to run
//!   everywhere cannot contain. `relaxed.wat` is a module of its own with tiles by that instruction, and `relaxed.rs` loads it
//!   where it can be loaded.
//! - **What it must equal:** the sum of products, to rounding. An element is computed alike wherever in a product it stands:
//!   scores are differences between rows.

mod call;
mod lines;
mod target;

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(any(test, target_arch = "wasm32"))]
mod product;
#[cfg(target_arch = "wasm32")]
mod relaxed;
#[cfg(any(test, target_arch = "wasm32"))]
mod thin;
#[cfg(any(test, target_arch = "wasm32"))]
mod tile;

#[cfg(test)]
mod tests;

pub use call::gemm;
#[cfg(target_arch = "wasm32")]
pub use relaxed::relax;

#[cfg(not(target_arch = "wasm32"))]
pub use native::Parallelism;
#[cfg(not(target_arch = "wasm32"))]
use native::{f16s, f32s, f64s};
#[cfg(target_arch = "wasm32")]
pub use wasm::Parallelism;
#[cfg(target_arch = "wasm32")]
use wasm::{f16s, f32s, f64s};
