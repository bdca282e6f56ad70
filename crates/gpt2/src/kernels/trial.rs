//! Every kernel against its plain definition in double precision, value and gradient: what tests ask for, natively and in a
//! browser.

use burn::tensor::{DType, Device, Int, Tensor, TensorCreationOptions, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Inputs, Joined, Norm, activate, add, attention, device, gain, head_results, heads, join,
    layer_norm, product,
};
use crate::Activation;

/// Most that a kernel may be off, as a part of the largest number of its list. Single precision rounds by 6e-8 of a number; sums
/// of some hundred of them, one after the other, add up to some ten times that, and a softmax or a normalisation passes it on.
pub const KERNEL_TOLERANCE: f64 = 1e-5;

/// How far a kernel was from its definition.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The kernel, what it was given, and what of it was compared.
    pub name: String,
    /// The largest difference, as a part of the largest number of its list.
    pub worst: f64,
    /// Numbers that were compared.
    pub compared: usize,
}

/// Numbers with three axes that are given to a kernel.
#[derive(Clone)]
struct Given {
    shape: [usize; 3],
    values: Vec<f32>,
    /// Whether the gradient of these numbers is compared.
    moves: bool,
}

/// A kernel and its definition.
struct Case<'a> {
    name: String,
    given: Vec<Given>,
    kernel: &'a dyn Fn(&[Tensor<3>]) -> Tensor<3>,
    definition: &'a dyn Fn(&[Tensor<3>]) -> Tensor<3>,
}

/// Differences of all kernels on a device, for many shapes.
///
/// # Errors
/// A device whose numbers no kernel takes, or that fails.
pub async fn trial(device: &Device) -> Result<Vec<Difference>, String> {
    if !device::takes(&Tensor::<1>::zeros([1], device)) {
        return Err(format!("no kernel takes numbers of {device:?}"));
    }
    let mut trial = Trial { device, numbers: ChaCha8Rng::seed_from_u64(3), found: Vec::new() };
    trial.layer_norms().await?;
    trial.activations().await?;
    trial.sums().await?;
    trial.attentions().await?;
    trial.gains().await?;
    trial.joins().await?;
    trial.heads().await?;
    trial.found.extend(product::trial(device).await?);
    Ok(trial.found)
}

struct Trial<'a> {
    device: &'a Device,
    numbers: ChaCha8Rng,
    found: Vec<Difference>,
}

/// One axis of three.
fn flat(x: &Tensor<3>) -> Tensor<1> {
    x.clone().flatten(0, 2)
}

