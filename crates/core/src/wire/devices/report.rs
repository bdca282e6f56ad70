//! Where a model runs, and where a visitor wants it to.

use serde::{Deserialize, Serialize};

/// Where a visitor wants the model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChoice {
    /// The GPU if it passes its self-test and is real hardware, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, a software adapter included; it must still pass the self-test.
    Gpu,
}

/// Where the model runs, and why there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Whether the device is a GPU.
    pub gpu: bool,
    /// Short name, for instance `CPU (wasm SIMD)` or the adapter's name.
    pub name: String,
    /// One sentence: why this one, and what the self-test said.
    pub reason: String,
}
