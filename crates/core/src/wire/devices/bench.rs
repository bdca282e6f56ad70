//! How fast a device runs the methods, part by part.

use serde::{Deserialize, Serialize};

use crate::models::ModelShape;
use crate::wire::devices::DeviceReport;
use crate::words::{ComponentKind, Steps};

/// A part of a job that is timed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchPart {
    /// Activation patching of all components of a kind.
    Ap(ComponentKind),
    /// Integrated gradients, attribution patching and joint patches of all layers.
    Ig(ComponentKind),
    /// EAP and EAP-IG of all edges.
    EstimateEdges,
    /// Path patching of all edges.
    PatchEdges,
}

impl BenchPart {
    /// The part in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ap(ComponentKind::Heads) => "activation patching, heads",
            Self::Ap(ComponentKind::Neurons) => "activation patching, neurons",
            Self::Ig(ComponentKind::Heads) => "integrated gradients, heads",
            Self::Ig(ComponentKind::Neurons) => "integrated gradients, neurons",
            Self::EstimateEdges => "EAP and EAP-IG, edges",
            Self::PatchEdges => "path patching, edges",
        }
    }

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ap(ComponentKind::Heads) => "ap_heads",
            Self::Ap(ComponentKind::Neurons) => "ap_neurons",
            Self::Ig(ComponentKind::Heads) => "ig_heads",
            Self::Ig(ComponentKind::Neurons) => "ig_neurons",
            Self::EstimateEdges => "estimate_edges",
            Self::PatchEdges => "patch_edges",
        }
    }

    /// Whether it is part of a run; edges are looked at where they are asked for.
    pub const fn is_of_a_run(self) -> bool {
        matches!(self, Self::Ap(_) | Self::Ig(_))
    }
}

/// How long some of a part took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BenchRow {
    /// The part.
    pub part: BenchPart,
    /// Seconds that what was done of it took.
    pub seconds: f64,
    /// Floating-point operations that were needed for that, by the cost model: the floor.
    pub flops: u64,
    /// Floating-point operations that all of the part needs, in one direction.
    pub all_flops: u64,
}

impl BenchRow {
    /// Needed operations per second.
    pub fn flops_per_second(&self) -> f64 {
        self.flops as f64 / self.seconds
    }

    /// Seconds for all of the part at this speed.
    pub fn all_seconds(&self) -> f64 {
        self.all_flops as f64 / self.flops_per_second()
    }
}

/// How fast a device runs the methods on one model and one pair of prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// Device that it ran on.
    pub device: DeviceReport,
    /// Sizes of the model.
    pub shape: ModelShape,
    /// Tokens of each prompt.
    pub n_pos: usize,
    /// First position at which the prompts differ.
    pub first_difference: usize,
    /// Points at which integrated gradients were taken.
    pub n_steps: Steps,
    /// Rows of the square matrices whose product shows the peak.
    pub product: usize,
    /// Operations per second of that product on the same device, in the same type of number.
    pub peak: f64,
    /// What was timed.
    pub rows: Vec<BenchRow>,
}

impl Bench {
    /// Part of the peak that a row reaches: its time, if nothing but the needed operations were done, as
    /// fast as a large product, over the time that it took.
    pub fn share_of_peak(&self, row: &BenchRow) -> f64 {
        row.flops_per_second() / self.peak
    }

    /// Seconds for all parts of a run in one direction.
    pub fn all_seconds(&self) -> f64 {
        let rows = self.rows.iter().filter(|row| row.part.is_of_a_run());
        rows.map(BenchRow::all_seconds).sum()
    }
}
