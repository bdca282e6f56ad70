//! Plain values of the page: what it knows, in the terms of the field. Nothing here reacts, draws, or asks the
//! browser for anything, so everything above may use it and tests need no browser.

mod answer;
mod arriving;
mod build;
mod committed;
mod edges;
mod link_check;
mod listed;
mod loaded;
mod local;
mod notice;
mod numbers;
mod pace;
mod pairs;
mod progress;
mod service;
mod shelves;
mod sight;
mod spec;
mod tour;
mod window;

pub(crate) use answer::{Answer, Loss, N_SLOTS, NoAnswer, Slot};
pub(crate) use arriving::Arriving;
pub(crate) use build::BUILD;
pub(crate) use committed::{Committed, Origin};
pub(crate) use edges::Edges;
pub(crate) use link_check::LinkCheck;
pub(crate) use listed::{CatalogFault, Listed};
pub(crate) use loaded::{Identity, LOCAL, Loaded};
pub(crate) use local::{LocalFault, pick, title};
pub(crate) use notice::{Notice, WayOn};
pub(crate) use numbers::{bytes, duration, fetch_bytes, percent, sentence};
pub(crate) use pairs::Before;
pub(crate) use progress::{Job, NeuronStatus, Progress, Status};
pub(crate) use service::{Order, Service};
pub(crate) use shelves::{Shelf, Shelves, Space, Stock};
pub(crate) use sight::Sight;
pub(crate) use spec::{Files, Spec};
pub(crate) use tour::Step;
pub(crate) use twinbeam_figure::Look;
pub(crate) use twinbeam_figure::words::{count, visible};
pub(crate) use window::{Row, Window};

#[cfg(test)]
pub(crate) use committed::tests::{SHAPE, committed, complete, side};
#[cfg(test)]
pub(crate) use edges::tests::estimated;
