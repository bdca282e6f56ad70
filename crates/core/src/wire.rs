//! What the page and its worker say to each other: plain values. What the page says is JSON; what it hears is packed
//! into bytes, since a program that reads these is smaller. Whoever else starts a worker hears JSON.
//!
//! Enums are tagged from outside, as serde does by itself: tags inside would cost the page 27 kB.

pub mod devices;
pub mod inspection;
mod messages;
mod packed;
pub mod probes;
mod problem;

pub use messages::{Event, Expected, Kept, LoadPart, Request, Wait};
pub use packed::{PAGE, pack, unpack};
pub use problem::{FetchFault, Problem};
