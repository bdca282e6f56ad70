//! WebAssembly: one thread, and products of our own.

use half::f16;

use crate::call::Call;
pub(crate) use crate::product::{f32s, f64s};

/// How many threads a product may take: here there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallelism {
    /// The calling thread.
    None,
    /// A pool of threads, which here is the calling one.
    Rayon(usize),
}

/// A product of halves, summed up in single precision and number by number: no model computes in halves.
///
/// # Safety
/// All operands have the sizes that the call says, and nothing else has hold of its target.
pub(crate) unsafe fn f16s(call: Call<f16>) {
    let Call { sizes: [rows, columns, steps], target, left, right, .. } = call;
    for row in 0..rows {
        for column in 0..columns {
            let product = |step| {
                // SAFETY: the row, the column and the step are of the operands.
                let (x, y) = unsafe { (*left.pointer(row, step), *right.pointer(column, step)) };
                x.to_f32() * y.to_f32()
            };
            let sum = (0..steps).map(product).sum::<f32>() * target.scale.to_f32();
            let offset = target.row * row as isize + target.column * column as isize;
            let number = target.start.wrapping_offset(offset);
            // SAFETY: the row and the column are of the target.
            unsafe {
                let kept = target.keep.map_or(0.0, |keep| keep.to_f32() * (*number).to_f32());
                *number = f16::from_f32(kept + sum);
            }
        }
    }
}
