//! The controls for models: which there are, what another one would take, what the browser keeps, and what is known of
//! the one in use.
//!
//! `menu.rs`, `gather.rs` and `storage.rs` choose, `progress.rs` and `check.rs` tell; `fit.rs` and `known.rs` are plain
//! functions.

mod check;
mod fit;
mod gather;
mod known;
mod menu;
mod progress;
mod storage;

pub(crate) use check::{PublishedNumber, SelfCheckResult};
pub(crate) use gather::DropTarget;
pub(crate) use known::{KnownLegend, code, heads};
pub(crate) use menu::{ModelMenu, Offer, fetch};
pub(crate) use progress::LoadProgress;
pub(crate) use storage::FilesAndStorage;
