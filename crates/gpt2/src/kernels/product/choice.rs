//! Which kernel computes a product, by its shape.
//!
//! What is known: on an H200 (26 November 2026, through Dawn) a shader of the design of [`super::kernel`], written by
//! hand with tiles of 128 by 128, reached 25 to 34 TFLOP/s where such tiles are at least 252, and 16 where they are 84;
//! the tensor library's kernel 6 to 20. WebGPU does not tell how many multiprocessors a GPU has, so the largest are
//! taken care of, and in a way that costs the small ones little. The kernel itself has not been timed on any GPU:
//! `twinbeam bench --products` does it.

/// Sizes of a product of `[m, k]` and `[k, n]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the first operand.
    pub m: usize,
    /// What is summed over.
    pub k: usize,
    /// Columns of the second operand.
    pub n: usize,
}

impl Shape {
    /// Floating-point operations.
    pub fn operations(self) -> f64 {
        2.0 * self.m as f64 * self.k as f64 * self.n as f64
    }
}

/// What a workgroup computes of a result, and how much of `k` it reads at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
}

impl Tile {
    /// Eight rows and eight columns for each invocation: most arithmetic for what is read.
    const LARGE: Self = Self { rows: 128, columns: 128, depth: 8 };

    /// Four and four: four times as many workgroups.
    const SMALL: Self = Self { rows: 64, columns: 64, depth: 16 };

    /// How many tiles there are along the columns and along the rows.
    pub(super) fn grid(self, shape: Shape) -> [usize; 2] {
        [shape.n.div_ceil(self.columns), shape.m.div_ceil(self.rows)]
    }

    fn count(self, shape: Shape) -> usize {
        self.grid(shape).iter().product::<usize>().max(1)
    }
}

/// How our kernel computes a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// What a workgroup computes.
    pub tile: Tile,
    /// Into how many parts `k` is cut; results of more than one are added by a second kernel.
    pub parts: usize,
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}", self.tile.rows, self.tile.columns)?;
        if self.parts > 1 { write!(f, ", k in {}", self.parts) } else { Ok(()) }
    }
}

/// Multiprocessors of the largest GPUs (H100 and H200). Fewer workgroups leave some of them idle.
const MULTIPROCESSORS: usize = 132;

/// Each can work on two workgroups in turn, and hides with the one what the other waits for.
const WORKGROUPS: usize = 2 * MULTIPROCESSORS;

/// The shortest part of `k`: results of all parts are written and read once more, and where memory is slow that must
/// stay a fraction of the arithmetic.
const SHORTEST_PART: usize = 512;

/// Below that a tile would compute eight times what is needed; the library has kernels for a few rows.
const FEWEST: usize = 8;

/// WebGPU's limit of workgroups along one axis.
const LONGEST_GRID: usize = 65_535;

/// How our kernel computes a product of this shape; `None`: the library computes it.
///
/// - The library: fewer than 8 rows or columns, or a grid beyond WebGPU's limits. Products with a batch of second
///   operands never come here.
/// - Otherwise our kernel. Its tiles are large if these occupy the largest GPUs, with `k` cut into parts where that
///   is needed, and else small.
/// - `k` is cut into as many parts as give each multiprocessor two workgroups, none shorter than 512.
pub fn choose(shape: Shape) -> Option<Plan> {
    let tile = if Tile::LARGE.count(shape) * most_parts(shape) >= MULTIPROCESSORS {
        Tile::LARGE
    } else {
        Tile::SMALL
    };
    let Shape { m, k, n } = shape;
    let is_too_long = tile.grid(shape).iter().any(|along| *along > LONGEST_GRID);
    let fits = m >= FEWEST && n >= FEWEST && k > 0 && !is_too_long;
    fits.then(|| Plan { tile, parts: parts(tile, shape) })
}

/// All ways of our kernel that are worth a look at a product of this shape; at least 1 by 1 by 1.
pub fn plans(shape: Shape) -> Vec<Plan> {
    let of = |tile| {
        let mut parts = vec![1, parts(tile, shape)];
        parts.dedup();
        parts.into_iter().map(move |parts| Plan { tile, parts })
    };
    [Tile::LARGE, Tile::SMALL].into_iter().flat_map(of).collect()
}

fn most_parts(shape: Shape) -> usize {
    (shape.k / SHORTEST_PART).max(1)
}

fn parts(tile: Tile, shape: Shape) -> usize {
    (WORKGROUPS / tile.count(shape)).clamp(1, most_parts(shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_chosen([m, k, n]: [usize; 3], expected: Option<(Tile, usize)>) {
        let expected = expected.map(|(tile, parts)| Plan { tile, parts });
        assert_eq!(choose(Shape { m, k, n }), expected, "{m} x {k} x {n}");
    }

    #[test]
    fn large_tiles_where_they_occupy_a_large_gpu() {
        assert_chosen([1792, 768, 3072], Some((Tile::LARGE, 1)));
        assert_chosen([1792, 768, 2304], Some((Tile::LARGE, 1)));
        assert_chosen([100_000, 64, 64], Some((Tile::LARGE, 1)));
    }

    #[test]
    fn few_tiles_are_cut_along_k_where_it_is_long_and_made_small_where_it_is_not() {
        assert_chosen([1792, 3072, 768], Some((Tile::LARGE, 3)));
        assert_chosen([1792, 768, 768], Some((Tile::SMALL, 1)));
        assert_chosen([34, 3072, 768], Some((Tile::SMALL, 6)));
        assert_chosen([34, 128, 512], Some((Tile::SMALL, 1)));
    }

    #[test]
    fn the_library_has_what_a_tile_does_not_fit() {
        assert_chosen([1, 768, 3072], None);
        assert_chosen([7, 768, 3072], None);
        assert_chosen([1792, 768, 2], None);
        assert_chosen([1792, 0, 768], None);
        assert_chosen([0, 768, 768], None);
        assert_chosen([9_000_000, 64, 64], None);
    }

    #[test]
    fn parts_are_never_shorter_than_they_may_be() {
        for k in (0..8192).step_by(64).skip(1) {
            for m in [8, 100, 500, 1000, 2000, 4000] {
                let plan = choose(Shape { m, k, n: 768 });
                let Plan { parts, .. } = plan.unwrap_or_else(|| panic!("{m} x {k}"));
                assert!(parts == 1 || k / parts >= SHORTEST_PART, "{m} x {k}: {parts}");
            }
        }
    }
}
