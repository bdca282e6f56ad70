//! A tile of a product: four rows times two vectors, which with a column of the left operand's panel and a row of the right
//! one's stay within the sixteen vectors that every compiler of WebAssembly keeps in registers.

use std::cell::Cell;
use std::ops::{Add, Mul};
use std::thread::LocalKey;

/// Rows of a tile.
pub(crate) const ROWS: usize = 4;

/// A function that computes a tile: of two panels, as [`Number::tile`] defines it, of so many steps and at least one. Panels
/// and tile lie as Rust's arrays do, one row of them after the other.
pub(crate) type Tile<T> =
    unsafe extern "C" fn(left: *const T, right: *const T, steps: usize, tile: *mut T);

thread_local! {
    static SINGLES: Cell<Option<Tile<f32>>> = const { Cell::new(None) };
    static DOUBLES: Cell<Option<Tile<f64>>> = const { Cell::new(None) };
}

/// Has this thread's tiles computed by other functions from now on: faster ones that not every computer has.
///
/// # Safety
/// Each computes what [`Tile`] says, reads nothing but the panels, and writes nothing but the tile.
#[cfg(any(test, target_arch = "wasm32"))]
pub(crate) unsafe fn compute_tiles_by(singles: Tile<f32>, doubles: Tile<f64>) {
    SINGLES.set(Some(singles));
    DOUBLES.set(Some(doubles));
}

/// What products are of.
pub(crate) trait Number:
    Copy + PartialEq + Add<Output = Self> + Mul<Output = Self> + 'static
{
    /// Nothing.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// What computes tiles in place of [`Number::tile`].
    fn by() -> &'static LocalKey<Cell<Option<Tile<Self>>>>;

    /// The product of two panels, summed over all steps.
    fn tile<const COLUMNS: usize>(
        left: &[[Self; ROWS]],
        right: &[[Self; COLUMNS]],
        tile: &mut [[Self; COLUMNS]; ROWS],
    ) {
        let mut sums = [[Self::ZERO; COLUMNS]; ROWS];
        for (column, row) in left.iter().zip(right) {
            for (sums, x) in sums.iter_mut().zip(column) {
                for (sum, y) in sums.iter_mut().zip(row) {
                    *sum = *sum + *x * *y;
                }
            }
        }
        *tile = sums;
    }
}

impl Number for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn by() -> &'static LocalKey<Cell<Option<Tile<Self>>>> {
        &SINGLES
    }
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn by() -> &'static LocalKey<Cell<Option<Tile<Self>>>> {
        &DOUBLES
    }
}
