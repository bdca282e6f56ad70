//! Which components are large, and whether two lists of scores agree in that.

use super::spread::quantile;

/// Places whose absolute value is at least the quantile `q` of all absolute values, and not 0; ascending.
pub fn highlighted(values: &[f32], q: f64) -> Vec<usize> {
    let sizes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
    let Some(least) = quantile(&sizes, q) else { return Vec::new() };
    let is_large = |place: &usize| sizes[*place] > 0.0 && f64::from(sizes[*place]) >= least;
    (0..sizes.len()).filter(is_large).collect()
}

/// How far the two sides agree about the largest: element `k - 1` is the share of the `k` largest absolute values of
/// one side that are among the `k` largest of the other. Equals count in their order.
pub fn overlap_curve(xs: &[f32], ys: &[f32]) -> Vec<f32> {
    let n = xs.len().min(ys.len());
    let (x_turns, y_turns) = (turns(&xs[..n]), turns(&ys[..n]));
    // A place is shared from the later of its two turns on.
    let mut joining = vec![0_usize; n];
    for (x, y) in x_turns.into_iter().zip(y_turns) {
        joining[x.max(y)] += 1;
    }
    let mut shared = 0;
    let share = |(turn, joining)| {
        shared += joining;
        shared as f32 / (turn + 1) as f32
    };
    joining.into_iter().enumerate().map(share).collect()
}

/// The turn of each place in the order of absolute values, the largest first.
fn turns(values: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    super::largest_first(&mut order, &|place| values[place].abs());
    let mut turns = vec![0; values.len()];
    for (turn, place) in order.into_iter().enumerate() {
        turns[place] = turn;
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_large_ones_are_highlighted_whatever_their_sign_and_zeros_never() {
        assert_eq!(highlighted(&[1.0, -4.0, 2.0, 3.0, 0.0], 0.75), [1, 3]);
        assert_eq!(highlighted(&[0.0, 0.0, 5.0, 0.0], 0.5), [2]);
        assert_eq!(highlighted(&[0.0; 3], 0.9), [0; 0]);
        assert_eq!(highlighted(&[], 0.9), [0; 0]);
    }

    #[test]
    fn overlap_by_hand() {
        // The orders are 0 1 2 3 and 2 0 1 3.
        let curve = overlap_curve(&[4.0, -3.0, 2.0, 1.0], &[3.0, 2.0, -9.0, 1.0]);
        assert_eq!(curve, [0.0, 0.5, 1.0, 1.0]);
        // Equals in their order: the same components on both sides.
        assert_eq!(overlap_curve(&[1.0; 3], &[2.0; 3]), [1.0; 3]);
        assert_eq!(overlap_curve(&[], &[1.0]), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn overlap_is_what_counting_gives(
            xs in proptest::collection::vec(-3_i8..3, 1..30),
            ys in proptest::collection::vec(-3_i8..3, 1..30),
        ) {
            let n = xs.len().min(ys.len());
            let [xs, ys] = [&xs, &ys].map(|v| v[..n].iter().map(|x| f32::from(*x)).collect::<Vec<_>>());
            let curve = overlap_curve(&xs, &ys);
            let (x_turns, y_turns) = (turns(&xs), turns(&ys));
            for k in 1..=n {
                let shared = (0..n).filter(|p| x_turns[*p] < k && y_turns[*p] < k).count();
                prop_assert_eq!(curve[k - 1], shared as f32 / k as f32);
            }
        }
    }
}
