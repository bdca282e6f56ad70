//! A product as it is asked for.

use std::any::TypeId;

use half::f16;

use crate::Parallelism;
use crate::lines::Lines;
use crate::target::Target;

/// `dst = alpha * dst + beta * lhs * rhs`, of `m` times `k` and `k` times `n` numbers; `dst` is not read unless `read_dst`.
/// The offsets `_cs` and `_rs` lead to the next column and row, in numbers.
///
/// # Panics
/// If `T` is not `f32`, `f64` or `f16`.
///
/// # Safety
/// The operands have these sizes, all of their numbers are initialised, those of `dst` too, and nothing else has hold of
/// `dst`.
#[expect(
    clippy::too_many_arguments,
    clippy::similar_names,
    reason = "the signature that is called"
)]
#[expect(clippy::fn_params_excessive_bools, reason = "the signature that is called")]
pub unsafe fn gemm<T: Copy + 'static>(
    m: usize,
    n: usize,
    k: usize,
    dst: *mut T,
    dst_cs: isize,
    dst_rs: isize,
    read_dst: bool,
    lhs: *const T,
    lhs_cs: isize,
    lhs_rs: isize,
    rhs: *const T,
    rhs_cs: isize,
    rhs_rs: isize,
    alpha: T,
    beta: T,
    _conj_dst: bool,
    _conj_lhs: bool,
    _conj_rhs: bool,
    parallelism: Parallelism,
) {
    let keep = read_dst.then_some(alpha);
    let call = Call {
        sizes: [m, n, k],
        target: Target { start: dst, row: dst_rs, column: dst_cs, keep, scale: beta },
        left: Lines { start: lhs, line: lhs_rs, step: lhs_cs },
        right: Lines { start: rhs, line: rhs_cs, step: rhs_rs },
        parallelism,
    };
    // SAFETY: by this function's own condition.
    unsafe {
        if let Some(call) = call.of::<f32>() {
            crate::f32s(call);
        } else if let Some(call) = call.of::<f64>() {
            crate::f64s(call);
        } else if let Some(call) = call.of::<f16>() {
            crate::f16s(call);
        } else {
            panic!("products are of f32, f64 or f16");
        }
    }
}

/// A product as it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<T> {
    /// Rows, columns and steps.
    pub(crate) sizes: [usize; 3],
    pub(crate) target: Target<T>,
    pub(crate) left: Lines<T>,
    pub(crate) right: Lines<T>,
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "there is one thread"))]
    pub(crate) parallelism: Parallelism,
}

impl<T: Copy + 'static> Call<T> {
    /// This call as one of another type of number, if it is that.
    fn of<U: Copy + 'static>(&self) -> Option<Call<U>> {
        if TypeId::of::<T>() != TypeId::of::<U>() {
            return None;
        }
        // SAFETY: the types are one and the same, and so are the calls.
        Some(unsafe { std::mem::transmute_copy(self) })
    }

    /// The product of the transposed operands, which goes where the transposed target lies.
    pub(crate) fn turned(self) -> Self {
        let [rows, columns, steps] = self.sizes;
        let Target { row, column, .. } = self.target;
        Self {
            sizes: [columns, rows, steps],
            target: Target { row: column, column: row, ..self.target },
            left: self.right,
            right: self.left,
            ..self
        }
    }
}
