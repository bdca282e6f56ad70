//! The figure: one map per method, on one scale.

pub(crate) mod scale;
mod view;

pub(crate) use view::Figure;
