//! The commands of `twinbeam`, which is the engine without a browser: bench, compare, edges, convert, train, synth.
//!
//! `cargo run --release -p twinbeam-cli -- compare --model assets/models/mini --task ioi --n 5 --summary merged.json`
//! compares both methods on five drawn prompt pairs; `-- help` lists all commands, and docs/COMMAND_LINE.md says what
//! they read.
//!
//! - A module per command: [`compare`], [`edges`], [`mod@bench`], [`convert`], [`synth`], [`train`].
//! - [`files`]: a folder as the engine's source of bytes, a terminal as its host. [`checked`]: a GPU's run with its check
//!   in a thread beside it. [`store`]: files that get their name when they are whole.
//! - [`evaluate`]: how well a model solves the tasks. [`self_check`]: a model beside its published numbers, in words.

pub mod bench;
pub mod checked;
pub mod compare;
pub mod convert;
pub mod edges;
pub mod evaluate;
pub mod files;
pub mod self_check;
pub mod store;
pub mod synth;
pub mod train;
