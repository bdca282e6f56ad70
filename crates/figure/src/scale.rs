//! One diverging scale, symmetric about zero, and how its numbers are written. Nothing here draws.

/// A scale from `-limit` to `limit`, in the scores' unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scale {
    limit: f32,
}

impl Scale {
    /// The smallest symmetric scale that holds all scores.
    pub fn of<'scores>(scores: impl IntoIterator<Item = &'scores f32>) -> Self {
        Self { limit: scores.into_iter().fold(0.0, |most: f32, score| most.max(score.abs())) }
    }

    /// The larger of two.
    pub fn or_larger(self, other: Self) -> Self {
        Self { limit: self.limit.max(other.limit) }
    }

    /// End of the scale, in the scores' unit.
    pub const fn limit(self) -> f32 {
        self.limit
    }

    /// Place of a score on the scale, from -1 to 1; 0 where all scores are 0.
    pub fn place(self, score: f32) -> f32 {
        if self.limit > 0.0 { (score / self.limit).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// Decimals that tell two hundredths of the scale apart, at most 6.
    pub fn decimals(self) -> usize {
        if self.limit <= 0.0 {
            return 2;
        }
        (2.0 - f64::from(self.limit).log10().floor()).clamp(0.0, 6.0) as usize
    }

    /// A score as it is written beside the others: as `+1.23`, and as `−1.2e−6` where the decimals would tell none apart.
    pub fn written(self, score: f32) -> String {
        if self.limit <= 0.0 || self.limit >= Self::LEAST {
            return signed(score, self.decimals());
        }
        if score.abs() < self.limit * Self::TOLD_APART {
            return "0".to_owned();
        }
        format!("{score:+.1e}").replace('-', "−")
    }

    /// What of the scale is told from zero.
    const TOLD_APART: f32 = 0.005;

    /// The smallest end of a scale whose numbers are written out.
    const LEAST: f32 = 1e-4;

    /// Characters of its longest number.
    pub fn characters(self) -> usize {
        let longest = [self.limit, self.limit * Self::TOLD_APART]
            .map(|end| self.written(-end).chars().count());
        longest.into_iter().fold(0, usize::max)
    }
}

/// A number with its sign, a real minus, and no sign where it rounds to zero.
pub fn signed(number: f32, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", number.abs());
    let zero = digits.chars().all(|character| matches!(character, '0' | '.'));
    match (zero, number < 0.0) {
        (true, _) => digits,
        (false, true) => format!("−{digits}"),
        (false, false) => format!("+{digits}"),
    }
}

/// A number as `+1.234`, and as `−1.2e−6` where that would be nothing but zeros.
pub fn small(number: f32) -> String {
    if number == 0.0 || number.abs() >= 0.001 {
        return signed(number, 3);
    }
    format!("{number:.1e}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_the_middle_and_the_largest_score_an_end() {
        let scale = Scale::of(&[0.5, -2.0, 1.0]);
        assert_eq!([0.0, -2.0, 1.0].map(|score| scale.place(score)), [0.0, -1.0, 0.5]);
        assert_eq!(Scale::of(&[0.0, 0.0]).place(0.0), 0.0);
    }

    #[test]
    fn digits_follow_the_scale() {
        let decimals = |limit: f32| Scale::of(&[limit]).decimals();
        assert_eq!([250.0, 12.0, 4.2, 0.3, 0.02, 1e-9].map(decimals), [0, 1, 2, 3, 4, 6]);
    }

    #[test]
    fn scores_of_a_tiny_scale_keep_their_sizes() {
        let scale = Scale::of(&[2.04e-8, -3e-9]);
        let written = [2.04e-8, -3e-9, 0.0, -1e-10, -1e-13].map(|score| scale.written(score));
        assert_eq!(written, ["+2.0e−8", "−3.0e−9", "0", "0", "0"]);
        assert_eq!((scale.characters(), scale.written(-1.1e-10)), (8, "−1.1e−10".to_owned()));
        assert_eq!(Scale::of(&[0.5]).written(-2e-8), "0.000");
        assert_eq!(Scale::of(&[0.0]).written(0.0), "0.00");
    }

    #[test]
    fn small_numbers_keep_their_size_and_others_their_looks() {
        let written = [0.0, -0.0, 13.0, -0.25, -1.25e-6, 3.7e-8].map(small);
        assert_eq!(written, ["0.000", "0.000", "+13.000", "−0.250", "−1.2e−6", "3.7e−8"]);
    }

    #[test]
    fn a_number_that_rounds_to_zero_has_no_sign() {
        assert_eq!(signed(-0.004, 2), "0.00");
        assert_eq!(signed(-0.42, 2), "−0.42");
        assert_eq!(signed(0.42, 2), "+0.42");
    }
}
