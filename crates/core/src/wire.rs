//! What the page and its worker say to each other: plain values, JSON on the wire.
//!
//! Enums are tagged from outside, as serde does by itself: tags inside would cost the page 27 kB.

pub mod devices;
pub mod inspection;
mod messages;
pub mod probes;
mod problem;

pub use messages::{Event, Expected, Kept, LoadPart, Request, Wait};
pub use problem::{FetchFault, Problem};
