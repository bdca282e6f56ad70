//! Where numbers lie, and how far from one another.

use super::SplitMix64;

/// Standard deviations on either side of the mean that hold 95 % of a normal distribution.
const NORMAL_95: f64 = 1.96;

/// The value under which a share `q` of all values lies, between two of them by linear interpolation (as NumPy
/// does by default); `None` without values.
pub fn quantile(values: &[f32], q: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, q)
}

fn quantile_of_sorted(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    // NaN becomes 0.
    let place = (q.clamp(0.0, 1.0) * last as f64).max(0.0);
    let below = (place as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let t = place - below as f64;
    // From the nearer end, so that t = 1 would be `high` to the bit.
    let value = if t < 0.5 { low + (high - low) * t } else { high - (high - low) * (1.0 - t) };
    Some(value)
}

/// Mean and standard deviation (of a sample: by n - 1); `None` under two values.
pub fn mean_sd(values: &[f64]) -> Option<[f64; 2]> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some([mean, (squares / (n - 1.0)).sqrt()])
}

/// Interval that holds the mean with a probability of `level`, by drawing as many values from the values again and
/// again (percentile bootstrap); the same for the same seed. `None` under two values, or without resamples.
pub fn bootstrap_mean(values: &[f64], level: f64, resamples: usize, seed: u64) -> Option<[f64; 2]> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let mut random = SplitMix64(seed);
    let mut means: Vec<f64> = (0..resamples)
        .map(|_| (0..n).map(|_| values[random.below(n)]).sum::<f64>() / n as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let outside = (1.0 - level) / 2.0;
    Some([quantile_of_sorted(&means, outside)?, quantile_of_sorted(&means, 1.0 - outside)?])
}

/// How far IG lies from AP over all components: of the plot of `IG - AP` over `(IG + AP) / 2`.
///
/// # Units
/// The scores'.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlandAltman {
    /// Mean of `IG - AP`.
    pub mean_difference: f64,
    /// Standard deviation of `IG - AP`, by n - 1.
    pub sd: f64,
    /// Limits of agreement: 1.96 standard deviations below and above the mean.
    pub limits: [f64; 2],
}

impl BlandAltman {
    /// The limits of agreement of two methods' scores of the same components; `None` under two.
    pub fn of(ig: &[f32], ap: &[f32]) -> Option<Self> {
        let difference = |(ig, ap): (&f32, &f32)| f64::from(*ig) - f64::from(*ap);
        let differences: Vec<f64> = ig.iter().zip(ap).map(difference).collect();
        let [mean, sd] = mean_sd(&differences)?;
        let limits = [mean - NORMAL_95 * sd, mean + NORMAL_95 * sd];
        Some(Self { mean_difference: mean, sd, limits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_two_values() {
        let values = [3.0, 1.0, 2.0, 4.0];
        let of = |q| quantile(&values, q).unwrap();
        assert_eq!([of(0.0), of(0.5), of(1.0), of(7.0), of(f64::NAN)], [1.0, 2.5, 4.0, 4.0, 1.0]);
        assert!((of(0.9) - 3.7).abs() < 1e-12);
        assert_eq!(quantile(&[5.0], 0.3), Some(5.0));
        assert_eq!(quantile(&[], 0.3), None);
    }

    #[test]
    fn spread_by_hand() {
        assert_eq!(mean_sd(&[1.0, 2.0, 3.0]), Some([2.0, 1.0]));
        assert_eq!(mean_sd(&[1.0]), None);
        let found = BlandAltman::of(&[2.0, 4.0, 6.0], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((found.mean_difference, found.sd), (2.0, 1.0));
        assert!((found.limits[0] - 0.04).abs() < 1e-12 && (found.limits[1] - 3.96).abs() < 1e-12);
    }

    #[test]
    fn the_bootstrap_is_that_of_the_normal_distribution_and_repeatable() {
        // Of 400 equally spaced values the mean's standard error is known.
        let values: Vec<f64> = (0..400).map(f64::from).collect();
        let [mean, sd] = mean_sd(&values).unwrap();
        let [low, high] = bootstrap_mean(&values, 0.95, 4000, 1).unwrap();
        let expected = NORMAL_95 * sd / 20.0;
        assert!((mean - low - expected).abs() < 0.05 * expected, "{low}");
        assert!((high - mean - expected).abs() < 0.05 * expected, "{high}");
        assert_eq!(bootstrap_mean(&values, 0.95, 4000, 1), Some([low, high]));
        assert_ne!(bootstrap_mean(&values, 0.95, 4000, 2), Some([low, high]));
        assert_eq!(bootstrap_mean(&[3.0, 3.0], 0.95, 10, 0), Some([3.0, 3.0]));
        assert_eq!(bootstrap_mean(&[3.0], 0.95, 10, 0), None);
        assert_eq!(bootstrap_mean(&[3.0, 4.0], 0.95, 0, 0), None);
    }
}
