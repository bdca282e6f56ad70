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
//! - 256 invocations, 8 KiB of workgroup memory and four buffers besides the arguments: WebGPU's defaults.

use cubecl::prelude::*;

use super::choice::Tile;

/// Invocations along each side of a tile.
const SIDE: usize = 16;

/// Numbers that are read at once.
const WIDTH: usize = 4;

/// Invocations of a workgroup.
pub(super) const INVOCATIONS: usize = SIDE * SIDE;

/// Four numbers side by side.
type Four = Vector<f32, Const<4>>;

/// `[m, k]` times `[k, n]`, or times the transpose of `[n, k]`; row after row.
///
/// Workgroups lie along the columns, the rows, and the parts that `k` is cut into, `part` each; every part writes a
/// result of its own behind the last, and [`add_parts`] adds them. `W` is 4 where the rows of all three can be read so,
/// otherwise 1.
#[cube(launch)]
pub(super) fn in_tiles<W: Size>(
    lhs: &[Vector<f32, W>],
    rhs: &[Vector<f32, W>],
    bias: &ComptimeOption<Box<[Vector<f32, W>]>>,
    out: &mut [Vector<f32, W>],
    m: usize,
    k: usize,
    n: usize,
    part: usize,
    #[comptime] tile: Tile,
    #[comptime] transposed: bool,
) {
    let unit = UNIT_POS as usize;
    let (unit_row, unit_column) = (unit / SIDE, unit % SIDE);
    let first_row = CUBE_POS_Y as usize * comptime!(tile.rows);
    let first_column = CUBE_POS_X as usize * comptime!(tile.columns);
    let from = CUBE_POS_Z as usize * part;
    let to = min(from + part, k);

    // Invocations have rows in blocks of four, one block every 64, and columns likewise.
    let row_blocks = comptime!(tile.rows / (SIDE * WIDTH));
    let column_blocks = comptime!(tile.columns / (SIDE * WIDTH));
    let rows = comptime!(row_blocks * WIDTH);
    let mut sums = Sequence::<RuntimeCell<Four>>::new();
    #[unroll]
    for _ in 0..comptime!(rows * column_blocks) {
        sums.push(RuntimeCell::new(Four::new(0.0f32)));
    }

    // The first operand lies transposed in workgroup memory, number by number; the second in fours along its rows, or,
    // where it is read by its transpose, in fours along `k`.
    let mut staged_lhs = Shared::<[f32]>::new_slice(comptime!(tile.depth * tile.rows));
    let mut staged_rhs = Shared::<[Four]>::new_slice(comptime!(tile.depth * tile.columns / WIDTH));
    for at in range_stepped(from, to, comptime!(tile.depth)) {
        #[unroll]
        for pass in 0..comptime!(tile.rows * tile.depth / WIDTH / INVOCATIONS) {
            let index = unit + comptime!(pass * INVOCATIONS);
            let row = index / comptime!(tile.depth / WIDTH);
            let depth = index % comptime!(tile.depth / WIDTH) * WIDTH;
            let row_read = min(first_row + row, m - 1);
            let four = four_of_row::<W>(lhs, row_read, k, at + depth, to);
            #[unroll]
            for i in 0..WIDTH {
                staged_lhs[(depth + i) * comptime!(tile.rows) + row] = four.extract(i);
            }
        }
        #[unroll]
        for pass in 0..comptime!(tile.columns * tile.depth / WIDTH / INVOCATIONS) {
            let index = unit + comptime!(pass * INVOCATIONS);
            if comptime!(transposed) {
                let column = index / comptime!(tile.depth / WIDTH);
                let depth = index % comptime!(tile.depth / WIDTH);
                let row_read = min(first_column + column, n - 1);
                let four = four_of_row::<W>(rhs, row_read, k, at + depth * WIDTH, to);
                let place = column % WIDTH * comptime!(tile.columns / WIDTH) + column / WIDTH;
                staged_rhs[depth * comptime!(tile.columns) + place] = four;
            } else {
                let depth = index / comptime!(tile.columns / WIDTH);
                let column = index % comptime!(tile.columns / WIDTH) * WIDTH;
                let columns = select(at + depth < to, n, 0);
                staged_rhs[index] =
                    four_of_row::<W>(rhs, at + depth, n, first_column + column, columns);
            }
        }
        sync_cube();
        for fourth in 0..comptime!(tile.depth / WIDTH) {
            multiply(
                &staged_lhs,
                &staged_rhs,
                &sums,
                fourth,
                unit_row,
                unit_column,
                tile,
                transposed,
            );
        }
        sync_cube();
    }

    let first = CUBE_POS_Z as usize * m * n;
    #[unroll]
    for block in 0..column_blocks {
        let column = first_column + (unit_column + comptime!(block * SIDE)) * WIDTH;
        #[unroll]
        for i in 0..rows {
            let row = comptime!(i / WIDTH * SIDE * WIDTH + i % WIDTH);
            let row = first_row + unit_row * WIDTH + row;
            if row < m {
                let sum = sums.index(comptime!(i * column_blocks + block)).read();
                write_four::<W>(out, bias, first + row * n, column, n, sum);
            }
        }
    }
}

/// Adds products of four columns of the first operand and four rows of the second, as they are staged.
#[cube]
fn multiply(
    staged_lhs: &Shared<[f32]>,
    staged_rhs: &Shared<[Four]>,
    sums: &Sequence<RuntimeCell<Four>>,
    fourth: usize,
    unit_row: usize,
    unit_column: usize,
    #[comptime] tile: Tile,
    #[comptime] transposed: bool,
) {
    let column_blocks = comptime!(tile.columns / (SIDE * WIDTH));
    let rows = comptime!(tile.rows / SIDE);
    let mut columns = Sequence::<Four>::new();
    if comptime!(transposed) {
        #[unroll]
        for i in 0..comptime!(column_blocks * WIDTH) {
            // The columns of an invocation lie a quarter of the tile apart, so that its neighbours read side by side.
            let place = comptime!(i % WIDTH * (tile.columns / WIDTH) + i / WIDTH * SIDE);
            columns.push(staged_rhs[fourth * comptime!(tile.columns) + place + unit_column]);
        }
    }
    #[unroll]
    for step in 0..WIDTH {
        let depth = fourth * WIDTH + step;
        let mut right = Sequence::<Four>::new();
        #[unroll]
        for block in 0..column_blocks {
            if comptime!(transposed) {
                let mut four = Four::new(columns.index(comptime!(block * WIDTH)).extract(step));
                #[unroll]
                for i in 1..WIDTH {
                    four.insert(i, columns.index(comptime!(block * WIDTH + i)).extract(step));
                }
                right.push(four);
            } else {
                let place = depth * comptime!(tile.columns / WIDTH) + comptime!(block * SIDE);
                right.push(staged_rhs[place + unit_column]);
            }
        }
        let first = depth * comptime!(tile.rows) + unit_row * WIDTH;
        #[unroll]
        for i in 0..rows {
            let left = staged_lhs[first + comptime!(i / WIDTH * SIDE * WIDTH + i % WIDTH)];
            #[unroll]
            for block in 0..column_blocks {
                let sum = sums.index(comptime!(i * column_blocks + block));
                sum.store(fma(Four::new(left), *right.index(block), sum.read()));
            }
        }
    }
}

/// Four numbers of a row of `width`, from `column` on; those from `end` on are zeros, and are not read.
#[cube]
fn four_of_row<W: Size>(
    numbers: &[Vector<f32, W>],
    row: usize,
    width: usize,
    column: usize,
    end: usize,
) -> Four {
    let at = row * width + column;
    let width_read = W::value().comptime();
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
