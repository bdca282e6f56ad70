//! What the address holds: the link that this page has read or written last.

use twinbeam_core::link::{Snapshot, View};
use twinbeam_core::words::Experiment;

/// What the address says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) experiment: Experiment,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) view: View,
}
