//! The lab: how far the two methods agree, why they differ where they do, and whether that matters. It reads from
//! top to bottom as an argument, and asks the worker only for what is open.
//!
//! `panels.rs` has them in order, `frame.rs` what they have in common. Each panel works out from the score tables, or from an answer of the worker,
//! what there is to draw and to say, and leaves the drawing to `crate::plot`.

mod ablate;
mod agreement;
mod batch;
mod directions;
mod frame;
mod gates;
mod panels;
mod parts;
mod positions;
mod sets;
mod why;

use self::frame::PanelFrame;
pub(crate) use self::frame::Pending;
pub(crate) use self::panels::LabPanels;
pub(crate) use self::parts::common_unit;
pub(crate) use self::sets::{Found, found_in};
pub(crate) use self::why::{Tokens, tokens, unchecked};
