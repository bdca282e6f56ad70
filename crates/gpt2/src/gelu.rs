//! Two of the neurons' functions, the tanh form of GELU and GELU itself, by operations and in one pass on a CPU.

use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

/// The size at which the argument of `tanh` is cut: `tanh(10)` is 1 in f32, and some GPUs return NaN for large
/// arguments (gpuweb issue 4458).
pub(crate) const TANH_LIMIT: f64 = 10.0;

/// The factor of the cubic term in the tanh form of GELU.
pub(crate) const CUBIC: f64 = 0.044715;

/// The factor `sqrt(2 / pi)` of the tanh form of GELU.
pub(crate) const SCALE: f64 = 0.797_884_560_802_865_4;

/// GPT-2's activation function, the tanh form of GELU.
///
/// Written with the logistic function, to which it is equal:
/// `0.5 x (1 + tanh u) = x / (1 + exp(-2u))` with `u = sqrt(2/pi) (x + 0.044715 x^3)`.
/// One `exp` costs a fraction of a `tanh` on the CPU, and its derivative keeps all digits.
///
/// # Source
/// Hendrycks and Gimpel (2016), arXiv:1606.08415, section 2; GPT-2's `gelu_new`.
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if is_passed_once(&x) { in_one_pass(x, tanh_form) } else { tanh_form_by_operations(x) }
}

/// GELU itself, `x` times the normal distribution's share below `x`: `0.5 x (1 + erf(x / sqrt 2))`. Some GPT-2s are
/// trained with it; it differs from [`gelu_new`] by up to 5e-4.
///
/// # Source
/// Hendrycks and Gimpel (2016), arXiv:1606.08415, section 2; transformers' `gelu`.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if is_passed_once(&x) {
        in_one_pass(x, error_function)
    } else {
        error_function_by_operations(x)
    }
}

/// Whether the numbers are gone through once, on the CPU in single precision: a dozen passes over them cost as
/// much as a good part of the product before.
fn is_passed_once<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && x.device().inner() == Device::flex()
}

/// The definition of [`gelu`], one operation after the other.
fn error_function_by_operations<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    // Beyond, the error function is 1 in double precision, and no GPU need square large numbers.
    let u = x.clone().clamp(-TANH_LIMIT, TANH_LIMIT).mul_scalar(std::f64::consts::FRAC_1_SQRT_2);
    x * u.erf().add_scalar(1.0).mul_scalar(0.5)
}

/// The definition of [`gelu_new`], one operation after the other.
fn tanh_form_by_operations<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let cubic = (x.clone() * x.clone()).mul_scalar(CUBIC * SCALE).add_scalar(SCALE);
    let u = (cubic * x.clone()).clamp(-TANH_LIMIT, TANH_LIMIT);
    x / u.mul_scalar(-2.0).exp().add_scalar(1.0)
}

/// A function of the neurons on the CPU in single precision, its value and derivative number by number.
#[expect(clippy::disallowed_methods, reason = "on the CPU nothing is waited for")]
fn in_one_pass<const D: usize>(x: Tensor<D>, at: impl Fn(f32) -> (f32, f32)) -> Tensor<D> {
    let (shape, cpu) = (x.shape(), x.device().inner());
    if !x.is_autodiff() {
        let mut values = numbers(x.into_data());
        for x in &mut values {
            *x = at(*x).0;
        }
        return Tensor::from_data(TensorData::new(values, shape), &cpu);
    }
    let mut values = numbers(x.clone().inner().into_data());
    let mut slopes = vec![0.0; values.len()];
    for (x, slope) in values.iter_mut().zip(&mut slopes) {
        (*x, *slope) = at(*x);
    }
    let constant = |numbers, shape: Shape| {
        Tensor::from_inner(Tensor::<D>::from_data(TensorData::new(numbers, shape), &cpu))
    };
    // The difference is 0, and its gradient the slope.
    let (values, slopes) = (constant(values, shape.clone()), constant(slopes, shape));
    (x.clone() - x.detach()) * slopes + values
}

fn numbers(data: TensorData) -> Vec<f32> {
    // OK because only single precision comes here.
    data.try_into_vec().expect("numbers in single precision")
}

/// Value and derivative of [`gelu_new`]. Without branches, so that the compiler does several at once.
#[inline]
fn tanh_form(x: f32) -> (f32, f32) {
    const LIMIT: f32 = TANH_LIMIT as f32;
    const SCALE: f32 = self::SCALE as f32;
    const CUBIC: f32 = (self::CUBIC * self::SCALE) as f32;
    let square = x * x;
    let u = ((CUBIC * square + SCALE) * x).clamp(-LIMIT, LIMIT);
    let e = exp(-2.0 * u);
    let logistic = 1.0 / (1.0 + e); // and e times it is 1 minus it
    let slope_of_u = if u.abs() < LIMIT { 2.0 * (3.0 * CUBIC * square + SCALE) } else { 0.0 };
    // Divided, not multiplied by the inverse: one rounding less.
    let value = x / (1.0 + e);
    (value, logistic + value * (e * logistic) * slope_of_u)
}

