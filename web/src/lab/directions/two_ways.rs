//! Components in both directions: scores, kinds and asymmetry. Nothing here draws on the screen.

mod words;

use std::collections::BTreeSet;

use twinbeam_core::link::Highlight;
use twinbeam_core::scores::{ScoreTable, TableKey, Unit};
use twinbeam_core::statistics::{self, GateKind};
use twinbeam_core::words::{Component, ComponentKind, Direction, Method};

use crate::lab::parts::ratio;
use crate::lab::sets::threshold;
use crate::lab::why::least_read;
use crate::plot::{Axis, Drawn, Kinds, Labels, Mark, Matrix, Point, Shades, Xy};
use crate::values::Committed;
use twinbeam_figure::scale::Scale;

/// Points that get their names.
const NAMED: usize = 5;

/// Scores of one method in both directions, where both are exact.
///
/// # Units
/// `unit`; positive supports the clean behaviour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TwoWays {
    kind: ComponentKind,
    method: &'static str,
    width: usize,
    n_all: usize,
    /// Places in the tables' values, ascending; the lists below are in their order.
    places: Vec<usize>,
    noising: Vec<f32>,
    denoising: Vec<f32>,
    kinds: Vec<GateKind>,
    asymmetry: Vec<f32>,
    /// The absolute score from which on a component is found, the same in both directions.
    least: f32,
    /// Whether that is the floor and not what was chosen.
    is_floor: bool,
    unit: &'static str,
}

impl TwoWays {
    /// `None` until the method has scores of every layer in both directions.
    pub(super) fn of(
        committed: &Committed,
        kind: ComponentKind,
        method: Method,
        unit: Unit,
        highlight: Highlight,
    ) -> Option<Self> {
        let n_layers = committed.model.shape.n_layers;
        let whole = |direction| {
            committed
                .tables
                .get(TableKey { kind, method, direction })
                .filter(|table| table.n_layers() == n_layers)
        };
        let (noising, denoising) = (whole(Direction::Noising)?, whole(Direction::Denoising)?);
        let exact = |place: &usize| noising.is_exact(*place) && denoising.is_exact(*place);
        let n_all = noising.values().len().min(denoising.values().len());
        let places: Vec<usize> = (0..n_all).filter(exact).collect();
        if places.is_empty() {
            return None;
        }
        let width = noising.width();
        let (factor, unit) = unit.common(&committed.basis);
        let scores = |table: &ScoreTable| -> Vec<f32> {
            places.iter().map(|place| table.values()[*place]).collect()
        };
        let [mut noising, mut denoising] = [noising, denoising].map(scores);
        // A threshold in the metric's unit is of scores in the metric's unit.
        // One for both directions: were a percentile taken in each for itself, both would find as many, and so
        // would either alone.
        let both = [noising.as_slice(), &denoising].concat();
        let chosen = threshold(&both, highlight)?;
        // What is next to nothing is of no kind, however low the threshold.
        let floor = least_read(committed.basis.size(), Scale::of(&both).limit());
        let least = chosen.max(floor);
        let scores = noising.iter().zip(&denoising);
        let kinds = scores.map(|(noising, denoising)| GateKind::of(*noising, *denoising, least));
        let kinds = kinds.collect();
        let asymmetry = statistics::asymmetry(&noising, &denoising);
        for score in noising.iter_mut().chain(&mut denoising) {
            *score *= factor;
        }
        let method = if method == Method::Ig { "IG" } else { "AP" };
        Some(Self {
            kind,
            method,
            width,
            n_all,
            places,
            noising,
            denoising,
            kinds,
            asymmetry,
            least: factor * least,
            is_floor: floor > chosen,
            unit,
        })
    }

    fn component(&self, i: usize) -> Component {
        Component::at(self.kind, self.places[i], self.width)
    }

    fn count(&self, kind: GateKind) -> usize {
        self.kinds.iter().filter(|other| **other == kind).count()
    }

