//! Plots as text: pure functions write SVG, with the numbers behind it and what of it can be pointed at.
//!
//! Colours are classes: a page has them in its style sheet, so that its themes follow by themselves, and a file by itself
//! takes them along ([`standalone`]).

mod axis;
mod bars;
pub mod brush;
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
mod waterfall;
mod xy;

use std::fmt;

use twinbeam_core::words::Component;

pub use axis::Axis;
pub use bars::{Bar, Bars};
pub use grid::{Group, Labels};
pub use markup::{escape, html_table, placed, standalone, style};
pub use matrix::{Kinds, Matrix, Shades};
pub use network::{Arrow, Network, beside};
pub use panes::{Pane, Panes};
pub use parts::{At, Band, Ink, Mark, Point, Rule, Series, Xy};
pub use residual::{LEAST, Residual};
pub use waterfall::{Fall, Waterfall};

/// What is drawn of it is many numbers and some functions: its name says which it is.
macro_rules! named_by_its_title {
    ($($plot:ident),+) => {$(
        impl fmt::Debug for $plot<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($plot)).field("title", &self.title).finish_non_exhaustive()
            }
        }
    )+};
}
named_by_its_title!(Kinds, Matrix, Panes, Xy);

/// A plot, in words, and as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawn {
    /// The picture. It begins with `<svg`; [`standalone`] makes a file of it.
    pub svg: String,
    /// What it shows, for those who do not see it.
    pub summary: String,
    /// The numbers behind it.
    pub table: Table,
    /// What the arrow keys step through, in this order. `data-at` of an element is its place here.
    pub points: Vec<Target>,
    /// Components that are drawn as a density only, and where; a brush takes them too.
    pub rest: Vec<(Component, [f32; 2])>,
    /// Width and height of the view box.
    pub size: [f32; 2],
    /// Whether Up and Down go by rows.
    pub grid: bool,
    /// Where to look first, across, if the picture is wider than its room.
    pub eye: Option<f32>,
}

/// A point or a cell that can be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// What it stands for, if that is a component.
    pub component: Option<Component>,
    /// What is said of it.
    pub label: String,
    /// Middle of the point, in units of the view box.
    pub place: [f32; 2],
}

/// Numbers as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// A name per column.
    pub head: Vec<String>,
    /// The first cell of a row names it.
    pub rows: Vec<Vec<String>>,
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
