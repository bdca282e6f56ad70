use twinbeam_attribution::{
    Error as MethodError, LayerIntegral, Progress, RunPair, Side, integral_work, integrate,
    integrate_from_zero, patch, patch_work,
};
use twinbeam_core::{
    Answers, ComponentKind, Direction, Event, Experiment, JointEffects, Method, Metric, Outcome,
    Phase, ScoreTable, SideSummary, TokenPair, TopToken,
};

use crate::{Error, Host, Model};

/// Likely next tokens that are kept of each run.
const TOP_TOKENS: usize = 10;

/// What is asked, in tokens.
#[derive(Debug, Clone)]
pub struct Question {
    /// The two prompts.
    pub tokens: TokenPair,
    /// The right and the wrong next tokens.
    pub answers: Answers,
    /// What is measured.
    pub metric: Metric,
    /// Gauss-Legendre nodes.
    pub n_steps: usize,
}

/// Which tables are wanted, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Directions, the first one first.
    pub directions: Vec<Direction>,
    /// Heads, neurons, or both.
    pub kinds: Vec<ComponentKind>,
    /// Whether heads are also integrated from a baseline of zero.
    pub zero_baseline: bool,
}

impl Plan {
    /// Heads in both directions, `first` first.
    pub fn heads(first: Direction) -> Self {
        Self {
            directions: vec![first, first.other()],
            kinds: vec![ComponentKind::Heads],
            zero_baseline: false,
        }
    }

    fn work(&self, model: &Model, question: &Question) -> u64 {
        let shape = model.shape();
        let layers = || 0..shape.n_layers;
        let integral = |kind| -> u64 {
            layers().map(|layer| integral_work(shape, kind, layer, question.n_steps)).sum()
        };
        let n_pos = question.tokens.n_pos();
        let patching =
            |kind| -> u64 { layers().map(|layer| patch_work(shape, kind, layer, n_pos)).sum() };
        let each: u64 = self.kinds.iter().map(|kind| integral(*kind) + patching(*kind)).sum();
        let zero = if self.zero_baseline { integral(ComponentKind::Heads) } else { 0 };
        each * self.directions.len() as u64 + zero
    }
}

/// Runs a question and streams what it finds; every event carries `job`.
///
/// # Errors
/// [`MethodError::Cancelled`] when the host wants it, a device that fails, results that are not
/// finite. Tables that were complete before have been streamed.
pub async fn run(
    model: &Model,
    question: &Question,
    experiment: Experiment,
    plan: &Plan,
    job: u64,
    host: &mut impl Host,
) -> Result<Outcome, Error> {
    let begun = host.seconds();
    let total = plan.work(model, question);
    let mut ticker = Ticker { host, job, phase: Phase::Runs, done: 0, total, begun };
    ticker.tick(0).await?;
    let Question { tokens, answers, metric, n_steps } = question;
    let pair = RunPair::new(&model.gpt2, tokens, answers.clone(), *metric).await?;
    let [clean, corrupted] =
        [Side::Clean, Side::Corrupted].map(|side| summary(model, &pair, tokens.n_pos(), side));
    ticker.emit(Event::Sides {
        job,
        clean: Box::new(clean.clone()),
        corrupted: Box::new(corrupted.clone()),
    });
    let mut outcome = Outcome {
        experiment,
        shape: *model.shape(),
        clean,
        corrupted,
        tables: Vec::new(),
        joint: Vec::new(),
        seconds: vec![("runs".to_owned(), ticker.host.seconds() - begun)],
    };
    for kind in &plan.kinds {
        for direction in &plan.directions {
            gradients(&pair, *kind, *direction, *n_steps, &mut ticker, &mut outcome).await?;
            patching(&pair, *kind, *direction, &mut ticker, &mut outcome).await?;
        }
    }
    if plan.zero_baseline {
        zero_baseline(&pair, *n_steps, &mut ticker, &mut outcome).await?;
    }
    Ok(outcome)
}

