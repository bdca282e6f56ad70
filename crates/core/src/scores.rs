//! What a run yields: score tables, which of their scores are exact, what units they are shown in, and what they say
//! together.

mod ladder;
pub mod many;
mod progressive;
mod table;
mod units;

pub use ladder::{ExactPairs, Interaction, Ladder, Redundancy};
pub use progressive::{Coverage, Patches, Screening};
pub use table::{JointEffects, MetricValues, Outcome, ScoreTable, SideSummary, Strip};
pub use units::{GapRefused, Unit, UnitBasis};
