//! What the figure shows, worked out from the scores: units, scales and words. Nothing here draws.

use twinbeam_core::link::{ScaleChoice, View};
use twinbeam_core::scores::{GapRefused, ScoreTable, Unit, UnitBasis};
use twinbeam_core::words::{Component, ComponentKind, Direction, Method, Metric};

use crate::scale::Scale;

/// A map of the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// Integrated gradients.
    Ig,
    /// Activation patching.
    Ap,
    /// IG minus AP.
    Diff,
}

impl MapKind {
    /// All maps, from left to right.
    pub const ALL: [Self; 3] = [Self::Ig, Self::Ap, Self::Diff];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ig => "ig",
            Self::Ap => "ap",
            Self::Diff => "diff",
        }
    }

    /// Name of the map in a column of a table.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Ig => "IG",
            Self::Ap => "AP",
            Self::Diff => "IG − AP",
        }
    }

    /// Name of the map above it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ig => "Integrated gradients",
            Self::Ap => "Activation patching",
            Self::Diff => "IG − AP",
        }
    }
}

/// How a result is looked at: what of a view decides what its maps say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Which run is changed.
    pub direction: Direction,
    /// The unit of the scores.
    pub unit: Unit,
    /// Whether the maps have one scale.
    pub scale: ScaleChoice,
}

impl Look {
    /// Look of a view.
    pub const fn of(view: &View) -> Self {
        Self { direction: view.direction, unit: view.unit, scale: view.scale }
    }

    /// This look in the unit that a result is really shown in: where the chosen one is refused, the metric's.
    pub fn at(self, basis: &UnitBasis) -> Self {
        Self { unit: self.unit.or_metric(basis), ..self }
    }
}

/// The scores of one direction in the unit on the screen, by map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shown {
    /// The look as it is, not as it was chosen: the unit is the one that the scores are in.
    look: Look,
    tables: [Option<ScoreTable>; 3],
    scales: [Scale; 3],
    units: [&'static str; 3],
}

impl Shown {
    /// IG's and AP's scores of a kind as a figure shows them: in the unit of the look, or in the metric's where that is
    /// refused.
    pub fn new(
        tables: [Option<&ScoreTable>; 2],
        basis: &UnitBasis,
        look: Look,
        kind: ComponentKind,
    ) -> Self {
        Self::of_tables(tables, basis, look.at(basis), kind)
            // OK because the metric's own unit is never refused, and no other is left.
            .unwrap_or_default()
    }

    /// # Errors
    /// A gap that cannot be divided by, where the unit does.
    fn of_tables(
        tables: [Option<&ScoreTable>; 2],
        basis: &UnitBasis,
        look: Look,
        kind: ComponentKind,
    ) -> Result<Self, GapRefused> {
        let unit = look.unit;
        let methods = tables;
        let [ig, ap] = methods;
        let ig = ig.map(|table| in_unit(table, basis, unit)).transpose()?;
        let ap = ap.map(|table| in_unit(table, basis, unit)).transpose()?;
        let diff = ig.as_ref().zip(ap.as_ref()).filter(|_| unit.comparable());
        let diff = diff.map(|(ig, ap)| ig.minus(ap));
        let tables = [ig, ap, diff];
        let mut own =
            [0, 1, 2].map(|map| Scale::of(tables[map].iter().flat_map(ScoreTable::values)));
        if let ([Some(screen), Some(patches)], [_, Some(ap), _]) = (methods, &tables)
            && !ap.is_all_exact()
        {
            // Stand-ins leave one by one: without all of them the colours of the rest would jump each time.
            let factor = unit.factor(basis, patches.key())?;
            own[MapKind::Ap as usize] =
                own[MapKind::Ap as usize].or_larger(Scale::of(&[screen.max_abs() * factor]));
        }
        // Scores that are not in one unit have no common scale.
        let scales = if look.scale == ScaleChoice::Shared && unit.comparable() {
            [own.into_iter().fold(Scale::default(), Scale::or_larger); 3]
        } else {
            own
        };
        let label = |method| unit.label(basis.metric, method, kind);
        let units = [label(Method::Ig), label(Method::Ap), label(Method::Ig)];
        Ok(Self { look, tables, scales, units })
    }

    /// Empty maps in a metric's unit.
    pub fn empty(metric: Metric, look: Look) -> Self {
        let look = Look { unit: Unit::Metric, ..look };
        Self { look, units: [metric.unit(); 3], ..Self::default() }
    }

    /// How all this is looked at, in the unit that it is in.
    pub const fn look(&self) -> Look {
        self.look
    }

    /// The scores of a map; `None`: it is not there.
    pub fn table(&self, map: MapKind) -> Option<&ScoreTable> {
        self.tables[map as usize].as_ref()
    }

    /// The scale of a map.
    pub fn scale(&self, map: MapKind) -> Scale {
        self.scales[map as usize]
    }

