//! Values by row and column.

use super::axis::written;
use super::grid::{Cell, ComponentOf, Grid, Group, LESS, Labels, WordsOf, hatch};
use super::markup::{LEVELS, cut, level, push_count, rectangle, text, text_width};
use super::{Drawn, spaced};

/// What colours mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shades {
    /// From `-limit` over zero to `limit`.
    #[default]
    Diverging,
    /// From zero to `limit`.
    Sequential,
    /// By size, in ink: what is below 0 is hatched. For what has a sign and is no score.
    Neutral,
}

/// A map of values.
#[derive(Default)]
pub struct Matrix<'a> {
    /// Name of the matrix.
    pub title: String,
    /// The numbers that matter, in a sentence.
    pub summary: String,
    /// The values'.
    pub unit: String,
    /// From top to bottom.
    pub rows: Labels,
    /// From left to right.
    pub columns: Labels,
    /// Row by row; where it is not finite there is no cell.
    pub values: Vec<f32>,
    /// End of the scale; `None`: the largest value.
    pub limit: Option<f32>,
    /// What colours mean.
    pub shades: Shades,
    /// Cells with a frame, by row and column.
    pub outlined: Vec<(usize, usize)>,
    /// What a cell belongs to.
    pub component: ComponentOf<'a>,
    /// What is said of a cell besides its value.
    pub words: WordsOf<'a>,
    /// In pixels; 0: what is usual.
    pub width: f64,
    /// What is above 0 and what below, for the legend of [`Shades::Neutral`].
    pub sides: [&'a str; 2],
    /// Groups of rows; none: all are one.
    pub groups: Vec<Group>,
    /// The column that should be in sight where not all are.
    pub eye: Option<usize>,
}

/// A map of kinds: told apart by letter, hatching and colour.
#[derive(Default)]
pub struct Kinds<'a> {
    /// Name of the plot.
    pub title: String,
    /// The numbers that matter, in a sentence.
    pub summary: String,
    /// From top to bottom.
    pub rows: Labels,
    /// From left to right.
    pub columns: Labels,
    /// Letter and name of each kind, four at most.
    pub names: Vec<(char, String)>,
    /// Row by row, places in `names`; `None`: no cell.
    pub cells: Vec<Option<usize>>,
    /// What a cell belongs to.
    pub component: ComponentOf<'a>,
    /// What is said of a cell besides its kind.
    pub words: WordsOf<'a>,
    /// In pixels; 0: what is usual.
    pub width: f64,
}

impl Matrix<'_> {
    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let values = || self.values.iter().copied().filter(|value| value.is_finite());
        let largest = values().fold(0.0, |most: f32, value| most.max(value.abs()));
        let limit = self.limit.filter(|limit| limit.is_finite()).unwrap_or(largest).abs();
        let end = f64::from(limit);
        let diverging = self.shades == Shades::Diverging;
        let neutral = self.shades == Shades::Neutral;
        let cell = |at: usize| {
            let value = self.values.get(at).copied().filter(|value| value.is_finite())?;
            let place = if limit > 0.0 { f64::from(value) / end } else { 0.0 };
            let mut class = String::from("plot-c");
            let place_shown = match self.shades {
                Shades::Diverging => place,
                Shades::Sequential => place.max(0.0),
                Shades::Neutral => place.abs(),
            };
            push_count(&mut class, level(place_shown) as u64);
            if neutral {
                class.push_str(" plot-neutral");
                class.push_str(if place < 0.0 { LESS } else { "" });
            }
            let text = written(value.into(), end, diverging || neutral);
            let said = spaced(&text, &self.unit);
            Some(Cell { class, text, value: value.to_string(), said })
        };
        let legend = |out: &mut String, y: f64, _width: f64| {
            if neutral && limit != 0.0 {
                let mut x = 8.0;
                for (name, less) in self.sides.iter().zip(["", LESS]) {
                    let class = ["plot-cell plot-c34 plot-neutral", less].concat();
                    rectangle(out, &class, [x, y, 17.0, 17.0]);
                    hatch(out, &class, [x, y, 17.0, 17.0]);
                    text(out, "", [x + 22.0, y + 13.0], name);
                    x += 40.0 + text_width(name);
                }
                return y + 22.0;
            }
            ramp(out, y, diverging, end, &self.unit)
        };
        let grid = Grid {
            title: &self.title,
            summary: &self.summary,
            rows: &self.rows,
            columns: &self.columns,
            outlined: &self.outlined,
            component: self.component,
            words: self.words,
            width: self.width,
            bands: &self.groups,
            eye: self.eye,
        };
        grid.draw(&cell, &legend)
    }
}

impl Kinds<'_> {
    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let class_of = |kind: usize| ["plot-k0", "plot-k1", "plot-k2", "plot-k3"][kind.min(3)];
        let cell = |at: usize| {
            let kind = self.cells.get(at).copied().flatten()?;
            let (letter, name) = self.names.get(kind)?;
            Some(Cell {
                class: class_of(kind).to_owned(),
                text: letter.to_string(),
                value: name.clone(),
                said: name.clone(),
            })
        };
        let legend = |out: &mut String, y: f64, width: f64| {
            let mut y = y;
            let mut x = 8.0;
            for (kind, (letter, name)) in self.names.iter().enumerate() {
                let name = cut(name, width - 40.0);
                let needs = 36.0 + text_width(&name);
                if x > 8.0 && x + needs > width {
                    (x, y) = (8.0, y + 20.0);
                }
                let place = [x, y, 17.0, 17.0];
                rectangle(out, class_of(kind), place);
                hatch(out, class_of(kind), place);
                let middle = [x + 8.5, y + 12.5];
                text(out, "plot-mid", middle, letter.encode_utf8(&mut [0; 4]));
                text(out, "", [x + 22.0, y + 12.5], &name);
                x += needs;
            }
            y + 22.0
        };
        let grid = Grid {
            title: &self.title,
            summary: &self.summary,
            rows: &self.rows,
            columns: &self.columns,
            outlined: &[],
            component: self.component,
            words: self.words,
            width: self.width,
            bands: &[],
            eye: None,
        };
        grid.draw(&cell, &legend)
    }
}

/// A scale from `-end`, or from 0 where it is not `diverging`, to `end`; gives the height at which it ends.
pub(super) fn ramp(out: &mut String, y: f64, diverging: bool, end: f64, unit: &str) -> f64 {
    if end == 0.0 {
        text(out, "plot-soft", [8.0, y + 12.0], "all values are 0");
        return y + 18.0;
    }
    let first = if diverging { 0 } else { LEVELS / 2 };
    let step = 160.0 / (LEVELS - first) as f64;
    for level in first..LEVELS {
        let mut class = String::from("plot-cell plot-c");
        push_count(&mut class, level as u64);
        // Half a unit wider, so that no seam shows between two steps.
        let x = 8.0 + (level - first) as f64 * step;
        rectangle(out, &class, [x, y, step + 0.5, 9.0]);
    }
    let low = if diverging { written(-end, end, true) } else { "0".to_owned() };
    let high = spaced(&written(end, end, diverging), unit);
    text(out, "plot-soft", [8.0, y + 22.0], &low);
    if diverging {
        text(out, "plot-soft plot-mid", [88.0, y + 22.0], "0");
    }
    text(out, "plot-soft", [152.0, y + 22.0], &high);
    y + 28.0
}
