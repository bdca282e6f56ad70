//! Lists of prompt pairs on a machine of one's own: read, compared one by one, written down, in shards that can die.
//!
//! The command line and Python both stand on it. It knows files and threads, and neither a terminal nor an interpreter:
//! who wants to hear how far it is gives a [`Host`](twinbeam_engine::Host).
//!
//! The main path: [`read_cases`] or [`draw_cases`], then [`Models::load`], then [`compare`] for each case, whose result
//! [`ListFile`] writes into one list, or [`Part`] into a part of it. [`merge`] makes of all parts what one process would
//! have written.
//!
//! - `cases.rs`: what is compared; `compare.rs`: one case by both methods (`checked.rs`: on a GPU, checked on the CPU).
//! - `entry.rs`: a case as it stands in lists, both ways; `record.rs`: drawn, and as an archive.
//! - `share.rs`: a share from its first case to its file; `part.rs`: that file and what it was made of; `merge.rs`.
//! - `folder.rs`: a folder as the engine's source of bytes; `store.rs`: files that get their name when they are whole.

mod cases;
mod checked;
mod compare;
mod entry;
mod error;
mod folder;
mod merge;
mod part;
mod record;
mod share;
pub mod store;

pub use cases::{Case, case_of_ids, draw_cases, name_of, question_of, read_cases, task};
pub use checked::run_checked;
pub use compare::{Compared, Models, Settings, compare};
pub use entry::ListFile;
pub use error::Error;
pub use folder::Folder;
pub use merge::{Merge, is_no_part, merge};
pub use part::{Inputs, Part, PartError, Shard};
pub use record::{Source, bundle, figure};
pub use share::{Done, Step, compare_share, has_beginning};
