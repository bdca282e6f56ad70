//! The lab: why the two methods differ where they do, how far they agree, and whether that matters. Its chapters are an
//! argument, one is open at a time, and the worker is asked only for what is in that one.
//!
//! `chapters.rs` has them in order, `frame.rs` what they have in common: each opens with a sentence made of the figure's
//! numbers (`claim.rs`) and a click that tests it. Each works out from the score tables, or from an answer of the worker,
//! what there is to draw and to say, and leaves the drawing to `crate::plot`.

mod ablate;
mod agreement;
mod batch;
mod chapters;
mod claim;
mod directions;
mod frame;
mod gates;
mod names;
mod parts;
mod paths;
mod positions;
mod sets;
mod sheet;
mod why;

pub(crate) use self::chapters::{LabPanels, go_to_chapter};
use self::frame::Chapter;
pub(crate) use self::frame::Pending;
pub(crate) use self::sets::{Found, found_in};
pub(crate) use self::why::{Steps, Tokens, tokens, unchecked};
