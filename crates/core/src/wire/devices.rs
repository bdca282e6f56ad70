//! Where a model runs: what is known of each device, which one a job goes to, and what is said of what it has found.

mod bench;
mod claim;
mod placement;
mod report;

pub use bench::{Bench, BenchPart, BenchRow};
pub use claim::{CheckReport, Claim, ClaimedIntegral, GPU_TOLERANCE};
pub use placement::{Because, GpuState, Placement, Speed, Work};
pub use report::{DeviceChoice, DeviceReport};
