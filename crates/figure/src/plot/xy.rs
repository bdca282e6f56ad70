//! Curves and points over two axes.

use std::iter;

use super::axis::{Axis, Span};
use super::labels::Places;
use super::markup::{
    TYPE, begin, cut, line, picture, push_number, reachable, rectangle, room, shape, text,
    text_width, upright,
};
use super::parts::{At, Band, Ink, Mark, Rule, Series, Xy};
use super::points::{Cloud, begin_mark};
use super::{Drawn, Table, Target, sentence, with_unit};

/// Heights of a frame.
const LEAST_HIGH: f64 = 200.0;
const MOST_HIGH: f64 = 320.0;

/// Where the numbers of both axes lie in the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) x: Span,
    pub(super) y: Span,
}

impl Frame {
    pub(super) fn place(&self, x: f64, y: f64) -> [f64; 2] {
        let Self { left, top, right, bottom, .. } = *self;
        let (x, y) = (self.x.share(x), self.y.share(y));
        [left + (right - left) * x, bottom - (bottom - top) * y]
    }

    pub(super) fn holds(&self, x: f32, y: f32) -> bool {
        x.is_finite() && y.is_finite() && self.x.holds(x.into()) && self.y.holds(y.into())
    }
}

impl Xy<'_> {
    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let width = room(self.width);
        let (x, y) = self.spans();
        let (x_ticks, y_ticks) = (x.ticks(), y.ticks());
        let widest = |ticks: &[(f64, String)]| {
            ticks.iter().fold(0.0, |most: f64, (_, words)| most.max(text_width(words)))
        };
        let left = widest(&y_ticks).max(14.0) + 8.0;
        let right = width - (widest(&x_ticks) / 2.0).clamp(10.0, 40.0);
        let top = if self.title.is_empty() { 24.0 } else { 42.0 };
        let high = if self.identity {
            (right - left).min(MOST_HIGH)
        } else {
            (0.55 * width).clamp(LEAST_HIGH, MOST_HIGH)
        };
        let frame = Frame { left, top, right, bottom: top + high, x, y };
        let bottom = frame.bottom;

        let mut out = String::new();
        if !self.title.is_empty() {
            text(&mut out, "plot-title", [4.0, 14.0], &cut(&self.title, width - 8.0));
        }
        text(&mut out, "plot-soft", [4.0, top - 10.0], &with_unit(&self.y.title, &self.y.unit));
        let middle = f64::midpoint(left, right);
        let x_title = with_unit(&self.x.title, &self.x.unit);
        text(&mut out, "plot-soft plot-mid", [middle, bottom + 31.0], &x_title);
        self.ground(&mut out, &frame, &x_ticks, &y_ticks);
        let mut places = Places::new([left, top, right, bottom]);
        let mut drawn = Drawn { table: self.table(&frame), ..Drawn::default() };
        let cloud = Cloud::of(self, &frame);
        // No word lies over a point: over a mark a name would seem to be that one's.
        cloud.keep_clear(self, &frame, &mut places);
        for (x, y) in self.series.iter().flat_map(|series| &series.points) {
            if frame.holds(*x, *y) {
                places.keep_clear(frame.place((*x).into(), (*y).into()), 2.0);
            }
        }
        let (labels, elsewhere) = self.lines(&mut out, &frame, &mut places);
        if self.points.is_empty() {
            self.curve_points(&mut out, &frame, &mut drawn.points);
        } else {
            cloud.draw(&mut out, self, &frame, &mut places, &mut drawn);
        }
        out.push_str(&labels);
        let height = self.legend(&mut out, bottom + 38.0, width, cloud.rest.len(), &elsewhere);
        drawn.summary = sentence(&self.title, &self.summary, &cloud.left_out());
        drawn.size = [width as f32, height as f32];
        drawn.svg = picture([width, height], &out);
        drawn
    }

    fn spans(&self) -> (Span, Span) {
        let of_rules = |upright: bool| {
            self.rules.iter().filter_map(move |rule| match rule.at {
                At::X(x) if upright => Some(x),
                At::Y(y) if !upright => Some(y),
                _ => None,
            })
        };
        let xs = || {
            let curves = self.series.iter().flat_map(|series| series.points.iter().map(|p| p.0));
            let bands = self.bands.iter().flat_map(|band| [band.from, band.to]);
            let points = self.points.iter().map(|point| point.x);
            points
                .chain(curves)
                .chain(bands)
                .chain(self.nodes.iter().copied())
                .chain(of_rules(true))
        };
        let ys = || {
            let curves = self.series.iter().flat_map(|series| series.points.iter().map(|p| p.1));
            self.points.iter().map(|point| point.y).chain(curves).chain(of_rules(false))
        };
        if self.identity && self.x.range.is_none() && self.y.range.is_none() {
            let both = self.x.span(&mut xs().chain(ys()));
            return (both, Span { signed: self.y.signed, ..both });
        }
        (self.x.span(&mut xs()), self.y.span(&mut ys()))
    }

    /// Bands, grid, ticks, zero lines and the identity line.
    fn ground(
        &self,
        out: &mut String,
        frame: &Frame,
        x_ticks: &[(f64, String)],
        y_ticks: &[(f64, String)],
    ) {
        let Frame { left, top, right, bottom, x, y } = *frame;
        for band in &self.bands {
            let place = |at: f32| frame.place(f64::from(at), y.low)[0].min(right).max(left);
            let (from, to) = (place(band.from), place(band.to));
            rectangle(out, "plot-band", [from.min(to), top, (to - from).abs(), bottom - top]);
        }
        let mut end = f64::NEG_INFINITY;
        for (number, words) in x_ticks {
            let at = frame.place(*number, y.low)[0];
            line(out, "plot-grid", [at, top, at, bottom]);
            let half = text_width(words) / 2.0;
            if at - half > end {
                text(out, "plot-soft plot-mid", [at, bottom + 15.0], words);
                end = at + half + 3.0;
            }
        }
        for (number, words) in y_ticks {
            let at = frame.place(x.low, *number)[1];
            line(out, "plot-grid", [left, at, right, at]);
            text(out, "plot-soft plot-end", [left - 5.0, at + 4.0], words);
        }
        rectangle(out, "plot-frame", [left, top, right - left, bottom - top]);
        let zero = frame.place(0.0, 0.0);
        if x.signed && x.holds(0.0) {
            line(out, "plot-zero", [zero[0], top, zero[0], bottom]);
        }
        if y.signed && y.holds(0.0) {
            line(out, "plot-zero", [left, zero[1], right, zero[1]]);
        }
        for node in self.nodes.iter().filter(|node| x.holds(f64::from(**node))) {
            let at = frame.place(f64::from(*node), y.low)[0];
            line(out, "plot-node", [at, bottom - 6.0, at, bottom]);
        }
    }

    /// Limits and curves. Returns the words beside the limits and in the bands, which belong on top, and the limits whose
    /// words have no room there, for the legend.
    fn lines(&self, out: &mut String, frame: &Frame, places: &mut Places) -> (String, Vec<&Rule>) {
        let Frame { left, top, right, bottom, x, y } = *frame;
        let (width, height) = (right - left, bottom - top);
        // A picture in the picture, which cuts off what leaves the frame.
        let corner = [("x", left), ("y", top), ("width", width), ("height", height)];
        begin(out, "svg", "", &corner);
        out.push_str(" viewBox=\"");
        for (place, number) in [left, top, width, height].into_iter().enumerate() {
            if place > 0 {
                out.push(' ');
            }
            push_number(out, number);
        }
        out.push_str("\">");
        // Far outside, coordinates lose their digits: there is nothing to see there either. A steep line ends where it gets
        // there, so that what is seen of it stays where it is.
        let across = |slope: f64, intercept: f64| {
            let [from, to] = [x.low, x.high].map(|x| frame.place(x, slope * x + intercept));
            let cut = |end: [f64; 2], other: [f64; 2]| {
                let y = end[1].min(bottom + 10.0 * height).max(top - 10.0 * height);
                let share = (y - other[1]) / (end[1] - other[1]);
                if y == end[1] || !share.is_finite() {
                    return [end[0], y];
                }
                [other[0] + share * (end[0] - other[0]), y]
            };
            let [from, to] = [cut(from, to), cut(to, from)];
            [from[0], from[1], to[0], to[1]]
        };
        if self.identity {
            line(out, "plot-identity", across(1.0, 0.0));
        }
        // First, because they have one place only.
        let mut labels = self.band_names(frame, places);
        let mut elsewhere = Vec::new();
        for rule in &self.rules {
            let ends = match rule.at {
                At::X(at) => {
                    let at = frame.place(f64::from(at), y.low)[0];
                    [at, bottom, at, top]
                }
                At::Y(at) => {
                    let at = frame.place(x.low, f64::from(at))[1];
                    [left, at, right, at]
                }
                At::Slope { slope, intercept } => across(f64::from(slope), f64::from(intercept)),
            };
            if !ends.iter().all(|end| end.is_finite()) {
                continue;
            }
            ink(out, rule.ink);
            line(out, "plot-rule", ends);
            out.push_str("</g>");
            // Where the line leaves the frame: of a steep one at its top or bottom.
            let [x1, y1, x2, y2] = ends;
            let end_y = y2.min(bottom).max(top);
            let steep = (y2 - y1).abs() > 0.0 && end_y != y2;
            let end_x = if steep { x1 + (x2 - x1) * (end_y - y1) / (y2 - y1) } else { x2 };
            let words = &rule.label;
            if words.is_empty() {
                continue;
            }
            let beside = match rule.at {
                At::X(_) => places.along(end_x, words),
                At::Y(_) => places.over_line(end_y, words),
                At::Slope { .. } => None,
            };
            match beside.or_else(|| places.ending([end_x, end_y], words)) {
                Some(at) => {
                    let class = ["plot-name ", rule.ink.class()].concat();
                    text(&mut labels, &class, at, words);
                }
                None => elsewhere.push(rule),
            }
        }
        for series in &self.series {
            curve(out, frame, series);
        }
        out.push_str("</svg>");
        (labels, elsewhere)
    }

    /// Names in their bands: across, else upright; not where a band is too narrow for both.
    fn band_names(&self, frame: &Frame, places: &mut Places) -> String {
        let mut out = String::new();
        for Band { from, to, label } in self.bands.iter().filter(|band| !band.label.is_empty()) {
            let place = |at: f32| {
                frame.place(f64::from(at), frame.y.low)[0].min(frame.right).max(frame.left)
            };
            let (from, to) = (place(from.min(*to)), place(from.max(*to)));
            if let Some(at) = places.between(from, to, label) {
                text(&mut out, "plot-name plot-soft", at, label);
            } else if let Some(at) = places.upright(from, to, label) {
                upright(&mut out, "plot-name plot-soft plot-end", at, label);
            }
        }
        out
    }

    /// The curves' points, which can be reached.
    fn curve_points(&self, out: &mut String, frame: &Frame, targets: &mut Vec<Target>) {
        for series in &self.series {
            ink(out, series.ink);
            for (x, y) in series.points.iter().filter(|(x, y)| frame.holds(*x, *y)) {
                let [at_x, at_y] = frame.place((*x).into(), (*y).into());
                let class = if series.dots {
                    "plot-point plot-dot"
                } else {
                    "plot-point plot-dot plot-hidden"
                };
                begin(out, "circle", class, &[("cx", at_x), ("cy", at_y), ("r", 2.6)]);
                reachable(out, targets.len(), None);
                out.push_str("/>");
                let mut label = series.label.clone();
                if !label.is_empty() {
                    label.push_str(": ");
                }
                self.numbers(&mut label, frame, *x, *y);
                let place = [at_x as f32, at_y as f32];
                targets.push(Target { component: None, label, place });
            }
            out.push_str("</g>");
        }
    }

    /// `IG +0.42, AP +0.11 logits`.
    pub(super) fn numbers(&self, out: &mut String, frame: &Frame, x: f32, y: f32) {
        // A unit that both axes have is written once, behind both numbers.
        let has_own_unit = self.x.unit != self.y.unit;
        number(out, &self.x, frame.x, x, has_own_unit);
        out.push_str(", ");
        number(out, &self.y, frame.y, y, true);
    }

    /// The curves' numbers: a column each where all have the same x, else a line per point.
    fn table(&self, frame: &Frame) -> Table {
        let [x_name, y_name] = [&self.x, &self.y].map(|axis| with_unit(&axis.title, &axis.unit));
        let mut table = Table::default();
        let Some(first) = self.series.first().filter(|_| self.points.is_empty()) else {
            return table;
        };
        let aligned = self
            .series
            .iter()
            .all(|series| series.points.iter().map(|p| p.0).eq(first.points.iter().map(|p| p.0)));
        if aligned {
            table.head.push(x_name);
            for series in &self.series {
                let name = if series.label.is_empty() { &y_name } else { &series.label };
                table.head.push(name.clone());
            }
            for (place, (x, _)) in first.points.iter().enumerate() {
                let numbers =
                    self.series.iter().map(|series| written(frame.y, series.points[place].1));
                table.rows.push(iter::once(written(frame.x, *x)).chain(numbers).collect());
            }
            return table;
        }
        table.head = vec!["curve".to_owned(), x_name, y_name];
        for series in &self.series {
            for (x, y) in &series.points {
                let row = vec![series.label.clone(), written(frame.x, *x), written(frame.y, *y)];
                table.rows.push(row);
            }
        }
        table
    }

    /// Names of curves and shapes, from `y` down; returns where the picture ends.
    fn legend(&self, out: &mut String, y: f64, width: f64, rest: usize, rules: &[&Rule]) -> f64 {
        let mut at = [8.0, y];
        for series in self.series.iter().filter(|series| !series.label.is_empty()) {
            let [x, y] = entry(out, &mut at, width, &series.label);
            ink(out, series.ink);
            let class = if series.dashed { "plot-curve plot-dashed" } else { "plot-curve" };
            line(out, class, [x, y, x + 16.0, y]);
            if series.dots {
                shape(out, "circle", "plot-dot", &[("cx", x + 8.0), ("cy", y), ("r", 2.6)]);
            }
            out.push_str("</g>");
        }
        for rule in rules {
            let [x, y] = entry(out, &mut at, width, &rule.label);
            ink(out, rule.ink);
            line(out, "plot-rule", [x, y, x + 16.0, y]);
            out.push_str("</g>");
        }
        for (words, mark) in self.marks.iter().zip([Mark::Triangle, Mark::Square, Mark::Diamond]) {
            if !words.is_empty() && self.points.iter().any(|point| point.mark == mark) {
                let [x, y] = entry(out, &mut at, width, words);
                begin_mark(out, mark, self.by_method, [x + 8.0, y], "");
                out.push_str("/>");
            }
        }
        if self.points.iter().any(|point| point.selected) {
            let [x, y] = entry(out, &mut at, width, "selected");
            begin_mark(out, Mark::Disc, false, [x + 8.0, y], " plot-selected");
            out.push_str("/>");
        }
        if rest > 0 {
            let [x, y] = entry(out, &mut at, width, "the rest, as a density");
            rectangle(out, "plot-d2", [x + 4.0, y - 4.0, 8.0, 8.0]);
        }
        at[1] + if at[0] > 8.0 { 20.0 } else { 2.0 }
    }
}

