//! Products against the sum that defines them, over sizes, orders of operands and what becomes of the target.

#![expect(clippy::cast_sign_loss, reason = "offsets of these matrices lead forward")]

use crate::Parallelism;
use crate::call::Call;
use crate::lines::Lines;
use crate::product::{f32s, f64s};
use crate::target::Target;
use crate::tile::{Number, compute_tiles_by};

/// A sequence of numbers between -1 and 1 that repeats after a long time.
fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// How a matrix of some rows and columns lies: offsets to the next row and column, and how many numbers it takes.
#[derive(Debug, Clone, Copy)]
enum Order {
    Rows,
    Columns,
    /// Every third number of rows that are longer.
    Scattered,
    /// One row that is all of them.
    Repeated,
}

impl Order {
    const ALL: [Self; 4] = [Self::Rows, Self::Columns, Self::Scattered, Self::Repeated];

    fn offsets(self, rows: usize, columns: usize) -> ([isize; 2], usize) {
        let (r, c) = (rows as isize, columns as isize);
        match self {
            Self::Rows => ([c, 1], rows * columns),
            Self::Columns => ([1, r], rows * columns),
            Self::Scattered => ([3 * c + 2, 3], rows * (3 * columns + 2)),
            Self::Repeated => ([0, 1], columns),
        }
    }
}

const SIZES: [[usize; 3]; 16] = [
    [1, 1, 1],
    [1, 40, 33],
    [3, 600, 20],
    [4, 8, 256],
    [5, 9, 257],
    [17, 17, 64],
    [17, 64, 17],
    [130, 70, 300],
    [64, 3, 40],
    [9, 1, 50],
    [2, 2, 2],
    [33, 2050, 11],
    [6, 7, 0],
    [0, 5, 3],
    [5, 0, 3],
    [12, 12, 1],
];

#[test]
fn products_are_the_sums_of_products() {
    for (seed, [rows, columns, steps]) in SIZES.into_iter().enumerate() {
        for left_order in Order::ALL {
            for right_order in Order::ALL {
                for order in [Order::Rows, Order::Columns, Order::Scattered] {
                    for keep in [None, Some(0.5)] {
                        let sizes = [rows, columns, steps];
                        check(sizes, [left_order, right_order, order], keep, seed as u64);
                    }
                }
            }
        }
    }
}

fn check(sizes: [usize; 3], orders: [Order; 3], keep: Option<f64>, seed: u64) {
    let [rows, columns, steps] = sizes;
    let ([left_row, left_step], n_left) = orders[0].offsets(rows, steps);
    let ([right_step, right_column], n_right) = orders[1].offsets(steps, columns);
    let ([row, column], n) = orders[2].offsets(rows, columns);
    let (left, right) = (numbers(n_left, seed), numbers(n_right, seed + 1));
    // What is not kept may be anything, a number or none.
    let old = if keep.is_some() { numbers(n, seed + 2) } else { vec![f64::NAN; n] };
    let scale = -1.5;
    let at = |r: usize, c: usize| (row * r as isize + column * c as isize) as usize;
    let mut wanted = old.clone();
    for r in 0..rows {
        for c in 0..columns {
            let product = |s: usize| {
                let x = left[(left_row * r as isize + left_step * s as isize) as usize];
                let y = right[(right_step * s as isize + right_column * c as isize) as usize];
                x * y
            };
            let sum: f64 = (0..steps).map(product).sum();
            let kept = keep.map_or(0.0, |keep| keep * old[at(r, c)]);
            wanted[at(r, c)] = kept + scale * sum;
        }
    }

    let parallelism = Parallelism::None;
    let mut doubles = old.clone();
    let call = Call {
        sizes,
        target: Target { start: doubles.as_mut_ptr(), row, column, keep, scale },
        left: Lines { start: left.as_ptr(), line: left_row, step: left_step },
        right: Lines { start: right.as_ptr(), line: right_column, step: right_step },
        parallelism,
    };
    // SAFETY: the vectors are as long as the offsets take.
    unsafe { f64s(call) };
    close(&doubles, &wanted, 1e-13, sizes, orders);

    let single = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect::<Vec<_>>();
    let (left, right, mut singles) = (single(&left), single(&right), single(&old));
    let call = Call {
        sizes,
        target: Target {
            start: singles.as_mut_ptr(),
            row,
            column,
            keep: keep.map(|keep| keep as f32),
            scale: scale as f32,
        },
        left: Lines { start: left.as_ptr(), line: left_row, step: left_step },
        right: Lines { start: right.as_ptr(), line: right_column, step: right_step },
        parallelism,
    };
    // SAFETY: the vectors are as long as the offsets take.
    unsafe { f32s(call) };
    let singles: Vec<f64> = singles.into_iter().map(f64::from).collect();
    close(&singles, &wanted, 1e-5, sizes, orders);
}

fn close(got: &[f64], wanted: &[f64], tolerance: f64, sizes: [usize; 3], orders: [Order; 3]) {
    for (place, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        let is_untouched = wanted.is_nan() && got.is_nan();
        let is_close = (got - wanted).abs() <= tolerance * (1.0 + wanted.abs()) * 20.0;
        assert!(is_untouched || is_close, "{got} for {wanted} at {place}, {sizes:?} {orders:?}");
    }
}

#[test]
fn an_element_is_computed_alike_wherever_it_stands() {
    let [columns, steps] = [40, 300];
    let single = |n, seed| numbers(n, seed).into_iter().map(|x| x as f32).collect::<Vec<_>>();
    let (left, right) = (single(150 * steps, 1), single(steps * columns, 2));
    let of = |rows: std::ops::Range<usize>| {
        let mut target = vec![0.0; rows.len() * columns];
        let call = Call {
            sizes: [rows.len(), columns, steps],
            target: Target {
                start: target.as_mut_ptr(),
                row: columns as isize,
                column: 1,
                keep: None,
                scale: 1.0,
            },
            left: Lines {
                start: left[rows.start * steps..].as_ptr(),
                line: steps as isize,
                step: 1,
            },
            right: Lines { start: right.as_ptr(), line: 1, step: columns as isize },
            parallelism: Parallelism::None,
        };
        // SAFETY: the vectors are as long as the offsets take.
        unsafe { f32s(call) };
        target
    };
    let all = of(0..150);
    for rows in [0..4, 3..150, 77..84, 126..133, 145..150] {
        assert_eq!(of(rows.clone()), all[rows.start * columns..rows.end * columns], "{rows:?}");
    }
}

/// A tile by its definition, from where it lies.
unsafe extern "C" fn tile<T: Number, const COLUMNS: usize>(
    left: *const T,
    right: *const T,
    steps: usize,
    tile: *mut T,
) {
    // SAFETY: both panels have so many steps, and the tile so many columns.
    unsafe {
        let left = std::slice::from_raw_parts(left.cast(), steps);
        let right = std::slice::from_raw_parts(right.cast(), steps);
        T::tile::<COLUMNS>(left, right, &mut *tile.cast());
    }
}

#[test]
fn tiles_can_be_computed_by_other_functions() {
    // Of this thread only, which is this test's.
    // SAFETY: they do what tiles are defined by.
    unsafe { compute_tiles_by(tile::<f32, 8>, tile::<f64, 4>) };
    for sizes in SIZES {
        check(sizes, [Order::Rows; 3], Some(0.5), 7);
    }
}
