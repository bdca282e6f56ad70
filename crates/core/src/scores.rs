//! What a run yields: score tables, which of their scores are exact, what units they are shown in, and what they say
//! together.

mod ladder;
pub mod many;
mod outcome;
mod progressive;
mod table;
mod tables;
mod units;

pub use ladder::{ExactPairs, Interaction, Ladder, Redundancy};
pub use outcome::{JointEffects, MetricValues, Outcome, SideSummary, Timed};
pub use progressive::{Coverage, Patches, Screening};
pub use table::{ScoreTable, TableKey};
pub use tables::{Strip, Tables};
pub use units::{GapRefused, Unit, UnitBasis};
