//! Kernels of our own: what the tensor library does in many passes over memory, a GPU does here in one.
//!
//! A GPU of today takes as long to be told of an operation as to do it for a model of this size, so few and
//! large dispatches are worth more than anything that happens inside one.
//!
//! - **When one is taken:** on a GPU, in single precision, where nobody reads what it would leave out (see
//!   [`Hooks::reads`](crate::Hooks::reads)), and where no parameter asks for a gradient. Otherwise the plain operations run: what a CPU
//!   computes is not touched by any of this. Each function here decides by itself (`device.rs`), and without the feature `gpu`
//!   none of them has anything to decide.
//! - **What it must equal:** its plain definition, which stands above it in the same file, value and gradient, to rounding. `trial.rs`
//!   compares all of them with the definitions in double precision, natively and in a browser.
//! - **How one is added:** a file with the plain definition, a module `gpu` in it with the kernel and its backward, a trait
//!   for Burn's dispatch, and a line in the trial. Rows of a kernel are computed alike wherever in a batch they stand, since scores are
//!   differences between rows. Only WebGPU's defaults are counted on: eight buffers, 16 KiB and 256 units per workgroup, no
//!   subgroups, nothing but f32. Sizes that vary with prompt and batch are never compile-time constants, because each
//!   pipeline costs a visitor a good part of a second.

mod attention;
mod bias;
#[cfg(feature = "gpu")]
mod device;
mod gain;
mod heads;
mod join;
mod layer_norm;
#[cfg(feature = "gpu")]
mod neuron;
pub mod product;
#[cfg(all(feature = "gpu", any(test, feature = "faults")))]
mod trial;

pub use attention::MOST_KEYS;
pub(crate) use attention::{Inputs, attention};
pub(crate) use bias::{activate, add, of_last};
pub(crate) use gain::{Norm, gain};
pub(crate) use heads::head_results;
pub use join::{Joined, join};
pub(crate) use layer_norm::layer_norm;
#[cfg(all(feature = "gpu", any(test, feature = "faults")))]
pub use trial::{Difference, KERNEL_TOLERANCE, trial};
