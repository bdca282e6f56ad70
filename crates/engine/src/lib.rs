//! One job at a time: load a model, run an experiment, stream progress and results.
//!
//! The browser's worker and the command line both use it. It gets bytes through [`ByteSource`], the
//! time and a chance to be interrupted through [`Host`], and it hands out plain values: no tensor
//! leaves this crate, and [`device`] is the one place that creates devices.
//!
//! The main path: [`Model::load`], then [`inspect()`] for what is typed, then [`run()`], then
//! [`probe()`] for what is asked of the result.
//!
//! What a GPU computes is looked at twice: `watch.rs` asks the device for errors at every step, before anyone sees its
//! work, and `check.rs` computes a sample again on the CPU, beside it.
//!
//! # Rooms
//! - Files into a model: `source.rs` and its kinds `remote.rs` (a server, with `remote/`) and `shelf.rs` (what a browser
//!   keeps); `weights.rs` and `words.rs` read them, `model.rs` makes the model, `published.rs` compares it with published numbers.
//! - A job: `inspect.rs` and `hints.rs` for what is typed, `run.rs` with `patching.rs`, `probe.rs` (with `probe/`) for the lab's questions,
//!   `host.rs` for who listens, `error.rs` for what can fail; `shares.rs` and `pool.rs` for several workers.
//! - A device: `device.rs` makes it, `self_test.rs` tries it, `warm.rs` gets it ready, `reader.rs` and `watch.rs` wait for
//!   it, `check.rs` with `check/` computes a sample again. `bench.rs` and `products.rs` time it. `faults.rs` makes things
//!   go wrong, in tests.
//!
//! # Example
//! `examples/compare.rs` loads the bundled model and prints its strongest heads by both methods:
//! `cargo run --release -p twinbeam-engine --example compare`.

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
mod pool;
mod probe;
#[cfg(feature = "gpu")]
mod products;
mod published;
mod reader;
mod remote;
mod run;
mod self_test;
mod shares;
mod shelf;
mod source;
mod warm;
mod watch;
mod weights;
mod words;

pub use bench::{BenchPlan, bench, bench_question};
pub use check::{Check, check_stored};
pub use device::{DeviceKind, Precision};
pub use error::Error;
pub use hints::hints;
pub use host::{Host, Silent};
pub use inspect::{inspect, predict, prompt_metrics, question, read};
pub use model::Model;
pub use pool::{Order, Pool};
pub use probe::{probe, probe_question};
#[cfg(feature = "gpu")]
pub use products::{ProductRow, ProductSpeed, bench_products};
pub use published::self_check;
pub use remote::{Answer, Body, Remote, Transport};
pub use run::{Plan, Question, run, sides};
pub use self_test::{self_test, self_test_values};
pub use shares::{Assistant, Computed, Found, Share};
pub use shelf::{Blob, Shelf};
pub use source::{ByteSource, Downloads, Keeper, SourceError};
pub use warm::warm;
pub use weights::Weights;
pub use words::{Words, shape_of};
