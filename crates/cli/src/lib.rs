//! The commands of `twinbeam`, which is the engine without a browser: bench, compare, merge, edges, convert, train, synth.
//!
//! `cargo run --release -p twinbeam-cli -- compare --model assets/models/mini --task ioi --n 5 --summary merged.json`
//! compares both methods on five drawn prompt pairs; `-- help` lists all commands, and docs/COMMAND_LINE.md says what
//! they read.
//!
//! - A module per command: [`compare`], [`merge`], [`edges`], [`mod@bench`], [`convert`], [`synth`], [`train`].
//! - [`terminal`]: a terminal as the engine's host. [`stored`]: names of a model's files. Lists of cases, shards and files
//!   are `twinbeam-batch`'s.
//! - [`evaluate`]: how well a model solves the tasks. [`self_check`]: a model beside its published numbers, in words.

pub mod bench;
pub mod compare;
pub mod convert;
pub mod edges;
pub mod evaluate;
pub mod merge;
pub mod self_check;
pub mod stored;
pub mod synth;
pub mod terminal;
pub mod train;
