//! What the results of many prompt pairs have in common, merged as they come.

mod merged;
mod merging;

pub use merged::{Merged, MergedAgreement, MergedTable, OverCases};
pub use merging::{CaseResult, LeftOut, Merging};

#[cfg(test)]
mod tests;