impl Trial<'_> {
    async fn layer_norms(&mut self) -> Result<(), String> {
        let shapes = [[1, 1, 32], [3, 7, 33], [40, 3, 128], [2, 17, 768], [1, 64, 96]];
        for shape @ [_, _, d_model] in shapes {
            for last_only in [false, true] {
                let given = vec![
                    self.moving(shape, 3.0),
                    self.fixed([1, 1, d_model], 1.0),
                    self.fixed([1, 1, d_model], 1.0),
                ];
                // The end of a run normalises the last position only, which is no piece of memory by itself.
                let seen = |x: &Tensor<3>| {
                    let [_, pos, _] = x.dims();
                    if last_only { x.clone().narrow(1, pos - 1, 1) } else { x.clone() }
                };
                let kernel =
                    |x: &[Tensor<3>]| layer_norm(seen(&x[0]), &flat(&x[1]), &flat(&x[2]), 1e-5);
                let definition = |x: &[Tensor<3>]| {
                    layer_norm::by_operations(seen(&x[0]), &flat(&x[1]), &flat(&x[2]), 1e-5)
                };
                let name = format!("layer_norm {shape:?}, last only: {last_only}");
                self.compare(Case { name, given, kernel: &kernel, definition: &definition })
                    .await?;
            }
        }
        Ok(())
    }

    async fn activations(&mut self) -> Result<(), String> {
        for name in ["gelu_new", "gelu", "relu"] {
            let Some(act) = Activation::from_name(name) else {
                return Err(format!("no function is called {name}"));
            };
            for (shape, size) in [([1, 1, 128], 1.0), ([5, 7, 130], 4.0), ([2, 3, 3072], 30.0)] {
                let [batch, pos, width] = shape;
                let given = vec![self.moving(shape, size), self.fixed([1, 1, width], 0.5)];
                let kernel = |x: &[Tensor<3>]| {
                    let product = x[0].clone().reshape([batch * pos, width]);
                    activate(product, &flat(&x[1]), act, [batch, pos])
                };
                let definition = |x: &[Tensor<3>]| act.apply(x[0].clone() + x[1].clone());
                let name = format!("{name} {shape:?}");
                self.compare(Case { name, given, kernel: &kernel, definition: &definition })
                    .await?;
            }
        }
        Ok(())
    }

    async fn heads(&mut self) -> Result<(), String> {
        for [batch, pos, n_heads, d_head] in [[1, 7, 12, 64], [3, 2, 5, 7], [1, 1, 2, 130]] {
            let d_model = n_heads * d_head;
            let given = vec![
                self.fixed([batch, pos, d_model], 2.0),
                self.fixed([1, d_model, d_model], 1.0),
            ];
            let results = |x: &[Tensor<3>], of: fn(Tensor<4>, Tensor<2>) -> Tensor<4>| {
                let z = x[0].clone().reshape([batch, pos, n_heads, d_head]);
                let weight = x[1].clone().reshape([d_model, d_model]);
                of(z, weight).reshape([batch, n_heads * pos, d_model])
            };
            let kernel = |x: &[Tensor<3>]| results(x, head_results);
            let definition = |x: &[Tensor<3>]| results(x, heads::by_operations);
            let name = format!("head_results {:?}", [batch, pos, n_heads, d_head]);
            self.compare(Case { name, given, kernel: &kernel, definition: &definition }).await?;
        }
        Ok(())
    }

    async fn sums(&mut self) -> Result<(), String> {
        for ([batch, all, width], pos) in
            [([1, 1, 32], 1), ([40, 7, 128], 7), ([3, 9, 768], 1), ([2, 64, 33], 5)]
        {
            let given = vec![
                self.moving([batch, all, width], 2.0),
                self.moving([batch, pos, width], 1.0),
                self.fixed([1, 1, width], 0.5),
            ];
            let kernel = |x: &[Tensor<3>]| {
                let product = x[1].clone().reshape([batch * pos, width]);
                add(x[0].clone(), (pos < all).then_some(pos), product, &flat(&x[2]))
            };
            let definition = |x: &[Tensor<3>]| {
                x[0].clone().narrow(1, all - pos, pos) + (x[1].clone() + x[2].clone())
            };
            let name = format!("add [{batch}, {pos} of {all}, {width}]");
            self.compare(Case { name, given, kernel: &kernel, definition: &definition }).await?;
        }
        Ok(())
    }

    async fn attentions(&mut self) -> Result<(), String> {
        // Rows, positions, queries, heads, numbers per head, positions of the prefix.
        let sizes = [
            [1, 1, 1, 1, 32, 0],
            [1, 1, 1, 2, 16, 9],
            [40, 7, 7, 8, 16, 10],
            [3, 5, 1, 8, 16, 11],
            [2, 17, 17, 3, 11, 0],
            [2, 64, 64, 2, 64, 0],
            [2, 64, 3, 2, 64, 31],
            [1, 7, 7, 12, 64, 10],
            [1, 3, 2, 1, 128, 200],
        ];
        for [batch, pos, queries, n_heads, d_head, before] in sizes {
            let width = 3 * n_heads * d_head;
            let given = vec![
                self.moving([batch, pos, width], 1.5),
                self.fixed([1, 1, width], 0.5),
                // Cached keys are of several runs and all positions, of which the first are taken.
                self.fixed([2, before + 2, n_heads * d_head], 1.0),
                self.fixed([2, before + 2, n_heads * d_head], 1.0),
            ];
            let attend = |x: &[Tensor<3>], by: &dyn Fn(&Inputs<'_>) -> Tensor<3>| {
                let part = |cached: &Tensor<3>| {
                    let heads = cached.clone().reshape([2, before + 2, n_heads, d_head]);
                    heads.narrow(0, 0, 1).narrow(1, 0, before.max(1)).swap_dims(1, 2)
                };
                let prefix = [part(&x[2]), part(&x[3])];
                by(&Inputs {
                    product: x[0].clone(),
                    bias: &flat(&x[1]),
                    before: (before > 0).then_some(&prefix),
                    n_heads,
                    queries,
                    scale: 1.0 / (d_head as f64).sqrt(),
                })
            };
            let kernel = |x: &[Tensor<3>]| {
                // No number: a size that should fit and does not would be no comparison.
                let nothing =
                    || Tensor::full([batch, queries, width / 3], f32::NAN, &x[0].device());
                attend(x, &|inputs| attention(inputs).unwrap_or_else(nothing))
            };
            let definition = |x: &[Tensor<3>]| attend(x, &attention::by_operations);
            let name = format!(
                "attention [{batch}, {queries} of {pos}], {n_heads} heads of {d_head} after {before}"
            );
            self.compare(Case { name, given, kernel: &kernel, definition: &definition }).await?;
        }
        Ok(())
    }

    async fn gains(&mut self) -> Result<(), String> {
        for [batch, pos, d_model] in [[1, 1, 32], [2, 7, 33], [40, 3, 128], [5, 2, 768]] {
            let given = vec![
                self.moving([batch, pos, d_model], 3.0),
                self.fixed([1, 1, d_model], 1.0),
                self.fixed([1, 1, d_model], 1.0),
                self.fixed([1, 1, d_model], 1.0),
            ];
            let gained =
                |x: &[Tensor<3>], by: &dyn Fn(Tensor<3>, &Norm<'_>, &Tensor<2>) -> Tensor<1>| {
                    let (weight, bias, epsilon) = (&flat(&x[1]), &flat(&x[2]), 1e-5);
                    // As the metric makes it, a row on its side.
                    let direction = x[3].clone().reshape([1, d_model]).transpose();
                    by(x[0].clone(), &Norm { weight, bias, epsilon }, &direction)
                        .reshape([batch, 1, 1])
                };
            let kernel = |x: &[Tensor<3>]| gained(x, &gain);
            let definition = |x: &[Tensor<3>]| gained(x, &gain::by_operations);
            let name = format!("gain [{batch}, {pos}, {d_model}]");
            self.compare(Case { name, given, kernel: &kernel, definition: &definition }).await?;
        }
        Ok(())
    }

    async fn joins(&mut self) -> Result<(), String> {
        for [n, all, pos, d_model, parts] in
            [[1, 1, 1, 32, 1], [9, 7, 7, 128, 8], [3, 5, 1, 33, 40]]
        {
            let given = vec![
                self.fixed([n, pos, d_model], 1.0),
                self.fixed([parts, all, d_model], 1.0),
                self.fixed([1, all, parts], 1.0),
                self.fixed([1, parts, d_model], 1.0),
            ];
            for is_whole in [true, false] {
                type Join<'a> = &'a dyn Fn(Tensor<3>, Joined<'_>, Tensor<1, Int>) -> Tensor<3>;
                let joined = |x: &[Tensor<3>], by: Join<'_>| {
                    let last_first: Vec<i32> = (0..(parts as u32).cast_signed()).rev().collect();
                    let ids = TensorData::from(last_first.as_slice());
                    let ids = Tensor::from_data(ids, &x[0].device());
                    let (numbers, directions) =
                        (x[2].clone().squeeze_dim(0), x[3].clone().squeeze_dim(0));
                    let parts = if is_whole {
                        Joined::Whole(&x[1])
                    } else {
                        Joined::Along(&numbers, &directions)
                    };
                    by(x[0].clone(), parts, ids)
                };
                let kernel = |x: &[Tensor<3>]| joined(x, &join);
                let definition = |x: &[Tensor<3>]| joined(x, &join::by_operations);
                let name =
                    format!("join {parts} to {n} [{pos} of {all}, {d_model}], whole: {is_whole}");
                let given = given.clone();
                self.compare(Case { name, given, kernel: &kernel, definition: &definition })
                    .await?;
            }
        }
        Ok(())
    }

    fn given(&mut self, shape: [usize; 3], size: f32, moves: bool) -> Given {
        let values = (0..shape.iter().product()).map(|_| self.numbers.random_range(-size..size));
        Given { shape, values: values.collect(), moves }
    }

    fn moving(&mut self, shape: [usize; 3], size: f32) -> Given {
        self.given(shape, size, true)
    }

    fn fixed(&mut self, shape: [usize; 3], size: f32) -> Given {
        self.given(shape, size, false)
    }

    async fn compare(&mut self, case: Case<'_>) -> Result<(), String> {
        let Case { name, given, kernel, definition } = case;
        let seed = self.numbers.random();
        let got = results(&given, kernel, self.device, DType::F32, seed).await?;
        let expected = results(&given, definition, &Device::flex(), DType::F64, seed).await?;
        for ((what, got), (_, expected)) in got.into_iter().zip(expected) {
            let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            let off = got.iter().zip(&expected).map(|(got, expected)| (got - expected).abs());
            // What is no number is as far off as can be.
            let worst =
                off.map(|off| if off.is_finite() { off } else { f64::MAX }).fold(0.0, f64::max);
            let worst = if worst == 0.0 { 0.0 } else { worst / largest };
            self.found.push(Difference {
                name: format!("{name}: {what}"),
                worst: if got.len() == expected.len() { worst } else { f64::MAX },
                compared: expected.len(),
            });
        }
        Ok(())
    }
}

