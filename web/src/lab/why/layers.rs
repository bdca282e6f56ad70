//! Layer by layer: the sum of solo patches beside the joint patch.

use twinbeam_core::scores::{Interaction, Redundancy};
use twinbeam_core::words::{ComponentKind, Direction};

use crate::plot::{Bar, Bars, Drawn, Ink};
use crate::values::sentence;
use twinbeam_figure::scale::{Scale, signed};

/// What is under this share of the gap, whatever its sign, is not read.
const READ: f32 = 0.01;

/// The absolute effect from which on something is said of it: a share of the size of the gap, or where that is too
/// small to measure by, of the largest there is.
///
/// # Units
/// Those of both.
pub(in crate::lab) fn least_read(size: Option<f32>, largest: f32) -> f32 {
    READ * size.unwrap_or(largest).abs()
}

/// A reading; `None` where both the joint effect and the sum are too small for one.
pub(in crate::lab) fn read(
    of: &Interaction,
    direction: Direction,
    least: f32,
) -> Option<Redundancy> {
    let largest = of.joint.abs().max(of.solo_sum.abs());
    (largest >= least).then(|| of.reading(direction))
}

/// A reading as a word.
pub(in crate::lab) const fn word(reading: Option<Redundancy>) -> &'static str {
    match reading {
        Some(Redundancy::Redundant) => "redundant",
        Some(Redundancy::Synergistic) => "synergistic",
        Some(Redundancy::Additive) => "additive",
        None => "too small to say",
    }
}

/// What a reading says.
pub(in crate::lab) const fn meaning(reading: Option<Redundancy>) -> &'static str {
    match reading {
        Some(Redundancy::Redundant) => "they stand in for each other",
        Some(Redundancy::Synergistic) => "they need each other",
        Some(Redundancy::Additive) => "their effects add up",
        None => "both are next to nothing",
    }
}

/// How joint − sum is read in a direction.
pub(super) const fn how_to_read(direction: Direction) -> &'static str {
    match direction {
        Direction::Noising => {
            "Noising: where the joint patch is larger than the sum of solo patches, a component that is lost alone is \
             made up for by others (redundant); where it is smaller, losing one already breaks what losing all \
             breaks (synergistic). Δ is joint − sum. Within 5 %: additive. Both under 1 % of the gap: too small to say."
        }
        Direction::Denoising => {
            "Denoising: where the joint patch is larger than the sum of solo patches, components restore together \
             what none restores alone (synergistic); where it is smaller, one alone restores what all restore \
             (redundant). Δ is joint − sum. Within 5 %: additive. Both under 1 % of the gap: too small to say."
        }
    }
}

/// `None` where no layer is known; `size` of the gap in the metric's unit, where it is one to measure by.
pub(super) fn draw(
    layers: &[Interaction],
    kind: ComponentKind,
    direction: Direction,
    (factor, unit): (f32, &'static str),
    size: Option<f32>,
    width: f64,
) -> Option<Drawn> {
    let values = |of: &Interaction| [factor * of.solo_sum, factor * of.joint];
    let all: Vec<f32> = layers.iter().flat_map(values).collect();
    let scale = Scale::of(&all);
    let least = least_read(size, scale.limit() / factor);
    let read = |of: &Interaction| read(of, direction, least);
    // Joint, sum and joint − sum, with one more digit where the first two would look alike.
    let written = |of: &Interaction| {
        let decimals = scale.decimals();
        let at = |decimals| {
            [of.joint, of.solo_sum, of.gap].map(|value| signed(factor * value, decimals))
        };
        let short = at(decimals);
        if short[0] == short[1] { at(decimals + 1) } else { short }
    };
    let note = |of: &Interaction| match read(of) {
        None => format!("· {}", word(None)),
        reading => format!("Δ {} {}", written(of)[2], word(reading)),
    };
    let largest = layers.iter().max_by(|a, b| a.gap.abs().total_cmp(&b.gap.abs()))?;
    let [joint, solo_sum, difference] = written(largest);
    let summary = format!(
        "joint − sum is largest in layer {}, {difference}: the joint patch is {joint} {unit}, the sum of solo patches \
         {solo_sum}; {}, {}.",
        largest.layer,
        word(read(largest)),
        meaning(read(largest)),
    );
    let bar = |of: &Interaction| Bar {
        label: format!("layer {}", of.layer),
        values: values(of).to_vec(),
        note: note(of),
        ..Bar::default()
    };
    let plot = Bars {
        title: {
            let kinds = sentence(kind.id());
            format!("{kinds}: Δ = joint − sum, {direction}")
        },
        summary,
        unit: unit.to_owned(),
        names: vec!["one by one, summed".to_owned(), "together".to_owned()],
        inks: [Ink::Ap, Ink::Plain],
        rows: layers.iter().map(bar).collect(),
        signed: true,
        width,
        ..Bars::default()
    };
    Some(plot.draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_with_the_largest_difference_is_named() {
        let layer = |layer, joint: f32, solo_sum: f32| Interaction {
            layer,
            joint,
            solo_sum,
            solo_abs: solo_sum.abs(),
            gap: joint - solo_sum,
        };
        let layers = [layer(0, 1.0, 0.25), layer(1, 0.5, 0.5)];
        let kind = ComponentKind::Neurons;
        let drawn = draw(&layers, kind, Direction::Noising, (2.0, "logits"), Some(1.0), 360.0);
        let drawn = drawn.expect("two layers");
        for part in ["layer 0, +1.50", "+2.00 logits", "+0.50", "redundant"] {
            assert!(drawn.summary.contains(part), "{part} in {}", drawn.summary);
        }
        assert_eq!(drawn.table.rows.len(), 2);
        assert_eq!(draw(&[], kind, Direction::Noising, (1.0, "logits"), None, 360.0), None);
    }

    #[test]
    fn noise_is_not_read_and_close_numbers_have_a_digit_more() {
        let of = |joint: f32, solo_sum: f32| Interaction {
            layer: 0,
            joint,
            solo_sum,
            solo_abs: solo_sum.abs(),
            gap: joint - solo_sum,
        };
        let small = of(0.01, 0.02);
        assert_eq!(read(&small, Direction::Noising, least_read(Some(-4.0), 0.0)), None);
        let read = read(&small, Direction::Noising, least_read(None, 0.5));
        assert_eq!(read, Some(Redundancy::Synergistic));
        let (kind, unit) = (ComponentKind::Heads, (1.0, "logits"));
        let close = draw(&[of(1.001, 1.004)], kind, Direction::Noising, unit, Some(4.0), 360.0);
        let summary = close.expect("one layer").summary;
        assert!(summary.contains("+1.001 logits") && summary.contains("+1.004"), "{summary}");
        let small = draw(&[small], kind, Direction::Noising, unit, Some(4.0), 360.0);
        assert!(small.expect("one layer").svg.contains("too small to say"));
    }
}