    /// Denoising against noising.
    pub(super) fn scatter(&self, selected: &BTreeSet<Component>, width: f64) -> Drawn {
        let point = |i: usize| {
            let of = self.component(i);
            let mark = match self.kinds[i] {
                GateKind::And => Mark::Triangle,
                GateKind::Or => Mark::Square,
                GateKind::Both => Mark::Diamond,
                GateKind::Neither => Mark::Disc,
            };
            Point {
                component: of,
                x: self.noising[i],
                y: self.denoising[i],
                mark,
                selected: selected.contains(&of),
                pinned: false,
            }
        };
        Xy {
            title: format!("{}: denoising against noising", self.method),
            summary: format!(
                "Pearson {} over {} {}.",
                ratio(statistics::pearson(&self.noising, &self.denoising)),
                self.places.len(),
                self.kind.id()
            ),
            x: Axis::signed("noising", self.unit),
            y: Axis::signed("denoising", self.unit),
            identity: true,
            points: (0..self.places.len()).map(point).collect(),
            marks: ["found by noising only", "found by denoising only", "found by both"],
            outliers: NAMED,
            width,
            ..Xy::default()
        }
        .draw()
    }

    /// The heads by kind; `None` for neurons, which are too many for cells.
    pub(super) fn kind_map(&self, width: f64) -> Option<Drawn> {
        let n_layers = self.rows()?;
        let mut cells = vec![None; self.n_all];
        for (place, kind) in self.places.iter().zip(&self.kinds) {
            cells[*place] = GateKind::ALL.iter().position(|other| other == kind);
        }
        let name = |letter, name: &str| (letter, name.to_owned());
        let drawn = Kinds {
            title: format!("Heads by kind ({})", self.method),
            summary: self.words(),
            rows: Labels::numbers("layer", n_layers),
            columns: Labels::numbers("head", self.width),
            names: vec![
                name('A', "AND-like candidate: noising only"),
                name('O', "OR-like candidate: denoising only"),
                name('B', "found in both"),
                name('·', "found in neither"),
            ],
            cells,
            component: Some(&|layer, index| Some(head(layer, index))),
            words: Some(&|layer, head| self.scores_in_words(layer, head)),
            width,
        }
        .draw();
        Some(drawn)
    }

    /// The heads by asymmetry; `None` for neurons.
    pub(super) fn asymmetry_map(&self, width: f64) -> Option<Drawn> {
        let n_layers = self.rows()?;
        let mut values = vec![f32::NAN; self.n_all];
        for (place, asymmetry) in self.places.iter().zip(&self.asymmetry) {
            values[*place] = *asymmetry;
        }
        let drawn = Matrix {
            title: format!("Asymmetry ({})", self.method),
            summary: "Above 0 noising is the higher score, below it denoising is.".to_owned(),
            rows: Labels::numbers("layer", n_layers),
            columns: Labels::numbers("head", self.width),
            values,
            shades: Shades::Neutral,
            sides: ["noising is higher", "denoising is"],
            limit: Some(1.0),
            component: Some(&|layer, index| Some(head(layer, index))),
            words: Some(&|layer, head| self.scores_in_words(layer, head)),
            width,
            ..Matrix::default()
        }
        .draw();
        Some(drawn)
    }

    fn rows(&self) -> Option<usize> {
        (self.kind == ComponentKind::Heads).then(|| self.n_all.checked_div(self.width))?
    }

    fn scores_in_words(&self, layer: usize, index: usize) -> String {
        let place = layer * self.width + index;
        let Ok(i) = self.places.binary_search(&place) else { return String::new() };
        let scale = Scale::of(self.noising.iter().chain(&self.denoising));
        let [noising, denoising] =
            [self.noising[i], self.denoising[i]].map(|score| scale.written(score));
        format!("noising {noising}, denoising {denoising} {}", self.unit)
    }
}