/// Writes a name and returns where its sample begins, on the middle of the line.
/// The number of a point on an axis, with the axis' name: `IG +0.42`, or `IG +0.42 logits`.
fn number(out: &mut String, axis: &Axis, span: Span, number: f32, with_unit: bool) {
    out.push_str(&axis.title);
    out.push(' ');
    out.push_str(&span.write(number.into()));
    if with_unit && !axis.unit.is_empty() {
        out.push(' ');
        out.push_str(&axis.unit);
    }
}

fn entry(out: &mut String, at: &mut [f64; 2], width: f64, words: &str) -> [f64; 2] {
    let words = cut(words, width - 40.0);
    let needs = 22.0 + text_width(&words);
    if at[0] > 8.0 && at[0] + needs > width - 4.0 {
        *at = [8.0, at[1] + TYPE + 5.0];
    }
    let [x, y] = *at;
    text(out, "", [x + 21.0, y + 13.0], &words);
    at[0] += needs + 12.0;
    [x, y + 9.0]
}

fn ink(out: &mut String, ink: Ink) {
    begin(out, "g", ink.class(), &[]);
    out.push('>');
}

fn written(span: Span, number: f32) -> String {
    if number.is_finite() { span.write(number.into()) } else { String::new() }
}

fn curve(out: &mut String, frame: &Frame, series: &Series) {
    ink(out, series.ink);
    let class = if series.dashed { "plot-curve plot-dashed" } else { "plot-curve" };
    begin(out, "path", class, &[]);
    out.push_str(" d=\"");
    let mut broken = true;
    for (x, y) in &series.points {
        if !(x.is_finite() && y.is_finite()) {
            broken = true;
            continue;
        }
        out.push(if broken { 'M' } else { 'L' });
        let [at_x, at_y] = frame.place((*x).into(), (*y).into());
        // As for straight lines: what is far outside is cut off anyway.
        push_number(out, at_x.clamp(-9999.0, 9999.0));
        out.push(' ');
        push_number(out, at_y.clamp(-9999.0, 9999.0));
        broken = false;
    }
    out.push_str("\"/></g>");
}
