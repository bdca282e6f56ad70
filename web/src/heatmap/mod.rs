//! The figure: a map per method and one of their difference, and what is said of what is pointed at.

mod checks;
mod claim;
mod figure;
mod map;
mod marks;
mod readout;
mod shown;
mod table;
mod tooltip;
mod trust;

pub(crate) use claim::pieces_of;
pub(crate) use figure::{Maps, Said, shown_heads};
pub(crate) use map::{Legend, is_found};
pub(crate) use readout::{Agreement, Readout, threshold};
pub(crate) use shown::{MapKind, Shown, Standing, shown_of, shown_on_screen};
pub(crate) use table::TableView;
pub(crate) use tooltip::Tooltip;