    /// The unit of a map.
    pub fn unit(&self, map: MapKind) -> &'static str {
        self.units[map as usize]
    }

    /// A score of a map; `None`: it is not exact, or not there.
    pub fn score(&self, map: MapKind, of: Component) -> Option<f32> {
        self.table(map).and_then(|table| table.get(of.layer, of.index))
    }

    /// A score as its map writes it.
    pub fn written(&self, map: MapKind, of: Component) -> Option<String> {
        self.score(map, of).map(|score| self.scale(map).written(score))
    }

    /// Whether something stands in for a component's score.
    pub fn is_screened(&self, map: MapKind, of: Component) -> bool {
        self.table(map).is_some_and(|table| {
            of.index < table.width() && !table.is_exact(of.layer * table.width() + of.index)
        })
    }

    /// Why a component has no score in a map.
    pub fn missing(&self, map: MapKind, of: Component) -> &'static str {
        if self.is_screened(map, of) { "not patched yet" } else { "not computed" }
    }

    /// Whether a map has scores of all layers, exact ones: what is said of them is final.
    pub fn is_final(&self, map: MapKind, n_layers: usize) -> bool {
        self.table(map).is_some_and(|table| table.n_layers() == n_layers && table.is_all_exact())
    }

    /// Scores of a map that are not exact: what stands in for them is drawn otherwise, and not counted.
    pub fn n_screened(&self, map: MapKind) -> usize {
        self.table(map).map_or(0, |table| table.values().len() - table.n_exact())
    }

    /// The scores of a component in words, to be read.
    pub fn words(&self, of: Component) -> String {
        self.words_after(&of.to_string(), of)
    }

    /// Scores of a component in words, to be heard.
    pub fn spoken(&self, of: Component) -> String {
        self.words_after(&of.spoken(), of)
    }

    fn words_after(&self, name: &str, of: Component) -> String {
        let [ig, ap] = [MapKind::Ig, MapKind::Ap]
            .map(|map| self.written(map, of).unwrap_or_else(|| self.missing(map, of).to_owned()));
        let [ig_unit, ap_unit] = [self.unit(MapKind::Ig), self.unit(MapKind::Ap)];
        if self.is_screened(MapKind::Ap, of) {
            return format!("{name}: AP {ap} (IG: {ig} {ig_unit})");
        }
        if ig_unit == ap_unit {
            format!("{name}: IG {ig}, AP {ap} {ap_unit}")
        } else {
            format!("{name}: IG {ig} {ig_unit}, AP {ap} {ap_unit}")
        }
    }
}

fn in_unit(table: &ScoreTable, basis: &UnitBasis, unit: Unit) -> Result<ScoreTable, GapRefused> {
    Ok(table.scaled(unit.factor(basis, table.key())?))
}

/// Where a component stands among all of its kind, and in its layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Rank by absolute score among the exact ones, from 1.
    pub rank: usize,
    /// Of how many.
    pub of: usize,
    /// Whether those are all.
    pub is_final: bool,
    /// The component's part of the layer's absolute scores; `None` where all are 0, or not all are exact.
    pub share: Option<f32>,
}

impl Standing {
    /// The rank in words.
    pub fn words(self) -> String {
        let Self { rank, of, is_final, .. } = self;
        format!("{rank} of {of}{}", if is_final { "" } else { " so far" })
    }

    /// The share in percent, where there is one.
    pub fn share_in_words(self) -> Option<String> {
        self.share.map(|share| format!("{:.0} %", 100.0 * share))
    }

