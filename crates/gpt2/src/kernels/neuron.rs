//! Value and slope of the functions of a neuron, number by number, as a GPU computes them. Their definitions are in
//! `gelu.rs`, whose constants these are.

use cubecl::prelude::*;

use crate::activation::Function;
use crate::gelu::{CUBIC, SCALE, SHARE, TANH_LIMIT};

const LIMIT: f32 = TANH_LIMIT as f32;
const LINEAR: f32 = SCALE as f32;
const CUBE: f32 = (CUBIC * SCALE) as f32;
const TRIPLE: f32 = (3.0 * CUBIC * SCALE) as f32;
/// `1 / sqrt(2 pi)`.
const DENSITY: f32 = 0.398_942_3;

/// What a neuron makes of its input.
#[cube]
pub(super) fn value_at(x: f32, #[comptime] function: Function) -> f32 {
    match comptime!(function) {
        Function::GeluNew => x / (1.0f32 + above(x)),
        Function::Gelu => x * below(x),
        Function::Relu => max(x, 0.0f32),
    }
}

/// The derivative of [`value_at`].
#[cube]
pub(super) fn slope_at(x: f32, #[comptime] function: Function) -> f32 {
    match comptime!(function) {
        Function::GeluNew => {
            let e = above(x);
            let logistic = 1.0f32 / (1.0f32 + e);
            let square = x * x;
            let u = (CUBE * square + LINEAR) * x;
            let is_cut = u >= LIMIT || u <= -LIMIT;
            let slope = select(is_cut, 0.0f32, 2.0f32 * (TRIPLE * square + LINEAR));
            logistic + x * logistic * (e * logistic) * slope
        }
        Function::Gelu => below(x) + x * density(x) * DENSITY,
        Function::Relu => select(x > 0.0f32, 1.0f32, 0.0f32),
    }
}

/// `exp(-2u)` of the tanh form.
#[cube]
fn above(x: f32) -> f32 {
    let u = (CUBE * x * x + LINEAR) * x;
    (-2.0f32 * clamp(u, -LIMIT, LIMIT)).exp()
}

/// `exp(-x x / 2)`, which is 1e-38 where it is cut.
#[cube]
fn density(x: f32) -> f32 {
    let wide = clamp(x, -13.2f32, 13.2f32);
    (-0.5f32 * wide * wide).exp()
}

/// The normal distribution's share below `x`, by the polynomial of `gelu.rs`.
#[cube]
fn below(x: f32) -> f32 {
    let t = 1.0f32 / (1.0f32 + 0.25f32 * x.abs());
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..comptime!(SHARE.len()) {
        sum = sum * t + comptime!(SHARE[SHARE.len() - 1 - i]);
    }
    let beyond = density(x) * t * sum;
    select(x < 0.0f32, beyond, 1.0f32 - beyond)
}
