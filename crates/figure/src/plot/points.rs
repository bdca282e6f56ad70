//! Many components in a plane: marks for those that matter, a density for the rest.

use std::cmp::Ordering;

use super::labels::Places;
use super::markup::{begin, line, push_count, push_number, reachable, text};
use super::parts::{Mark, Point, Xy};
use super::xy::Frame;
use super::{Drawn, Target, with_unit};

/// More marks than this a page draws too slowly, and nobody tells them apart.
const MOST_MARKS: usize = 1500;
/// Squares of the density in each direction.
const BINS: usize = 96;
/// Shades of the density.
const SHADES: usize = 4;
/// Selected points that keep their names even where those lie over something.
const OWN_NAMES: usize = 8;
/// Half the size of a mark.
const RADIUS: f64 = 3.0;

/// What becomes of each point.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    /// Drawn as marks, with their distance from the origin as drawn; the farthest first.
    marks: Vec<(f64, usize)>,
    /// Drawn as a density.
    pub(super) rest: Vec<(f64, usize)>,
    /// Not drawn.
    outside: usize,
}

impl Cloud {
    pub(super) fn of(plot: &Xy<'_>, frame: &Frame) -> Self {
        let [zero_x, zero_y] = frame.place(0.0, 0.0);
        let mut marks = Vec::with_capacity(plot.points.len());
        for (place, point) in plot.points.iter().enumerate() {
            if frame.holds(point.x, point.y) {
                let [x, y] = frame.place(point.x.into(), point.y.into());
                marks.push(((x - zero_x).hypot(y - zero_y), place));
            }
        }
        let outside = plot.points.len() - marks.len();
        let mut rest = Vec::new();
        if marks.len() > MOST_MARKS {
            // What stands out keeps its mark wherever it lies.
            const FIRST: f64 = 1e9;
            let stands_out = |place: usize| plot.points[place].stands_out();
            for (distance, place) in &mut marks {
                *distance += if stands_out(*place) { FIRST } else { 0.0 };
            }
            marks.sort_unstable_by(farthest);
            rest = marks.split_off(MOST_MARKS);
            for (distance, place) in &mut marks {
                *distance -= if stands_out(*place) { FIRST } else { 0.0 };
            }
        }
        marks.sort_unstable_by(farthest);
        Self { marks, rest, outside }
    }

    /// What the picture does not show one by one, in words.
    pub(super) fn left_out(&self) -> String {
        let mut out = String::new();
        if !self.rest.is_empty() {
            push_count(&mut out, self.marks.len() as u64);
            out.push_str(" components, the farthest from the origin, are marks; the other ");
            push_count(&mut out, self.rest.len() as u64);
            out.push_str(" are a density.");
        }
        if self.outside > 0 {
            if !out.is_empty() {
                out.push(' ');
            }
            push_count(&mut out, self.outside as u64);
            out.push_str(" lie outside and are not drawn.");
        }
        out
    }

    /// Keeps words away from the marks.
    pub(super) fn keep_clear(&self, plot: &Xy<'_>, frame: &Frame, places: &mut Places) {
        for (_, index) in &self.marks {
            let point = &plot.points[*index];
            places.keep_clear(frame.place(point.x.into(), point.y.into()), RADIUS);
        }
    }

    pub(super) fn draw(
        &self,
        out: &mut String,
        plot: &Xy<'_>,
        frame: &Frame,
        places: &mut Places,
        drawn: &mut Drawn,
    ) {
        let place = |point: &Point| frame.place(point.x.into(), point.y.into());
        self.draw_density(out, plot, frame);
        drawn.rest = self
            .rest
            .iter()
            .map(|(_, index)| {
                let point = &plot.points[*index];
                (point.component, place(point).map(|at| at as f32))
            })
            .collect();
        // What stands out lies on top, and of the others what is farther.
        for on_top in [false, true] {
            for (at, (_, index)) in self.marks.iter().enumerate().rev() {
                let point = &plot.points[*index];
                if point.stands_out() != on_top {
                    continue;
                }
                let more = match (point.selected, point.pinned) {
                    (false, false) => " plot-point",
                    (true, false) => " plot-point plot-selected",
                    (false, true) => " plot-point plot-pinned",
                    (true, true) => " plot-point plot-selected plot-pinned",
                };
                begin_mark(out, point.mark, plot.by_method, place(point), more);
                reachable(out, at, Some(point.component));
                out.push_str("/>");
            }
        }
        let [x_name, y_name] = [&plot.x, &plot.y].map(|axis| with_unit(&axis.title, &axis.unit));
        drawn.table.head = vec!["component".to_owned(), x_name, y_name];
        for (_, index) in &self.marks {
            let point = &plot.points[*index];
            let name = point.component.to_string();
            let mut label = name.clone();
            label.push_str(": ");
            plot.numbers(&mut label, frame, point.x, point.y);
            let words = plot.words.map(|words| words(point.component)).unwrap_or_default();
            if !words.is_empty() {
                label.push_str("; ");
                label.push_str(&words);
            }
            drawn.points.push(Target {
                component: Some(point.component),
                label,
                place: place(point).map(|at| at as f32),
            });
            let numbers = [frame.x.write(point.x.into()), frame.y.write(point.y.into())];
            let [x, y] = numbers;
            drawn.table.rows.push(vec![name, x, y]);
        }
        self.draw_names(out, plot, frame, places);
    }

