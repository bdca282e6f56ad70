//! The product in tiles: a workgroup computes one tile of the result, each of its invocations a few rows and columns of
//! it in registers, and both operands pass through workgroup memory a few columns of the one and rows of the other at a
//! time.
//!
//! - Everything that indexes a register is unrolled. A register that is indexed while a shader runs is none: checks of
//!   such an index, and the memory that it needs, made the same product ten times slower on an H200.
//! - Sizes are arguments. Only a tile, which way the second operand lies, and whether there is a bias make another
//!   pipeline.
//! - Nothing outside of a buffer is read or written, and it is seen to here: cubecl 0.11 checks no index of a buffer in
//!   WGSL, whatever a launch is called, and natively wgpu is told not to.
//! - At most 256 invocations, 16 KiB of workgroup memory and four buffers besides the arguments: WebGPU's defaults.

use cubecl::prelude::*;

use super::choice::Tile;

/// Numbers that are read at once.
pub(super) const WIDTH: usize = 4;

/// Invocations of a workgroup that adds parts.
pub(super) const INVOCATIONS: usize = 256;

/// Four numbers side by side.
type Four = Vector<f32, Const<4>>;

/// `[m, k]` times `[k, n]`, or times the transpose of `[n, k]`; row after row.
///
/// Workgroups lie along the columns, the rows, and the parts that `k` is cut into, `part` each; every part writes a
/// result of its own behind the last, and [`add_parts`] adds them. `R` is 4 where the rows of both operands can be read
/// so, and `W` where those of the result can be written so; otherwise 1.
#[cube(launch)]
pub(super) fn in_tiles<R: Size, W: Size>(
    lhs: &[Vector<f32, R>],
    rhs: &[Vector<f32, R>],
    bias: &ComptimeOption<Box<[Vector<f32, W>]>>,
    out: &mut [Vector<f32, W>],
    m: usize,
    k: usize,
    n: usize,
    part: usize,
    #[comptime] tile: Tile,
    #[comptime] transposed: bool,
) {
    let side = comptime!(tile.side);
    let unit = UNIT_POS as usize;
    let (unit_row, unit_column) = (unit / side, unit % side);
    let first_row = CUBE_POS_Y as usize * comptime!(tile.rows);
    let first_column = CUBE_POS_X as usize * comptime!(tile.columns);
    let from = CUBE_POS_Z as usize * part;
    let to = min(from + part, k);

    // Invocations have rows in blocks of four, one block every four times as many rows as there are invocations, and
    // columns likewise.
    let column_blocks = comptime!(tile.columns / (side * WIDTH));
    let rows = comptime!(tile.rows / side);
    let mut sums = Sequence::<RuntimeCell<Four>>::new();
    #[unroll]
    for _ in 0..comptime!(rows * column_blocks) {
        sums.push(RuntimeCell::new(Four::new(0.0f32)));
    }

    // Both operands lie in fours in workgroup memory: the first along `k`, the second along its rows, or, where it is
    // read by its transpose, along `k` as well. Each has two places: while one is multiplied, what comes next is on its
    // way from far away into registers, and from there into the other.
    let lhs_room = comptime!(tile.depth * tile.rows / WIDTH);
    let rhs_room = comptime!(tile.depth * tile.columns / WIDTH);
    let places = comptime!(if tile.ahead { 2usize } else { 1usize });
    let mut staged_lhs = Shared::<[Four]>::new_slice(comptime!(places * lhs_room));
    let mut staged_rhs = Shared::<[Four]>::new_slice(comptime!(places * rhs_room));
    let at = Place { unit, first_row, first_column, m, k, n, to };
    if comptime!(tile.ahead) {
        let mut place = 0usize.runtime();
        let mut next = Sequence::<Four>::new();
        fetch::<R>(&mut next, lhs, rhs, &at, from, tile, transposed);
        put(&next, &mut staged_lhs, &mut staged_rhs, unit, place, tile, transposed);
        sync_cube();
        for depth in range_stepped(from, to, comptime!(tile.depth)) {
            let mut next = Sequence::<Four>::new();
            fetch::<R>(&mut next, lhs, rhs, &at, depth + comptime!(tile.depth), tile, transposed);
            for fourth in 0..comptime!(tile.depth / WIDTH) {
                multiply(
                    &staged_lhs,
                    &staged_rhs,
                    &sums,
                    place,
                    fourth,
                    unit_row,
                    unit_column,
                    tile,
                    transposed,
                );
            }
            place = 1 - place;
            put(&next, &mut staged_lhs, &mut staged_rhs, unit, place, tile, transposed);
            sync_cube();
        }
    } else {
        for depth in range_stepped(from, to, comptime!(tile.depth)) {
            let mut next = Sequence::<Four>::new();
            fetch::<R>(&mut next, lhs, rhs, &at, depth, tile, transposed);
            put(&next, &mut staged_lhs, &mut staged_rhs, unit, 0usize, tile, transposed);
            sync_cube();
            for fourth in 0..comptime!(tile.depth / WIDTH) {
                multiply(
                    &staged_lhs,
                    &staged_rhs,
                    &sums,
                    0usize,
                    fourth,
                    unit_row,
                    unit_column,
                    tile,
                    transposed,
                );
            }
            sync_cube();
        }
    }

    let first = CUBE_POS_Z as usize * m * n;
    #[unroll]
    for block in 0..column_blocks {
        let column = first_column + (unit_column + comptime!(block * side)) * WIDTH;
        #[unroll]
        for i in 0..rows {
            let row = comptime!(i / WIDTH * side * WIDTH + i % WIDTH);
            let row = first_row + unit_row * WIDTH + row;
            if row < m {
                let sum = sums.index(comptime!(i * column_blocks + block)).read();
                write_four::<W>(out, bias, first + row * n, column, n, sum);
            }
        }
    }
}

