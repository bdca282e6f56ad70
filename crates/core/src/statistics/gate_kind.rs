//! What the two directions say of a component together.

/// The directions in which a component is found. A logical gate behaves so: each input of an AND is necessary (found by
/// noising) and none sufficient, each input of an OR is sufficient (found by denoising) and none necessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateKind {
    /// Found by noising only: necessary, not sufficient.
    And,
    /// Found by denoising only: sufficient, not necessary.
    Or,
    /// Found by both directions.
    Both,
    /// Found by no direction.
    Neither,
}

impl GateKind {
    /// All four kinds.
    pub const ALL: [Self; 4] = [Self::And, Self::Or, Self::Both, Self::Neither];

    /// The kind of a component by its scores in both directions, found where the absolute score is at least
    /// `threshold` and not 0.
    pub fn of(noising: f32, denoising: f32, threshold: f32) -> Self {
        let found = |score: f32| score != 0.0 && score.abs() >= threshold;
        match (found(noising), found(denoising)) {
            (true, false) => Self::And,
            (false, true) => Self::Or,
            (true, true) => Self::Both,
            (false, false) => Self::Neither,
        }
    }

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Both => "both",
            Self::Neither => "neither",
        }
    }
}

/// Per component, noising score minus denoising score, divided by the largest absolute difference of all: in
/// -1..=1, above 0 where the component is more necessary than sufficient, 0 where all differences are 0.
///
/// The divisor is the largest ABSOLUTE difference: the largest signed one can be negative, and dividing by it
/// flips the sign of every component.
pub fn asymmetry(noising: &[f32], denoising: &[f32]) -> Vec<f32> {
    let mut differences: Vec<f32> = noising.iter().zip(denoising).map(|(n, d)| n - d).collect();
    let most = differences.iter().fold(0.0_f32, |most, difference| most.max(difference.abs()));
    if most > 0.0 {
        for difference in &mut differences {
            *difference /= most;
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_classified_by_where_it_is_found() {
        for (noising, denoising, kind) in [
            (0.5, 0.05, GateKind::And),
            (-0.05, -0.5, GateKind::Or),
            (0.1, -0.1, GateKind::Both),
            (0.09, 0.0, GateKind::Neither),
        ] {
            assert_eq!(GateKind::of(noising, denoising, 0.1), kind, "{noising} {denoising}");
        }
        assert_eq!(GateKind::of(0.0, 0.0, 0.0), GateKind::Neither);
    }

    #[test]
    fn asymmetry_keeps_the_sign_where_every_difference_is_negative() {
        assert_eq!(asymmetry(&[0.0, 1.0], &[2.0, 2.0]), [-1.0, -0.5]);
        assert_eq!(asymmetry(&[1.0, 2.0], &[1.0, 2.0]), [0.0, 0.0]);
        assert_eq!(asymmetry(&[], &[]), [0.0; 0]);
    }
}
