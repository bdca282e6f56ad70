//! The figure as text: scores in, SVG out. There is no page here, and nothing is asked back.
//!
//! Who draws has scores and what they were computed with: the page, the command line, and Python. They give
//! [`Shown`] (the scores of one kind and direction, in one unit, with their scales) and a [`Caption`] (what was asked, and
//! where the numbers come from), and get a [`Picture`].
//!
//! - [`paper`]: the head maps with all that is said of them; [`maps`] draws the maps, [`picture`] is the frame.
//! - [`whole`]: the figure of those who have no page: head maps, neurons, how the methods agree, and layer by layer.
//! - [`plot`]: plots with their numbers, their summary in words, and what of them can be pointed at.
//! - [`colour`], [`scale`], [`words`]: one diverging scale, how numbers are written, and what a figure says of itself.

pub mod colour;
pub mod maps;
pub mod paper;
pub mod picture;
pub mod plot;
pub mod scale;
mod shown;
pub mod whole;
pub mod words;

use twinbeam_core::models::ModelShape;
use twinbeam_core::scores::SideSummary;
use twinbeam_core::words::Experiment;

pub use picture::Picture;
pub use shown::{Look, MapKind, Shown, Standing};

/// What a figure says beside its scores: what was asked, both runs, and what computed them.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// Prompts, answers, metric and points.
    pub experiment: &'a Experiment,
    /// The clean run.
    pub clean: &'a SideSummary,
    /// The corrupted run.
    pub corrupted: &'a SideSummary,
    /// Unit of the metric.
    pub unit: &'a str,
    /// What the model is called.
    pub model: &'a str,
    /// Sizes of the model.
    pub shape: ModelShape,
    /// SHA-256 of its weights, in hexadecimal.
    pub model_sha256: &'a str,
    /// Whether these are the weights that were expected; `None`: none were.
    pub model_as_expected: Option<bool>,
    /// What computed.
    pub device: &'a str,
    /// Version of Twinbeam.
    pub twinbeam: &'a str,
    /// An address that shows the same; empty: there is none.
    pub link: &'a str,
}
