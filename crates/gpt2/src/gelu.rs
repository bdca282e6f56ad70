use burn::tensor::Tensor;

/// Where the argument of `tanh` is cut: `tanh(10)` is 1 in f32, and some GPUs return NaN for large
/// arguments (gpuweb issue 4458).
const TANH_LIMIT: f64 = 10.0;

/// GPT-2's activation function, the tanh form of GELU.
///
/// Written with the logistic function, to which it is equal:
/// `0.5 x (1 + tanh u) = x / (1 + exp(-2u))` with `u = sqrt(2/pi) (x + 0.044715 x^3)`.
/// One `exp` costs a fraction of a `tanh` on the CPU, and its derivative keeps all digits.
///
/// # Source
/// Hendrycks and Gimpel (2016), arXiv:1606.08415, section 2; GPT-2's `gelu_new`.
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let scale = (2.0 / std::f64::consts::PI).sqrt();
    let cubic = (x.clone() * x.clone()).mul_scalar(0.044715 * scale).add_scalar(scale);
    let u = (cubic * x.clone()).clamp(-TANH_LIMIT, TANH_LIMIT);
    x / u.mul_scalar(-2.0).exp().add_scalar(1.0)
}
