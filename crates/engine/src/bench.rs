//! How fast the methods run, as a share of what the device can do.

use burn::tensor::Tensor;
use twinbeam_attribution::{
    Advance, Error as MethodError, Load, Nodes, Pace, Progress, ReadBack, RunPair, estimate_edges,
    integrate, patch_edges, patch_some,
};
use twinbeam_core::circuits::Graph;
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::Event;
use twinbeam_core::wire::devices::{Bench, BenchPart, BenchRow, DeviceReport};
use twinbeam_core::words::{
    Answers, Component, ComponentKind, Direction, Metric, Phase, PromptError, Steps, TokenPair,
};

use crate::reader::Reader;
use crate::{Error, Host, Model, Question};

/// Tokens of each prompt that is timed where nobody names one, as many as the notebook's pair has
/// (docs/METHODS.md#the-notebook), and the first that differs.
const TOKENS: usize = 17;
const DIFFERENT: usize = 10;

/// Rows of the square matrices whose product shows the peak: large enough for it, and small enough that a
/// browser's worker hears Cancel.
const CPU_PRODUCT: usize = 512;
const GPU_PRODUCT: usize = 2048;

/// Points at which gradients of edges are timed.
const ESTIMATED: usize = 12;

/// Seconds for which the peak is looked for, twice.
const PEAK_SECONDS: f64 = 0.3;

/// Seconds below which a time is not believed: browsers make their clocks coarse.
const LEAST_TIMED: f64 = 0.04;
const MOST_PRODUCTS: usize = 1 << 14;

/// Seconds, and then times, that a part is done again until it has taken.
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
    /// Neurons of each of these layers.
    pub n_neurons: usize,
    /// Edges that are patched, about.
    pub n_edges: usize,
}

impl BenchPlan {
    /// A plan that takes about a quarter of a minute in a browser for GPT-2 small on a CPU.
    pub fn small(shape: &ModelShape) -> Self {
        let middle = vec![shape.n_layers / 2];
        Self {
            kinds: ComponentKind::ALL.to_vec(),
            ig_layers: middle.clone(),
            neuron_layers: middle,
            n_neurons: shape.d_mlp.min(64),
            n_edges: Graph::new(shape).n_edges().min(64),
        }
    }

    /// A plan of all heads, and all neurons of four layers from the first to the last.
    pub fn large(shape: &ModelShape) -> Self {
        let last = shape.n_layers - 1;
        let mut spread: Vec<usize> = (0..4).map(|part| part * last / 3).collect();
        spread.dedup();
        Self {
            kinds: ComponentKind::ALL.to_vec(),
            ig_layers: (0..shape.n_layers).collect(),
            neuron_layers: spread,
            n_neurons: shape.d_mlp,
            n_edges: Graph::new(shape).n_edges().div_ceil(8),
        }
    }
}

/// A question in token ids of the size of the notebook's (docs/METHODS.md#the-notebook): 17 tokens, of which the
/// eleventh differs, or as many as the model reads.
///
/// # Errors
/// A model with a single token: nothing can differ.
pub fn bench_question(model: &Model, n_steps: Steps) -> Result<Question, PromptError> {
    bench_question_of(model.shape(), n_steps)
}

fn bench_question_of(shape: &ModelShape, n_steps: Steps) -> Result<Question, PromptError> {
    let n_pos = TOKENS.min(shape.n_ctx);
    // A small vocabulary begins anew.
    let id = |number: usize| (number % shape.d_vocab) as u32;
    let clean: Vec<u32> = (0..n_pos).map(id).collect();
    let mut corrupted = clean.clone();
    let place = DIFFERENT * n_pos / TOKENS;
    let others = [id(TOKENS), id(TOKENS + 1)];
    corrupted[place] = if others[0] == clean[place] { others[1] } else { others[0] };
    let tokens = TokenPair::new(clean, corrupted, shape)?;
    let answers = Answers::new(vec![id(TOKENS + 1)], vec![id(TOKENS + 2)], shape)?;
    // A draft may ask for what is not offered; the speed is that of what is.
    let n_steps = if n_steps.is_possible() { n_steps } else { Steps::AUTO };
    Ok(Question { tokens, answers, metric: Metric::LogitDiff, n_steps })
}

/// Times the methods on a question, in the noising direction. Nothing is compared with the CPU here: the
/// results are thrown away.
///
/// # Errors
/// [`MethodError::Cancelled`] when the host wants it, a device that fails, results that are not finite.
pub async fn bench(
    model: &Model,
    device: &DeviceReport,
    question: &Question,
    plan: &BenchPlan,
    job: u64,
    host: &mut impl Host,
) -> Result<Bench, Error> {
    let reader = Reader::new(model.watch.begin(), host.seconds());
    let mut counter = Counter { host, job, flops: 0, reader };
    // Boxed: all parts in a row make a large future.
    let bench = Box::pin(parts(model, device, question, plan, &mut counter)).await;
    counter.reader.settle(bench).await
}

