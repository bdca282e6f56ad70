//! What the tables of an experiment say together: of all components by two methods, of one component by all
//! methods, and of a layer whose components are not independent.

use super::{ScoreTable, TableKey, Tables};
use crate::words::{Component, ComponentKind, Direction, Method};

/// Share of a layer's effects up to which its gap counts as none.
const TOLERANCE: f32 = 0.05;
/// Effect, in the metric's unit, below which it is what single precision makes of nothing.
const NOTHING: f32 = 1e-4;

/// The scores of two tables where both are exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExactPairs {
    /// Places in the tables' values, ascending.
    pub places: Vec<usize>,
    /// Integrated gradients at these places.
    pub ig: Vec<f32>,
    /// Activation patching at these places.
    pub ap: Vec<f32>,
}

impl ExactPairs {
    /// The scores of a table of each method, where both are exact.
    pub fn of(ig: &ScoreTable, ap: &ScoreTable) -> Self {
        let n = ig.values().len().min(ap.values().len());
        let places: Vec<usize> =
            (0..n).filter(|place| ig.is_exact(*place) && ap.is_exact(*place)).collect();
        let at = |table: &ScoreTable| places.iter().map(|place| table.values()[*place]).collect();
        let (ig, ap) = (at(ig), at(ap));
        Self { places, ig, ap }
    }
}

/// One component by all methods, from the crudest to the exact one, and what its layer does.
///
/// # Units
/// The metric's; positive supports the clean behaviour. `None`: not computed, or not exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ladder {
    /// Attribution patching.
    pub atp: Option<f32>,
    /// Integrated gradients.
    pub ig: Option<f32>,
    /// Activation patching.
    pub ap: Option<f32>,
    /// Joint patch of the component's layer.
    pub joint: Option<f32>,
    /// Sum of activation patching over the component's layer.
    pub solo_sum: Option<f32>,
}

impl Ladder {
    /// The ladder of a component from the tables of an experiment.
    pub fn of(tables: &Tables, component: Component, direction: Direction) -> Self {
        let Component { kind, layer, index } = component;
        let table = |method| tables.get(TableKey { kind, method, direction });
        let score = |method| table(method).and_then(|table| table.get(layer, index));
        Self {
            atp: score(Method::Atp),
            ig: score(Method::Ig),
            ap: score(Method::Ap),
            joint: table(Method::Ig).and_then(|table| joint_of(table, layer)),
            solo_sum: table(Method::Ap)
                .and_then(|table| exact_row(table, layer))
                .map(|row| sum(row, |solo| solo)),
        }
    }
}

impl Ladder {
    /// Effects in another unit.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        let scaled = |value: Option<f32>| value.map(|value| factor * value);
        Self {
            atp: scaled(self.atp),
            ig: scaled(self.ig),
            ap: scaled(self.ap),
            joint: scaled(self.joint),
            solo_sum: scaled(self.solo_sum),
        }
    }
}

/// Why the parts of a layer do not add up to the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redundancy {
    /// Components back each other up, as the inputs of an OR.
    Redundant,
    /// Components need each other, as the inputs of an AND.
    Synergistic,
    /// The parts add up to the whole.
    Additive,
}

/// One layer patched component by component, and at once.
///
/// # Units
/// The metric's; positive supports the clean behaviour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interaction {
    /// The layer.
    pub layer: usize,
    /// Effect of replacing all components together.
    pub joint: f32,
    /// Sum of the effects of replacing one at a time.
    pub solo_sum: f32,
    /// Sum of the absolute effects of replacing one at a time.
    pub solo_abs: f32,
    /// `joint - solo_sum`.
    pub gap: f32,
}

impl Interaction {
    /// The interaction of one layer, if its integrated gradients and exact patches of all its components are there.
    pub fn of_layer(
        tables: &Tables,
        kind: ComponentKind,
        direction: Direction,
        layer: usize,
    ) -> Option<Self> {
        let table = |method| tables.get(TableKey { kind, method, direction });
        let joint = joint_of(table(Method::Ig)?, layer)?;
        let row = exact_row(table(Method::Ap)?, layer)?;
        let (solo_sum, solo_abs) = (sum(row, |solo| solo), sum(row, f64::abs));
        Some(Self { layer, joint, solo_sum, solo_abs, gap: joint - solo_sum })
    }

    /// The interactions of all layers of which they are known, in the order of layers.
    pub fn of_layers(tables: &Tables, kind: ComponentKind, direction: Direction) -> Vec<Self> {
        let n_layers = tables
            .get(TableKey { kind, method: Method::Ap, direction })
            .map_or(0, ScoreTable::n_layers);
        let of = |layer| Self::of_layer(tables, kind, direction, layer);
        (0..n_layers).filter_map(of).collect()
    }

    /// Why the gap is there.
    ///
    /// Under noising a joint effect that is larger than the sum (in the joint effect's own sign) says that a
    /// component lost alone is made up for by others: redundant. A smaller one says that losing any one already
    /// breaks what losing all breaks: synergistic. Under denoising it is the reverse: where one component alone
    /// restores what all restore the joint effect is the smaller one, and that is redundant.
    ///
    /// Additive: the gap is at most 5 % of the joint effect or of the sum of ABSOLUTE solo effects, whichever is
    /// larger, or under 0.0001 of the metric's unit. Against the absolute effects, because where large effects of
    /// both signs cancel, a small difference between what is left says little.
    pub fn reading(&self, direction: Direction) -> Redundancy {
        let scale = self.joint.abs().max(self.solo_abs);
        if self.gap.abs() <= (TOLERANCE * scale).max(NOTHING) {
            return Redundancy::Additive;
        }
        let sign = if self.joint == 0.0 { self.solo_sum } else { self.joint };
        let joint_is_larger = (self.gap > 0.0) == (sign > 0.0);
        if joint_is_larger == (direction == Direction::Noising) {
            Redundancy::Redundant
        } else {
            Redundancy::Synergistic
        }
    }
}

