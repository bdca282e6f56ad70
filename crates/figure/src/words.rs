//! What a figure says of itself: numbers of things, points of the line, the sign, how prompts are written.

use twinbeam_core::link::ScaleChoice;
use twinbeam_core::prompts::hides;
use twinbeam_core::scores::Unit;
use twinbeam_core::words::{Component, ComponentKind, Direction, Method, Metric, Steps, Written};

use crate::Look;

/// A token's text with its spaces visible.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            ' ' => '·',
            '\n' => '↵',
            '\r' => '␍',
            '\t' => '⇥',
            '\u{a0}' => '⍽',
            other if hides(other) => '▯',
            other => other,
        })
        .collect()
}

/// So many of something.
pub fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// How close steps that are found by themselves must come, as a share of the gap.
pub fn tolerance(steps: Steps) -> Option<String> {
    match steps {
        Steps::Fixed(_) => None,
        Steps::Auto { tolerance_ppm } => Some(format!("{} %", f64::from(tolerance_ppm) / 1e4)),
    }
}

/// By which points integrals were taken. `used`: how many in each layer, as far as that is known.
pub fn steps<'a>(steps: Steps, used: impl IntoIterator<Item = &'a usize>) -> String {
    let tolerance = match steps {
        Steps::Fixed(n) => return count(n, "Gauss-Legendre step"),
        Steps::Auto { .. } => tolerance(steps).unwrap_or_default(),
    };
    let (least, most) =
        used.into_iter().fold((usize::MAX, 0), |(least, most), n| (least.min(*n), most.max(*n)));
    let used = if most == 0 {
        String::new()
    } else if least == most {
        format!(", {most} per layer")
    } else {
        format!(", {least} to {most} per layer")
    };
    format!("Clenshaw-Curtis points until {tolerance} of the gap{used}")
}

/// What the sign of a score says. `look`: in the unit that the scores are in.
pub const fn sign(look: Look) -> &'static str {
    match (look.unit, look.direction) {
        (Unit::Metric | Unit::ShareOfGap, _) => {
            "Positive, drawn warm, supports the clean behaviour, by both methods."
        }
        (Unit::Notebook, Direction::Noising) => {
            "As the notebook writes them: where the clean behaviour is supported, IG is positive, drawn warm, and AP of \
             noising negative, drawn cold. The two are in different units, and cannot be subtracted."
        }
        (Unit::Notebook, Direction::Denoising) => {
            "As the notebook writes them: positive, drawn warm, supports the clean behaviour, by both methods. The two \
             are in different units, and cannot be subtracted."
        }
    }
}

/// What is on the screen, in a line. `look`: in the unit that the scores are in.
pub fn on_screen(
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

/// What scores are in, behind a noun.
pub fn in_unit(unit: &str) -> String {
    if unit.starts_with("of ") { format!("as shares {unit}") } else { format!("in {unit}") }
}

/// What is said behind prompts and answers that are not text.
pub const fn written(written: Written) -> &'static str {
    match written {
        Written::Text => "",
        Written::AnswerIds => " (answers are token ids)",
        Written::Ids => " (prompts and answers are token ids)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_named_by_their_rule_and_by_what_they_took() {
        assert_eq!(steps(Steps::Fixed(1), &[1, 1]), "1 Gauss-Legendre step");
        assert_eq!(steps(Steps::Fixed(50), &[]), "50 Gauss-Legendre steps");
        let until = "Clenshaw-Curtis points until 0.1 % of the gap";
        assert_eq!(steps(Steps::AUTO, &[]), until);
        assert_eq!(steps(Steps::AUTO, &[9, 5, 33]), format!("{until}, 5 to 33 per layer"));
        assert_eq!(steps(Steps::AUTO, &[17, 17]), format!("{until}, 17 per layer"));
        let fine = Steps::Auto { tolerance_ppm: 25 };
        assert_eq!(tolerance(fine).as_deref(), Some("0.0025 %"));
    }

    #[test]
    fn the_sign_is_that_of_the_unit_and_the_direction() {
        let says = |unit, direction| sign(Look { direction, unit, ..Look::default() });
        for direction in Direction::ALL {
            assert_eq!(says(Unit::Metric, direction), says(Unit::ShareOfGap, direction));
        }
        assert!(says(Unit::Notebook, Direction::Noising).contains("AP of noising negative"));
        assert!(!says(Unit::Notebook, Direction::Denoising).contains("negative"));
    }

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
