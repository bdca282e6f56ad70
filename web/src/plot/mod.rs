//! Plots on the page: what `twinbeam-figure` draws, with keyboard, pointer, brush and the numbers behind it.

mod view;

pub(crate) use twinbeam_figure::plot::brush::Pick;
pub(crate) use twinbeam_figure::plot::*;
pub(crate) use view::PlotView;
