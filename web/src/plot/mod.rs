//! Plots as text: pure functions write SVG, and one component shows it with keyboard, pointer, brush and the
//! numbers behind it.
//!
//! Text, because a view of the page's framework costs the download several times as much. Colours are classes
//! of `styles/lab.css`, so that the themes follow by themselves; the page's policy forbids inline styles.

mod axis;
mod bars;
mod brush;
mod grid;
mod labels;
mod markup;
mod matrix;
mod network;
mod panes;
mod parts;
mod plan;
mod points;
mod residual;
#[cfg(test)]
mod tests;
mod view;
mod waterfall;
mod xy;

use twinbeam_core::words::Component;

pub(crate) use axis::Axis;
pub(crate) use bars::{Bar, Bars};
pub(crate) use brush::Pick;
pub(crate) use grid::{Group, Labels};
pub(crate) use markup::{escape, html_table, standalone};
pub(crate) use matrix::{Kinds, Matrix, Shades};
pub(crate) use network::{Arrow, Network, beside};
pub(crate) use panes::{Pane, Panes};
pub(crate) use parts::{At, Band, Ink, Mark, Point, Rule, Series, Xy};
pub(crate) use residual::{LEAST, Residual};
pub(crate) use view::PlotView;
pub(crate) use waterfall::{Fall, Waterfall};

/// A plot, in words, and as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Drawn {
    /// The picture. It begins with `<svg`; [`standalone`] makes a file of it.
    pub(crate) svg: String,
    /// What it shows, for those who do not see it.
    pub(crate) summary: String,
    /// The numbers behind it.
    pub(crate) table: Table,
    /// What the arrow keys step through, in this order. `data-at` of an element is its place here.
    pub(crate) points: Vec<Target>,
    /// Components that are drawn as a density only, and where; a brush takes them too.
    pub(crate) rest: Vec<(Component, [f32; 2])>,
    /// Width and height of the view box.
    pub(crate) size: [f32; 2],
    /// Whether Up and Down go by rows.
    pub(crate) grid: bool,
    /// Where to look first, across, if the picture is wider than its room.
    pub(crate) eye: Option<f32>,
}

/// A point or a cell that can be reached.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// What it stands for, if that is a component.
    pub(crate) component: Option<Component>,
    /// What is said of it.
    pub(crate) label: String,
    /// Middle of the point, in units of the view box.
    pub(crate) place: [f32; 2],
}

/// Numbers as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table {
    /// A name per column.
    pub(crate) head: Vec<String>,
    /// The first cell of a row names it.
    pub(crate) rows: Vec<Vec<String>>,
}

/// `title: summary extra`, without what is empty.
fn sentence(title: &str, summary: &str, extra: &str) -> String {
    let mut out = title.to_owned();
    let before_extra = if summary.is_empty() { ": " } else { " " };
    for (part, between) in [(summary, ": "), (extra, before_extra)] {
        if !part.is_empty() {
            if !out.is_empty() {
                out.push_str(between);
            }
            out.push_str(part);
        }
    }
    out
}

/// A name with its unit, for the head of a column and the end of an axis.
fn with_unit(title: &str, unit: &str) -> String {
    let mut out = title.to_owned();
    if !unit.is_empty() {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(unit);
    }
    out
}

/// A number with its unit.
fn spaced(number: &str, unit: &str) -> String {
    let mut out = number.to_owned();
    if !unit.is_empty() {
        out.push(' ');
        out.push_str(unit);
    }
    out
}
