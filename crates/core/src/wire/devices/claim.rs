//! What a GPU says that it has computed: enough to compute a sample of it again elsewhere.

use serde::{Deserialize, Serialize};

use crate::scores::{Patches, TableKey};

/// Most that a GPU's result may be off by, relative to the largest value of its table or list: single precision
/// explains no more.
pub const GPU_TOLERANCE: f32 = 2e-3;

/// A part of a job's result, as it is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Logits of the next token of both runs; `[d_vocab]` each.
    Runs {
        /// Logits of the clean run.
        clean: Vec<f32>,
        /// Logits of the corrupted run.
        corrupted: Vec<f32>,
    },
    /// One table of integrals.
    Integrals {
        /// The table; its method is from the other run's activations, or from zero.
        key: TableKey,
        /// Integrals, one per layer.
        layers: Vec<ClaimedIntegral>,
    },
    /// Effects of some patched components.
    Patches(Patches),
}

/// What moving one layer along a line says, without what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimedIntegral {
    /// Integrated gradients; one per component, in the metric's unit.
    pub ig: Vec<f32>,
    /// Attribution patching; one per component, in the metric's unit.
    pub atp: Vec<f32>,
    /// Effect of putting in the whole layer, in the metric's unit.
    pub joint: f32,
    /// Points of the line that were used.
    pub n_steps: usize,
}

/// How a sample of a job's results agrees with the same computed on the CPU in double precision.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// Worst difference, relative to the largest value of its table or list.
    pub worst: f32,
    /// Numbers that were compared.
    pub values: u64,
}
