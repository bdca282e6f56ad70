//! One job at a time: load a model, run an experiment, stream progress and results.
//!
//! The browser's worker and the command line both use it. It gets bytes through [`ByteSource`], the
//! time and a chance to be interrupted through [`Host`], and it hands out plain values: no tensor
//! leaves this crate, and [`device`] is the one place that creates devices.
//!
//! The main path: [`Model::load`], then [`inspect`] for what is typed, then [`run`], then
//! [`probe()`] for what is asked of the result.
//!
//! What a GPU computes is looked at twice: `watch.rs` asks the device for errors at every step, before anyone sees its
//! work, and `check.rs` computes a sample again on the CPU, beside it.

mod bench;
mod check;
pub mod device;
mod error;
#[cfg(feature = "faults")]
pub mod faults;
mod hints;
mod host;
mod inspect;
mod model;
mod patching;
mod probe;
#[cfg(feature = "gpu")]
mod products;
mod published;
mod reader;
mod remote;
mod run;
mod self_test;
mod shelf;
mod source;
mod warm;
mod watch;
mod weights;

pub use bench::{BenchPlan, bench, bench_question};
pub use check::{Check, check_stored};
pub use device::{DeviceKind, Precision};
pub use error::Error;
pub use hints::hints;
pub use host::Host;
pub use inspect::{inspect, prompt_metrics, question};
pub use model::{Model, shape_of};
pub use probe::probe;
#[cfg(feature = "gpu")]
pub use products::{ProductRow, ProductSpeed, bench_products};
pub use published::self_check;
pub use remote::{Answer, Body, Remote, Transport};
pub use run::{Plan, Question, run};
pub use self_test::{self_test, self_test_values};
pub use shelf::{Blob, Shelf};
pub use source::{ByteSource, Downloads, Keeper, SourceError};
pub use warm::warm;
pub use weights::Weights;
