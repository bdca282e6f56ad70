//! Faithfulness of circuits of growing size, and the areas that sum it up.

use crate::scores::{GapRefused, SideSummary, UnitBasis};

/// Seeds of the random rankings that others are held against: what is shown of them is a mean.
pub const RANDOM_SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// The metric of both runs, between which faithfulness is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// Of the clean run, whose faithfulness is 1.
    pub clean: f32,
    /// Of the corrupted run, whose faithfulness is 0.
    pub corrupted: f32,
}

impl Ends {
    /// The ends of a pair of runs.
    ///
    /// # Errors
    /// A gap that cannot be divided by.
    pub fn of(
        basis: &UnitBasis,
        clean: &SideSummary,
        corrupted: &SideSummary,
    ) -> Result<Self, GapRefused> {
        let of = |side: &SideSummary| side.metrics.get(basis.metric);
        basis.gap().map(|_gap| Self { clean: of(clean), corrupted: of(corrupted) })
    }

    /// How much of the gap a value of the metric is.
    pub fn faithfulness(self, metric: f32) -> f32 {
        (metric - self.corrupted) / (self.clean - self.corrupted)
    }
}

/// Shares of all edges at which faithfulness is taken.
///
/// # Source
/// MIB (Mueller et al. 2025), arXiv:2504.13151.
pub const SHARES: [f32; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// How many edges a share is of so many: rounded down, as MIB does, which can be none.
pub fn size_of_share(share: f32, n_edges: usize) -> usize {
    // In double precision, so that a tenth of 30 is 3: the share is the nearest decimal to what an f32 holds.
    let share = (f64::from(share) * 1e6).round() / 1e6;
    (share * n_edges as f64 + 1e-9) as usize
}

/// Areas over the share of edges that a circuit keeps, from the first of [`SHARES`] to all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// CPR, the area under faithfulness: the larger, the sooner a ranking finds what makes the behaviour.
    pub cpr: f32,
    /// CMD, the area between faithfulness and 1: the smaller, the nearer circuits stay to the whole model.
    pub cmd: f32,
}

/// The areas of faithfulness at each of [`SHARES`], by trapezoids. `None`: there are not as many values.
///
/// # Source
/// MIB (Mueller et al. 2025), arXiv:2504.13151.
pub fn areas(faithfulness: &[f32]) -> Option<Areas> {
    if faithfulness.len() != SHARES.len() {
        return None;
    }
    let area = |height: &dyn Fn(f32) -> f64| {
        let pieces = SHARES.windows(2).zip(faithfulness.windows(2));
        let pieces = pieces
            .map(|(at, of)| f64::from(at[1] - at[0]) * f64::midpoint(height(of[0]), height(of[1])));
        pieces.sum::<f64>() as f32
    };
    let cpr = area(&|of| f64::from(of));
    Some(Areas { cpr, cmd: area(&|of| (1.0 - f64::from(of)).abs()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_curves_that_are_known() {
        let width = SHARES[9] - SHARES[0];
        let close = |got: f32, want: f32| assert!((got - want).abs() < 1e-6, "{got}, not {want}");
        let whole = areas(&[1.0; 10]).expect("ten values");
        close(whole.cpr, width);
        close(whole.cmd, 0.0);
        let nothing = areas(&[0.0; 10]).expect("ten values");
        close(nothing.cpr, 0.0);
        close(nothing.cmd, width);
        // On the diagonal, trapezoids are exact.
        let diagonal = areas(&SHARES).expect("ten values");
        close(diagonal.cpr, (1.0 - SHARES[0] * SHARES[0]) / 2.0);
        // More than the whole model is as far off as less.
        close(areas(&[1.5; 10]).expect("ten values").cmd, width / 2.0);
        assert!(areas(&[1.0; 9]).is_none());
    }

    #[test]
    fn a_share_is_a_number_of_edges() {
        assert_eq!(size_of_share(0.001, 32_491), 32);
        assert_eq!(size_of_share(1.0, 32_491), 32_491);
        assert_eq!(size_of_share(0.1, 30), 3);
        assert_eq!(size_of_share(0.001, 30), 0);
    }
}
