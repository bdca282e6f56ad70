//! Which neurons of a layer are in view, and what a column of pixels shows of them. Nothing here draws.

use std::ops::Range;

use twinbeam_core::scores::ScoreTable;

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
    /// A window on all neurons of a layer.
    pub(crate) const fn whole(total: usize) -> Self {
        Self { start: 0.0, len: total as f64, total }
    }

    /// A window on the neurons from one to another, as far as there are so many; otherwise on all.
    pub(crate) fn named(total: usize, ends: Option<[usize; 2]>) -> Self {
        match ends {
            Some([first, last]) if first <= last && last < total => {
                // Not fewer than can be zoomed to.
                let len = ((last - first + 1) as f64).max(LEAST.min(total as f64));
                Self { start: first as f64, len, total }.kept_inside()
            }
            _ => Self::whole(total),
        }
    }

    /// The first and the last in view, where those are not all.
    pub(crate) fn in_part(self) -> Option<[usize; 2]> {
        let (first, last) = self.ends();
        (!self.is_whole()).then_some([first, last])
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
    pub(crate) fn column(self, column: usize, columns: usize) -> Range<usize> {
        let at = |column: usize| self.start + self.len * column as f64 / columns.max(1) as f64;
        let first = (at(column) + 1e-9) as usize;
        let end = (at(column + 1) - 1e-9).ceil() as usize;
        first.min(self.total)..end.max(first + 1).min(self.total)
    }

    /// What the column at `share` of the width shows of a layer.
    pub(crate) fn shown_at(self, row: Row<'_>, share: f64, columns: usize) -> Extremes {
        let column = (share * columns as f64) as usize;
        row.extremes(self.column(column.min(columns.saturating_sub(1)), columns))
    }
}

/// The scores of a layer, and which of them are exact; no flags: all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'table> {
    pub(crate) scores: &'table [f32],
    exact: &'table [bool],
}

impl<'table> Row<'table> {
    pub(crate) fn of(table: &'table ScoreTable, layer: usize) -> Option<Self> {
        let places = layer * table.width()..(layer + 1) * table.width();
        let scores = table.values().get(places.clone())?;
        Some(Self { scores, exact: table.exact().get(places).unwrap_or_default() })
    }

    /// The largest absolute scores in a range, so that no extreme is lost however many share a column; the
    /// first of equals.
    pub(crate) fn extremes(self, range: Range<usize>) -> Extremes {
        let mut largest: [Option<(usize, f32)>; 2] = [None; 2];
        for index in range {
            let Some(score) = self.scores.get(index) else { break };
            let is_exact = self.exact.get(index).copied().unwrap_or(true);
            let best = &mut largest[usize::from(is_exact)];
            if best.is_none_or(|(_, most)| score.abs() > most) {
                *best = Some((index, score.abs()));
            }
        }
        let [screened, exact] = largest;
        let least = exact.map_or(-1.0, |(_, size)| size);
        let screened = screened.filter(|(_, size)| *size > least);
        Extremes {
            exact: exact.map(|(index, _)| index),
            screened: screened.map(|(index, _)| index),
        }
    }
}

/// What a column of pixels has to show, as places in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extremes {
    /// The largest exact score: nothing that is not exact may hide it.
    pub(crate) exact: Option<usize>,
    /// A screened neuron whose stand-in is larger than that: not to be hidden either.
    pub(crate) screened: Option<usize>,
}

impl Extremes {
    /// What is shown at a share of the height: each half leads to what it shows, and a blank one to what
    /// will be there.
    pub(crate) fn at(self, share: f64) -> Option<usize> {
        if share < 0.5 { self.exact.or(self.screened) } else { self.largest() }
    }

    /// The largest of all.
    pub(crate) fn largest(self) -> Option<usize> {
        self.screened.or(self.exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::{ComponentKind, Direction, Method};

    #[test]
    fn what_is_in_view_comes_back_by_its_ends_where_there_is_as_much() {
        for window in [
            Window::whole(512).zoomed(0.1, 0.3),
            Window::whole(512).zoomed(1e-9, 1.0),
            Window::whole(512).zoomed(0.5, 0.0).about(500),
        ] {
            let ends = window.in_part().expect("not all");
            let again = Window::named(512, Some(ends));
            assert_eq!(again.in_part(), Some(ends), "{window:?}");
        }
        assert_eq!(Window::whole(512).in_part(), None);
        let whole = Window::whole(512);
        for ends in [None, Some([9, 3]), Some([0, 512]), Some([0, 511])] {
            assert_eq!(Window::named(512, ends), whole, "{ends:?}");
        }
        // One neuron alone is not what can be zoomed to.
        assert_eq!(Window::named(512, Some([511, 511])).in_part(), Some([504, 511]));
    }

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
        let scores = [0.1, -0.9, 0.3, 0.0, 0.2, 0.2, -0.1, 0.5];
        let row = Row { scores: &scores, exact: &[] };
        let whole = Window::whole(8);
        let exact = |index| Extremes { exact: Some(index), screened: None };
        assert_eq!(whole.shown_at(row, 0.0, 2), exact(1));
        assert_eq!(whole.shown_at(row, 0.99, 2), exact(7));
        assert_eq!(whole.shown_at(row, 1.0, 2), exact(7));
        assert_eq!(row.extremes(4..6), exact(4), "the first of equals");
        assert_eq!(row.extremes(8..9), Extremes::default());
    }

    #[test]
    fn neither_an_exact_extreme_nor_a_larger_stand_in_is_hidden() {
        let scores = [0.1, -0.9, 0.3, 0.0, 0.2, 0.2];
        let exact = [true, false, true, false, false, true];
        let row = Row { scores: &scores, exact: &exact };
        let extremes = |range| {
            let Extremes { exact, screened } = row.extremes(range);
            (exact, screened)
        };
        assert_eq!(extremes(0..3), (Some(2), Some(1)), "both are drawn");
        assert_eq!(extremes(2..4), (Some(2), None), "a smaller stand-in is not");
        assert_eq!(extremes(4..6), (Some(5), None), "nor one that is as large");
        assert_eq!(extremes(3..4), (None, Some(3)), "a stand-in of 0 is no exact 0");
        assert_eq!([0.2, 0.7].map(|share| row.extremes(0..3).at(share)), [Some(2), Some(1)]);
        assert_eq!([0.2, 0.7].map(|share| row.extremes(3..4).at(share)), [Some(3); 2]);
        assert_eq!([0.2, 0.7].map(|share| row.extremes(2..3).at(share)), [Some(2); 2]);
    }

    #[test]
    fn rows_are_those_of_the_table() {
        let ig = ScoreTable::new(
            TableKey {
                kind: ComponentKind::Neurons,
                method: Method::Ig,
                direction: Direction::Noising,
            },
            2,
            vec![0.5, 0.25, 1.0, 2.0],
        );
        let row = Row::of(&ig, 1).expect("a layer");
        assert_eq!((row.scores, row.exact), ([1.0, 2.0].as_slice(), [].as_slice()));
        let screened = ig.with_exact(vec![true, true, false, true]);
        assert_eq!(Row::of(&screened, 1).map(|row| row.extremes(0..2).exact), Some(Some(1)));
        assert!(Row::of(&screened, 2).is_none(), "not computed yet");
    }
}
