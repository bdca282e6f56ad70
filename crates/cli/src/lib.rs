//! The same engine without a browser: compare, train, synth.

pub mod compare;
pub mod evaluate;
pub mod files;
pub mod synth;
pub mod train;