    /// Of a component in a table; `None` where it has no exact score.
    pub fn of(table: &ScoreTable, component: Component) -> Option<Self> {
        let Component { layer, index, .. } = component;
        let score = table.get(layer, index)?.abs();
        let exact = |place: &usize| table.is_exact(*place);
        let is_larger = |place: &usize| table.values()[*place].abs() > score;
        let rank = 1 + (0..table.values().len()).filter(exact).filter(is_larger).count();
        let of = table.n_exact();
        let mut places = layer * table.width()..(layer + 1) * table.width();
        let total: f32 = table.rows().nth(layer)?.iter().map(|other| other.abs()).sum();
        let share = (total > 0.0 && places.all(|place| exact(&place))).then(|| score / total);
        Some(Self { rank, of, is_final: of == table.values().len(), share })
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::TableKey;

    use super::*;

    const BASIS: UnitBasis =
        UnitBasis { metric: Metric::LogitDiff, gap: 4.0, n_pos: 5, d_model: 10 };

    fn head(layer: usize, index: usize) -> Component {
        Component { kind: ComponentKind::Heads, layer, index }
    }

    fn table(method: Method, values: [f32; 4]) -> ScoreTable {
        ScoreTable::new(
            TableKey { kind: ComponentKind::Heads, method, direction: Direction::Noising },
            2,
            values.to_vec(),
        )
        .with_convergence_delta(vec![0.5, 0.0])
    }

    fn look(unit: Unit, scale: ScaleChoice) -> Look {
        Look { direction: Direction::Noising, unit, scale }
    }

    fn shown(unit: Unit, choice: ScaleChoice) -> Shown {
        let (ig, ap) =
            (table(Method::Ig, [2.0, -1.0, 0.0, 0.5]), table(Method::Ap, [8.0, -1.0, 0.0, 0.0]));
        let look = look(unit, choice);
        Shown::of_tables([Some(&ig), Some(&ap)], &BASIS, look, ComponentKind::Heads)
            .expect("the gap is large")
    }

    #[test]
    fn one_scale_holds_all_maps_and_the_difference_is_a_difference() {
        let shown = shown(Unit::Metric, ScaleChoice::Shared);
        assert_eq!(shown.score(MapKind::Diff, head(0, 0)), Some(-6.0));
        assert_eq!(MapKind::ALL.map(|map| shown.scale(map).limit()), [8.0; 3]);
        assert_eq!(shown.words(head(0, 1)), "L0H1: IG −1.00, AP −1.00 logits");
    }

    #[test]
    fn shares_are_of_the_gap_and_deltas_with_them() {
        let shown = shown(Unit::ShareOfGap, ScaleChoice::Own);
        assert_eq!(MapKind::ALL.map(|map| shown.scale(map).limit()), [0.5, 2.0, 1.5]);
        let deltas = shown.table(MapKind::Ig).map(ScoreTable::convergence_delta);
        assert_eq!(deltas, Some([0.125, 0.0].as_slice()));
    }

    #[test]
    fn the_notebooks_units_have_no_difference_and_no_common_scale() {
        let shown = shown(Unit::Notebook, ScaleChoice::Shared);
        assert_eq!(shown.table(MapKind::Diff), None);
        assert_eq!(shown.score(MapKind::Ap, head(0, 0)), Some(-2.0));
        assert_eq!(shown.scale(MapKind::Ig).limit(), 0.04);
        assert_ne!(shown.unit(MapKind::Ig), shown.unit(MapKind::Ap));
    }

    /// The last two of AP's scores are IG's, which stand in.
    fn in_part(unit: Unit, choice: ScaleChoice) -> Shown {
        let (ig, ap) =
            (table(Method::Ig, [2.0, -1.0, 0.25, 0.5]), table(Method::Ap, [1.0, -0.5, 0.25, 0.5]));
        let ap = ap.with_exact(vec![true, true, false, false]);
        let look = look(unit, choice);
        Shown::of_tables([Some(&ig), Some(&ap)], &BASIS, look, ComponentKind::Heads)
            .expect("the gap is large")
    }

    #[test]
    fn a_stand_in_is_no_score_and_no_difference() {
        let shown = in_part(Unit::Metric, ScaleChoice::Shared);
        assert_eq!(
            (shown.score(MapKind::Ap, head(0, 1)), shown.score(MapKind::Ap, head(1, 0))),
            (Some(-0.5), None)
        );
        assert_eq!(
            (shown.score(MapKind::Diff, head(0, 0)), shown.score(MapKind::Diff, head(1, 1))),
            (Some(1.0), None)
        );
        assert_eq!(MapKind::ALL.map(|map| shown.n_screened(map)), [0, 2, 2]);
        assert_eq!(MapKind::ALL.map(|map| shown.is_final(map, 2)), [true, false, false]);
        assert!(!shown.is_final(MapKind::Ig, 3), "a layer is missing");
        assert_eq!(shown.words(head(1, 0)), "L1H0: AP not patched yet (IG: +0.25 logits)");
        assert_eq!(shown.missing(MapKind::Diff, head(1, 0)), "not patched yet");
        assert_eq!(shown.missing(MapKind::Ap, head(7, 0)), "not computed");
    }

    #[test]
    fn the_scale_of_patches_holds_all_stand_ins_as_long_as_there_is_one() {
        let limit = |unit| in_part(unit, ScaleChoice::Own).scale(MapKind::Ap).limit();
        assert_eq!([Unit::Metric, Unit::ShareOfGap, Unit::Notebook].map(limit), [2.0, 0.5, 0.5]);
    }

    #[test]
    fn standing_is_among_exact_scores() {
        let shown = in_part(Unit::Metric, ScaleChoice::Shared);
        let ap = shown.table(MapKind::Ap).expect("in part");
        let standing = Standing::of(ap, head(0, 1)).expect("it is exact");
        assert_eq!((standing.rank, standing.of, standing.is_final), (2, 2, false));
        assert!(standing.share.is_some(), "its layer is exact");
        assert_eq!(Standing::of(ap, head(1, 0)), None);
    }

    #[test]
    fn standing_counts_absolute_scores() {
        let ig = table(Method::Ig, [2.0, -3.0, 0.0, 0.5]);
        let standing = Standing::of(&ig, head(0, 0)).expect("a cell");
        assert_eq!((standing.rank, standing.of, standing.share), (2, 4, Some(0.4)));
        let nothing = table(Method::Ig, [0.0; 4]);
        assert_eq!(Standing::of(&nothing, head(1, 1)).and_then(|standing| standing.share), None);
    }
}