/// The normal distribution's share beyond `|x|` is its density there times `t` times a polynomial of `t`, with
/// `t = 1 / (1 + |x| / 4)`: fitted at Chebyshev's points, within 4e-8 of itself for all `x`.
pub(crate) const SHARE: [f32; 11] = [
    0.099_735_565,
    0.099_736_71,
    0.093_456_92,
    0.081_723_12,
    0.058_213_94,
    0.066_425_73,
    -0.037_564_66,
    0.103_224_15,
    -0.086_776_51,
    0.022_253_403,
    -0.000_428_368_73,
];

/// Value and derivative of [`gelu`], without branches.
#[inline]
fn error_function(x: f32) -> (f32, f32) {
    /// `1 / sqrt(2 pi)`.
    const DENSITY: f32 = 0.398_942_3;
    // Where the density is cut it is 1e-38.
    let e = exp(-(0.5 * x * x).min(87.0));
    let t = 1.0 / (1.0 + 0.25 * x.abs());
    let beyond = e * t * SHARE.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let below = if x < 0.0 { beyond } else { 1.0 - beyond };
    (x * below, below + x * e * DENSITY)
}

/// `e^x` for `x` from -87 to 20, to about one unit in the last place: `2^k` times a polynomial of the rest, which
/// is at most `ln 2 / 2`.
#[inline]
fn exp(x: f32) -> f32 {
    // Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: a multiple of the first is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let k = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let rest = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // Taylor's series: the next term is below a unit in the last place.
    let mut sum = 1.0 / 5040.0;
    for term in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = sum * rest + 1.0 / term;
    }
    f32::from_bits(((k as i32 + 127) as u32) << 23) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers where it bends, where it is flat, where `tanh` is cut, and beyond.
    fn samples() -> Vec<f32> {
        let near = (-8000..=8000).map(|i| i as f32 / 1000.0);
        near.chain([0.0, -0.0, 13.3, -13.3, 50.0, -50.0, 1e3, -1e3, 1e18, -1e18]).collect()
    }

    #[test]
    fn exp_is_right_to_the_last_digits() {
        for i in -87_000..=20_000 {
            let x = i as f32 / 1000.0;
            let expected = f64::from(x).exp();
            let off = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(off < 2.4e-7, "exp({x}) is off by {off:e}");
        }
    }

    #[test]
    fn one_pass_is_the_definition() {
        passes_agree("gelu_new", gelu_new, tanh_form_by_operations);
        passes_agree("gelu", gelu, error_function_by_operations);
    }

    /// Values and slopes in one pass against those of the operations in double precision.
    #[expect(clippy::disallowed_methods, reason = "a native test on the CPU may block")]
    fn passes_agree(
        name: &str,
        in_one_pass: impl Fn(Tensor<1>) -> Tensor<1>,
        by_operations: impl Fn(Tensor<1>) -> Tensor<1>,
    ) {
        let x = Tensor::<1>::from_data(samples().as_slice(), (&Device::flex(), DType::F64));
        let x = x.autodiff().require_grad();
        let expected = by_operations(x.clone());
        let gradients = expected.clone().sum().backward();
        let slopes = x.grad(&gradients).expect("a leaf").into_data();
        let expected = expected.inner().into_data();
        let (expected, slopes) = (expected.iter::<f64>(), slopes.iter::<f64>());

        let single = Tensor::<1>::from_data(samples().as_slice(), &Device::flex());
        let x = single.clone().autodiff().require_grad();
        let y = in_one_pass(x.clone());
        let gradients = y.clone().sum().backward();
        let got_slopes = x.grad(&gradients).expect("a leaf").into_data();
        let got = y.inner().into_data();
        let plain = in_one_pass(single).into_data();
        assert!(plain.iter::<f32>().eq(got.iter::<f32>()), "with and without gradients");
        let got = got.iter::<f32>().zip(got_slopes.iter::<f32>());
        for ((x, (value, slope)), (expected, expected_slope)) in
            samples().into_iter().zip(got).zip(expected.zip(slopes))
        {
            let off = (f64::from(value) - expected).abs();
            assert!(off <= 5e-7 * expected.abs().max(0.1), "{name}({x}) = {value}, not {expected}");
            let off = (f64::from(slope) - expected_slope).abs();
            assert!(off <= 1e-6, "{name}'({x}) = {slope}, not {expected_slope}");
        }
    }
}
