//! Which neurons stand out, and their scores in words. Nothing here draws.

use twinbeam_core::link::NeuronScores;
use twinbeam_core::scores::TableKey;
use twinbeam_core::words::{Component, ComponentKind, Method};

use crate::heatmap::{MapKind, Shown};
use crate::values::{Committed, Look};
use twinbeam_figure::scale::Scale;

const KIND: ComponentKind = ComponentKind::Neurons;

/// A line of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    pub(super) component: Component,
    /// The score that the list is ordered by, in the unit of the list.
    pub(super) score: f32,
    pub(super) ig: Option<String>,
    pub(super) ap: Option<String>,
}

/// The neurons with the largest absolute scores of a map, largest first.
pub(super) fn strongest(shown: &Shown, map: MapKind, most: usize) -> Vec<Listed> {
    let components = shown.table(map).map(|table| table.strongest(most)).unwrap_or_default();
    let listed = |component| {
        let score = shown.score(map, component)?;
        let [ig, ap] = [MapKind::Ig, MapKind::Ap].map(|map| shown.written(map, component));
        Some(Listed { component, score, ig, ap })
    };
    components.into_iter().filter_map(listed).collect()
}

/// The neurons with the largest absolute scores that a link names, which has no tables of them.
pub(super) fn strongest_of_link(
    committed: &Committed,
    look: Look,
    map: MapKind,
    most: usize,
) -> Vec<Listed> {
    // As the maps do where a unit is refused.
    let Look { direction, unit, .. } = look.at(&committed.basis);
    let factor = |method| {
        unit.factor(&committed.basis, TableKey { kind: KIND, method, direction }).unwrap_or(1.0)
    };
    let (ig_factor, ap_factor) = (factor(Method::Ig), factor(Method::Ap));
    if map == MapKind::Diff && !unit.comparable() {
        return Vec::new();
    }
    let of_it = |n: &&NeuronScores| n.direction == direction;
    let named: Vec<(Component, f32, f32)> = committed
        .neurons
        .iter()
        .filter(of_it)
        .map(|n| (n.component, n.ig * ig_factor, n.ap * ap_factor))
        .collect();
    let (igs, aps) = (named.iter().map(|(_, ig, _)| ig), named.iter().map(|(_, _, ap)| ap));
    let [ig_scale, ap_scale] = if unit.comparable() {
        [Scale::of(igs.chain(aps)); 2]
    } else {
        [Scale::of(igs), Scale::of(aps)]
    };
    let mut listed: Vec<Listed> = named
        .iter()
        .map(|&(component, ig, ap)| Listed {
            component,
            score: match map {
                MapKind::Ig => ig,
                MapKind::Ap => ap,
                MapKind::Diff => ig - ap,
            },
            ig: Some(ig_scale.written(ig)),
            ap: Some(ap_scale.written(ap)),
        })
        .filter(|listed| listed.score != 0.0)
        .collect();
    listed.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
    listed.truncate(most);
    listed
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::Unit;
    use twinbeam_core::words::Direction;

    use super::*;
    use crate::values::committed;

    fn neuron(index: usize) -> Component {
        Component { kind: KIND, layer: 1, index }
    }

    #[test]
    fn a_links_neurons_are_ordered_by_what_the_list_is_of() {
        let direction = Direction::Noising;
        let named = |index, ig, ap| NeuronScores { component: neuron(index), direction, ig, ap };
        let neurons = vec![named(2, 0.5, 0.5), named(5, -1.0, 0.0), named(7, 0.1, 2.0)];
        let committed = Committed { neurons, ..committed() };
        let list = |map, unit| {
            let look = Look { direction, unit, ..Look::default() };
            let list = strongest_of_link(&committed, look, map, 9);
            list.into_iter().map(|l| (l.component.index, l.score)).collect::<Vec<_>>()
        };
        assert_eq!(list(MapKind::Ig, Unit::Metric), [(5, -1.0), (2, 0.5), (7, 0.1)]);
        assert_eq!(list(MapKind::Ap, Unit::ShareOfGap), [(7, 0.5), (2, 0.125)]);
        assert_eq!(list(MapKind::Diff, Unit::Metric), [(7, -1.9), (5, -1.0)]);
        assert_eq!(list(MapKind::Diff, Unit::Notebook), []);
        let other = Look { direction: Direction::Denoising, ..Look::default() };
        assert_eq!(strongest_of_link(&committed, other, MapKind::Ig, 9), []);
    }
}
