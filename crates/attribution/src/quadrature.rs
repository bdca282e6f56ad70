//! Nodes and weights on [0, 1]. No tensors.

use std::f64::consts::PI;

/// Gauss-Legendre nodes and weights on `[0, 1]`, nodes ascending, endpoints not included.
///
/// Exact for polynomials of degree `2 n - 1`; the weights add up to 1.
///
/// # Source
/// Newton's method on the Legendre recurrence; the same rule as captum's `gausslegendre`
/// (`alpha = (1 + x) / 2`, weight `w / 2`).
pub fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    (0..n)
        .rev()
        .map(|i| {
            // Chebyshev-like first guess, good to a few digits for every n.
            let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            for _ in 0..100 {
                let (value, slope) = legendre(n, x);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            let (_, slope) = legendre(n, x);
            let weight = 2.0 / ((1.0 - x * x) * slope * slope);
            (f64::midpoint(1.0, x), weight / 2.0)
        })
        .collect()
}

/// The Legendre polynomial of degree `n` and its derivative.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut previous, mut current) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (previous, current) = (current, ((2.0 * k - 1.0) * x * current - (k - 1.0) * previous) / k);
    }
    (current, n as f64 * (x * current - previous) / (x * x - 1.0))
}

/// Clenshaw-Curtis nodes and weights on `[0, 1]`, nodes ascending from 0 to 1; `n` is even.
///
/// Exact for polynomials of degree `n`; the nodes of `n / 2` are every other one of them.
///
/// # Source
/// Clenshaw and Curtis (1960), "A method for numerical integration on an automatic computer": the integral
/// of the interpolating cosine series.
pub(crate) fn clenshaw_curtis(n: usize) -> Vec<(f64, f64)> {
    let angle = |j: usize| PI * j as f64 / n as f64;
    (0..=n)
        .map(|j| {
            let series = (1..=n / 2).map(|k| {
                let b = if 2 * k == n { 1.0 } else { 2.0 };
                b / (4.0 * (k * k) as f64 - 1.0) * (2.0 * k as f64 * angle(j)).cos()
            });
            let c = if j == 0 || j == n { 1.0 } else { 2.0 };
            let weight = c / n as f64 * (1.0 - series.sum::<f64>());
            ((1.0 - angle(j).cos()) / 2.0, weight / 2.0)
        })
        .collect()
}

/// Intervals of the first nested rule, where the number of points is found on the way.
pub(crate) const FIRST_INTERVALS: usize = 4;

/// The nodes that a rule of twice as many intervals has more than one of `n_points`, which are every other one.
pub(crate) fn new_nodes(n_points: usize) -> Vec<f64> {
    let rule = clenshaw_curtis(2 * (n_points - 1));
    rule.into_iter().skip(1).step_by(2).map(|(t, _)| t).collect()
}

/// What is known at the nodes of a rule, and between them what is new at those of [`new_nodes`].
pub(crate) fn refined<T>(known: Vec<T>, new: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut new = new.into_iter();
    known.into_iter().flat_map(|known| std::iter::once(known).chain(new.next())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_for_polynomials_up_to_twice_the_nodes() {
        for n in [1, 2, 5, 50, 300] {
            let rule = gauss_legendre(n);
            assert_eq!(rule.len(), n);
            assert!(rule.iter().all(|(node, weight)| (0.0..1.0).contains(node) && *weight > 0.0));
            assert!(rule.is_sorted_by(|a, b| a.0 < b.0));
            for degree in [0, 1, 2 * i32::try_from(n).expect("small") - 1] {
                let sum: f64 = rule.iter().map(|(x, w)| w * x.powi(degree)).sum();
                let exact = 1.0 / (f64::from(degree) + 1.0);
                assert!((sum - exact).abs() < 1e-13, "n {n}, degree {degree}: {sum} {exact}");
            }
        }
    }

    #[test]
    fn nested_nodes_are_exact_and_used_again() {
        for n in [2, 4, 8, 32, 256] {
            let rule = clenshaw_curtis(n);
            assert_eq!((rule.len(), rule[0].0), (n + 1, 0.0));
            assert!((rule[n].0 - 1.0).abs() < 1e-15);
            assert!(rule.iter().all(|(_, weight)| *weight > 0.0));
            for degree in [0, 1, i32::try_from(n).expect("small")] {
                let sum: f64 = rule.iter().map(|(x, w)| w * x.powi(degree)).sum();
                let exact = 1.0 / (f64::from(degree) + 1.0);
                assert!((sum - exact).abs() < 1e-13, "n {n}, degree {degree}: {sum} {exact}");
            }
            let finer = clenshaw_curtis(2 * n);
            for ((x, _), (again, _)) in rule.iter().zip(finer.iter().step_by(2)) {
                assert!((x - again).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn two_nodes_are_the_textbook_ones() {
        let offset = 0.5 / 3.0_f64.sqrt();
        for ((node, weight), expected) in
            gauss_legendre(2).into_iter().zip([0.5 - offset, 0.5 + offset])
        {
            assert!((node - expected).abs() < 1e-15 && (weight - 0.5).abs() < 1e-15);
        }
    }
}
