//! The page as a machine without a browser: messages go in, [`Effect`]s come out, and [`Session`] is all that there
//! is in between. No signal, no element, no clock, so every race can be played in a native test.
//!
//! ```text
//! visitor | worker | address -> Msg -> update(&mut Session) -> Effects -> ports -> Msg
//! ```
//!
//! - `msg.rs` is the way in and out, `session.rs` all that is known, `update.rs` where each message goes.
//! - What the session is made of: `workers.rs`, `models.rs`, `running.rs`, `many.rs`, `edited.rs`, `address.rs`.
//! - What a message does: `edits.rs` (the draft), `typing.rs` (what is seen of it), `auto.rs` (edits that are run by
//!   themselves), `asking.rs` (which model an experiment is for), `arrival.rs`
//!   (a model comes into use), `life.rs` (workers start, hang and die), `jobs.rs` (one at a time), `figure.rs` (a result
//!   comes together and is confirmed or withdrawn), `lists.rs` and `pairs.rs` (many prompts), `tour.rs`, `service.rs` (the
//!   copy of the page that the browser keeps).
//! - `settle.rs` is what follows by itself after every message: an idle worker is given something to do, and the
//!   address and the browser's memory keep up.

mod address;
mod arrival;
mod asking;
mod auto;
mod edited;
mod edits;
mod figure;
mod jobs;
mod life;
mod lists;
mod many;
mod models;
mod msg;
mod pairs;
mod running;
mod service;
#[expect(clippy::module_inception, reason = "it is the session")]
mod session;
mod settle;
#[cfg(test)]
mod tests;
mod tour;
mod typing;
mod update;
mod workers;

pub(crate) use msg::{Death, Effect, Memory, Moment, Msg, OfPairs, OfTour, Timer, Visitor};
pub(crate) use session::{Linked, Session};
pub(crate) use settle::{AUTO_RUN, DRAFT, SPEEDS};
pub(crate) use update::update;
