//! The same engine without a browser: bench, compare, convert, train, synth.

pub mod bench;
pub mod checked;
pub mod compare;
pub mod convert;
pub mod evaluate;
pub mod files;
pub mod self_check;
pub mod store;
pub mod synth;
pub mod train;
