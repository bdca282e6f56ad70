//! Taking the result away: records with their provenance, and the figure as a picture.
//!
//! `screen.rs` is what all of it is made from. `record.rs` says what belongs to a result, and `csv.rs` (with
//! `circuits.rs` for parts of heads and direct effects) writes it down;
//! `twinbeam-figure` draws it for paper, and `slide.rs` for a room; `bundle.rs` puts all of it
//! into one archive (`zip.rs`) with a notebook that computes it again (`notebook.rs`, `reproduce.py`), and only `save.rs`
//! and the buttons touch the DOM.

mod bundle;
mod buttons;
mod circuits;
mod csv;
mod embed;
mod notebook;
mod record;
mod save;
mod screen;
mod slide;
#[cfg(test)]
mod tests;
mod zip;

pub(crate) use buttons::{FileButtons, on_screen};
pub(crate) use embed::frame;
use record::Record;
pub(crate) use save::save_text;
pub(crate) use screen::{Screen, Sheet};
pub(crate) use twinbeam_figure::Picture;
