//! How fast a GPU multiplies, by shape: the tensor library's kernel and our own, in turn.

use burn::tensor::{Device, ExecutionError, Tensor, TensorData};
use twinbeam_gpt2::kernels::product::{Plan, Shape, by_operations, by_plan, choose, plans};

use crate::{DeviceKind, Error, Host};

/// Seconds that a timed row of products takes at least.
const LEAST_SECONDS: f64 = 0.04;

/// Products in a row, at most.
const MOST_PRODUCTS: usize = 1 << 12;

/// How often each kernel is timed; the median counts.
const ROUNDS: usize = 5;

/// Sizes `[m, k, n]` that were timed on an H200 before, then those of fewer prompts, then the bundled model's.
const SHAPES: [[usize; 3]; 14] = [
    [1792, 768, 3072],
    [1792, 3072, 768],
    [1792, 768, 2304],
    [1792, 768, 768],
    [7168, 768, 3072],
    [4096, 4096, 4096],
    [364, 768, 3072],
    [364, 3072, 768],
    [119, 768, 2304],
    [17, 768, 3072],
    [512, 128, 512],
    [512, 512, 128],
    [119, 128, 384],
    [7, 128, 512],
];

/// What a software adapter computes in a moment.
const SMALL_SHAPES: [[usize; 3]; 4] =
    [[119, 128, 384], [119, 128, 512], [34, 1024, 128], [7, 128, 512]];

/// One kernel on one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductSpeed {
    /// What it is, in a few words.
    pub kernel: String,
    /// Median time of one product.
    pub seconds: f64,
    /// Whether it is the one that a model's products of this shape take.
    pub is_taken: bool,
}

/// All kernels on one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductRow {
    /// Rows of the first operand, what is summed over, columns of the second.
    pub shape: [usize; 3],
    /// Whether the second operand is read by its transpose, as the backward pass does.
    pub transposed: bool,
    /// Floating-point operations.
    pub operations: f64,
    /// The library's first.
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

/// Which kernel.
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
    for kernel in &kernels {
        operands.run(host, *kernel, 1).await?;
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

    /// Seconds of so many products and one read.
    async fn run(&self, host: &impl Host, kernel: Kernel, count: usize) -> Result<f64, Error> {
        let failed = |source: ExecutionError| Error::Device(source.to_string());
        let begun = host.seconds();
        let product = || match kernel {
            Kernel::Library => by_operations(self.lhs.clone(), self.rhs.clone(), None),
            Kernel::Own(plan) => by_plan(self.lhs.clone(), self.rhs.clone(), plan),
        };
        let mut last = product();
        for _ in 1..count {
            last = product();
        }
        last.slice([0..1, 0..1]).into_data_async().await.map_err(failed)?;
        Ok(host.seconds() - begun)
    }
}