const fn head(layer: usize, index: usize) -> Component {
    Component { kind: ComponentKind::Heads, layer, index }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::committed;

    /// Noising as it is, and denoising made of it.
    fn both_ways(change: impl Fn(&mut [f32])) -> Committed {
        let mut committed = committed();
        for table in &committed.tables.clone() {
            let mut values = table.values().to_vec();
            change(&mut values);
            let key = TableKey { direction: Direction::Denoising, ..table.key() };
            committed.tables.insert(ScoreTable::new(key, table.width(), values));
        }
        committed
    }

    /// AP: noising as it is, denoising turned round.
    fn two_ways(kind_of: Method, unit: Unit) -> Option<TwoWays> {
        let committed = both_ways(<[f32]>::reverse);
        TwoWays::of(&committed, ComponentKind::Heads, kind_of, unit, Highlight::AtLeast(0.25))
    }

    #[test]
    fn kinds_are_by_size_in_each_direction_and_the_asymmetry_keeps_its_sign() {
        // Noising 0.25, −0.25, 0 and 2, denoising 2, 0, −0.25 and 0.25.
        let ways = two_ways(Method::Ap, Unit::ShareOfGap).expect("both directions are there");
        assert_eq!(ways.noising, [0.0625, -0.0625, 0.0, 0.5]);
        assert_eq!(ways.kinds, [GateKind::Both, GateKind::And, GateKind::Or, GateKind::Both]);
        let expected = [-1.0, -1.0 / 7.0, 1.0 / 7.0, 1.0];
        for (got, expected) in ways.asymmetry.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        assert!(ways.counts().contains("data-testid=\"kind-and\" data-value=\"1\""));
        assert!(
            ways.counts().contains("data-testid=\"kind-least\" data-value=\"0.0625\">0.062 of")
        );
        assert!(
            ways.words().starts_with("1 head found by noising only: an AND-like candidate. An AND")
        );
        let list = ways.list();
        assert_eq!(list.matches("<li>").count(), 4);
        assert!(list.contains("data-value=\"-1\"") && list.contains("AND-like"), "{list}");
        assert!(list.contains("noising +0.062, denoising +0.500 of the gap"), "{list}");
        // Noising −0.25 and denoising 0; the other pair is its mirror image.
        assert!(ways.turned().contains("negative scores (L0H1, L1H0)"), "{}", ways.turned());
        assert!(ways.coverage().is_empty(), "{}", ways.coverage());
    }

    #[test]
    fn a_percentile_is_of_both_directions_together() {
        let committed = both_ways(|values| {
            for value in values {
                *value *= 0.01;
            }
        });
        let (heads, highlight) = (ComponentKind::Heads, Highlight::Quantile(0.75));
        let ways = TwoWays::of(&committed, heads, Method::Ap, Unit::Metric, highlight);
        let ways = ways.expect("both directions are there");
        assert!(ways.count(GateKind::And) > 0, "{:?}", ways.kinds);
        let [or, both] = [GateKind::Or, GateKind::Both].map(|kind| ways.count(kind));
        assert_eq!((or, both), (0, 0), "all of denoising is small");
        let words = ways.words();
        assert!(words.ends_with("None found by denoising only. None found by both."), "{words}");
    }

    #[test]
    fn what_is_next_to_nothing_is_of_no_kind() {
        let committed = both_ways(|values| values.fill(0.01));
        let (heads, highlight) = (ComponentKind::Heads, Highlight::AtLeast(0.001));
        let ways = TwoWays::of(&committed, heads, Method::Ap, Unit::Metric, highlight);
        let ways = ways.expect("both directions are there");
        // 1 % of a gap of 4.
        assert_eq!(ways.least, 0.04);
        let expected = [GateKind::And, GateKind::And, GateKind::Neither, GateKind::And];
        assert_eq!(ways.kinds, expected);
        assert!(ways.words().starts_with("3 heads found by noising only: AND-like candidates"));
        assert!(ways.coverage().contains("1 %"), "{}", ways.coverage());
    }

    #[test]
    fn one_direction_is_not_two() {
        let committed = committed();
        let (heads, highlight) = (ComponentKind::Heads, Highlight::default());
        assert_eq!(TwoWays::of(&committed, heads, Method::Ap, Unit::Metric, highlight), None);
        assert_eq!(two_ways(Method::Atp, Unit::Metric), None);
    }

    #[test]
    fn heads_have_maps_with_a_cell_each() {
        let ways = two_ways(Method::Ig, Unit::Metric).expect("both directions are there");
        assert_eq!(ways.method, "IG");
        let (kinds, asymmetry) = (ways.kind_map(360.0).expect("heads"), ways.asymmetry_map(360.0));
        assert_eq!(kinds.points.len(), 4);
        assert_eq!(asymmetry.map(|drawn| drawn.points.len()), Some(4));
        assert_eq!(ways.scatter(&BTreeSet::new(), 360.0).points.len(), 4);
        let neurons = TwoWays { kind: ComponentKind::Neurons, ..ways };
        assert_eq!((neurons.kind_map(360.0), neurons.asymmetry_map(360.0)), (None, None));
    }
}
