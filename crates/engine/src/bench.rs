//! How fast the methods run, as a share of what the device can do.

use burn::tensor::Tensor;
use twinbeam_attribution::{Error as MethodError, Nodes, Progress, RunPair, integrate, patch_some};
use twinbeam_core::{
    Bench, BenchPart, BenchRow, ComponentKind, DeviceReport, Direction, ModelShape, Steps,
};

use crate::{Error, Host, Model, Question};

/// Rows of the square matrices whose product shows the peak: large enough for it, and small enough that a
/// browser's worker hears Cancel.
const CPU_PRODUCT: usize = 512;
const GPU_PRODUCT: usize = 2048;

/// Seconds for which the peak is looked for, twice.
const PEAK_SECONDS: f64 = 0.3;

/// A part is done again until it has taken as many seconds, or so often.
const LEAST_SECONDS: f64 = 0.2;
const MOST_TIMES: u64 = 1000;

/// How much of each part is timed; the cost model says what the rest takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchPlan {
    /// Heads, neurons, or both.
    pub kinds: Vec<ComponentKind>,
    /// Layers that are integrated.
    pub ig_layers: Vec<usize>,
    /// Layers of which neurons are patched.
    pub neuron_layers: Vec<usize>,
    /// How many neurons of each of them.
    pub n_neurons: usize,
}

impl BenchPlan {
    /// A few seconds on a CPU for GPT-2 small.
    pub fn small(shape: &ModelShape) -> Self {
        let middle = vec![shape.n_layers / 2];
        Self {
            kinds: ComponentKind::ALL.to_vec(),
            ig_layers: middle.clone(),
            neuron_layers: middle,
            n_neurons: shape.d_mlp.min(64),
        }
    }

    /// All heads, and all neurons of four layers from the first to the last.
    pub fn large(shape: &ModelShape) -> Self {
        let last = shape.n_layers - 1;
        let mut spread: Vec<usize> = (0..4).map(|part| part * last / 3).collect();
        spread.dedup();
        Self {
            kinds: ComponentKind::ALL.to_vec(),
            ig_layers: (0..shape.n_layers).collect(),
            neuron_layers: spread,
            n_neurons: shape.d_mlp,
        }
    }
}

/// Times the methods on a question, in the noising direction. Nothing is compared with the CPU here: the
/// results are thrown away.
///
/// # Errors
/// As [`crate::run()`].
pub async fn bench(
    model: &Model,
    device: &DeviceReport,
    question: &Question,
    plan: &BenchPlan,
    host: &mut impl Host,
) -> Result<Bench, Error> {
    let Question { tokens, answers, metric, .. } = question;
    let (shape, direction) = (model.shape(), Direction::Noising);
    let layers = || 0..shape.n_layers;
    let product = if device.gpu { GPU_PRODUCT } else { CPU_PRODUCT };
    let mut best = peak(model, product, host).await?;
    let pair = RunPair::new(&model.gpt2, tokens, answers.clone(), *metric).await?;
    let pair = pair.within(model.budget);
    let nodes = question.nodes(&pair);
    let cost = *pair.cost();
    let mut rows = Vec::new();
    for kind in plan.kinds.iter().copied() {
        let (patched, width) = match kind {
            ComponentKind::Heads => (layers().collect(), shape.n_heads),
            ComponentKind::Neurons => (plan.neuron_layers.clone(), plan.n_neurons.min(shape.d_mlp)),
        };
        let components: Vec<(usize, usize)> = patched
            .into_iter()
            .flat_map(|layer| (0..width).map(move |index| (layer, index)))
            .collect();
        // Once for nothing: a GPU compiles its kernels when it first needs them.
        let mut counter = Counter { host, flops: 0 };
        integrate(&pair, kind, 0, direction, Nodes::Fixed(1), &mut counter).await?;
        patch_some(&pair, kind, &components[..1], direction, &mut counter).await?;

        let mut counter = Counter { host, flops: 0 };
        let mut points = 0;
        let mut timer = Timer::start(counter.host);
        while timer.goes_on(counter.host) {
            points = 0;
            for layer in &plan.ig_layers {
                let integral = integrate(&pair, kind, *layer, direction, nodes, &mut counter);
                points += integral.await?.n_steps;
            }
        }
        // The layers that are not timed take as many points as those that are.
        let points = points.div_ceil(plan.ig_layers.len().max(1));
        let n = if let Steps::Fixed(n) = question.n_steps { n + 2 } else { points };
        let all_flops = layers().map(|layer| cost.points(kind, layer, n, false)).sum();
        rows.push(timer.row(BenchPart::Ig(kind), counter.flops, all_flops));

        counter.flops = 0;
        let mut timer = Timer::start(counter.host);
        while timer.goes_on(counter.host) {
            for components in components.chunks(pair.patched_at_once()) {
                patch_some(&pair, kind, components, direction, &mut counter).await?;
            }
        }
        let all_flops = layers().map(|layer| cost.patch(kind, layer)).sum();
        rows.push(timer.row(BenchPart::Ap(kind), counter.flops, all_flops));
    }
    // A machine's speed wanders, and a share of more than all says nothing.
    best = best.max(peak(model, product, host).await?);
    Ok(Bench {
        device: device.clone(),
        shape: *shape,
        n_pos: tokens.n_pos(),
        first_difference: tokens.first_difference(),
        n_steps: question.n_steps,
        product,
        peak: best,
        rows,
    })
}

