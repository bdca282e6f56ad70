//! The product against its definition in double precision, natively and in a browser.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Shape, backend, by_operations, choose, product};
use crate::kernels::trial::Difference;

/// Sizes `[m, k, n]`: one row and one column, what the library takes, each tile alone and cut off, one more and one
/// less than tiles, sizes that are read number by number, and `k` in parts.
const SHAPES: [[usize; 3]; 16] = [
    [1, 64, 64],
    [64, 64, 1],
    [3, 5, 7],
    [7, 128, 384],
    [8, 4, 8],
    [9, 5, 11],
    [63, 65, 67],
    [64, 16, 64],
    [65, 20, 68],
    [34, 128, 512],
    [61, 1024, 64],
    [33, 1030, 66],
    [10, 1540, 260],
    [1409, 8, 1412],
    [1530, 9, 1535],
    [119, 768, 132],
];

/// A product of GPT-2 small.
const LARGE: [[usize; 3]; 1] = [[119, 768, 3072]];

/// The worst difference of values and gradients from the definition in double precision on the CPU, as a share of the
/// largest number; by what was computed.
///
/// # Errors
/// A device that no kernel of ours is for; a result that depends on whether gradients are asked for, or on where in a
/// batch a row stands, which a score that is exactly 0 rests on.
pub async fn trial(device: &Device) -> Result<Vec<Difference>, String> {
    let one = Tensor::<2>::zeros([1, 1], device);
    if !backend::takes(&one, &one, None) {
        return Err(format!("no product of ours is for {device:?}"));
    }
    let mut differences = Vec::new();
    for shape in SHAPES.into_iter().chain(LARGE) {
        for transposed in [false, true] {
            for bias in [false, true] {
                let [m, k, n] = shape;
                let name = format!(
                    "{m} x {k} x {n}{}{}",
                    if transposed { ", transposed" } else { "" },
                    if bias { ", bias" } else { "" }
                );
                let case = Case::new(shape, transposed, bias);
                let (expected, expected_slope) =
                    case.run(&Device::flex(), DType::F64, by_operations).await;
                let (value, slope) = case.run(device, DType::F32, product).await;
                let plain = case.value(device, DType::F32, product);
                if numbers(plain).await != value {
                    return Err(format!("{name} is another with gradients than without"));
                }
                let is_own = choose(Shape { m, k, n }).is_some();
                if is_own && value[..n] != value[(m - 1) * n..] {
                    return Err(format!("{name}: equal rows are not equal wherever they stand"));
                }
                for (what, got, expected) in
                    [("value", &value, &expected), ("slope", &slope, &expected_slope)]
                {
                    let name = format!("{what} of product {name}");
                    let (worst, compared) = (off(got, expected), got.len());
                    differences.push(Difference { name, worst, compared });
                }
            }
        }
    }
    Ok(differences)
}

type Product = fn(Tensor<2>, Tensor<2>, Option<Tensor<1>>) -> Tensor<2>;

/// Numbers of one product, and of what its result is weighed with.
struct Case {
    x: TensorData,
    weight: TensorData,
    bias: Option<TensorData>,
    weighing: TensorData,
    transposed: bool,
}

impl Case {
    fn new([m, k, n]: [usize; 3], transposed: bool, bias: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(15);
        let mut random = |shape: &[usize]| {
            let count = shape.iter().product();
            let numbers: Vec<f32> = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
            TensorData::new(numbers, shape.to_vec())
        };
        let mut x = random(&[m, k]);
        // The first and the last row are equal.
        if let Ok(numbers) = x.as_mut_slice::<f32>() {
            numbers.copy_within(..k, (m - 1) * k);
        }
        Self {
            x,
            weight: random(&if transposed { [n, k] } else { [k, n] }),
            bias: bias.then(|| random(&[n])),
            weighing: random(&[m, n]),
            transposed,
        }
    }

    fn operands(&self, device: &Device, dtype: DType) -> (Tensor<2>, Tensor<2>, Option<Tensor<1>>) {
        let options = || (device, dtype);
        let weight = Tensor::<2>::from_data(self.weight.clone(), options());
        let weight = if self.transposed { weight.transpose() } else { weight };
        let bias = self.bias.clone().map(|bias| Tensor::from_data(bias, options()));
        (Tensor::from_data(self.x.clone(), options()), weight, bias)
    }

    fn value(&self, device: &Device, dtype: DType, product: Product) -> Tensor<2> {
        let (x, weight, bias) = self.operands(device, dtype);
        product(x, weight, bias)
    }

    /// The product, and the gradient of its weighed sum by `x`.
    async fn run(&self, device: &Device, dtype: DType, product: Product) -> (Vec<f64>, Vec<f64>) {
        let (x, weight, bias) = self.operands(device, dtype);
        let x = x.autodiff().require_grad();
        let value = product(x.clone(), weight, bias);
        let weighing = Tensor::<2>::from_data(self.weighing.clone(), (device, dtype)).autodiff();
        let gradients = (value.clone() * weighing).sum().backward();
        let slope = x.grad(&gradients).expect("a leaf has one");
        (numbers(value.inner()).await, numbers(slope).await)
    }
}

async fn numbers(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data_async().await.expect("a read").iter::<f64>().collect()
}

/// The worst difference as a share of the largest number that is expected.
fn off(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let differences = got.iter().zip(expected).map(|(got, expected)| (got - expected).abs());
    // A NaN is no number's equal, and `max` would pass over it.
    let worst = differences.fold(0.0_f64, |worst, x| if x <= worst { worst } else { x });
    worst / largest
}

#[cfg(test)]
mod tests {
    use super::super::{by_plan, plans};
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
        let differences = pollster::block_on(trial(&device)).expect("a GPU, if only a program");
        assert_eq!(differences.len(), 2 * 4 * (SHAPES.len() + LARGE.len()));
        for Difference { name, worst: off, .. } in differences {
            assert!(off < 3e-6, "{name} is off by {off:e}");
        }
    }

    #[test]
    fn every_way_gives_the_same_whatever_is_chosen() {
        let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
        for [m, k, n] in [[1, 64, 65], [7, 1030, 66], [65, 1540, 68], [130, 36, 260]] {
            for transposed in [false, true] {
                let case = Case::new([m, k, n], transposed, false);
                let expected = case.value(&Device::flex(), DType::F64, by_operations);
                let expected = pollster::block_on(numbers(expected));
                for plan in plans(Shape { m, k, n }) {
                    let (x, weight, _) = case.operands(&device, DType::F32);
                    let got = pollster::block_on(numbers(by_plan(x, weight, plan)));
                    let off = off(&got, &expected);
                    assert!(off < 3e-6, "{m} x {k} x {n}, {transposed}, {plan}: off by {off:e}");
                }
            }
        }
    }

    #[test]
    fn a_cpu_is_refused() {
        assert!(pollster::block_on(trial(&Device::flex())).is_err());
    }
}
