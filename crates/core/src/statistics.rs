//! What lists of numbers have in common, whatever they are numbers of.
//!
//! Scores come in as `f32`, sums are taken in `f64`: against float64 throughout, a statistic of the same `f32`
//! scores differs by rounding of `f64` only.

mod agreement;
mod gate_kind;
mod gate_network;
mod random;
mod sets;
mod spread;

pub use agreement::{Agreement, Line, largest_first, pearson, slope, spearman};
pub use gate_kind::{GateKind, asymmetry};
pub use gate_network::{GateEffects, GateNetwork};
pub use random::SplitMix64;
pub use sets::{highlighted, overlap_curve};
pub use spread::{BlandAltman, bootstrap_mean, mean_sd, quantile};
