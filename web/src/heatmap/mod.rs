//! The figure: a map per method and one of their difference, and a card for one head.

mod card;
mod figure;
mod map;
pub(crate) mod scale;
mod shown;

pub(crate) use figure::Figure;
pub(crate) use shown::{MapKind, ScaleChoice, Shown};
