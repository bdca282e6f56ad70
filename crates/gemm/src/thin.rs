//! Products of fewer rows than a tile has: the right operand is read once, as it lies.

use crate::call::Call;
use crate::lines::Lines;
use crate::tile::Number;

/// Columns whose sums are kept at a time.
const COLUMNS: usize = 512;
/// Parts of a sum that are added up side by side.
const PARTS: usize = 16;

/// A product of a few rows.
///
/// # Safety
/// All operands have the sizes that the call says, and nothing else has hold of its target.
pub(crate) unsafe fn product<T: Number>(call: Call<T>) {
    let Call { sizes: [rows, columns, steps], target, left, right, .. } = call;
    let place = |place: usize| (place / steps, place % steps);
    let number = |(row, step)| {
        // SAFETY: the row and the step are of the operand.
        unsafe { left.at(row, step) }
    };
    let left: Vec<T> = (0..rows * steps).map(place).map(number).collect();
    let mut sums = vec![T::ZERO; rows * COLUMNS.min(columns)];
    for column in (0..columns).step_by(COLUMNS) {
        let n_columns = COLUMNS.min(columns - column);
        let right = right.from(column, 0);
        let sums = &mut sums[..rows * n_columns];
        sums.fill(T::ZERO);
        for row in 0..rows {
            let left = &left[row * steps..(row + 1) * steps];
            let sums = &mut sums[row * n_columns..(row + 1) * n_columns];
            // SAFETY: the columns and steps are of the operand.
            unsafe {
                if right.step == 1 && right.line != 1 {
                    along_steps(left, right, sums);
                } else {
                    along_columns(left, right, sums);
                }
            }
        }
        // SAFETY: the columns are of the target.
        unsafe { target.add([0, column], [rows, n_columns], sums, n_columns) };
    }
}

/// Sums of a row where the numbers of a column lie side by side.
unsafe fn along_steps<T: Number>(left: &[T], right: Lines<T>, sums: &mut [T]) {
    for (column, sum) in sums.iter_mut().enumerate() {
        // SAFETY: the column's numbers lie side by side.
        *sum = dot(left, unsafe { right.from(column, 0).slice(left.len()) });
    }
}

fn dot<T: Number>(left: &[T], right: &[T]) -> T {
    let mut parts = [T::ZERO; PARTS];
    let (left, left_rest) = left.as_chunks::<PARTS>();
    let (right, right_rest) = right.as_chunks::<PARTS>();
    for (left, right) in left.iter().zip(right) {
        for ((part, x), y) in parts.iter_mut().zip(left).zip(right) {
            *part = *part + *x * *y;
        }
    }
    let rest = left_rest.iter().zip(right_rest).map(|(x, y)| *x * *y);
    parts.into_iter().chain(rest).fold(T::ZERO, |sum, part| sum + part)
}

/// Sums of a row where the numbers of a step lie side by side, or none do.
unsafe fn along_columns<T: Number>(left: &[T], right: Lines<T>, sums: &mut [T]) {
    if right.line == 1 {
        let (fours, rest) = left.as_chunks::<4>();
        for (place, numbers) in fours.iter().enumerate() {
            // SAFETY: the numbers of each step lie side by side.
            let [a, b, c, d] = [0, 1, 2, 3]
                .map(|step| unsafe { right.from(0, 4 * place + step).slice(sums.len()) });
            // Four steps at a time, one after the other for each sum: sums are read and written a fourth as often.
            for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *sum = *sum + numbers[0] * *a + numbers[1] * *b + numbers[2] * *c + numbers[3] * *d;
            }
        }
        for (place, x) in rest.iter().enumerate() {
            // SAFETY: the numbers of the step lie side by side.
            let row = unsafe { right.from(0, 4 * fours.len() + place).slice(sums.len()) };
            sums.iter_mut().zip(row).for_each(|(sum, y)| *sum = *sum + *x * *y);
        }
    } else {
        for (step, x) in left.iter().enumerate() {
            for (column, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the column and the step are of the operand.
                *sum = *sum + *x * unsafe { right.at(column, step) };
            }
        }
    }
}
