//! How fast a GPU multiplies, by shape: the tensor library's kernel and our own, in turn.

use burn::tensor::{Device, ExecutionError, Tensor, TensorData};
use twinbeam_gpt2::kernels::product::{Plan, Shape, by_operations, by_plan, choose, plans};

use crate::check::{distance, largest};
use crate::{DeviceKind, Error, Host};

/// Seconds that a timed row of products takes at least.
const LEAST_SECONDS: f64 = 0.01;

/// Products in a row, at most.
const MOST_PRODUCTS: usize = 1 << 12;

/// How often each kernel is timed; the median counts.
const ROUNDS: usize = 3;

/// Most that a kernel may be off another, as a part of the largest number: more is another product.
const MOST_OFF: f32 = 1e-4;

/// Sizes `[m, k, n]` that were timed on an H200 before, then those of fewer prompts, then the bundled model's.
const SHAPES: [[usize; 3]; 16] = [
    [2667, 768, 3072],
    [2667, 3072, 768],
    [2667, 768, 2304],
    [2667, 768, 768],
    [364, 768, 3072],
    [364, 3072, 768],
    [364, 768, 2304],
    [364, 768, 768],
    [1792, 768, 3072],
    [7168, 768, 3072],
    [7168, 3072, 768],
    [52, 768, 3072],
    [52, 3072, 768],
    [7, 3072, 768],
    [2, 768, 50257],
    [364, 128, 512],
];

/// Sizes `[m, k, n]` that a software adapter computes in a moment.
const SMALL_SHAPES: [[usize; 3]; 4] =
    [[119, 128, 384], [119, 128, 512], [34, 1024, 128], [7, 128, 512]];

/// The time of one kernel on one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductSpeed {
    /// The kernel in a few words.
    pub kernel: String,
    /// Median time of one product.
    pub seconds: f64,
    /// Whether the kernel is the one that a model's products of this shape take.
    pub is_taken: bool,
}

/// The times of all kernels on one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductRow {
    /// Rows of the first operand, what is summed over, columns of the second.
    pub shape: [usize; 3],
    /// Whether the second operand is read by its transpose, as the backward pass does.
    pub transposed: bool,
    /// Floating-point operations of one product.
    pub operations: f64,
    /// Times of all kernels, the tensor library's first.
    pub speeds: Vec<ProductSpeed>,
}

/// Times products on a GPU; few and small ones where it is a program on the CPU, whose times mean nothing. Each row
/// goes to `show` as soon as it is complete.
///
/// # Errors
/// A device that is no GPU or fails, or a clock that stands still.
pub async fn bench_products(
    device: &DeviceKind,
    host: &impl Host,
    mut show: impl FnMut(&ProductRow),
) -> Result<(), Error> {
    if !device.report().gpu {
        return Err(Error::Device("products are timed on a GPU".to_owned()));
    }
    let shapes: &[_] = if device.is_software() { &SMALL_SHAPES } else { &SHAPES };
    for shape in shapes {
        for transposed in [false, true] {
            show(&row(device.device(), host, *shape, transposed).await?);
        }
    }
    Ok(())
}

/// A kernel that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kernel {
    Library,
    Own(Plan),
}

async fn row(
    device: &Device,
    host: &impl Host,
    shape: [usize; 3],
    transposed: bool,
) -> Result<ProductRow, Error> {
    let [m, k, n] = shape;
    let operands = Operands::new(device, shape, transposed);
    let shape = Shape { m, k, n };
    let own = plans(shape).into_iter().map(Kernel::Own);
    let kernels: Vec<Kernel> = std::iter::once(Kernel::Library).chain(own).collect();
    let taken = choose(shape).map_or(Kernel::Library, Kernel::Own);
    // The first time of each compiles its pipeline.
    let mut repeats = Vec::new();
    let expected = operands.last_row(Kernel::Library).await?;
    for kernel in &kernels {
        let off = distance(&expected, &operands.last_row(*kernel).await?, largest(&expected));
        if off.is_nan() || off > MOST_OFF {
            let what = format!("{kernel:?} of {shape:?} is off by {off:.1e} of the library's");
            return Err(Error::Device(what));
        }
        let mut count = 1;
        while operands.run(host, *kernel, count).await? < LEAST_SECONDS {
            if count >= MOST_PRODUCTS {
                return Err(Error::Device("the clock stands still".to_owned()));
            }
            count *= 2;
        }
        repeats.push(count);
    }
    let mut times = vec![Vec::new(); kernels.len()];
    for _ in 0..ROUNDS {
        for ((kernel, count), times) in kernels.iter().zip(&repeats).zip(&mut times) {
            times.push(operands.run(host, *kernel, *count).await? / *count as f64);
        }
    }
    let speeds = kernels.into_iter().zip(times).map(|(kernel, mut times)| {
        times.sort_by(f64::total_cmp);
        let name = match kernel {
            Kernel::Library => "cubek".to_owned(),
            Kernel::Own(plan) => plan.to_string(),
        };
        ProductSpeed { kernel: name, seconds: times[ROUNDS / 2], is_taken: kernel == taken }
    });
    Ok(ProductRow {
        shape: [m, k, n],
        transposed,
        operations: shape.operations(),
        speeds: speeds.collect(),
    })
}

struct Operands {
    lhs: Tensor<2>,
    rhs: Tensor<2>,
}

impl Operands {
    fn new(device: &Device, [m, k, n]: [usize; 3], transposed: bool) -> Self {
        let tensor = |rows: usize, columns: usize| {
            let values: Vec<f32> = (0..rows * columns).map(|i| (i % 7) as f32 - 3.0).collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), device)
        };
        let rhs = if transposed { tensor(n, k).transpose() } else { tensor(k, n) };
        Self { lhs: tensor(m, k), rhs }
    }

    fn product(&self, kernel: Kernel) -> Tensor<2> {
        let (lhs, rhs) = (self.lhs.clone(), self.rhs.clone());
        match kernel {
            Kernel::Library => by_operations(lhs, rhs, None),
            Kernel::Own(plan) => by_plan(lhs, rhs, plan),
        }
    }

    /// Last row of the product, where a tile may be cut off.
    async fn last_row(&self, kernel: Kernel) -> Result<Vec<f32>, Error> {
        let product = self.product(kernel);
        let [m, n] = product.dims();
        let row = product.slice([m - 1..m, 0..n]).into_data_async().await;
        Ok(row.map_err(failed)?.iter::<f32>().collect())
    }

    /// Seconds of so many products and one read.
    async fn run(&self, host: &impl Host, kernel: Kernel, count: usize) -> Result<f64, Error> {
        let begun = host.seconds();
        let mut last = self.product(kernel);
        for _ in 1..count {
            last = self.product(kernel);
        }
        last.slice([0..1, 0..1]).into_data_async().await.map_err(failed)?;
        Ok(host.seconds() - begun)
    }
}

fn failed(source: ExecutionError) -> Error {
    Error::Device(source.to_string())
}