/// The joint patch of a layer: what integrated gradients should add up to.
fn joint_of(ig: &ScoreTable, layer: usize) -> Option<f32> {
    let delta = ig.convergence_delta().get(layer)?;
    ig.rows().nth(layer).map(|row| sum(row, |score| score) - delta)
}

/// The scores of a layer if all are there and exact.
fn exact_row(table: &ScoreTable, layer: usize) -> Option<&[f32]> {
    let row = table.rows().nth(layer)?;
    let begin = layer * table.width();
    (begin..begin + table.width()).all(|place| table.is_exact(place)).then_some(row)
}

fn sum(row: &[f32], of: fn(f64) -> f64) -> f32 {
    row.iter().map(|score| of(f64::from(*score))).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::GateNetwork;

    const HEAD: Component = Component { kind: ComponentKind::Heads, layer: 0, index: 1 };

    fn table(method: Method, direction: Direction, values: [f64; 2]) -> ScoreTable {
        let key = TableKey { kind: ComponentKind::Heads, method, direction };
        ScoreTable::new(key, 2, values.map(|value| value as f32).to_vec())
    }

    /// The tables of a logical gate whose inputs are two heads of one layer.
    fn tables(network: GateNetwork) -> Tables {
        let of = |direction| {
            let effects = network.effects(direction);
            let ig = table(Method::Ig, direction, effects.ig).with_convergence_delta(vec![0.0]);
            let ap = table(Method::Ap, direction, effects.ap);
            [ig, ap, table(Method::Atp, direction, effects.atp)]
        };
        Direction::ALL.into_iter().flat_map(of).collect()
    }

    #[test]
    fn an_and_is_synergistic_and_an_or_redundant_in_both_directions() {
        for (network, reading) in
            [(GateNetwork::AND, Redundancy::Synergistic), (GateNetwork::OR, Redundancy::Redundant)]
        {
            let tables = tables(network);
            for direction in Direction::ALL {
                let layers = Interaction::of_layers(&tables, ComponentKind::Heads, direction);
                let [layer] = layers.as_slice() else { panic!("one layer: {layers:?}") };
                assert_eq!(layer.reading(direction), reading, "{network:?} {direction}");
                let negative = Interaction {
                    joint: -layer.joint,
                    solo_sum: -layer.solo_sum,
                    gap: -layer.gap,
                    ..*layer
                };
                assert_eq!(negative.reading(direction), reading, "the sign decides nothing");
            }
        }
    }

    #[test]
    fn a_small_gap_is_none() {
        let of = |joint: f32, solo_sum, solo_abs| {
            let gap = joint - solo_sum;
            Interaction { layer: 0, joint, solo_sum, solo_abs, gap }.reading(Direction::Noising)
        };
        assert_eq!(of(1.0, 0.96, 0.96), Redundancy::Additive);
        assert_eq!(of(1.0, 0.9, 0.9), Redundancy::Redundant);
        assert_eq!(of(1.0, 0.9, 3.0), Redundancy::Additive);
        assert_eq!(of(0.0, 0.9, 0.9), Redundancy::Synergistic);
        assert_eq!(of(0.000_05, 0.0, 0.0), Redundancy::Additive);
    }

    #[test]
    fn a_ladder_has_the_steps_that_were_computed() {
        let tables = tables(GateNetwork::AND);
        let expected = GateNetwork::AND.effects(Direction::Denoising);
        let ladder = Ladder::of(&tables, HEAD, Direction::Denoising);
        let close = |got: Option<f32>, expected: f64| {
            assert!((f64::from(got.unwrap()) - expected).abs() < 1e-6, "{got:?} {expected}");
        };
        close(ladder.atp, expected.atp[1]);
        close(ladder.ig, expected.ig[1]);
        close(ladder.ap, expected.ap[1]);
        close(ladder.joint, expected.joint);
        close(ladder.solo_sum, expected.ap[0] + expected.ap[1]);
        // A patch that has not been done leaves its own place and the layer's sum open.
        let in_part = |table: &ScoreTable| match table.method() {
            Method::Ap => table.clone().with_exact(vec![false, true]),
            _ => table.clone(),
        };
        let tables: Tables = tables.iter().map(in_part).collect();
        let ladder = Ladder::of(&tables, HEAD, Direction::Denoising);
        assert!(ladder.ap.is_some() && ladder.solo_sum.is_none());
        assert_eq!(Ladder::of(&Tables::default(), HEAD, Direction::Noising), Ladder::default());
        let outside = Component { layer: 7, ..HEAD };
        assert_eq!(Ladder::of(&tables, outside, Direction::Noising), Ladder::default());
        assert!(
            Interaction::of_layers(&tables, ComponentKind::Heads, Direction::Noising).is_empty()
        );
    }

    #[test]
    fn pairs_are_of_places_that_are_exact() {
        let ig = table(Method::Ig, Direction::Noising, [1.0, 2.0]);
        let ap = table(Method::Ap, Direction::Noising, [1.0, 5.0]).with_exact(vec![false, true]);
        let pairs = ExactPairs::of(&ig, &ap);
        assert_eq!(pairs, ExactPairs { places: vec![1], ig: vec![2.0], ap: vec![5.0] });
    }
}
