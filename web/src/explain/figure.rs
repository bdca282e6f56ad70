//! What a figure's numbers mean, in one place: the screen and every file say the same.

use twinbeam_core::link::ScaleChoice;
use twinbeam_core::words::{Component, ComponentKind, Direction, Method, Metric};

use crate::values::Look;

/// What a direction asks.
pub(crate) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Noising => {
            "Noising: run the clean prompt and put corrupted values in. Is the head necessary?"
        }
        Direction::Denoising => {
            "Denoising: run the corrupted prompt and put clean values in. Is the head sufficient?"
        }
    }
}

/// Why IG and AP differ: the one reason there is (docs/METHODS.md, identity 2), and the one place that says it.
pub(crate) const fn why_apart(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Heads => {
            "IG − AP is what a head does together with the other heads of its layer and not alone: they need each other, \
             or stand in for each other. It is nothing else: on a line that moves this head alone, its IG would be its AP."
        }
        ComponentKind::Neurons => {
            "IG − AP is what a neuron does together with the other neurons of its layer and not alone: they need each \
             other, or stand in for each other. It is nothing else: on a line that moves this neuron alone, its IG would \
             be its AP."
        }
    }
}

/// What is on the screen, in a line. `look`: in the unit that the scores are in.
pub(crate) fn on_screen(
    look: Look,
    metric: Metric,
    kind: ComponentKind,
    pinned: Option<Component>,
) -> String {
    let Look { direction, unit, scale } = look;
    let label = |method| unit.label(metric, method, kind);
    let [ig, ap] = [Method::Ig, Method::Ap].map(label);
    let units = if ig == ap { ig.to_owned() } else { format!("IG {ig}; AP {ap}") };
    let scale = match scale {
        ScaleChoice::Shared if unit.comparable() => "one scale for all maps",
        ScaleChoice::Shared | ScaleChoice::Own => "one scale per map",
    };
    let pinned = pinned.map_or_else(String::new, |of| format!("; pinned: {of}"));
    format!("{direction}; unit: {units}; {scale}{pinned}")
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::Unit;

    use super::*;

    #[test]
    fn a_line_says_what_is_on_the_screen() {
        let head = Component { kind: ComponentKind::Heads, layer: 0, index: 7 };
        let says = |unit, scale, pinned| {
            let look = Look { direction: Direction::Denoising, unit, scale };
            on_screen(look, Metric::LogitDiff, ComponentKind::Heads, pinned)
        };
        assert_eq!(
            says(Unit::Metric, ScaleChoice::Shared, Some(head)),
            "denoising; unit: logits; one scale for all maps; pinned: L0H7"
        );
        assert_eq!(
            says(Unit::Notebook, ScaleChoice::Shared, None),
            "denoising; unit: IG mean over positions and d_model; AP of the gap, notebook’s sign; one scale per map"
        );
    }
}
