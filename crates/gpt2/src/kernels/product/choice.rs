//! Which kernel computes a product, by its shape.
//!
//! What is known was measured on one GPU, an NVIDIA H200 (27 November 2026, natively; SPEED.md has the table). There our
//! kernel is 1.4 to 33 times as fast as the tensor library's at every shape that a model asks for, the more so the
//! fewer rows there are, and which of its tiles is fastest depends on how many there are. WebGPU does not tell how many
//! multiprocessors a GPU has, so the largest are taken care of, and in a way that costs the small ones little.
//! `twinbeam bench --products` measures another GPU.

/// Sizes of a product of `[m, k]` and `[k, n]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the first operand.
    pub m: usize,
    /// Length of the sums: columns of the first operand, rows of the second.
    pub k: usize,
    /// Columns of the second operand.
    pub n: usize,
}

impl Shape {
    /// Floating-point operations of the product.
    pub fn operations(self) -> f64 {
        2.0 * self.m as f64 * self.k as f64 * self.n as f64
    }
}

/// What a workgroup computes of a result, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// How much of `k` is read at a time.
    pub(super) depth: usize,
    /// Invocations along each side.
    pub(super) side: usize,
    /// Whether what comes next is fetched while something is multiplied.
    pub(super) ahead: bool,
}

impl Tile {
    /// The tile for many: eight rows and eight columns for each invocation, most arithmetic for what is read. Two warps
    /// each, so that many workgroups fit a multiprocessor.
    const MANY: Self = Self { rows: 64, columns: 64, depth: 16, side: 8, ahead: false };

    /// The tile for some: four rows and four columns for each of 256 invocations, four times as many warps for the same
    /// tile.
    const SOME: Self = Self { rows: 64, columns: 64, depth: 16, side: 16, ahead: true };

    /// The tile for few: a quarter of the others, four times as many workgroups, and fewer rows in vain.
    const FEW: Self = Self { rows: 32, columns: 32, depth: 16, side: 8, ahead: true };

    /// Invocations of a workgroup.
    pub(super) const fn units(self) -> usize {
        self.side * self.side
    }

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
        let Tile { rows, columns, depth, side, ahead } = self.tile;
        write!(f, "{rows} x {columns} x {depth} by {}", side * side)?;
        if ahead {
            write!(f, " ahead")?;
        }
        if self.parts > 1 { write!(f, ", k in {}", self.parts) } else { Ok(()) }
    }
}

/// Multiprocessors of the largest GPUs (H100 and H200). Fewer workgroups leave some of them idle.
const MULTIPROCESSORS: usize = 132;

/// Workgroups that keep the largest GPUs busy: each multiprocessor works on two in turn, and hides with the one what
/// the other waits for.
const WORKGROUPS: usize = 2 * MULTIPROCESSORS;

/// The shortest part of `k`: results of all parts are written and read once more, and where memory is slow that must
/// stay a fraction of the arithmetic.
const SHORTEST_PART: usize = 512;

/// Rows of a product up to which the smallest tile is taken.
const FEW_ROWS: usize = Tile::FEW.rows;

/// Workgroups, of tiles of 64 by 64, below which smaller tiles were faster.
const FEW_WORKGROUPS: usize = 100;

/// Tiles of 64 by 64 from which on eight rows and columns for each invocation were faster than four.
const MANY_TILES: usize = 400;

/// WebGPU's limit of workgroups along one axis.
const LONGEST_GRID: usize = 65_535;

/// How our kernel computes a product of this shape; `None`: the library computes it.
///
/// - The library: nothing to sum over, or a grid beyond WebGPU's limits. Products with a batch of second operands never
///   come here.
/// - Tiles are the largest of which there are enough to keep a large GPU busy, with `k` in parts where that is needed.
/// - `k` is cut into as many parts as give each multiprocessor two workgroups, none shorter than 512.
pub fn choose(shape: Shape) -> Option<Plan> {
    let Shape { m, k, n } = shape;
    let tiles = Tile::SOME.count(shape);
    let tile = if m <= FEW_ROWS || tiles * most_parts(shape) < FEW_WORKGROUPS {
        Tile::FEW
    } else if tiles < MANY_TILES {
        Tile::SOME
    } else {
        Tile::MANY
    };
    let is_too_long = tile.grid(shape).iter().any(|along| *along > LONGEST_GRID);
    let fits = m > 0 && n > 0 && k > 0 && !is_too_long;
    fits.then(|| Plan { tile, parts: parts(tile, shape) })
}

/// All ways of our kernel that are worth a look at a product of this shape; at least 1 by 1 by 1.
pub fn plans(shape: Shape) -> Vec<Plan> {
    let of = |tile| {
        let mut parts = vec![1, parts(tile, shape)];
        parts.dedup();
        parts.into_iter().map(move |parts| Plan { tile, parts })
    };
    [Tile::MANY, Tile::SOME, Tile::FEW].into_iter().flat_map(of).collect()
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
    fn the_largest_tile_of_which_there_are_enough() {
        assert_chosen([2667, 768, 3072], Some((Tile::MANY, 1)));
        assert_chosen([2667, 768, 768], Some((Tile::MANY, 1)));
        assert_chosen([100_000, 64, 64], Some((Tile::MANY, 1)));
        assert_chosen([364, 768, 3072], Some((Tile::SOME, 1)));
        assert_chosen([364, 768, 768], Some((Tile::FEW, 1)));
        assert_chosen([364, 128, 512], Some((Tile::FEW, 1)));
    }

    #[test]
    fn few_tiles_are_cut_along_k_where_it_is_long() {
        assert_chosen([364, 3072, 768], Some((Tile::SOME, 3)));
        assert_chosen([52, 3072, 768], Some((Tile::FEW, 5)));
        assert_chosen([7, 3072, 768], Some((Tile::FEW, 6)));
        assert_chosen([2, 768, 50257], Some((Tile::FEW, 1)));
        assert_chosen([1, 128, 1], Some((Tile::FEW, 1)));
    }

    #[test]
    fn the_library_has_what_no_grid_fits() {
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
