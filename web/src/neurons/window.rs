//! Which neurons of a layer are in view, and what a column of pixels shows of them. Nothing here draws.

/// Neurons in view at least.
const LEAST: f64 = 8.0;

/// A stretch of each layer's neurons; the same for all layers and maps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Window {
    start: f64,
    /// Neurons in view; 0 until a model says how many there are.
    len: f64,
    total: usize,
}

impl Window {
    /// All of a layer.
    pub(crate) const fn whole(total: usize) -> Self {
        Self { start: 0.0, len: total as f64, total }
    }

    /// Neurons per layer.
    pub(crate) const fn total(self) -> usize {
        self.total
    }

    pub(crate) fn is_whole(self) -> bool {
        self.len >= self.total as f64
    }

    /// The first and the last neuron that are in view, if only in part.
    pub(crate) fn ends(self) -> (usize, usize) {
        let last = (self.start + self.len).ceil() as usize;
        (self.start as usize, last.min(self.total).saturating_sub(1))
    }

    /// Shows `factor` times as many neurons; what is at `share` of the width stays there.
    #[must_use]
    pub(crate) fn zoomed(self, factor: f64, share: f64) -> Self {
        let len = self.len * factor;
        let len = len.clamp(LEAST.min(self.total as f64), self.total as f64);
        let start = self.start + (self.len - len) * share;
        Self { start, len, ..self }.kept_inside()
    }

    /// Moved by a share of the width.
    #[must_use]
    pub(crate) fn moved(self, share: f64) -> Self {
        Self { start: self.start + share * self.len, ..self }.kept_inside()
    }

    /// Moved just as far as it takes to have a neuron in view.
    #[must_use]
    pub(crate) fn with(self, index: usize) -> Self {
        let index = index as f64;
        let start = self.start.min(index).max(index + 1.0 - self.len);
        Self { start, ..self }.kept_inside()
    }

    /// Moved so that a neuron is in the middle, if it can be.
    #[must_use]
    pub(crate) fn about(self, index: usize) -> Self {
        Self { start: index as f64 + 0.5 - self.len / 2.0, ..self }.kept_inside()
    }

    fn kept_inside(self) -> Self {
        let start = self.start.clamp(0.0, (self.total as f64 - self.len).max(0.0));
        Self { start, ..self }
    }

    /// Place of a neuron's left edge and its width, as shares of the window.
    pub(crate) fn place(self, index: usize) -> (f64, f64) {
        let len = self.len.max(1.0);
        ((index as f64 - self.start) / len, 1.0 / len)
    }

    /// Neurons that a column of pixels shows, of `columns`.
    pub(crate) fn column(self, column: usize, columns: usize) -> std::ops::Range<usize> {
        let at = |column: usize| self.start + self.len * column as f64 / columns.max(1) as f64;
        let first = (at(column) + 1e-9) as usize;
        let end = (at(column + 1) - 1e-9).ceil() as usize;
        first.min(self.total)..end.max(first + 1).min(self.total)
    }

    /// The neuron of a layer that the column at `share` of the width shows: the one with the largest
    /// absolute score, so that no extreme is lost however many share the column.
    pub(crate) fn shown_at(self, row: &[f32], share: f64, columns: usize) -> Option<usize> {
        let column = (share * columns as f64) as usize;
        extreme(row, self.column(column.min(columns.saturating_sub(1)), columns))
    }
}

/// The score with the largest absolute value in a range; the first of several.
pub(crate) fn extreme(row: &[f32], range: std::ops::Range<usize>) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for index in range {
        let size = row.get(index)?.abs();
        if best.is_none_or(|(_, most)| size > most) {
            best = Some((index, size));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_neuron_is_in_a_column_and_every_column_has_one() {
        for (total, columns) in [(512, 700), (3072, 1216), (8, 100), (100, 8)] {
            for window in [
                Window::whole(total),
                Window::whole(total).zoomed(0.3, 0.4),
                Window::whole(total).zoomed(1e-9, 1.0),
            ] {
                let (first, last) = window.ends();
                let mut next = first;
                for column in 0..columns {
                    let range = window.column(column, columns);
                    assert!(!range.is_empty() && range.start <= next, "{window:?} {range:?}");
                    next = next.max(range.end);
                }
                assert_eq!(next, last + 1, "{window:?} with {columns} columns");
            }
        }
    }

    #[test]
    fn a_zoom_keeps_its_point_and_stays_inside() {
        let whole = Window::whole(100);
        assert_eq!(whole.zoomed(0.5, 0.5).ends(), (25, 74));
        assert_eq!(whole.zoomed(0.5, 1.0).ends(), (50, 99));
        assert_eq!(whole.zoomed(0.5, 1.0).moved(3.0).ends(), (50, 99));
        assert_eq!(whole.zoomed(1e-6, 0.0).ends(), (0, 7), "never less than a few");
        assert!(whole.zoomed(0.1, 0.3).zoomed(100.0, 0.9).is_whole());
    }

    #[test]
    fn a_neuron_comes_into_view_by_the_shortest_way() {
        let part = Window::whole(100).zoomed(0.1, 0.5);
        assert_eq!(part.ends(), (45, 54));
        assert_eq!(part.with(50), part);
        assert_eq!(part.with(60).ends(), (51, 60));
        assert_eq!(part.with(3).ends(), (3, 12));
        assert_eq!(part.with(3).place(3), (0.0, 0.1));
        assert_eq!(part.about(80).ends(), (75, 85), "in the middle");
        assert_eq!(part.about(2).ends(), (0, 9), "as far as there is");
    }

    #[test]
    fn a_column_shows_the_extreme_of_its_neurons() {
        let row = [0.1, -0.9, 0.3, 0.0, 0.2, 0.2, -0.1, 0.5];
        let whole = Window::whole(8);
        assert_eq!(whole.shown_at(&row, 0.0, 2), Some(1));
        assert_eq!(whole.shown_at(&row, 0.99, 2), Some(7));
        assert_eq!(whole.shown_at(&row, 1.0, 2), Some(7));
        assert_eq!(extreme(&row, 4..6), Some(4), "the first of equals");
        assert_eq!(extreme(&row[..3], 0..8), None, "not computed yet");
    }
}
