//! Taking the result away: records with their provenance, and the figure as a picture.
//!
//! `record.rs` says what belongs to a result, `csv.rs` and `svg.rs` write it down, and only `save.rs`
//! and the buttons touch the DOM.

mod buttons;
mod csv;
mod embed;
mod record;
mod save;
mod svg;

pub(crate) use buttons::ExportButtons;
use record::Record;
#[cfg(test)]
pub(crate) use record::tests;
use svg::Picture;
