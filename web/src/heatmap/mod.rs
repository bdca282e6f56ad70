//! The figure: a map per method and one of their difference, and a card for one head.

mod card;
mod figure;
mod map;
mod marks;
mod readout;
pub(crate) mod scale;
mod shown;
mod table;

pub(crate) use card::Card;
pub(crate) use figure::Figure;
pub(crate) use map::Legend;
pub(crate) use readout::{Agreement, Readout};
pub(crate) use shown::{MapKind, ScaleChoice, Shown};
pub(crate) use table::TableView;