/// The value of a function and the gradients of a random sum of it, each with its name.
async fn results(
    given: &[Given],
    function: &dyn Fn(&[Tensor<3>]) -> Tensor<3>,
    device: &Device,
    dtype: DType,
    seed: u64,
) -> Result<Vec<(String, Vec<f64>)>, String> {
    let numbers = |values: Vec<f32>, shape: [usize; 3]| {
        let options = TensorCreationOptions::new(device.clone()).with_dtype(dtype);
        Tensor::<3>::from_data(TensorData::new(values, shape), options)
    };
    let read = async |x: Tensor<3>| {
        let data = x.into_data_async().await.map_err(|error| format!("{error}"))?;
        Ok::<_, String>(data.iter::<f64>().collect::<Vec<f64>>())
    };
    let fixed = |given: &Given| numbers(given.values.clone(), given.shape);
    let plain: Vec<_> = given.iter().map(fixed).collect();
    let value = function(&plain);
    if given.iter().all(|given| !given.moves) {
        return Ok(vec![("value".to_owned(), read(value).await?)]);
    }
    let moving = |given: &Given| {
        let x = fixed(given);
        if given.moves { x.autodiff().require_grad() } else { x }
    };
    let inputs: Vec<_> = given.iter().map(moving).collect();
    let moved = function(&inputs);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let weights = (0..moved.shape().num_elements()).map(|_| random.random_range(-1.0..1.0));
    let weights = Tensor::from_inner(numbers(weights.collect(), moved.dims()));
    let gradients = (moved.clone() * weights).sum().backward();
    let mut all = vec![
        ("value".to_owned(), read(value).await?),
        ("value with gradients".to_owned(), read(moved.inner()).await?),
    ];
    for (number, (input, given)) in inputs.iter().zip(given).enumerate() {
        if given.moves {
            let gradient = input.grad(&gradients).ok_or("no gradient")?;
            all.push((format!("gradient {number}"), read(gradient).await?));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_their_definitions() {
        let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
        let found = pollster::block_on(trial(&device)).expect("a GPU, if only a program");
        for Difference { name, worst, compared } in &found {
            assert!(*worst <= KERNEL_TOLERANCE && *compared > 0, "{name}: {worst:e} of {compared}");
        }
        assert!(found.len() >= 100, "{}", found.len());
    }
}
