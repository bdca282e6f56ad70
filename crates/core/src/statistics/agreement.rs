//! How far two lists of numbers agree.

/// A straight line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Change of y with x.
    pub slope: f64,
    /// y at x = 0.
    pub intercept: f64,
}

/// How far integrated gradients agree with activation patching; `None` where a statistic is undefined.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Agreement {
    /// Pearson correlation.
    pub pearson: Option<f64>,
    /// Rank correlation.
    pub spearman: Option<f64>,
    /// Slope of IG on AP, as a plot of IG against AP shows it: 1 where they agree in size too.
    pub slope: Option<f64>,
}

impl Agreement {
    /// The statistics of two lists of scores of the same components.
    pub fn of(ig: &[f32], ap: &[f32]) -> Self {
        Self {
            pearson: pearson(ig, ap),
            spearman: spearman(ig, ap),
            slope: slope(ap, ig).map(|line| line.slope),
        }
    }
}

/// Sums of products of deviations from the means.
struct Moments {
    mean: [f64; 2],
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Moments {
    /// The moments of as many pairs as there are; `None` under two.
    fn of(xs: &[f32], ys: &[f32]) -> Option<Self> {
        let n = xs.len().min(ys.len());
        if n < 2 {
            return None;
        }
        let pairs = || xs.iter().zip(ys).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        let mean_x = pairs().map(|(x, _)| x).sum::<f64>() / n as f64;
        let mean_y = pairs().map(|(_, y)| y).sum::<f64>() / n as f64;
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for (x, y) in pairs() {
            xx += (x - mean_x).powi(2);
            yy += (y - mean_y).powi(2);
            xy += (x - mean_x) * (y - mean_y);
        }
        Some(Self { mean: [mean_x, mean_y], xx, yy, xy })
    }
}

/// Pearson correlation; `None` where it is undefined (under two values, or a constant side).
pub fn pearson(xs: &[f32], ys: &[f32]) -> Option<f64> {
    let Moments { xx, yy, xy, .. } = Moments::of(xs, ys)?;
    // A constant side has no spread to correlate with.
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx.sqrt() * yy.sqrt()))
}

/// The line of least squares of y on x; `None` under two values, or where x is constant.
pub fn slope(xs: &[f32], ys: &[f32]) -> Option<Line> {
    let Moments { mean: [x, y], xx, xy, .. } = Moments::of(xs, ys)?;
    let slope = xy / xx;
    (xx > 0.0).then_some(Line { slope, intercept: y - slope * x })
}

/// Spearman rank correlation, ties by their mean rank; `None` where it is undefined.
pub fn spearman(xs: &[f32], ys: &[f32]) -> Option<f64> {
    if xs.len() != ys.len() {
        return None;
    }
    pearson(&ranks(xs), &ranks(ys))
}

/// Sorts places by a size, the largest first, equals in their order.
///
/// One sort for all: every closure that a list is sorted by adds 4 kB to the program.
pub fn largest_first(places: &mut [usize], size: &dyn Fn(usize) -> f32) {
    places.sort_by(|a, b| size(*b).total_cmp(&size(*a)));
}

/// Ranks from 0, which `f32` holds exactly up to 8 million values, halves too.
fn ranks(values: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    largest_first(&mut order, &|i| -values[i]);
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let tied = order[start..]
            .iter()
            .take_while(|i| values[**i] == values[order[start]])
            .count()
            .max(1);
        let mean = start as f32 + (tied as f32 - 1.0) / 2.0;
        for i in &order[start..start + tied] {
            ranks[*i] = mean;
        }
        start += tied;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // By hand: ranks (0, 1.5, 1.5, 3) and (1, 0, 2, 3).
        let (xs, ys) = ([1.0, 2.0, 2.0, 5.0], [2.0, 1.0, 3.0, 9.0]);
        let rho = spearman(&xs, &ys).unwrap();
        assert!((rho - 0.632_455_532_033_675_9).abs() < 1e-9, "{rho}");
        let r = pearson(&xs, &[2.0, 4.0, 4.0, 10.0]).unwrap();
        assert!((r - 1.0).abs() < 1e-12);
        // By hand: deviations (-1, 0, 1) and (-2, 1, 1).
        assert_eq!(
            slope(&[1.0, 2.0, 3.0], &[0.0, 3.0, 3.0]),
            Some(Line { slope: 1.5, intercept: -1.0 })
        );
    }

    #[test]
    fn undefined_cases_say_so() {
        assert_eq!(pearson(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(slope(&[2.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(Agreement::of(&[], &[]), Agreement::default());
    }
}