    /// Squares, a path for each shade.
    fn draw_density(&self, out: &mut String, plot: &Xy<'_>, frame: &Frame) {
        let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
        let mut bins = vec![0_u32; BINS * BINS];
        for (_, index) in &self.rest {
            let [x, y] = {
                let point = &plot.points[*index];
                frame.place(point.x.into(), point.y.into())
            };
            let bin = |share: f64| ((share * BINS as f64) as usize).min(BINS - 1);
            bins[bin((y - frame.top) / height) * BINS + bin((x - frame.left) / width)] += 1;
        }
        let most = bins.iter().copied().max().unwrap_or(0);
        // By the logarithm: near the origin there are thousands in a square, elsewhere one.
        let shade = |count: u32| {
            let share = f64::from(count).ln_1p() / f64::from(most).ln_1p();
            ((share * SHADES as f64).ceil() as usize).clamp(1, SHADES)
        };
        let size = [width / BINS as f64, height / BINS as f64];
        for (wanted, class) in ["plot-d1", "plot-d2", "plot-d3", "plot-d4"].iter().enumerate() {
            let mut path = String::new();
            for (bin, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
                if shade(*count) == wanted + 1 {
                    let x = frame.left + (bin % BINS) as f64 * size[0];
                    let y = frame.top + (bin / BINS) as f64 * size[1];
                    steps(&mut path, [x, y], &[('h', size[0]), ('v', size[1]), ('h', -size[0])]);
                }
            }
            if !path.is_empty() {
                begin(out, "path", class, &[]);
                out.push_str(" d=\"");
                out.push_str(&path);
                out.push_str("\"/>");
            }
        }
    }

    /// Names of what is pinned or selected, and of outliers.
    fn draw_names(&self, out: &mut String, plot: &Xy<'_>, frame: &Frame, places: &mut Places) {
        let mut named: Vec<(f64, usize)> = self.marks.clone();
        if plot.identity {
            for (distance, index) in &mut named {
                let Point { x, y, .. } = plot.points[*index];
                *distance = (f64::from(x) - f64::from(y)).abs();
            }
            named.sort_unstable_by(farthest);
        }
        let own = |index: usize| plot.points[index].pinned || plot.points[index].selected;
        let mut left = plot.outliers;
        named.retain(|(distance, index)| {
            let outlier = left > 0 && *distance > 0.0 && !own(*index);
            left -= usize::from(outlier);
            outlier || own(*index)
        });
        // What somebody has chosen is named before what stands out, and at any price if that is little.
        named.sort_by_key(|(_, index)| !own(*index));
        let mut at_any_price = OWN_NAMES;
        for (_, index) in named {
            let point = &plot.points[index];
            let must = own(index) && at_any_price > 0;
            at_any_price -= usize::from(must);
            let name = point.component.to_string();
            let place = frame.place(point.x.into(), point.y.into());
            if let Some(at) = places.beside(place, &name) {
                text(out, "plot-name", at, &name);
            } else if let Some((from, at)) = places.afar(place, &name) {
                line(out, "plot-meets", [place[0], place[1], from[0], from[1]]);
                text(out, "plot-name", at, &name);
            } else if must {
                text(out, "plot-name", places.over(place, &name), &name);
            }
        }
    }
}

/// The farther first; of equals the first.
fn farthest(a: &(f64, usize), b: &(f64, usize)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// The beginning of a mark's tag. `more`: classes, each after a space.
/// `by_method`: a triangle is IG's, a square AP's.
pub(super) fn begin_mark(
    out: &mut String,
    mark: Mark,
    by_method: bool,
    [x, y]: [f64; 2],
    more: &str,
) {
    let (r, long) = (RADIUS, 1.3 * RADIUS);
    let class = match mark {
        Mark::Disc => "plot-mark",
        Mark::Triangle if by_method => "plot-mark plot-found plot-ig",
        Mark::Square if by_method => "plot-mark plot-found plot-ap",
        Mark::Triangle | Mark::Square | Mark::Diamond => "plot-mark plot-found plot-ink",
    };
    let mut classes = class.to_owned();
    classes.push_str(more);
    if mark == Mark::Disc {
        begin(out, "circle", &classes, &[("cx", x), ("cy", y), ("r", r)]);
        return;
    }
    begin(out, "path", &classes, &[]);
    out.push_str(" d=\"");
    match mark {
        Mark::Diamond => {
            corners(out, &[[x - long, y], [x, y - long], [x + long, y], [x, y + long]]);
        }
        Mark::Triangle => corners(out, &[[x - long, y + r], [x, y - long], [x + long, y + r]]),
        Mark::Disc | Mark::Square => {
            corners(out, &[[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]]);
        }
    }
    out.push('"');
}

/// A closed figure from corner to corner.
fn corners(out: &mut String, corners: &[[f64; 2]]) {
    for (place, [x, y]) in corners.iter().enumerate() {
        out.push(if place == 0 { 'M' } else { 'L' });
        push_number(out, *x);
        out.push(' ');
        push_number(out, *y);
    }
    out.push('Z');
}

/// A closed figure by steps across and down.
fn steps(out: &mut String, [x, y]: [f64; 2], steps: &[(char, f64)]) {
    out.push('M');
    push_number(out, x);
    out.push(' ');
    push_number(out, y);
    for (direction, by) in steps {
        out.push(*direction);
        push_number(out, *by);
    }
    out.push('Z');
}