async fn parts<H: Host>(
    model: &Model,
    device: &DeviceReport,
    question: &Question,
    plan: &BenchPlan,
    counter: &mut Counter<'_, H>,
) -> Result<Bench, Error> {
    let tokens = &question.tokens;
    let (shape, direction) = (model.shape(), Direction::Noising);
    let layers = || 0..shape.n_layers;
    let product = if device.gpu { GPU_PRODUCT } else { CPU_PRODUCT };
    counter.tell();
    let mut best = peak(model, product, counter).await?;
    let pair = model.runs(question).await?;
    counter.advance(0).await?;
    let nodes = question.nodes(&pair);
    let cost = *pair.cost();
    let mut rows = Vec::new();
    for kind in plan.kinds.iter().copied() {
        let (patched, width) = match kind {
            ComponentKind::Heads => (layers().collect(), shape.n_heads),
            ComponentKind::Neurons => (plan.neuron_layers.clone(), plan.n_neurons.min(shape.d_mlp)),
        };
        let components: Vec<Component> =
            patched.into_iter().flat_map(|layer| kind.of_layer(layer, width)).collect();
        // Once for nothing: a GPU compiles its kernels when it first needs them.
        for layer in plan.ig_layers.iter().take(1) {
            integrate(&pair, kind, *layer, direction, Nodes::Fixed(1), counter).await?;
        }
        let some = components.len().min(pair.patched_at_once(&*counter));
        patch_some(&pair, &components[..some], direction, counter).await?;

        counter.flops = 0;
        let mut points = 0;
        let mut timer = Timer::start(counter.host);
        while timer.goes_on(counter.host) {
            points = 0;
            for layer in &plan.ig_layers {
                let integral = integrate(&pair, kind, *layer, direction, nodes, counter);
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
            for components in components.chunks(pair.patched_at_once(&*counter)) {
                patch_some(&pair, components, direction, counter).await?;
            }
        }
        let all_flops = layers().map(|layer| cost.patch(kind, layer)).sum();
        rows.push(timer.row(BenchPart::Ap(kind), counter.flops, all_flops));
    }
    rows.extend(edges(&pair, plan, question.expected_points(), counter).await?);
    // A machine's speed wanders, and a share of more than all says nothing.
    best = best.max(peak(model, product, counter).await?);
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

/// Estimates of all edges, from gradients at a few of `n` points, and path patching of some.
async fn edges<H: Host>(
    pair: &RunPair<'_>,
    plan: &BenchPlan,
    n: usize,
    counter: &mut Counter<'_, H>,
) -> Result<Vec<BenchRow>, Error> {
    let (direction, cost) = (Direction::Noising, pair.cost());
    if plan.n_edges == 0 {
        return Ok(Vec::new());
    }
    let graph = Graph::new(pair.shape());
    let some = spread(&graph, plan.n_edges);
    // Once for nothing, as above.
    estimate_edges(pair, direction, Nodes::Fixed(1), counter).await?;
    patch_edges(pair, &some[..some.len().min(2)], direction, counter).await?;

    counter.flops = 0;
    let mut timer = Timer::start(counter.host);
    while timer.goes_on(counter.host) {
        estimate_edges(pair, direction, Nodes::Fixed(ESTIMATED), counter).await?;
    }
    let estimated = timer.row(BenchPart::EstimateEdges, counter.flops, cost.edge_estimates(n));

    counter.flops = 0;
    let mut timer = Timer::start(counter.host);
    while timer.goes_on(counter.host) {
        for edges in some.chunks(pair.patched_at_once(&*counter)) {
            patch_edges(pair, edges, direction, counter).await?;
        }
    }
    let patched = timer.row(BenchPart::PatchEdges, counter.flops, cost.edges(0..graph.n_edges()));
    Ok(vec![estimated, patched])
}

/// Some edges, at least so many where there are: all from a sender into the heads of a layer, of senders and layers
/// spread over the model. So they are beside each other in the order in which all would be patched.
fn spread(graph: &Graph, n: usize) -> Vec<usize> {
    let ports = graph.n_ports();
    let first = |layer: usize| graph.first_of_layer(layer);
    let layers = 0..graph.n_layers();
    let groups: Vec<(usize, usize)> = layers
        .flat_map(|layer| (0..graph.n_read(first(layer))).map(move |sender| (layer, sender)))
        .collect();
    let wanted = n.div_ceil(ports).min(groups.len());
    let group = |i: usize| groups[i * groups.len() / wanted];
    (0..wanted)
        .map(group)
        .flat_map(|(layer, sender)| {
            (first(layer)..first(layer) + ports).map(move |reads| graph.offset(reads) + sender)
        })
        .collect()
}

/// Operations per second of the fastest of some products of square matrices with `n` rows.
async fn peak<H: Host>(
    model: &Model,
    n: usize,
    counter: &mut Counter<'_, H>,
) -> Result<f64, Error> {
    // Each row adds up to about 1, so that a product of many is of ordinary numbers.
    let values: Vec<f32> = (0..n * n).map(|i| (i % 7) as f32 / (3.0 * n as f32)).collect();
    let factor = model.gpt2.vector(&values).reshape([n, n]);
    let failed = |source: burn::tensor::ExecutionError| Error::Device(source.to_string());
    let (begun, mut best, mut products) = (counter.host.seconds(), 0.0_f64, 1);
    loop {
        let before = counter.host.seconds();
        let mut product: Tensor<2> = factor.clone();
        for _ in 0..products {
            product = factor.clone().matmul(product);
        }
        product.narrow(0, 0, 1).into_data_async().await.map_err(failed)?;
        let now = counter.host.seconds();
        let is_long = now - before >= LEAST_TIMED;
        counter.advance(0).await?;
        if is_long {
            best = best.max(2.0 * (n * n * n * products) as f64 / (now - before));
        } else if products >= MOST_PRODUCTS {
            return Err(Error::Device(
                "the clock stands still, so nothing can be timed".to_owned(),
            ));
        } else {
            // What is timed has to be much longer than a clock is coarse.
            products *= 2;
        }
        if is_long && now - begun >= PEAK_SECONDS {
            return Ok(best);
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

    /// The row of a part, with the time of doing it once.
    fn row(&self, part: BenchPart, flops: u64, all_flops: u64) -> BenchRow {
        let seconds = self.seconds / self.times as f64;
        BenchRow { part, seconds, flops: flops / self.times, all_flops }
    }
}

/// Counts the work that is done.
struct Counter<'host, H> {
    host: &'host mut H,
    job: u64,
    flops: u64,
    reader: Reader,
}

impl<H: Host> Counter<'_, H> {
    /// Counts work, and gives others a turn.
    async fn count(&mut self, units: u64) -> Result<(), MethodError> {
        self.flops += units;
        self.tell();
        self.host.pause().await;
        self.reader.goes_on(self.host.seconds());
        if self.host.cancelled() { Err(MethodError::Cancelled) } else { Ok(()) }
    }

    /// Tells the host that the benchmark goes on, without a number: how often a part is done again shows on the way.
    fn tell(&mut self) {
        let (job, phase, seconds) = (self.job, Phase::Bench, self.host.seconds());
        self.host.emit(Event::Progress { job, phase, done: 0, total: 0, seconds });
    }
}

impl<H: Host> Progress for Counter<'_, H> {
    fn advance(&mut self, units: u64) -> Advance<'_> {
        Box::pin(async move {
            self.reader.begin().await?;
            self.count(units).await
        })
    }

    fn read<'a>(&'a mut self, numbers: ReadBack<'a>, load: Load) -> ReadBack<'a> {
        Box::pin(async move {
            let host = &*self.host;
            let numbers = self.reader.read(numbers, &load, || host.seconds()).await?;
            self.count(load.units()).await?;
            Ok(numbers)
        })
    }

    fn pace(&self) -> Option<&Pace> {
        self.reader.pace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(n_ctx: usize, d_vocab: usize) -> ModelShape {
        ModelShape { n_layers: 1, n_heads: 1, d_model: 4, d_head: 4, d_mlp: 4, n_ctx, d_vocab }
    }

    #[test]
    fn what_is_timed_is_the_notebooks_shape_where_that_fits() {
        let question = bench_question_of(&shape(1024, 50257), Steps::Fixed(50)).unwrap();
        let tokens = &question.tokens;
        assert_eq!((tokens.n_pos(), tokens.first_difference()), (17, 10));
        assert_eq!(tokens.corrupted()[10], 17);
        assert_eq!((question.answers.answer(), question.answers.wrong()), (&[18][..], &[19][..]));
    }

    #[test]
    fn any_model_with_two_tokens_can_be_timed() {
        for n_ctx in 1..20 {
            for d_vocab in 2..25 {
                let question = bench_question_of(&shape(n_ctx, d_vocab), Steps::AUTO).unwrap();
                assert_eq!(question.tokens.n_pos(), n_ctx.min(17));
                assert!(question.tokens.first_difference() < n_ctx, "{n_ctx} {d_vocab}");
            }
        }
        assert!(bench_question_of(&shape(9, 1), Steps::AUTO).is_err());
        let none = bench_question_of(&shape(9, 30), Steps::Fixed(0)).unwrap();
        assert_eq!(none.n_steps, Steps::AUTO);
    }
}