/// What an invocation reads of the operands.
#[derive(CubeType)]
struct Place {
    unit: usize,
    first_row: usize,
    first_column: usize,
    m: usize,
    k: usize,
    n: usize,
    /// End of the part of `k`.
    to: usize,
}

/// Reads an invocation's share of the columns from `depth` on of the first operand, and of these rows of the second;
/// zeros where they end.
#[cube]
fn fetch<R: Size>(
    next: &mut Sequence<Four>,
    lhs: &[Vector<f32, R>],
    rhs: &[Vector<f32, R>],
    at: &Place,
    depth: usize,
    #[comptime] tile: Tile,
    #[comptime] transposed: bool,
) {
    let units = comptime!(tile.units());
    let in_row = comptime!(tile.depth / WIDTH);
    #[unroll]
    for pass in 0..comptime!(tile.rows * tile.depth / WIDTH / units) {
        let index = at.unit + comptime!(pass * units);
        let row = min(at.first_row + index / in_row, at.m - 1);
        let column = depth + index % in_row * WIDTH;
        next.push(four_of_row::<R>(lhs, row, at.k, column, at.to));
    }
    #[unroll]
    for pass in 0..comptime!(tile.columns * tile.depth / WIDTH / units) {
        let index = at.unit + comptime!(pass * units);
        if comptime!(transposed) {
            let row = min(at.first_column + index / in_row, at.n - 1);
            let column = depth + index % in_row * WIDTH;
            next.push(four_of_row::<R>(rhs, row, at.k, column, at.to));
        } else {
            let row = depth + index / comptime!(tile.columns / WIDTH);
            let column = at.first_column + index % comptime!(tile.columns / WIDTH) * WIDTH;
            let columns = select(row < at.to, at.n, 0);
            next.push(four_of_row::<R>(rhs, row, at.n, column, columns));
        }
    }
}

/// Puts what was fetched into workgroup memory.
#[cube]
fn put(
    next: &Sequence<Four>,
    staged_lhs: &mut Shared<[Four]>,
    staged_rhs: &mut Shared<[Four]>,
    unit: usize,
    place: usize,
    #[comptime] tile: Tile,
    #[comptime] transposed: bool,
) {
    let units = comptime!(tile.units());
    let in_row = comptime!(tile.depth / WIDTH);
    let passes = comptime!(tile.rows * tile.depth / WIDTH / units);
    let to = place * comptime!(tile.depth * tile.rows / WIDTH);
    #[unroll]
    for pass in 0..passes {
        let index = unit + comptime!(pass * units);
        let row = index / in_row;
        staged_lhs[to + index % in_row * comptime!(tile.rows) + row] = *next.index(pass);
    }
    let to = place * comptime!(tile.depth * tile.columns / WIDTH);
    #[unroll]
    for pass in 0..comptime!(tile.columns * tile.depth / WIDTH / units) {
        let index = unit + comptime!(pass * units);
        let four = *next.index(comptime!(passes + pass));
        if comptime!(transposed) {
            // The columns of an invocation lie a quarter of the tile apart, so that its neighbours read side by side.
            let column = index / in_row;
            let place = column % WIDTH * comptime!(tile.columns / WIDTH) + column / WIDTH;
            staged_rhs[to + index % in_row * comptime!(tile.columns) + place] = four;
        } else {
            staged_rhs[to + index] = four;
        }
    }
}

