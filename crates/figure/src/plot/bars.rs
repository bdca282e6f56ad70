//! Bars with names, and what each step between them adds.

use twinbeam_core::words::Component;

use super::axis::Axis;
use super::markup::{begin, cut, line, picture, reachable, rectangle, room, text, text_width};
use super::{Drawn, Ink, Table, Target, sentence, spaced, with_unit};

const LEFT: f64 = 8.0;
/// Height of a line of text, and of a bar.
const LINE: f64 = 19.0;
const BAR: f64 = 10.0;

/// A bar, or a pair of bars.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bar {
    /// Name of the bar.
    pub label: String,
    /// One or two.
    pub values: Vec<f32>,
    /// What it stands for, if that is a component.
    pub component: Option<Component>,
    /// Written after its number.
    pub note: String,
    /// Written between it and the next: what the step adds.
    pub then: String,
}

/// Bars from one zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bars {
    /// Name of the plot.
    pub title: String,
    /// The numbers that matter, in a sentence.
    pub summary: String,
    /// The values'.
    pub unit: String,
    /// Names of the two values of a pair; empty for single bars.
    pub names: Vec<String>,
    /// Colours of the two values.
    pub inks: [Ink; 2],
    /// From top to bottom.
    pub rows: Vec<Bar>,
    /// Ends of the scale; `None`: what the values need.
    pub range: Option<(f32, f32)>,
    /// Whether numbers are written with their sign.
    pub signed: bool,
    /// In pixels; 0: what is usual.
    pub width: f64,
}

fn class(ink: Ink) -> String {
    ["plot-bar ", ink.class()].concat()
}

impl Bars {
    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let width = room(self.width);
        // From zero, sign or not: a bar's length is its value.
        let axis = Axis { range: self.range, signed: true, ..Axis::default() };
        let mut span = axis.span(&mut self.rows.iter().flat_map(|bar| bar.values.iter().copied()));
        span.signed = self.signed;
        let place = |value: f64| LEFT + (width - 2.0 * LEFT) * span.share(value).clamp(0.0, 1.0);
        let zero = place(0.0);

        let mut out = String::new();
        let mut y = 4.0;
        if !self.title.is_empty() {
            y += LINE + 2.0;
            let title = with_unit(&self.title, &self.unit);
            text(&mut out, "plot-title", [LEFT, y - 6.0], &cut(&title, width - 2.0 * LEFT));
        }
        if !self.names.is_empty() {
            y += LINE;
            let mut x = LEFT;
            for (name, ink) in self.names.iter().zip(self.inks) {
                rectangle(&mut out, &class(ink), [x, y - 12.0, BAR, BAR]);
                text(&mut out, "plot-soft", [x + BAR + 5.0, y - 3.0], name);
                x += BAR + 20.0 + text_width(name);
            }
        }
        let mut drawn = Drawn::default();
        for (at, bar) in self.rows.iter().enumerate() {
            let numbers = self.numbers(bar, true, &|value| span.write(value.into()));
            // Whose they are is in the legend, and in their order.
            let short = self.numbers(bar, false, &|value| span.write(value.into()));
            y += LINE;
            // Above the bar with what hangs below the line of type.
            text(&mut out, "plot-end", [width - LEFT, y - 5.0], &short);
            let room = width - 2.0 * LEFT - text_width(&short) - 8.0;
            text(&mut out, "", [LEFT, y - 5.0], &cut(&bar.label, room));
            begin(&mut out, "g", "plot-point", &[]);
            reachable(&mut out, at, bar.component);
            out.push('>');
            let top = y;
            for (value, ink) in bar.values.iter().zip(self.inks) {
                if value.is_finite() {
                    let end = place((*value).into());
                    let (from, long) = (zero.min(end), (end - zero).abs());
                    // A value of zero is a bar too: a hairline.
                    rectangle(&mut out, &class(ink), [from, y, long.max(0.7), BAR]);
                }
                y += BAR + 1.0;
            }
            out.push_str("</g>");
            line(&mut out, "plot-zero", [zero, top, zero, y - 1.0]);
            let middle = [f64::midpoint(zero, width / 2.0) as f32, f64::midpoint(top, y) as f32];
            let mut label = bar.label.clone();
            label.push_str(": ");
            label.push_str(&spaced(&numbers, &self.unit));
            if !bar.then.is_empty() {
                y += LINE;
                let mut then = String::from("↓ ");
                then.push_str(&bar.then);
                text(
                    &mut out,
                    "plot-soft",
                    [LEFT + 10.0, y - 3.0],
                    &cut(&then, width - 3.0 * LEFT),
                );
                label.push_str("; then ");
                label.push_str(&bar.then);
            }
            y += 6.0;
            drawn.points.push(Target { component: bar.component, label, place: middle });
        }
        drawn.table = self.table(&|value| span.write(value.into()));
        drawn.summary = sentence(&self.title, &self.summary, "");
        drawn.size = [width as f32, (y + 4.0) as f32];
        drawn.svg = picture([width, y + 4.0], &out);
        drawn
    }

    /// The values of a bar and its note, in a line.
    fn numbers(&self, bar: &Bar, with_names: bool, write: &dyn Fn(f32) -> String) -> String {
        let mut out = String::new();
        for (place, value) in bar.values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            if !out.is_empty() {
                out.push_str(", ");
            }
            if let Some(name) = self.names.get(place).filter(|_| with_names) {
                out.push_str(name);
                out.push(' ');
            }
            out.push_str(&write(*value));
        }
        spaced(&out, &bar.note)
    }

    fn table(&self, write: &dyn Fn(f32) -> String) -> Table {
        let mut table = Table::default();
        table.head.push(String::new());
        let values = self.rows.iter().map(|bar| bar.values.len()).max().unwrap_or(1);
        for place in 0..values {
            let name = self.names.get(place).map_or("value", String::as_str);
            table.head.push(with_unit(name, &self.unit));
        }
        let has = |part: fn(&Bar) -> &String| self.rows.iter().any(|bar| !part(bar).is_empty());
        let (notes, steps) = (has(|bar| &bar.note), has(|bar| &bar.then));
        table.head.extend(notes.then(|| "note".to_owned()));
        table.head.extend(steps.then(|| "what the next adds".to_owned()));
        for bar in &self.rows {
            let mut row = vec![bar.label.clone()];
            for place in 0..values {
                let value = bar.values.get(place).filter(|value| value.is_finite());
                row.push(value.map(|value| write(*value)).unwrap_or_default());
            }
            row.extend(notes.then(|| bar.note.clone()));
            row.extend(steps.then(|| bar.then.clone()));
            table.rows.push(row);
        }
        table
    }
}
