//! Cells in rows and columns, whatever they show.

use twinbeam_core::words::Component;

use super::markup::{
    TYPE, attribute, begin, cut, line, picture, push_count, reachable, rectangle, room, text,
    text_width, upright,
};
use super::{Drawn, Ink, Table, Target, sentence, with_unit};
use crate::words::visible;

/// Rows, and columns, that are drawn at most.
const MOST: usize = 100;
/// Width of a label at most.
const LABEL_ROOM: f64 = 92.0;
/// Widths of a cell.
const NARROWEST: f64 = 15.0;
const WIDEST: f64 = 48.0;
/// Columns of tokens are read from bottom to top, and need the height of a line.
const FINGER: f64 = 18.0;
/// Class of a cell whose number is below 0 where no hue says so.
pub(super) const LESS: &str = " plot-less";
/// Height of a group's name.
const GROUP: f64 = 24.0;

/// What a cell belongs to, if that is a component.
pub(super) type ComponentOf<'a> = Option<&'a dyn Fn(usize, usize) -> Option<Component>>;
/// What is said of a cell besides its value.
pub(super) type WordsOf<'a> = Option<&'a dyn Fn(usize, usize) -> String>;

/// Names of rows or columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// What they are: `layer`, `position`.
    pub title: String,
    /// One each.
    pub texts: Vec<String>,
    /// Whether they are tokens, whose spaces count.
    pub tokens: bool,
    /// The number of the first, where those before are left out.
    pub begin: usize,
}

impl Labels {
    /// Numbers from 0.
    pub fn numbers(title: &str, n: usize) -> Self {
        Self::texts(title, (0..n).map(|number| number.to_string()).collect())
    }

    /// Tokens of a prompt.
    pub fn tokens(title: &str, texts: Vec<String>) -> Self {
        Self { tokens: true, ..Self::texts(title, texts) }
    }

    /// Any words.
    pub fn texts(title: &str, texts: Vec<String>) -> Self {
        Self { title: title.to_owned(), texts, tokens: false, begin: 0 }
    }

    /// Labels without those before a place, with the numbers that they had.
    pub fn from(mut self, begin: usize) -> Self {
        self.texts.drain(..begin.min(self.texts.len()));
        Self { begin: self.begin + begin, ..self }
    }

    /// A label as it is drawn.
    fn short(&self, at: usize) -> String {
        let text = self.texts.get(at).map_or("", String::as_str);
        if self.tokens { cut(&visible(text), LABEL_ROOM) } else { cut(text, LABEL_ROOM) }
    }

    /// A label as it is said: `layer 3`, `position 3 “·Mary”`.
    fn said(&self, at: usize) -> String {
        let mut out = self.title.clone();
        if !out.is_empty() {
            out.push(' ');
        }
        let text = self.texts.get(at).map_or("", String::as_str);
        if self.tokens {
            push_count(&mut out, (self.begin + at) as u64);
            out.push_str(" “");
            out.push_str(&visible(text));
            out.push('”');
        } else {
            out.push_str(text);
        }
        out
    }
}

/// What is in a cell.
pub(super) struct Cell {
    /// Class of its ground and its text.
    pub(super) class: String,
    /// Written in it if that fits.
    pub(super) text: String,
    /// The cell's value as data.
    pub(super) value: String,
    /// What is said.
    pub(super) said: String,
}

/// What both have in common.
pub(super) struct Grid<'a> {
    pub(super) title: &'a str,
    pub(super) summary: &'a str,
    pub(super) rows: &'a Labels,
    pub(super) columns: &'a Labels,
    pub(super) outlined: &'a [(usize, usize)],
    pub(super) component: ComponentOf<'a>,
    pub(super) words: WordsOf<'a>,
    /// In pixels; 0: what is usual.
    pub(super) width: f64,
    /// Groups of rows, each from its first row on, under a name of its own.
    pub(super) bands: &'a [Group],
    /// The column that should be in sight where not all are.
    pub(super) eye: Option<usize>,
}

/// A group of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// The first of its rows; they end where the next group begins.
    pub first: usize,
    /// Written above them.
    pub name: String,
    /// Its colour.
    pub ink: Ink,
    /// `data-testid` of the group.
    pub id: &'static str,
}

impl Group {
    /// Ends the group before, if one is open, and begins this one with its name.
    fn begin(&self, out: &mut String, [x, y]: [f64; 2], is_open: &mut bool) {
        if std::mem::replace(is_open, true) {
            out.push_str("</g>");
        }
        begin(out, "g", "", &[]);
        if !self.id.is_empty() {
            attribute(out, "data-testid", self.id);
        }
        out.push('>');
        text(out, &["plot-title ", self.ink.class()].concat(), [x, y], &self.name);
    }
}

