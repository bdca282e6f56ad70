//! A product in blocks that stay in the caches: of the right operand as much as the second one holds, of the left one
//! less, and a panel of each in the first.

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::call::Call;
use crate::lines::Lines;
use crate::target::Target;
use crate::thin;
use crate::tile::{Number, ROWS};

/// Rows of a block of the left operand.
const BLOCK_ROWS: usize = 128;
/// Steps of a block: a sum is cut here, and its parts are added up in the target.
const BLOCK_STEPS: usize = 256;
/// Columns of a block of the right operand.
const BLOCK_COLUMNS: usize = 2048;

/// Panels of both operands, kept from one product to the next.
#[derive(Debug)]
pub(crate) struct Room<T> {
    left: Vec<T>,
    right: Vec<T>,
}

thread_local! {
    static SINGLES: RefCell<Room<f32>> = const { RefCell::new(Room { left: Vec::new(), right: Vec::new() }) };
    static DOUBLES: RefCell<Room<f64>> = const { RefCell::new(Room { left: Vec::new(), right: Vec::new() }) };
}

/// A product in single precision.
///
/// # Safety
/// All operands have the sizes that the call says, and nothing else has hold of its target.
pub(crate) unsafe fn f32s(call: Call<f32>) {
    // SAFETY: by this function's own condition.
    unsafe { product::<f32, 8>(call, &SINGLES) }
}

/// A product in double precision.
///
/// # Safety
/// All operands have the sizes that the call says, and nothing else has hold of its target.
pub(crate) unsafe fn f64s(call: Call<f64>) {
    // SAFETY: by this function's own condition.
    unsafe { product::<f64, 4>(call, &DOUBLES) }
}

/// A product in tiles of so many columns: two vectors of 16 bytes.
unsafe fn product<T: Number, const COLUMNS: usize>(
    call: Call<T>,
    room: &'static LocalKey<RefCell<Room<T>>>,
) {
    let [rows, columns, _] = call.sizes;
    let Target { row, column, keep, .. } = call.target;
    // None of it is kept: it is not read then.
    let target = Target { keep: keep.filter(|keep| *keep != T::ZERO), ..call.target };
    let call = Call { target, ..call };
    // A product of few columns is one of few rows, and what lies column by column lies row by row, when both operands are
    // turned.
    let is_narrow = columns < ROWS && columns < rows;
    let lies_turned = row == 1 && column != 1 && rows >= ROWS;
    let call = if is_narrow || lies_turned { call.turned() } else { call };
    let [rows, columns, steps] = call.sizes;
    // SAFETY: by this function's condition, here as there.
    unsafe {
        if rows == 0 || columns == 0 {
        } else if rows < ROWS || steps == 0 {
            thin::product(call);
        } else {
            room.with_borrow_mut(|room| blocks::<T, COLUMNS>(call, room));
        }
    }
}

unsafe fn blocks<T: Number, const COLUMNS: usize>(call: Call<T>, room: &mut Room<T>) {
    let Call { sizes: [rows, columns, steps], target, left, right, .. } = call;
    for step in (0..steps).step_by(BLOCK_STEPS) {
        let n_steps = BLOCK_STEPS.min(steps - step);
        let target = if step == 0 { target } else { target.with_a_part() };
        for column in (0..columns).step_by(BLOCK_COLUMNS) {
            let n_columns = BLOCK_COLUMNS.min(columns - column);
            let right: Lines<T> = right.from(column, step);
            // SAFETY: the block is one of the operand.
            unsafe { right.pack::<COLUMNS>(n_columns, n_steps, &mut room.right) };
            for row in (0..rows).step_by(BLOCK_ROWS) {
                let n_rows = BLOCK_ROWS.min(rows - row);
                let sizes = [n_rows, n_columns, n_steps];
                // SAFETY: the blocks are of the operand and of the target.
                unsafe {
                    left.from(row, step).pack::<ROWS>(n_rows, n_steps, &mut room.left);
                    tiles::<T, COLUMNS>([row, column], sizes, target, room);
                }
            }
        }
    }
}

/// All tiles of a block, whose operands are packed.
unsafe fn tiles<T: Number, const COLUMNS: usize>(
    [row, column]: [usize; 2],
    [rows, columns, steps]: [usize; 3],
    target: Target<T>,
    room: &Room<T>,
) {
    let by = T::by().get();
    let mut tile = [[T::ZERO; COLUMNS]; ROWS];
    let (left, _) = room.left.as_chunks::<ROWS>();
    let (right, _) = room.right.as_chunks::<COLUMNS>();
    for (across, right) in (0..columns).step_by(COLUMNS).zip(right.chunks_exact(steps)) {
        for (down, left) in (0..rows).step_by(ROWS).zip(left.chunks_exact(steps)) {
            match by {
                // SAFETY: both panels have so many steps, of as many rows and columns as the tile.
                Some(by) => unsafe {
                    let [left, right] = [left.as_ptr().cast(), right.as_ptr().cast()];
                    by(left, right, steps, tile.as_mut_ptr().cast());
                },
                None => T::tile(left, right, &mut tile),
            }
            let sizes = [ROWS.min(rows - down), COLUMNS.min(columns - across)];
            let place = [row + down, column + across];
            // SAFETY: the rows and columns that the tile has of the target are of the target.
            unsafe { target.add(place, sizes, tile.as_flattened(), COLUMNS) };
        }
    }
}
