//! `twinbeam merge`: the shards of a result as one.

use std::path::PathBuf;

use clap::Args;
use twinbeam_batch::{Merge, is_no_part, merge};

use crate::compare::{UnitOption, write_summary};

/// What to put together.
#[derive(Debug, Args)]
pub struct Options {
    /// The files that `compare --shard` has written, in any order: one for each share.
    #[arg(required = true)]
    pub parts: Vec<PathBuf>,
    /// File to write: JSON, all scores of every case, as `compare` writes them.
    #[arg(long, required_unless_present = "summary")]
    pub out: Option<PathBuf>,
    /// File to write: JSON, mean and spread of each component over all cases, and how far the methods agree.
    #[arg(long)]
    pub summary: Option<PathBuf>,
    /// In which unit the summary's means are; in shares of the gap, a case is left out, with the reason, whose clean run
    /// does not beat the corrupted one, or hardly.
    #[arg(long, value_enum, default_value_t = UnitOption::Metric, requires = "summary")]
    pub unit: UnitOption,
}

/// Puts the parts together; `false` if one of their cases has an error.
///
/// # Errors
/// Files that are no parts of one result, or not all of them, or a file that cannot be written.
pub fn run(Options { parts, out, summary, unit }: &Options) -> anyhow::Result<bool> {
    if let Some(path) = summary {
        is_no_part(path, parts)?;
    }
    let (merged, failed) = merge(parts, Merge { out: out.as_deref(), unit: (*unit).into() })?;
    if let Some(path) = summary {
        write_summary(path, &merged)?;
    }
    Ok(failed == 0)
}
