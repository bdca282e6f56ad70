//! Which models there are, what is known of each, and what of them a browser keeps.

mod catalog;
mod files;
mod format;
mod hook_name;
mod journal;
mod self_check;
mod shape;

pub use catalog::{Catalog, CatalogError, CatalogModel, KnownHead, KnownHeads, Published};
pub use files::ModelFiles;
pub use format::FileFormat;
pub use hook_name::HookName;
pub use journal::{Completion, Entry, Journal, Piece};
pub use self_check::{CheckedItem, PUBLISHED_TOLERANCE, SelfCheck};
pub use shape::ModelShape;
