//! Small maps of one size beside each other, with one scale: what they are of is compared cell by cell.

use twinbeam_core::words::Component;

use super::axis::written;
use super::markup::{
    attribute, begin, level, picture, push_count, reachable, rectangle, room, text, text_width,
};
use super::matrix::ramp;
use super::{Drawn, Table, Target, sentence, spaced};

/// Maps of a line.
const ACROSS: usize = 2;
/// Between two maps.
const GAP: f64 = 14.0;
/// Height of a map's name, and of the numbers of its columns.
const NAME: f64 = 22.0;
const HEADS: f64 = 15.0;
/// A cell's width and height at most, and its height at least.
const WIDEST: f64 = 24.0;
const HIGHEST: f64 = 16.0;
const LOWEST: f64 = 5.0;
/// Room that the number of a row or a column takes.
const NUMBER: f64 = 13.0;

/// One of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pane {
    /// What it is called.
    pub name: String,
    /// `data-testid` of the map.
    pub id: &'static str,
    /// Row by row; empty as long as nothing is known.
    pub values: Vec<f32>,
}

/// Maps of the same components: a row per layer, a column for each component of it.
pub struct Panes<'a> {
    /// Name of all of them.
    pub title: String,
    /// The numbers that matter, in a sentence.
    pub summary: String,
    /// Unit of all panes.
    pub unit: String,
    /// Rows and columns of each.
    pub size: [usize; 2],
    /// The panes, from left to right.
    pub all: Vec<Pane>,
    /// End of the scale.
    pub limit: f32,
    /// The cell with a frame, by row and column.
    pub framed: Option<[usize; 2]>,
    /// What a cell belongs to.
    pub component: &'a dyn Fn(usize, usize) -> Component,
    /// In pixels; 0: what is usual.
    pub width: f64,
}

impl Panes<'_> {
    /// Draws them.
    pub fn draw(&self) -> Drawn {
        let [n_rows, n_columns] = self.size;
        let width = room(self.width);
        let aside = text_width(&n_rows.saturating_sub(1).to_string()) + 5.0;
        let across = ACROSS.min(self.all.len()).max(1);
        let of_each = (width - GAP * (across - 1) as f64) / across as f64;
        let cell_width = ((of_each - aside) / n_columns.max(1) as f64).min(WIDEST);
        let cell_height = cell_width.clamp(LOWEST, HIGHEST);
        let high = NAME + HEADS + cell_height * n_rows as f64;
        let end = if self.limit.is_finite() { f64::from(self.limit.abs()) } else { 0.0 };

        let mut out = String::new();
        let mut drawn = Drawn { grid: true, ..Drawn::default() };
        for (at, pane) in self.all.iter().enumerate() {
            let left = (at % across) as f64 * (of_each + GAP);
            let top = (at / across) as f64 * (high + GAP);
            begin(&mut out, "g", "", &[]);
            if !pane.id.is_empty() {
                attribute(&mut out, "data-testid", pane.id);
            }
            out.push('>');
            text(&mut out, "plot-title", [left + aside, top + 15.0], &pane.name);
            let [x, y] = [left + aside, top + NAME + HEADS];
            for column in (0..n_columns).step_by(step(cell_width)) {
                let middle = x + cell_width * (column as f64 + 0.5);
                text(&mut out, "plot-label plot-mid", [middle, y - 4.0], &column.to_string());
            }
            for row in (0..n_rows).step_by(step(cell_height)) {
                let base = y + cell_height * (row as f64 + 0.5) + 4.5;
                text(&mut out, "plot-label plot-end", [x - 4.0, base], &row.to_string());
            }
            if pane.values.is_empty() {
                let cells = [cell_width * n_columns as f64, cell_height * n_rows as f64];
                rectangle(&mut out, "plot-frame", [x, y, cells[0], cells[1]]);
            }
            let known = pane.values.iter().enumerate().filter(|(_, value)| value.is_finite());
            for (place, value) in known {
                let (row, column) = (place / n_columns.max(1), place % n_columns.max(1));
                let corner = [x + cell_width * column as f64, y + cell_height * row as f64];
                let place = [corner[0], corner[1], cell_width - 1.0, cell_height - 1.0];
                let component = (self.component)(row, column);
                let share = if end > 0.0 { f64::from(*value) / end } else { 0.0 };
                cell(&mut out, share, place);
                reachable(&mut out, drawn.points.len(), Some(component));
                attribute(&mut out, "data-value", &value.to_string());
                out.push_str("/>");
                let said = spaced(&written((*value).into(), end, true), &self.unit);
                let label = [&component.to_string(), ", ", &pane.name, ": ", &said].concat();
                let place = [corner[0] + cell_width / 2.0, corner[1] + cell_height / 2.0];
                let place = place.map(|at| at as f32);
                drawn.points.push(Target { component: Some(component), label, place });
            }
            if let Some([row, column]) = self.framed.filter(|_| !pane.values.is_empty()) {
                let corner = [x + cell_width * column as f64, y + cell_height * row as f64];
                let place = [corner[0] - 0.5, corner[1] - 0.5, cell_width, cell_height];
                rectangle(&mut out, "plot-framed", place);
            }
            out.push_str("</g>");
        }
        let lines = self.all.len().div_ceil(across) as f64;
        let y = lines * (high + GAP);
        let y = if drawn.points.is_empty() {
            // Nothing is known yet: the scale has its room.
            y + 28.0
        } else {
            ramp(&mut out, y, true, end, &self.unit)
        };
        drawn.table = self.table(end);
        drawn.summary = sentence(&self.title, &self.summary, "");
        drawn.size = [width as f32, y as f32];
        drawn.svg = picture([width, y], &out);
        drawn
    }

    /// A line per component, a column per map.
    fn table(&self, end: f64) -> Table {
        let [n_rows, n_columns] = self.size;
        let mut table = Table::default();
        table.head.push(String::new());
        table.head.extend(self.all.iter().map(|pane| pane.name.clone()));
        for place in 0..n_rows * n_columns {
            let mut line = vec![(self.component)(place / n_columns, place % n_columns).to_string()];
            line.extend(self.all.iter().map(|pane| {
                let value = pane.values.get(place).filter(|value| value.is_finite());
                value.map(|value| written((*value).into(), end, true)).unwrap_or_default()
            }));
            table.rows.push(line);
        }
        table
    }
}

/// The beginning of a cell, in the colour of its share of the scale.
fn cell(out: &mut String, share: f64, [x, y, width, height]: [f64; 4]) {
    let mut class = String::from("plot-point plot-cell plot-c");
    push_count(&mut class, level(share) as u64);
    begin(out, "rect", &class, &[("x", x), ("y", y), ("width", width), ("height", height)]);
}

/// Every which row or column has its number.
fn step(size: f64) -> usize {
    if size > 0.0 { (NUMBER / size).ceil().max(1.0) as usize } else { 1 }
}
