//! Where a product goes.

#[cfg(any(test, target_arch = "wasm32"))]
use crate::tile::Number;

/// Where a product goes, and what becomes of what is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<T> {
    pub(crate) start: *mut T,
    /// From a row to the next, in numbers.
    pub(crate) row: isize,
    /// From a column to the next, in numbers.
    pub(crate) column: isize,
    /// What is there is kept, times this; `None`: it is not read.
    pub(crate) keep: Option<T>,
    /// The product is added, times this.
    pub(crate) scale: T,
}

#[cfg(any(test, target_arch = "wasm32"))]
impl<T: Number> Target<T> {
    /// This target when a part of the sum is there.
    pub(crate) fn with_a_part(self) -> Self {
        Self { keep: Some(T::ONE), ..self }
    }

    /// Adds `rows` times `columns` numbers from `row` and `column` on. They lie row by row, `width` from one to the next.
    ///
    /// # Safety
    /// The rows and columns are of the target, and nothing else has hold of it.
    pub(crate) unsafe fn add(
        self,
        [row, column]: [usize; 2],
        [rows, columns]: [usize; 2],
        numbers: &[T],
        width: usize,
    ) {
        let first = self.column * column as isize;
        for (place, numbers) in numbers.chunks(width).take(rows).enumerate() {
            let start = self.start.wrapping_offset(self.row * (row + place) as isize + first);
            let numbers = &numbers[..columns];
            if self.column == 1 {
                // SAFETY: the columns lie side by side, and are of the target.
                let target = unsafe { std::slice::from_raw_parts_mut(start, columns) };
                let pairs = target.iter_mut().zip(numbers);
                match self.keep {
                    None => pairs.for_each(|(old, new)| *old = self.scale * *new),
                    Some(keep) => {
                        pairs.for_each(|(old, new)| *old = keep * *old + self.scale * *new);
                    }
                }
            } else {
                for (place, new) in numbers.iter().enumerate() {
                    let target = start.wrapping_offset(self.column * place as isize);
                    // SAFETY: the row and the column are of the target.
                    unsafe {
                        let kept = self.keep.map_or(T::ZERO, |keep| keep * *target);
                        *target = kept + self.scale * *new;
                    }
                }
            }
        }
    }
}
