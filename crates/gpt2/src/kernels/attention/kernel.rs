//! The kernels themselves. A workgroup is a query, or a key, of one head in one row of the batch.

use cubecl::prelude::*;

use super::{MOST_KEYS, MOST_PER_HEAD};
use crate::kernels::device::{UNITS, largest, total};

/// What units of a workgroup share.
#[derive(CubeType)]
struct Desk {
    query: Shared<[f32]>,
    scores: Shared<[f32]>,
    numbers: Shared<[f32]>,
}

/// The query, head and row of the batch that a workgroup computes.
#[derive(CubeType)]
struct Place {
    /// Place in the product at which the row of the batch begins.
    row: usize,
    /// Numbers of a position in the product.
    wide: usize,
    d_model: usize,
    d_head: usize,
    /// Place in a third of a position at which the head begins.
    head: usize,
    /// The query among the positions that are run.
    own: usize,
}

#[cube]
fn place(product: &Tensor<f32>, queries: usize) -> Place {
    let d_model = product.shape(2) / 3;
    let d_head = d_model / CUBE_COUNT_Y as usize;
    Place {
        row: CUBE_POS_Z as usize * product.stride(0),
        wide: product.stride(1),
        d_model,
        d_head,
        head: CUBE_POS_Y as usize * d_head,
        own: product.shape(1) - queries + CUBE_POS_X as usize,
    }
}

/// Exponentials of the scores, less the largest of them, into `desk.scores`; returns their sum.
#[cube]
fn weigh(
    desk: &mut Desk,
    at: &Place,
    product: &Tensor<f32>,
    bias: &Tensor<f32>,
    k_before: &Tensor<f32>,
    before: usize,
    scale: f32,
) -> f32 {
    let unit = UNIT_POS_X as usize;
    let from = at.row + at.own * at.wide + at.head;
    for d in range_stepped(unit, at.d_head, UNITS) {
        desk.query[d] = product[from + d] + bias[at.head + d];
    }
    sync_cube();
    let keys = before + at.own + 1;
    let own_head = at.d_model + at.head;
    let mut most = f32::MIN.runtime();
    for key in range_stepped(unit, keys, UNITS) {
        let mut score = 0.0f32;
        if key < before {
            let from = CUBE_POS_Y as usize * k_before.stride(1) + key * k_before.stride(2);
            for d in 0..at.d_head {
                score += desk.query[d] * k_before[from + d];
            }
        } else {
            let from = at.row + (key - before) * at.wide + own_head;
            for d in 0..at.d_head {
                score += desk.query[d] * (product[from + d] + bias[own_head + d]);
            }
        }
        score *= scale;
        desk.scores[key] = score;
        most = max(most, score);
    }
    let most = largest(&mut desk.numbers, most);
    let mut sum = 0.0f32;
    for key in range_stepped(unit, keys, UNITS) {
        let weight = (desk.scores[key] - most).exp();
        desk.scores[key] = weight;
        sum += weight;
    }
    total(&mut desk.numbers, sum)
}

#[cube]
fn desk() -> Desk {
    Desk {
        query: Shared::<[f32]>::new_slice(MOST_PER_HEAD),
        scores: Shared::<[f32]>::new_slice(MOST_KEYS),
        numbers: Shared::<[f32]>::new_slice(UNITS),
    }
}

#[cube(launch)]
pub(super) fn attended(
    product: &Tensor<f32>,
    bias: &Tensor<f32>,
    k_before: &Tensor<f32>,
    v_before: &Tensor<f32>,
    z: &mut Tensor<f32>,
    before: usize,
    scale: f32,
) {
    let mut desk = desk();
    let at = place(product, z.shape(1));
    let sum = weigh(&mut desk, &at, product, bias, k_before, before, scale);
    let of_prefix = CUBE_POS_Y as usize * v_before.stride(1);
    let own_head = 2 * at.d_model + at.head;
    let to = CUBE_POS_Z as usize * z.stride(0) + CUBE_POS_X as usize * z.stride(1) + at.head;
    for d in range_stepped(UNIT_POS_X as usize, at.d_head, UNITS) {
        let mut value = 0.0f32;
        for key in 0..before {
            value += desk.scores[key] * v_before[of_prefix + key * v_before.stride(2) + d];
        }
        let seen = at.own + 1;
        for key in 0..seen {
            let v = product[at.row + key * at.wide + own_head + d] + bias[own_head + d];
            value += desk.scores[before + key] * v;
        }
        z[to + d] = value / sum;
    }
}

