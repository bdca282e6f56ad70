//! What the page does, played without a page: messages in, effects out.

mod drafts;
mod gpu;
mod links;
mod lists;
mod live;
mod notes;
mod play;
mod questions;
mod service;
mod tour;
mod workers;