/// Names over the columns, upright where they are wider than these. `at`: left end of the first, and their foot.
fn column_heads(out: &mut String, names: &[String], at: [f64; 2], width: f64, turned: bool) {
    let [left, foot] = at;
    for (at, name) in names.iter().enumerate() {
        let middle = left + width * (at as f64 + 0.5);
        if turned {
            upright(out, "plot-label", [middle + 4.0, foot], name);
        } else {
            text(out, "plot-label plot-mid", [middle, foot], name);
        }
    }
}

/// A cell's number, in black or white where its colour asks for that.
fn number(out: &mut String, cell: &Cell, at: [f64; 2]) {
    let mut class = String::from("plot-mid");
    if cell.class.starts_with("plot-c") {
        class.push_str(" plot-number ");
        class.push_str(&cell.class);
    }
    text(out, &class, at, &cell.text);
}

impl Grid<'_> {
    pub(super) fn draw(
        &self,
        cell: &dyn Fn(usize) -> Option<Cell>,
        legend: &dyn Fn(&mut String, f64, f64) -> f64,
    ) -> Drawn {
        let (n_rows, n_columns) = (self.rows.texts.len(), self.columns.texts.len());
        let first = [n_rows.saturating_sub(MOST), n_columns.saturating_sub(MOST)];
        let (rows, columns) = (first[0]..n_rows, first[1]..n_columns);
        let names = |labels: &Labels, range: std::ops::Range<usize>| -> Vec<String> {
            range.map(|at| labels.short(at)).collect()
        };
        let (row_names, column_names) =
            (names(self.rows, rows.clone()), names(self.columns, columns.clone()));
        let widest =
            |names: &[String]| names.iter().fold(0.0, |most: f64, name| most.max(text_width(name)));
        // Left of the cells: the rows' title, upright, and their names.
        let aside = if self.rows.title.is_empty() { 4.0 } else { 18.0 };
        let left = aside + widest(&row_names) + 5.0;
        let across = column_names.len().max(1) as f64;
        let room = room(self.width);
        let narrowest = if self.columns.tokens { FINGER } else { NARROWEST };
        let cell_width = ((room - 6.0 - left) / across).min(WIDEST).max(narrowest);
        let width = (left + cell_width * across + 6.0).max(room);
        let cell_height = match (self.bands.is_empty(), rows.len()) {
            (true, ..=30) => 22.0,
            (false, 37..) => 10.0,
            _ => NARROWEST,
        };
        let turned = self.columns.tokens || widest(&column_names) + 3.0 > cell_width;
        let mut top = if self.title.is_empty() { 4.0 } else { 24.0 };

        let mut out = String::new();
        if !self.title.is_empty() {
            text(&mut out, "plot-title", [4.0, 14.0], &cut(self.title, width - 8.0));
        }
        let heads = self.bands.len() as f64 * GROUP;
        let [middle_x, cells_height] =
            [left + cell_width * across / 2.0, cell_height * rows.len() as f64 + heads];
        if !self.columns.title.is_empty() {
            top += 14.0;
            text(&mut out, "plot-soft plot-mid", [middle_x, top - 3.0], &self.columns.title);
        }
        top += if turned { widest(&column_names) + 6.0 } else { 17.0 };
        if !self.rows.title.is_empty() {
            let place = [13.0, top + cells_height / 2.0];
            upright(&mut out, "plot-soft plot-mid", place, &self.rows.title);
        }
        // All numbers, or none: one that is missing would seem to be nothing.
        let all = rows.clone().flat_map(|row| columns.clone().map(move |c| row * n_columns + c));
        let longest = all.filter_map(cell).map(|cell| text_width(&cell.text)).fold(0.0, f64::max);
        let has_numbers = longest <= cell_width - 1.0 && cell_height > TYPE;
        let heads_at = [left, top - 4.0];
        column_heads(&mut out, &column_names, heads_at, cell_width, turned);
        let mut table = Table::default();
        table.head.push(with_unit(&self.rows.title, &self.columns.title));
        table.head.extend(columns.clone().map(|column| self.columns.said(column)));
        let mut drawn = Drawn { grid: true, ..Drawn::default() };
        let mut y = top - cell_height;
        let mut is_open = false;
        for (down, name) in row_names.iter().enumerate() {
            let row = first[0] + down;
            y += cell_height;
            if let Some(group) = self.bands.iter().find(|group| group.first == row) {
                group.begin(&mut out, [left, y + GROUP - 6.0], &mut is_open);
                y += GROUP;
            }
            let base = y + cell_height / 2.0 + 0.35 * TYPE;
            // Of thin rows every other name at most, the first of each group among them.
            let in_group = self.bands.iter().rev().find(|g| g.first <= row).map_or(0, |g| g.first);
            if cell_height >= TYPE || (row - in_group).is_multiple_of(2) {
                text(&mut out, "plot-label plot-end", [left - 4.0, base], name);
            }
            let mut written = vec![self.row_said(row)];
            for column in columns.clone() {
                let x = left + cell_width * (column - first[1]) as f64;
                let Some(cell) = cell(row * n_columns + column) else {
                    written.push(String::new());
                    continue;
                };
                let component = self.component.and_then(|of| of(row, column));
                let place = [x, y, cell_width - 1.0, cell_height - 1.0];
                let targets = &mut drawn.points;
                self.draw_cell(&mut out, &cell, place, targets.len(), (row, column), component);
                if has_numbers {
                    number(&mut out, &cell, [x + (cell_width - 1.0) / 2.0, base]);
                }
                let middle = [x + cell_width / 2.0, y + cell_height / 2.0];
                let label = self.label(&cell, row, column, component);
                targets.push(Target { component, label, place: middle.map(|at| at as f32) });
                written.push(cell.text);
            }
            table.rows.push(written);
        }
        if is_open {
            out.push_str("</g>");
        }
        drawn.eye = self
            .eye
            .and_then(|at| at.checked_sub(first[1]))
            .map(|column| (left + cell_width * (column as f64 + 0.5)) as f32);
        let height = legend(&mut out, top + cells_height + 8.0, width);
        drawn.table = table;
        drawn.summary = sentence(self.title, self.summary, &self.left_out(first));
        drawn.size = [width as f32, height as f32];
        drawn.svg = picture([width, height], &out);
        if width > room {
            // It keeps its size, and scrolls.
            drawn.svg = drawn.svg.replacen("plot-svg", "plot-svg plot-long", 1);
        }
        drawn
    }

    /// What is not drawn of a table that is larger than a picture can be.
    fn left_out(&self, first: [usize; 2]) -> String {
        let mut said = String::new();
        for (labels, first, what) in
            [(self.rows, first[0], "rows"), (self.columns, first[1], "columns")]
        {
            if first > 0 {
                said.push_str(if said.is_empty() { "" } else { " " });
                said.push_str("The last ");
                push_count(&mut said, MOST as u64);
                said.push_str(" of ");
                push_count(&mut said, labels.texts.len() as u64);
                said.push(' ');
                said.push_str(what);
                said.push_str(" are drawn.");
            }
        }
        said
    }

    fn draw_cell(
        &self,
        out: &mut String,
        cell: &Cell,
        place: [f64; 4],
        at: usize,
        (row, column): (usize, usize),
        component: Option<Component>,
    ) {
        let [x, y, width, height] = place;
        let mut class = String::from("plot-point plot-cell ");
        class.push_str(&cell.class);
        begin(out, "rect", &class, &[("x", x), ("y", y), ("width", width), ("height", height)]);
        reachable(out, at, component);
        out.push_str(" data-row=\"");
        push_count(out, row as u64);
        out.push_str("\" data-column=\"");
        push_count(out, column as u64);
        out.push('"');
        attribute(out, "data-value", &cell.value);
        out.push_str("/>");
        hatch(out, &cell.class, place);
        if self.outlined.contains(&(row, column)) {
            rectangle(out, "plot-outlined", place);
        }
    }

    /// A row as it is said, with its group's name.
    fn row_said(&self, row: usize) -> String {
        let group = self.bands.iter().rev().find(|group| group.first <= row);
        let mut out = group.map(|group| group.name.clone()).unwrap_or_default();
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&self.rows.said(row));
        out
    }

    fn label(
        &self,
        cell: &Cell,
        row: usize,
        column: usize,
        component: Option<Component>,
    ) -> String {
        let mut label = match component {
            // A cell per component is one by its name.
            Some(component)
                if component.layer == row
                    && component.index == column
                    && !self.rows.tokens
                    && !self.columns.tokens =>
            {
                component.to_string()
            }
            _ => with_unit(&self.row_said(row), &self.columns.said(column)),
        };
        label.push_str(": ");
        label.push_str(&cell.said);
        let words = self.words.map(|words| words(row, column)).unwrap_or_default();
        if !words.is_empty() {
            label.push_str("; ");
            label.push_str(&words);
        }
        label
    }
}

/// Strokes across a cell of the first three kinds: rising, falling, both; and of one that is less.
pub(super) fn hatch(out: &mut String, class: &str, [x, y, width, height]: [f64; 4]) {
    let (right, bottom) = (x + width, y + height);
    if matches!(class, "plot-k0" | "plot-k2") || class.ends_with(LESS) {
        line(out, "plot-hatch", [x, bottom, right, y]);
    }
    if matches!(class, "plot-k1" | "plot-k2") {
        line(out, "plot-hatch", [x, y, right, bottom]);
    }
}