/// Adds products of four columns of the first operand and four rows of the second, as they are staged.
#[cube]
fn multiply(
    staged_lhs: &Shared<[Four]>,
    staged_rhs: &Shared<[Four]>,
    sums: &Sequence<RuntimeCell<Four>>,
    place: usize,
    fourth: usize,
    unit_row: usize,
    unit_column: usize,
    #[comptime] tile: Tile,
    #[comptime] transposed: bool,
) {
    let side = comptime!(tile.side);
    let column_blocks = comptime!(tile.columns / (side * WIDTH));
    let rows = comptime!(tile.rows / side);
    let first = (place * comptime!(tile.depth / WIDTH) + fourth) * comptime!(tile.rows);
    let first = first + unit_row * WIDTH;
    let mut left = Sequence::<Four>::new();
    #[unroll]
    for i in 0..rows {
        left.push(staged_lhs[first + comptime!(i / WIDTH * side * WIDTH + i % WIDTH)]);
    }
    let first = (place * comptime!(tile.depth / WIDTH) + fourth) * comptime!(tile.columns);
    let first = first + unit_column;
    #[unroll]
    for block in 0..column_blocks {
        let mut right = Sequence::<Four>::new();
        #[unroll]
        for i in 0..WIDTH {
            let lies = comptime!(i * (tile.columns / WIDTH) + block * side);
            right.push(staged_rhs[first + lies]);
        }
        #[unroll]
        for step in 0..WIDTH {
            let four = if comptime!(transposed) {
                let mut four = Four::new(right.index(0usize).extract(step));
                #[unroll]
                for i in 1..WIDTH {
                    four.insert(i, right.index(i).extract(step));
                }
                four
            } else {
                *right.index(step)
            };
            #[unroll]
            for i in 0..rows {
                let sum = sums.index(comptime!(i * column_blocks + block));
                sum.store(fma(Four::new(left.index(i).extract(step)), four, sum.read()));
            }
        }
    }
}

/// Four numbers of a row of `width`, from `column` on; those from `end` on are zeros, and are not read.
#[cube]
fn four_of_row<R: Size>(
    numbers: &[Vector<f32, R>],
    row: usize,
    width: usize,
    column: usize,
    end: usize,
) -> Four {
    let at = row * width + column;
    let width_read = R::value().comptime();
    if comptime!(width_read == WIDTH) {
        let read = numbers[select(column < end, at / WIDTH, 0)];
        select(column < end, Four::cast_from(read), Four::new(0.0f32))
    } else {
        let mut four = Four::new(0.0f32);
        #[unroll]
        for i in 0..WIDTH {
            let read = numbers[select(column + i < end, at + i, 0)].extract(0usize);
            four.insert(i, select(column + i < end, read, 0.0f32));
        }
        four
    }
}

/// Writes four sums of a row that begins at `row`, with their biases.
#[cube]
fn write_four<W: Size>(
    out: &mut [Vector<f32, W>],
    bias: &ComptimeOption<Box<[Vector<f32, W>]>>,
    row: usize,
    column: usize,
    n: usize,
    sum: Four,
) {
    let width = W::value().comptime();
    #[unroll]
    for i in 0..comptime!(WIDTH / width) {
        let column = column + comptime!(i * width);
        if column < n {
            let mut numbers = if comptime!(width == WIDTH) {
                Vector::<f32, W>::cast_from(sum)
            } else {
                Vector::<f32, W>::new(sum.extract(i))
            };
            #[comptime]
            match bias {
                ComptimeOption::Some(bias) => numbers += bias[column / width],
                ComptimeOption::None => {}
            }
            out[(row + column) / width] = numbers;
        }
    }
}

/// Adds the results of `parts` parts, of `count` times `W` numbers each, and a bias for each column if there is one.
#[cube(launch)]
pub(super) fn add_parts<W: Size>(
    numbers: &[Vector<f32, W>],
    bias: &ComptimeOption<Box<[Vector<f32, W>]>>,
    out: &mut [Vector<f32, W>],
    n: usize,
    count: usize,
    parts: usize,
) {
    let at = ABSOLUTE_POS;
    if at < count {
        let mut sum = numbers[at];
        for part in 1..parts {
            sum += numbers[part * count + at];
        }
        #[comptime]
        match bias {
            ComptimeOption::Some(bias) => sum += bias[at % (n / W::value())],
            ComptimeOption::None => {}
        }
        out[at] = sum;
    }
}
