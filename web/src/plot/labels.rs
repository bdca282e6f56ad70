//! Where words can stand in a frame.

use super::markup::{TYPE, text_width};

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

    /// The same with the place for the words' right end, or the nearest free one under it.
    pub(super) fn ending(&mut self, [x, y]: [f64; 2], words: &str) -> Option<[f64; 2]> {
        let width = text_width(words);
        let [left, top, right, bottom] = self.frame;
        let x = (x - width).min(right - width - 1.0).max(left + 1.0);
        let offsets = [-4.0, 1.0 + TYPE, -4.0 - TYPE, 2.0 + 2.0 * TYPE];
        offsets
            .into_iter()
            .map(|by| [x, (y + by).clamp(top + TYPE, bottom - 3.0)])
            .find(|at| self.take(*at, width))
    }

    fn take(&mut self, [x, y]: [f64; 2], width: f64) -> bool {
        let wanted = [x, y - 0.8 * TYPE, x + width, y + 0.25 * TYPE];
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

fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}
