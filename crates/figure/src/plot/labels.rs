//! Where words can stand in a frame.

use super::markup::{TYPE, text_width};

/// Rows of words that are tried at the top of a frame.
const ROWS: u8 = 4;

/// How far words may be from what they name, with a line that leads there.
const FAR: [f64; 3] = [18.0, 30.0, 44.0];

/// A frame and what is taken of it.
#[derive(Debug)]
pub(super) struct Places {
    /// Left, top, right, bottom.
    frame: [f64; 4],
    taken: Vec<[f64; 4]>,
}

impl Places {
    pub(super) const fn new(frame: [f64; 4]) -> Self {
        Self { frame, taken: Vec::new() }
    }

    /// Nothing may stand within `by` of a place.
    pub(super) fn keep_clear(&mut self, [x, y]: [f64; 2], by: f64) {
        self.taken.push([x - by, y - by, x + by, y + by]);
    }

    /// Left end of the base line of words beside a place: right of it, else left, above or below; `None` where
    /// all of that is taken or outside.
    pub(super) fn beside(&mut self, [x, y]: [f64; 2], words: &str) -> Option<[f64; 2]> {
        let width = text_width(words);
        let (half, down) = (width / 2.0, 0.35 * TYPE);
        let candidates = [
            [x + 6.0, y + down],
            [x - 6.0 - width, y + down],
            [x - half, y - 7.0],
            [x - half, y + 7.0 + 0.8 * TYPE],
            [x + 5.0, y - 5.0],
            [x + 5.0, y + 5.0 + 0.8 * TYPE],
            [x - 5.0 - width, y - 5.0],
            [x - 5.0 - width, y + 5.0 + 0.8 * TYPE],
        ];
        candidates.into_iter().find(|at| self.take(*at, width))
    }

    /// A place farther away, for a line that leads there: where that ends, and the words' left end.
    pub(super) fn afar(&mut self, [x, y]: [f64; 2], words: &str) -> Option<([f64; 2], [f64; 2])> {
        const DIAGONAL: f64 = std::f64::consts::FRAC_1_SQRT_2;
        let width = text_width(words);
        let down = 0.35 * TYPE;
        FAR.into_iter().find_map(|far| {
            let by = far * DIAGONAL;
            let ends = [[x + by, y - by], [x + by, y + by], [x - by, y - by], [x - by, y + by]];
            ends.into_iter().find_map(|[end_x, end_y]| {
                let left = if end_x > x { end_x + 2.0 } else { end_x - 2.0 - width };
                let at = [left, end_y + down];
                self.take(at, width).then_some(([end_x, end_y], at))
            })
        })
    }

    /// Over or under a level line: at its right end, else at its left end, else between.
    pub(super) fn over_line(&mut self, y: f64, words: &str) -> Option<[f64; 2]> {
        let width = text_width(words);
        let [left, _, right, _] = self.frame;
        let (first, last) = (left + 3.0, right - width - 3.0);
        let xs = [last, first, f64::midpoint(first, last)];
        let ys = [y - 4.0, y + TYPE];
        let places = xs.into_iter().flat_map(|x| ys.map(|y| [x, y]));
        places.into_iter().find(|at| self.take(*at, width))
    }

    /// Beside a place whatever lies there, but within the frame.
    pub(super) fn over(&mut self, [x, y]: [f64; 2], words: &str) -> [f64; 2] {
        let [left, top, right, bottom] = self.frame;
        let width = text_width(words);
        let beside = if x + 6.0 + width > right { x - 6.0 - width } else { x + 6.0 };
        let at =
            [beside.max(left), (y + 0.35 * TYPE).min(bottom - 0.25 * TYPE).max(top + 0.8 * TYPE)];
        self.taken.push(words_box(at, width));
        at
    }

    /// Beside an upright line, at its top: right of it, else left, else lower.
    pub(super) fn along(&mut self, x: f64, words: &str) -> Option<[f64; 2]> {
        let width = text_width(words);
        let sides = [x + 5.0, x - 5.0 - width];
        let places = (0..ROWS).flat_map(|row| sides.map(|x| (x, row)));
        let top = self.frame[1];
        places.map(|(x, row)| [x, row_of(top, row)]).find(|at| self.take(*at, width))
    }

    /// Between two places across, at the top of the frame; `None` where they do not fit or all is taken.
    pub(super) fn between(&mut self, from: f64, to: f64, words: &str) -> Option<[f64; 2]> {
        let width = text_width(words);
        let x = f64::midpoint(from, to) - width / 2.0;
        let fits = width + 4.0 <= to - from;
        let top = self.frame[1];
        (0..ROWS).map(|row| [x, row_of(top, row)]).find(|at| fits && self.take(*at, width))
    }

    /// A place for words from bottom to top: the end of the words, at the top of the frame.
    pub(super) fn upright(&mut self, from: f64, to: f64, words: &str) -> Option<[f64; 2]> {
        let [x, y] = [f64::midpoint(from, to) + 0.3 * TYPE, self.frame[1] + 5.0];
        let wanted = [x - 0.8 * TYPE, y, x + 0.25 * TYPE, y + text_width(words)];
        (wanted[0] >= from && wanted[2] <= to && self.take_box(wanted)).then_some([x, y])
    }

    /// A place for the words' right end, or the nearest free one under it.
    pub(super) fn ending(&mut self, [x, y]: [f64; 2], words: &str) -> Option<[f64; 2]> {
        let width = text_width(words);
        let [left, top, right, bottom] = self.frame;
        let x = (x - width).min(right - width - 1.0).max(left + 1.0);
        let offsets = [-4.0, 1.0 + TYPE, -4.0 - TYPE, 2.0 + 2.0 * TYPE];
        offsets
            .into_iter()
            .map(|by| [x, (y + by).min(bottom - 3.0).max(top + TYPE)])
            .find(|at| self.take(*at, width))
    }

    fn take(&mut self, [x, y]: [f64; 2], width: f64) -> bool {
        self.take_box(words_box([x, y], width))
    }

    fn take_box(&mut self, wanted: [f64; 4]) -> bool {
        let [left, top, right, bottom] = self.frame;
        let inside =
            wanted[0] >= left && wanted[1] >= top && wanted[2] <= right && wanted[3] <= bottom;
        let free = inside && !self.taken.iter().any(|taken| overlap(*taken, wanted));
        if free {
            self.taken.push(wanted);
        }
        free
    }
}

/// Base line of a row of words, from the top of a frame.
fn row_of(top: f64, row: u8) -> f64 {
    top + TYPE + 1.0 + f64::from(row) * (TYPE + 3.0)
}

/// What words on a base line cover.
const fn words_box([x, y]: [f64; 2], width: f64) -> [f64; 4] {
    [x, y - 0.8 * TYPE, x + width, y + 0.25 * TYPE]
}

const fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}
