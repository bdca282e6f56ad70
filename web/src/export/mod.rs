//! Taking the result away: records with their provenance, and the figure as a picture.
//!
//! `screen.rs` is what all of it is made from. `record.rs` says what belongs to a result, `csv.rs` and `svg.rs` write it
//! down, `bundle.rs` puts all of it into one archive (`zip.rs`) with a notebook that computes it again (`notebook.rs`,
//! `reproduce.py`), and only `save.rs` and the buttons touch the DOM.

mod bundle;
mod buttons;
mod csv;
mod embed;
mod notebook;
mod record;
mod save;
mod screen;
mod svg;
mod zip;

pub(crate) use buttons::ExportButtons;
use record::Record;
pub(crate) use save::save_text;
use screen::Screen;
use svg::Picture;