/// IG, AtP and joint patches of every layer, in one pass each.
async fn gradients<H: Host>(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    direction: Direction,
    n_steps: usize,
    ticker: &mut Ticker<'_, H>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    ticker.phase = match kind {
        ComponentKind::Heads => Phase::IgHeads,
        ComponentKind::Neurons => Phase::IgNeurons,
    };
    let begun = ticker.host.seconds();
    let mut layers = Vec::with_capacity(pair.n_layers());
    for layer in 0..pair.n_layers() {
        layers.push(integrate(pair, kind, layer, direction, n_steps, ticker).await?);
    }
    let values = |pick: fn(&LayerIntegral) -> &Vec<f32>| {
        layers.iter().flat_map(|layer| pick(layer).iter().copied()).collect::<Vec<_>>()
    };
    let width = kind.width(&outcome.shape);
    let table = |method, values, convergence_delta| ScoreTable {
        kind,
        method,
        direction,
        width,
        values,
        convergence_delta,
    };
    let deltas = layers.iter().map(|layer| layer.convergence_delta).collect();
    let joint = layers.iter().map(|layer| layer.joint).collect();
    ticker.table(outcome, table(Method::Ig, values(|layer| &layer.ig), deltas));
    ticker.table(outcome, table(Method::Atp, values(|layer| &layer.atp), Vec::new()));
    let joint = JointEffects { kind, direction, values: joint };
    ticker.emit(Event::Joint { job: ticker.job, joint: joint.clone() });
    outcome.joint.push(joint);
    ticker.seconds(outcome, format!("ig_{}_{direction}", kind.id()), begun);
    Ok(())
}

async fn patching<H: Host>(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    direction: Direction,
    ticker: &mut Ticker<'_, H>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    ticker.phase = match kind {
        ComponentKind::Heads => Phase::ApHeads,
        ComponentKind::Neurons => Phase::ApNeurons,
    };
    let begun = ticker.host.seconds();
    let mut values = Vec::new();
    for layer in 0..pair.n_layers() {
        values.extend(patch(pair, kind, layer, direction, ticker).await?);
    }
    let table = ScoreTable {
        kind,
        method: Method::Ap,
        direction,
        width: kind.width(&outcome.shape),
        values,
        convergence_delta: Vec::new(),
    };
    ticker.table(outcome, table);
    ticker.seconds(outcome, format!("ap_{}_{direction}", kind.id()), begun);
    Ok(())
}

async fn zero_baseline<H: Host>(
    pair: &RunPair<'_>,
    n_steps: usize,
    ticker: &mut Ticker<'_, H>,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let kind = ComponentKind::Heads;
    ticker.phase = Phase::IgHeads;
    let begun = ticker.host.seconds();
    let (mut values, mut convergence_delta) = (Vec::new(), Vec::new());
    for layer in 0..pair.n_layers() {
        let integral = integrate_from_zero(pair, kind, layer, n_steps, ticker).await?;
        values.extend(integral.ig);
        convergence_delta.push(integral.convergence_delta);
    }
    let width = kind.width(&outcome.shape);
    let (method, direction) = (Method::IgZero, Direction::Noising);
    let table = ScoreTable { kind, method, direction, width, values, convergence_delta };
    ticker.table(outcome, table);
    ticker.seconds(outcome, "ig_zero_heads".to_owned(), begun);
    Ok(())
}

fn summary(model: &Model, pair: &RunPair<'_>, n_pos: usize, side: Side) -> SideSummary {
    SideSummary { metrics: pair.metrics(side), n_pos, top: top_tokens(model, pair.logits(side)) }
}

/// Most likely next tokens of a run's logits, most likely first.
pub(crate) fn top_tokens(model: &Model, logits: &[f64]) -> Vec<TopToken> {
    let most = logits.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    let mut order: Vec<usize> = (0..logits.len()).collect();
    // By index where logits are equal, so that the list is the same on every device.
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    let top = order.into_iter().take(TOP_TOKENS);
    top.map(|id| TopToken {
        id: id as u32,
        text: model.token_text(id as u32),
        prob: ((logits[id] - most).exp() / total) as f32,
        logit: logits[id] as f32,
    })
    .collect()
}

/// Progress of one job, told to the host.
struct Ticker<'host, H> {
    host: &'host mut H,
    job: u64,
    phase: Phase,
    done: u64,
    total: u64,
    begun: f64,
}

impl<H: Host> Ticker<'_, H> {
    async fn tick(&mut self, units: u64) -> Result<(), MethodError> {
        self.done += units;
        let seconds = self.host.seconds() - self.begun;
        let (job, phase, done, total) = (self.job, self.phase, self.done, self.total);
        self.host.emit(Event::Progress { job, phase, done, total, seconds });
        self.host.pause().await;
        if self.host.cancelled() { Err(MethodError::Cancelled) } else { Ok(()) }
    }

    fn emit(&mut self, event: Event) {
        self.host.emit(event);
    }

    fn table(&mut self, outcome: &mut Outcome, table: ScoreTable) {
        self.emit(Event::Table { job: self.job, table: Box::new(table.clone()) });
        outcome.tables.push(table);
    }

    fn seconds(&self, outcome: &mut Outcome, phase: String, begun: f64) {
        outcome.seconds.push((phase, self.host.seconds() - begun));
    }
}

impl<H: Host> Progress for Ticker<'_, H> {
    async fn advance(&mut self, units: u64) -> Result<(), MethodError> {
        self.tick(units).await
    }
}
