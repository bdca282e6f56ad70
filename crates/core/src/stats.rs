//! How far two tables of scores agree.

/// Pearson correlation; `None` where it is undefined (under two values, or a constant side).
pub fn pearson(xs: &[f32], ys: &[f32]) -> Option<f64> {
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
    // A constant side has no spread to correlate with.
    if xx == 0.0 || yy == 0.0 {
        return None;
    }
    Some(xy / (xx * yy).sqrt())
}

/// Spearman rank correlation, ties by their mean rank; `None` where it is undefined.
pub fn spearman(xs: &[f32], ys: &[f32]) -> Option<f64> {
    if xs.len() != ys.len() {
        return None;
    }
    pearson(&ranks(xs), &ranks(ys))
}

fn ranks(values: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
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
    }

    #[test]
    fn undefined_cases_say_so() {
        assert_eq!(pearson(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, 2.0], &[1.0]), None);
    }
}
