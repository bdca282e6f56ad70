//! Operands as they lie, and laid out as tiles read them.

#[cfg(any(test, target_arch = "wasm32"))]
use crate::tile::Number;

/// Numbers of a matrix that are somewhere else, by lines and steps along them: a left operand's lines are its rows, a right
/// operand's its columns, and steps are along what is summed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<T> {
    pub(crate) start: *const T,
    /// From a line to the next, in numbers.
    pub(crate) line: isize,
    /// From a step to the next, in numbers.
    pub(crate) step: isize,
}

impl<T> Lines<T> {
    /// Where a line's step is.
    pub(crate) fn pointer(&self, line: usize, step: usize) -> *const T {
        self.start.wrapping_offset(self.line * line as isize + self.step * step as isize)
    }
}

#[cfg(any(test, target_arch = "wasm32"))]
impl<T: Number> Lines<T> {
    /// What there is from a line and a step on.
    pub(crate) fn from(self, line: usize, step: usize) -> Self {
        Self { start: self.pointer(line, step), ..self }
    }

    /// One number.
    ///
    /// # Safety
    /// It is one of the matrix.
    pub(crate) unsafe fn at(self, line: usize, step: usize) -> T {
        // SAFETY: it is one of the matrix, by this function's own condition.
        unsafe { *self.pointer(line, step) }
    }

    /// Numbers that lie side by side: of a step along the lines, or of a line along the steps.
    ///
    /// # Safety
    /// There are so many from there on, side by side, and they stay as they are while the slice is used.
    pub(crate) unsafe fn slice<'a>(self, n: usize) -> &'a [T] {
        // SAFETY: by this function's own condition.
        unsafe { std::slice::from_raw_parts(self.start, n) }
    }

    /// Panels of `WIDTH` lines, one step of all of them after the other, at the front of `into`; lines that are missing in
    /// the last panel are nothing.
    ///
    /// # Safety
    /// The matrix has so many lines and steps.
    pub(crate) unsafe fn pack<const WIDTH: usize>(
        self,
        lines: usize,
        steps: usize,
        into: &mut Vec<T>,
    ) {
        let n = lines.next_multiple_of(WIDTH) * steps;
        if into.len() < n {
            into.resize(n, T::ZERO);
        }
        let (packed, _) = into[..n].as_chunks_mut::<WIDTH>();
        for (panel, packed) in packed.chunks_exact_mut(steps).enumerate() {
            let first = panel * WIDTH;
            let panel = self.from(first, 0);
            let n_lines = WIDTH.min(lines - first);
            for (step, numbers) in packed.iter_mut().enumerate() {
                if n_lines < WIDTH {
                    *numbers = [T::ZERO; WIDTH];
                    for (line, number) in numbers.iter_mut().enumerate().take(n_lines) {
                        // SAFETY: the line and the step are of the matrix.
                        *number = unsafe { panel.at(line, step) };
                    }
                } else if self.line == 1 {
                    // SAFETY: so many lines lie side by side, and all of them are of the matrix.
                    numbers.copy_from_slice(unsafe { panel.from(0, step).slice(WIDTH) });
                } else {
                    // SAFETY: the lines and the step are of the matrix.
                    *numbers = std::array::from_fn(|line| unsafe { panel.at(line, step) });
                }
            }
        }
    }
}
