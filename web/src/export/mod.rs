//! Taking the result away: records with their provenance, and the figure as a picture.
//!
//! `screen.rs` is what all of it is made from. `record.rs` fills in what belongs to a result, which `twinbeam-record`
//! writes down; `twinbeam-figure` draws it for paper, and `slide.rs` for a room. Only `save.rs` and the buttons touch the
//! DOM.

mod buttons;
mod embed;
mod record;
mod save;
mod screen;
mod slide;
#[cfg(test)]
mod tests;

pub(crate) use buttons::{FileButtons, on_screen};
pub(crate) use embed::frame;
pub(crate) use save::save_text;
pub(crate) use screen::{Screen, Sheet};
pub(crate) use twinbeam_figure::Picture;
