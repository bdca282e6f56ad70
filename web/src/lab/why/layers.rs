//! Layer by layer: the sum of solo patches beside the joint patch.

use twinbeam_core::{ComponentKind, Direction, Interaction, Redundancy};

use crate::heatmap::scale::{Scale, signed};
use crate::plot::{Bar, Bars, Drawn, Ink};

/// A reading as a word.
pub(in crate::lab) const fn word(reading: Redundancy) -> &'static str {
    match reading {
        Redundancy::Redundant => "redundant",
        Redundancy::Synergistic => "synergistic",
        Redundancy::Additive => "additive",
    }
}

/// What a reading says.
pub(in crate::lab) const fn meaning(reading: Redundancy) -> &'static str {
    match reading {
        Redundancy::Redundant => "they stand in for each other",
        Redundancy::Synergistic => "they need each other",
        Redundancy::Additive => "their effects add up",
    }
}

/// How the gap is read in a direction.
pub(super) const fn how_to_read(direction: Direction) -> &'static str {
    match direction {
        Direction::Noising => {
            "Noising: where the joint patch is larger than the sum of solo patches, a component that is lost alone is \
             made up for by others (redundant); where it is smaller, losing one already breaks what losing all \
             breaks (synergistic). Within 5 %: additive."
        }
        Direction::Denoising => {
            "Denoising: where the joint patch is larger than the sum of solo patches, components restore together \
             what none restores alone (synergistic); where it is smaller, one alone restores what all restore \
             (redundant). Within 5 %: additive."
        }
    }
}

/// `None` where no layer is known.
pub(super) fn draw(
    layers: &[Interaction],
    kind: ComponentKind,
    direction: Direction,
    (factor, unit): (f32, &'static str),
) -> Option<Drawn> {
    let values = |of: &Interaction| [factor * of.solo_sum, factor * of.joint];
    let all: Vec<f32> = layers.iter().flat_map(values).collect();
    let decimals = Scale::of(&all).decimals();
    let written = |value: f32| signed(factor * value, decimals);
    let note =
        |of: &Interaction| format!("gap {}: {}", written(of.gap), word(of.reading(direction)));
    let largest = layers.iter().max_by(|a, b| a.gap.abs().total_cmp(&b.gap.abs()))?;
    let summary = format!(
        "largest gap in layer {}: the joint patch is {} {unit}, the sum of solo patches {}; {}, {}.",
        largest.layer,
        written(largest.joint),
        written(largest.solo_sum),
        word(largest.reading(direction)),
        meaning(largest.reading(direction)),
    );
    let bar = |of: &Interaction| Bar {
        label: format!("layer {}", of.layer),
        values: values(of).to_vec(),
        note: note(of),
        ..Bar::default()
    };
    let plot = Bars {
        title: format!("{} of a layer one by one and together, {direction}", kind.id()),
        summary,
        unit: unit.to_owned(),
        names: vec!["sum of solo patches".to_owned(), "joint patch".to_owned()],
        inks: [Ink::Cold, Ink::Ink],
        bars: layers.iter().map(bar).collect(),
        signed: true,
        ..Bars::default()
    };
    Some(plot.draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_with_the_largest_gap_is_named() {
        let layer = |layer, joint: f32, solo_sum: f32| Interaction {
            layer,
            joint,
            solo_sum,
            solo_abs: solo_sum.abs(),
            gap: joint - solo_sum,
        };
        let layers = [layer(0, 1.0, 0.25), layer(1, 0.5, 0.5)];
        let kind = ComponentKind::Neurons;
        let drawn = draw(&layers, kind, Direction::Noising, (2.0, "logits")).expect("two layers");
        for part in ["layer 0", "+2.00 logits", "+0.50", "redundant"] {
            assert!(drawn.summary.contains(part), "{part} in {}", drawn.summary);
        }
        assert_eq!(drawn.table.rows.len(), 2);
        assert_eq!(draw(&[], kind, Direction::Noising, (1.0, "logits")), None);
    }
}