/// Operations per second of the fastest of some products of square matrices with `n` rows.
async fn peak(model: &Model, n: usize, host: &mut impl Host) -> Result<f64, Error> {
    let values: Vec<f32> = (0..n * n).map(|i| (i % 7) as f32).collect();
    let factor = model.gpt2.vector(&values).reshape([n, n]);
    let failed = |source: burn::tensor::ExecutionError| Error::Device(source.to_string());
    let (begun, mut best, mut products) = (host.seconds(), 0.0_f64, 1);
    loop {
        let before = host.seconds();
        let mut sum: Tensor<2> = factor.clone();
        for _ in 0..products {
            sum = factor.clone().matmul(sum);
        }
        sum.narrow(0, 0, 1).into_data_async().await.map_err(failed)?;
        let now = host.seconds();
        let flops = 2.0 * (n * n * n * products) as f64;
        best = best.max(flops / (now - before));
        host.pause().await;
        if host.cancelled() {
            return Err(MethodError::Cancelled.into());
        }
        if now - begun > PEAK_SECONDS {
            return Ok(best);
        }
        // A GPU answers in milliseconds: what is timed should be longer than that.
        if now - before < PEAK_SECONDS / 8.0 {
            products *= 2;
        }
    }
}

/// Times a part of a job, as often as it takes to be longer than the clock is coarse.
struct Timer {
    begun: f64,
    seconds: f64,
    times: u64,
}

impl Timer {
    fn start(host: &impl Host) -> Self {
        Self { begun: host.seconds(), seconds: 0.0, times: 0 }
    }

    /// Whether the part is to be done once more.
    fn goes_on(&mut self, host: &impl Host) -> bool {
        self.seconds = host.seconds() - self.begun;
        let is_long = self.times > 0 && (self.seconds >= LEAST_SECONDS || self.times >= MOST_TIMES);
        self.times += u64::from(!is_long);
        !is_long
    }

    /// Of once.
    fn row(&self, part: BenchPart, flops: u64, all_flops: u64) -> BenchRow {
        let seconds = self.seconds / self.times as f64;
        BenchRow { part, seconds, flops: flops / self.times, all_flops }
    }
}

/// Counts the work that is done.
struct Counter<'host, H> {
    host: &'host mut H,
    flops: u64,
}

impl<H: Host> Progress for Counter<'_, H> {
    async fn advance(&mut self, units: u64) -> Result<(), MethodError> {
        self.flops += units;
        self.host.pause().await;
        if self.host.cancelled() { Err(MethodError::Cancelled) } else { Ok(()) }
    }
}
