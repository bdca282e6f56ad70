//! Sending a figure on: the dialog with all ways to do so, what arrives with a link, and the figure on paper.
//!
//! `dialog.rs` offers, `sent.rs` reads a link as its receiver will, `link.rs` and `note.rs` are the dialog’s
//! parts; `height.rs` tells the page around a frame how high its figure is; `paper.rs` is what is printed. The files
//! themselves are made in `export/`.

mod dialog;
mod height;
mod link;
mod note;
mod paper;
mod sent;

pub(crate) use dialog::ShareButton;
pub(crate) use height::tell as tell_height;
pub(crate) use note::SenderNote;
pub(crate) use paper::Paper;
