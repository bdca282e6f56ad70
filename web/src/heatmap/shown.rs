//! What the figure of the screen shows: a result, as it is looked at.

use twinbeam_core::words::ComponentKind;
pub(crate) use twinbeam_figure::{MapKind, Shown, Standing};

use crate::state::AppState;
use crate::values::{Committed, Look};

/// The scores of a kind as the screen shows them: in the unit of the look, or in the metric's where that is refused.
pub(crate) fn shown_of(committed: &Committed, look: Look, kind: ComponentKind) -> Shown {
    Shown::new(committed.tables(kind, look.direction), &committed.basis, look, kind)
}

/// The scores of a kind on the screen.
pub(crate) fn shown_on_screen(state: AppState, kind: ComponentKind) -> Shown {
    let look = state.look();
    state.committed.with(|committed| match committed {
        Some(committed) => shown_of(committed, look, kind),
        None => Shown::empty(state.draft.with(|draft| draft.metric), look),
    })
}

/// The term of a map in the glossary.
pub(super) const fn term(map: MapKind) -> &'static str {
    match map {
        MapKind::Ig => "ig",
        MapKind::Ap => "ap",
        MapKind::Diff => "interaction",
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::link::ScaleChoice;
    use twinbeam_core::scores::Unit;
    use twinbeam_core::words::{Direction, Method};

    use super::*;

    #[test]
    fn where_a_unit_is_refused_everything_is_in_the_metrics_and_says_so() {
        for gap in [-4.0, 0.05] {
            let mut committed = crate::values::committed();
            committed.basis.gap = gap;
            for unit in [Unit::ShareOfGap, Unit::Notebook] {
                let of = |unit| {
                    let look =
                        Look { direction: Direction::Noising, unit, scale: ScaleChoice::Own };
                    shown_of(&committed, look, ComponentKind::Heads)
                };
                assert_eq!(of(unit), of(Unit::Metric), "{unit:?} of a gap of {gap}");
                assert_eq!(of(unit).look().unit, Unit::Metric);
            }
            // As long as nothing is patched, too: the unit does not change on the way.
            committed.tables.retain(|table| table.method() == Method::Ig);
            let look = Look {
                direction: Direction::Noising,
                unit: Unit::Notebook,
                scale: ScaleChoice::Own,
            };
            let shown = shown_of(&committed, look, ComponentKind::Heads);
            assert_eq!(shown.unit(MapKind::Ig), "logits");
        }
    }
}
