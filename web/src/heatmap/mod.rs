//! The figure: a map per method and one of their difference, and a card for one head.

mod card;
mod checks;
mod claim;
mod figure;
mod map;
mod marks;
mod readout;
pub(crate) mod scale;
mod shown;
mod table;
mod trust;

pub(crate) use card::Card;
pub(crate) use figure::Figure;
pub(crate) use map::{Legend, is_found};
pub(crate) use readout::{Agreement, Readout, threshold};
pub(crate) use shown::{MapKind, Shown};
pub(crate) use table::TableView;
