//! A computer's own processor: what the tensor library would call without this crate.

pub use gemm_common::Parallelism;
use half::f16;

use crate::call::Call;

/// One function per type of number, which calls the one of the same place in a family of crates.
macro_rules! products {
    ($($name:ident: $number:ty => $found:expr;)*) => {
        $(
            /// # Safety
            /// All operands have the sizes that the call says, and nothing else has hold of its target.
            pub(crate) unsafe fn $name(call: Call<$number>) {
                let call = as_it_is_read(call);
                let [rows, columns, steps] = call.sizes;
                let Call { target, left, right, parallelism, .. } = call;
                let none = <$number>::default();
                // SAFETY: by this function's own condition.
                unsafe {
                    $found(
                        rows, columns, steps,
                        target.start, target.column, target.row, target.keep.is_some(),
                        left.start, left.step, left.line,
                        right.start, right.line, right.step,
                        target.keep.unwrap_or(none), target.scale,
                        false, false, false, parallelism,
                    );
                }
            }
        )*
    };
}

products! {
    f32s: f32 => gemm_f32::gemm::f32::get_gemm_fn();
    f64s: f64 => gemm_f64::gemm::f64::get_gemm_fn();
    f16s: f16 => gemm_f16::gemm::f16::get_gemm_fn();
}

/// A call as those functions are fastest at it and count on it: the target column by column, and steps forward.
fn as_it_is_read<T: Copy + 'static>(call: Call<T>) -> Call<T> {
    let turned = call.target.column.abs() < call.target.row.abs();
    let mut call = if turned { call.turned() } else { call };
    let last = call.sizes[2].saturating_sub(1);
    if call.left.step < 0 {
        for operand in [&mut call.left, &mut call.right] {
            operand.start = operand.pointer(0, last);
            operand.step = -operand.step;
        }
    }
    call
}