/// The pattern of a query, the gradient of its scores, and that of the query itself. With `p` the pattern and `g` its
/// gradient, the scores' is `p (g - sum of p g)`.
#[cube(launch)]
pub(super) fn of_queries(
    product: &Tensor<f32>,
    bias: &Tensor<f32>,
    k_before: &Tensor<f32>,
    v_before: &Tensor<f32>,
    gradient: &Tensor<f32>,
    inside: &mut Tensor<f32>,
    pulled: &mut Tensor<f32>,
    before: usize,
    scale: f32,
) {
    let mut desk = desk();
    let at = place(product, gradient.shape(1));
    let sum = weigh(&mut desk, &at, product, bias, k_before, before, scale);
    let unit = UNIT_POS_X as usize;
    let keys = before + at.own + 1;
    let from = CUBE_POS_Z as usize * gradient.stride(0)
        + CUBE_POS_X as usize * gradient.stride(1)
        + at.head;
    // The query is known; its place is the gradient's now.
    for d in range_stepped(unit, at.d_head, UNITS) {
        desk.query[d] = gradient[from + d];
    }
    sync_cube();
    let pattern = CUBE_POS_Z as usize * inside.stride(1)
        + CUBE_POS_Y as usize * inside.stride(2)
        + CUBE_POS_X as usize * inside.stride(3);
    let scores = pattern + inside.stride(0);
    let own_head = 2 * at.d_model + at.head;
    let mut shared = 0.0f32;
    for key in range_stepped(unit, keys, UNITS) {
        let mut g = 0.0f32;
        if key < before {
            let from = CUBE_POS_Y as usize * v_before.stride(1) + key * v_before.stride(2);
            for d in 0..at.d_head {
                g += desk.query[d] * v_before[from + d];
            }
        } else {
            let from = at.row + (key - before) * at.wide + own_head;
            for d in 0..at.d_head {
                g += desk.query[d] * (product[from + d] + bias[own_head + d]);
            }
        }
        let p = desk.scores[key] / sum;
        inside[pattern + key] = p;
        inside[scores + key] = g;
        shared += p * g;
    }
    let shared = total(&mut desk.numbers, shared);
    // Each unit goes through its own keys again.
    for key in range_stepped(unit, keys, UNITS) {
        let of_score = inside[pattern + key] * (inside[scores + key] - shared) * scale;
        inside[scores + key] = of_score;
        desk.scores[key] = of_score;
    }
    sync_cube();
    let own_head = at.d_model + at.head;
    let to = at.row + at.own * at.wide + at.head;
    for d in range_stepped(unit, at.d_head, UNITS) {
        let mut value = 0.0f32;
        for key in 0..before {
            let from = CUBE_POS_Y as usize * k_before.stride(1) + key * k_before.stride(2);
            value += desk.scores[key] * k_before[from + d];
        }
        let seen = at.own + 1;
        for key in 0..seen {
            let k = product[at.row + key * at.wide + own_head + d] + bias[own_head + d];
            value += desk.scores[before + key] * k;
        }
        pulled[to + d] = value;
    }
}

/// The gradient of a key and its value, from all queries that see it; and of a query that nobody asked for, 0.
#[cube(launch)]
pub(super) fn of_keys(
    product: &Tensor<f32>,
    bias: &Tensor<f32>,
    gradient: &Tensor<f32>,
    inside: &Tensor<f32>,
    pulled: &mut Tensor<f32>,
) {
    let key = CUBE_POS_X as usize;
    let queries = gradient.shape(1);
    let at = place(product, queries);
    let first = product.shape(1) - queries;
    let before = inside.shape(4) - product.shape(1);
    let pattern = CUBE_POS_Z as usize * inside.stride(1)
        + CUBE_POS_Y as usize * inside.stride(2)
        + before
        + key;
    let scores = pattern + inside.stride(0);
    let of_gradient = CUBE_POS_Z as usize * gradient.stride(0) + at.head;
    let to = at.row + key * at.wide + at.head;
    for d in range_stepped(UNIT_POS_X as usize, at.d_head, UNITS) {
        let mut of_key = 0.0f32;
        let mut of_value = 0.0f32;
        for query in 0..queries {
            let own = first + query;
            if own >= key {
                let q = product[at.row + own * at.wide + at.head + d] + bias[at.head + d];
                of_key += inside[scores + query * inside.stride(3)] * q;
                let g = gradient[of_gradient + query * gradient.stride(1) + d];
                of_value += inside[pattern + query * inside.stride(3)] * g;
            }
        }
        if key < first {
            pulled[to + d] = 0.0f32;
        }
        pulled[to + at.d_model + d] = of_key;
        pulled[to + 2 * at.d_model + d] = of_value;
    }
}
