//! Amounts and the steps between them, from top to bottom: each step begins where the amount before it ends.

use twinbeam_core::words::Component;

use super::axis::Axis;
use super::markup::{
    attribute, begin, cut, line, picture, push_escaped, reachable, rectangle, room, text,
    text_width,
};
use super::{Drawn, Ink, Table, Target, sentence, spaced, with_unit};

/// Height of a row, and of the bar in it.
const ROW: f64 = 28.0;
const BAR: f64 = 14.0;
const EDGE: f64 = 4.0;
/// Between names, bars and numbers.
const GAP: f64 = 10.0;
/// Share of the width that names take at most.
const NAMES: f64 = 0.62;

/// An amount, from 0, or a step from one amount to another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fall {
    /// What it is called.
    pub label: String,
    /// What it is, after its name where there is room for it.
    pub note: &'static str,
    /// Where it begins.
    pub from: f32,
    /// Where it ends.
    pub to: f32,
    /// Its colour.
    pub ink: Ink,
    /// `data-testid` of its number, where a test or a sentence asks for it.
    pub id: &'static str,
}

impl Fall {
    const fn value(&self) -> f32 {
        self.to - self.from
    }

    /// The end that it shares with the one after it.
    const fn meets(&self, next: &Self) -> f32 {
        if self.to == next.from || self.to == next.to { self.to } else { self.from }
    }
}

/// Amounts and steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waterfall {
    /// Name of the plot.
    pub title: String,
    /// The numbers that matter, in a sentence.
    pub summary: String,
    /// Unit of all of it.
    pub unit: String,
    /// What all of it is about.
    pub component: Option<Component>,
    /// From top to bottom.
    pub falls: Vec<Fall>,
    /// In pixels; 0: what is usual.
    pub width: f64,
}

impl Waterfall {
    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let width = room(self.width);
        let axis = Axis { signed: true, ..Axis::default() };
        let span = axis.span(&mut self.falls.iter().flat_map(|fall| [fall.from, fall.to]));
        let numbers: Vec<String> =
            self.falls.iter().map(|fall| span.write(fall.value().into())).collect();
        let widest = |words: &mut dyn Iterator<Item = f64>| words.fold(0.0, f64::max);
        let full = |fall: &Fall| match fall.note {
            "" => text_width(&fall.label),
            note => text_width(&fall.label) + text_width(note) + GAP,
        };
        let number_width = widest(&mut numbers.iter().map(|number| text_width(number)));
        let with_notes = widest(&mut self.falls.iter().map(full));
        let has_notes = with_notes <= NAMES * width;
        let names = if has_notes {
            with_notes
        } else {
            widest(&mut self.falls.iter().map(|fall| text_width(&fall.label)))
        };
        let left = EDGE + names.min(NAMES * width) + GAP;
        let right = (width - EDGE - number_width - GAP).max(left + 1.0);
        let place = |value: f32| left + (right - left) * span.share(value.into()).clamp(0.0, 1.0);
        let zero = place(0.0);

        let mut out = String::new();
        let mut y = EDGE;
        if !self.title.is_empty() {
            let title = cut(&with_unit(&self.title, &self.unit), width - 2.0 * EDGE);
            text(&mut out, "plot-title", [EDGE, y + 13.0], &title);
            y += 24.0;
        }
        let top = y;
        let mut drawn = Drawn::default();
        for (at, (fall, number)) in self.falls.iter().zip(&numbers).enumerate() {
            let base = y + ROW / 2.0 + 4.5;
            text(&mut out, "", [EDGE, base], &cut(&fall.label, names));
            if has_notes && !fall.note.is_empty() {
                let x = EDGE + text_width(&fall.label) + GAP;
                text(&mut out, "plot-soft", [x, base], fall.note);
            }
            let [from, to] = [fall.from, fall.to].map(place);
            if let Some(next) = self.falls.get(at + 1) {
                let x = place(fall.meets(next));
                line(&mut out, "plot-meets", [x, y + ROW / 2.0, x, y + 1.5 * ROW]);
            }
            begin(&mut out, "g", "plot-point", &[]);
            reachable(&mut out, at, self.component);
            out.push('>');
            let bar = [from.min(to), y + (ROW - BAR) / 2.0, (to - from).abs().max(1.0), BAR];
            rectangle(&mut out, &["plot-bar ", fall.ink.class()].concat(), bar);
            out.push_str("</g>");
            value(&mut out, [width - EDGE, base], fall, number);
            let mut label = fall.label.clone();
            label.push_str(": ");
            label.push_str(&spaced(number, &self.unit));
            if !fall.note.is_empty() {
                label.push_str(", ");
                label.push_str(fall.note);
            }
            let middle = [f64::midpoint(from, to) as f32, (y + ROW / 2.0) as f32];
            drawn.points.push(Target { component: self.component, label, place: middle });
            let name = match fall.note {
                "" => fall.label.clone(),
                note => [&fall.label, ", ", note].concat(),
            };
            drawn.table.rows.push(vec![name, number.clone()]);
            y += ROW;
        }
        line(&mut out, "plot-zero", [zero, top, zero, y]);
        drawn.table =
            Table { head: vec![String::new(), with_unit("value", &self.unit)], ..drawn.table };
        drawn.summary = sentence(&self.title, &self.summary, "");
        drawn.size = [width as f32, (y + EDGE) as f32];
        drawn.svg = picture([width, y + EDGE], &out);
        drawn
    }
}

/// A number at the right edge, in full for whoever reads the page by program.
fn value(out: &mut String, [x, y]: [f64; 2], fall: &Fall, number: &str) {
    begin(out, "text", "plot-end", &[("x", x), ("y", y)]);
    if !fall.id.is_empty() && fall.value().is_finite() {
        attribute(out, "data-testid", fall.id);
        attribute(out, "data-value", &fall.value().to_string());
    }
    out.push('>');
    push_escaped(out, number);
    out.push_str("</text>");
}
