//! One job: a question run by every method, streamed table by table, with its progress.

use std::rc::Rc;

use twinbeam_attribution::{
    Advance, Budget, CostModel, Error as MethodError, LayerIntegral, Load, Nodes, Pace, Progress,
    ReadBack, RunPair, layers_at_once,
};
use twinbeam_core::models::ModelShape;
use twinbeam_core::scores::{JointEffects, Outcome, SideSummary, Strip, TableKey, Tables, Timed};
use twinbeam_core::wire::Event;
use twinbeam_core::wire::devices::{Claim, ClaimedIntegral, Work};
use twinbeam_core::words::{
    Answers, ComponentKind, Direction, Experiment, Method, Metric, Phase, Side, Steps, TokenPair,
    TopToken,
};

use crate::check::{logits, scale};
use crate::pool::Pool;
use crate::reader::Reader;
use crate::shares::{Computed, Found, Share, baseline};
use crate::watch::Step;
use crate::{Error, Host, Model};

/// Points of a line that are counted on where their number is found on the way.
const EXPECTED_POINTS: usize = 17;

/// Single precision leaves about this much of what a metric is a difference of: no tolerance is smaller.
const LEAST_TOLERANCE: f64 = 2e-6;

/// Likely next tokens that are kept of each run.
const TOP_TOKENS: usize = 10;

/// What is asked of a model, in tokens.
#[derive(Debug, Clone)]
pub struct Question {
    /// The two prompts.
    pub tokens: TokenPair,
    /// The right and the wrong next tokens.
    pub answers: Answers,
    /// What is measured.
    pub metric: Metric,
    /// Points at which integrated gradients are taken.
    pub n_steps: Steps,
}

impl Question {
    /// The points of each line for one run pair: a tolerance is relative to its gap.
    pub(crate) fn nodes(&self, pair: &RunPair<'_>) -> Nodes {
        match self.n_steps {
            Steps::Fixed(n) => Nodes::Fixed(n),
            Steps::Auto { tolerance_ppm } => {
                let values = [Side::Clean, Side::Corrupted]
                    .map(|side| f64::from(pair.metrics(side).get(self.metric)));
                let gap = (values[0] - values[1]).abs();
                let least = if pair.is_double() { 0.0 } else { LEAST_TOLERANCE };
                let least = least * f64::from(scale(pair, self.metric));
                Nodes::Until { tolerance: (f64::from(tolerance_ppm) * 1e-6 * gap).max(least) }
            }
        }
    }

    /// Points of each line that are counted on, both ends with them.
    pub(crate) const fn expected_points(&self) -> usize {
        match self.n_steps {
            Steps::Fixed(n) => n + 2,
            Steps::Auto { .. } => EXPECTED_POINTS,
        }
    }
}

/// Which tables are wanted, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Directions, in the order in which they are run.
    pub directions: Vec<Direction>,
    /// Heads, neurons, or both.
    pub kinds: Vec<ComponentKind>,
    /// Whether heads are also integrated from a baseline of zero.
    pub zero_baseline: bool,
}

impl Plan {
    /// Some kinds of components in both directions, `first` first.
    pub fn of(kinds: Vec<ComponentKind>, first: Direction) -> Self {
        Self { directions: vec![first, first.other()], kinds, zero_baseline: false }
    }

    /// What a plan asks of a device with a model of some sizes.
    pub fn work(&self, shape: &ModelShape, question: &Question) -> Work {
        let cost = CostModel::new(shape, &question.tokens, question.metric);
        // A GPU's batches, as far as anyone knows before: its limits are for the device to keep.
        let batches = cost.within(Budget::gpu(usize::MAX));
        let n = question.expected_points();
        let mut work = Work::default();
        for kind in &self.kinds {
            work.dispatches += batches.patch_dispatches(*kind);
            for layer in 0..shape.n_layers {
                work.operations +=
                    (cost.points(*kind, layer, n, false) + cost.patch(*kind, layer)) as f64;
                work.dispatches += batches.point_dispatches(*kind, layer, n, false);
            }
        }
        let directions = self.directions.len() as f64;
        work = Work {
            operations: work.operations * directions,
            dispatches: work.dispatches * directions,
        };
        if self.zero_baseline {
            for layer in 0..shape.n_layers {
                let kind = ComponentKind::Heads;
                work.operations += cost.points(kind, layer, n, true) as f64;
                work.dispatches += batches.point_dispatches(kind, layer, n, true);
            }
        }
        work
    }
}

/// Runs a question and streams what it finds, IG and heads by layers, neurons as they are patched; every event
/// carries `job`. A device that is checked also claims what it has found, table by table: see [`Host::claim`]. Others
/// that have the same model compute shares of it: see [`Host::pool`].
///
/// # Errors
/// [`MethodError::Cancelled`] when the host wants it, a device that fails, results that are not
/// finite. What was complete before has been streamed.
pub async fn run(
    model: &Model,
    question: &Question,
    experiment: Experiment,
    plan: &Plan,
    job: u64,
    host: &mut impl Host,
) -> Result<Outcome, Error> {
    let total = plan.work(model.shape(), question).operations as u64;
    let pool = host.pool();
    let mut ticker = Ticker::new(host, job, Phase::Runs, total, model.watch.begin());
    if let Some(pool) = &pool {
        ticker.pool = Rc::clone(pool);
    }
    // Boxed: all methods in a row make a large future.
    let result = Box::pin(scores(model, question, experiment, plan, &mut ticker)).await;
    ticker.pool.forget();
    ticker.settle(result).await
}

async fn scores<H: Host>(
    model: &Model,
    question: &Question,
    experiment: Experiment,
    plan: &Plan,
    ticker: &mut Ticker<'_, H>,
) -> Result<Outcome, Error> {
    ticker.tick(0).await?;
    let tokens = &question.tokens;
    let pair = model.runs(question).await?;
    if model.claims {
        let [clean, corrupted] = Side::ALL.map(|side| logits(&pair, side));
        ticker.claim(Claim::Runs { clean, corrupted }).await?;
    }
    let [clean, corrupted] = Side::ALL.map(|side| summary(model, &pair, tokens.n_pos(), side));
    let sides = Event::Sides {
        job: ticker.job,
        clean: Box::new(clean.clone()),
        corrupted: Box::new(corrupted.clone()),
    };
    ticker.show(sides).await?;
    let outcome = Outcome {
        experiment,
        shape: *model.shape(),
        clean,
        corrupted,
        tables: Tables::default(),
        joint: Vec::new(),
        seconds: vec![(Timed::Runs, ticker.host.seconds() - ticker.begun)],
    };
    let nodes = question.nodes(&pair);
    let (expected, claims) = (question.expected_points(), model.claims);
    let mut job = Job { pair, nodes, expected, claims, ticker, outcome };
    for kind in &plan.kinds {
        for direction in &plan.directions {
            let (kind, direction) = (*kind, *direction);
            job.gradients(TableKey { kind, method: Method::Ig, direction }).await?;
            match kind {
                ComponentKind::Heads => job.patch_heads(direction).await?,
                ComponentKind::Neurons => job.patch_neurons(direction).await?,
            }
        }
    }
    if plan.zero_baseline {
        job.gradients(ZERO_BASELINE).await?;
    }
    Ok(job.outcome)
}

/// The table of integrals from activations of zero: of the heads, and of the clean run alone.
pub(crate) const ZERO_BASELINE: TableKey =
    TableKey { kind: ComponentKind::Heads, method: Method::IgZero, direction: Direction::Noising };

/// A question on its way to an outcome.
pub(crate) struct Job<'a, 'host, H> {
    pub(crate) pair: RunPair<'a>,
    nodes: Nodes,
    /// Points of each line that are counted on.
    expected: usize,
    /// Whether what is computed is claimed.
    pub(crate) claims: bool,
    pub(crate) ticker: &'a mut Ticker<'host, H>,
    pub(crate) outcome: Outcome,
}

impl<H: Host> Job<'_, '_, H> {
    /// IG, AtP and joint patches of every layer, in one pass each; from zero, IG only.
    async fn gradients(&mut self, key: TableKey) -> Result<(), Error> {
        let TableKey { kind, method, direction } = key;
        let begun = self.ticker.host.seconds();
        let mut table: Vec<LayerIntegral> = Vec::with_capacity(self.pair.n_layers());
        while table.len() < self.pair.n_layers() {
            let shares = self.cut_integrals(key, table.len());
            self.offer(shares.clone());
            for (place, share) in shares.iter().enumerate() {
                let Found::Integrals(some) = self.found(place).await? else {
                    // OK because a share of integrals finds integrals.
                    unreachable!("{share:?} found something else")
                };
                for integral in some {
                    let layer = table.len();
                    #[cfg(feature = "faults")]
                    let integral = crate::faults::spoil_integral(integral, self.claims);
                    self.show_integral(key, layer, &integral).await?;
                    table.push(integral);
                }
            }
        }
        if self.claims {
            let layers = table.iter().map(claimed).collect();
            self.ticker.claim(Claim::Integrals { key, layers }).await?;
        }
        if method != Method::IgZero {
            let values = table.iter().map(|integral| integral.joint).collect();
            self.outcome.joint.push(JointEffects { kind, direction, values });
        }
        self.seconds(key, begun);
        Ok(())
    }

    /// The layers from one on in shares: one by one, or as many as are read together on a device that has a pace, where
    /// how many those are is known for the next ones only.
    fn cut_integrals(&self, key: TableKey, from: usize) -> Vec<Share> {
        let share = |layers| Share::Integrals { key, layers };
        if self.ticker.pace().is_none() {
            return (from..self.pair.n_layers()).map(|layer| share(layer..layer + 1)).collect();
        }
        let baseline = baseline(key);
        let n = layers_at_once(&self.pair, key.kind, from, baseline, self.nodes, &*self.ticker);
        vec![share(from..from + n)]
    }

    /// Puts up shares of a table, for whoever takes part to compute.
    pub(crate) fn offer(&mut self, shares: Vec<Share>) {
        if let Some(share) = shares.first() {
            self.ticker.phase = share.phase();
        }
        let counted = |share: Share| {
            let units = share.units(&self.pair, self.expected);
            (share, units)
        };
        let now = self.ticker.host.seconds();
        self.ticker.pool.offer(shares.into_iter().map(counted).collect(), now);
    }

    /// What was found of the share at a place of those that were put up, asked for in their order. While it is not there,
    /// shares that nobody else has are computed here.
    pub(crate) async fn found(&mut self, place: usize) -> Result<Found, Error> {
        let pool = Rc::clone(&self.ticker.pool);
        let mut has_waited = false;
        loop {
            if let Some(computed) = pool.found(place) {
                self.ticker.count_elsewhere();
                return Ok(computed.found);
            }
            let begun = self.ticker.host.seconds();
            // What others have may be on its way: it is taken back from them after a moment.
            let back = || if has_waited { pool.take_back(begun) } else { None };
            let Some((place, share, counted)) = pool.take().or_else(back) else {
                self.ticker.wait().await?;
                has_waited = true;
                continue;
            };
            has_waited = false;
            self.ticker.begin(counted);
            let found = share.compute(&self.pair, self.nodes, self.ticker).await?;
            let units = self.ticker.end();
            let seconds = self.ticker.host.seconds() - begun;
            if !pool.put(place, Computed { found, units }, seconds) {
                // It is counted as somebody else's too.
                self.ticker.total += counted;
            }
        }
    }

    async fn show_integral(
        &mut self,
        key: TableKey,
        layer: usize,
        integral: &LayerIntegral,
    ) -> Result<(), Error> {
        let LayerIntegral { ig, atp, convergence_delta, n_steps, .. } = integral;
        let (values, convergence_delta) = (ig.clone(), Some(*convergence_delta));
        let n_steps = Some(*n_steps);
        let strip = Strip { key, layer, values, convergence_delta, n_steps };
        if key.method == Method::Ig {
            let (key, values) = (TableKey { method: Method::Atp, ..key }, atp.clone());
            let atp = Strip { key, values, convergence_delta: None, n_steps: None, ..strip };
            self.show(strip).await?;
            return self.show(atp).await;
        }
        self.show(strip).await
    }

    pub(crate) async fn show(&mut self, strip: Strip) -> Result<(), Error> {
        let job = self.ticker.job;
        self.ticker.show(Event::Strip { job, strip: strip.clone() }).await?;
        #[cfg(feature = "faults")]
        crate::faults::after_strip();
        strip.add_to(&mut self.outcome.tables);
        Ok(())
    }

    /// Notes how long a table took.
    pub(crate) fn seconds(&mut self, of: TableKey, begun: f64) {
        self.outcome.seconds.push((Timed::Table(of), self.ticker.host.seconds() - begun));
    }
}

/// What is claimed of an integral.
pub(crate) fn claimed(integral: &LayerIntegral) -> ClaimedIntegral {
    let LayerIntegral { ig, atp, joint, n_steps, .. } = integral;
    ClaimedIntegral { ig: ig.clone(), atp: atp.clone(), joint: *joint, n_steps: *n_steps }
}

/// What the two runs of a question come to, the clean one first.
///
/// # Errors
/// A device that fails, logits that are not finite.
pub async fn sides(model: &Model, question: &Question) -> Result<[SideSummary; 2], Error> {
    let pair = model.runs(question).await?;
    Ok(Side::ALL.map(|side| summary(model, &pair, question.tokens.n_pos(), side)))
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

/// Progress of one job, told to the host, and what the device says of its work.
pub(crate) struct Ticker<'host, H> {
    pub(crate) host: &'host mut H,
    pub(crate) job: u64,
    pub(crate) phase: Phase,
    done: u64,
    total: u64,
    /// What a piece of work is counted with, and what has been done of it.
    piece: Option<(u64, u64)>,
    begun: f64,
    reader: Reader,
    /// Who else computes.
    pool: Rc<Pool>,
}

impl<'host, H: Host> Ticker<'host, H> {
    /// A ticker for a job of which nothing is done yet.
    pub(crate) fn new(host: &'host mut H, job: u64, phase: Phase, total: u64, step: Step) -> Self {
        let begun = host.seconds();
        let reader = Reader::new(step, begun);
        let pool = Rc::new(Pool::alone());
        Self { host, job, phase, done: 0, total, piece: None, begun, reader, pool }
    }

    /// Units that have been done.
    pub(crate) const fn done(&self) -> u64 {
        self.done
    }

    /// Units that are counted in all.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The result of the job, or what was wrong on the device, which is then the cause of the result.
    ///
    /// # Errors
    /// That of `result`, or what the device has found.
    pub(crate) async fn settle<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.reader.settle(result).await
    }

    fn tell(&mut self) {
        let seconds = self.host.seconds() - self.begun;
        let (job, phase, done, total) = (self.job, self.phase, self.done, self.total);
        self.host.emit(Event::Progress { job, phase, done, total, seconds });
    }

    /// Begins a piece of work of which the total counts so many units.
    pub(crate) fn begin(&mut self, counted: u64) {
        self.piece = Some((counted, 0));
    }

    /// Ends a piece of work: what it took more or less than was counted is more or less in all. Units that were done.
    pub(crate) fn end(&mut self) -> u64 {
        let Some((counted, done)) = self.piece.take() else {
            return 0;
        };
        self.total = (self.total + done).saturating_sub(counted).max(self.done);
        if done != counted {
            self.tell();
        }
        done
    }

    /// Counts what others have done since the last time.
    fn count_elsewhere(&mut self) {
        let (done, counted) = self.pool.done_elsewhere();
        if done > 0 {
            self.done += done;
            self.total = (self.total + done).saturating_sub(counted).max(self.done);
            self.tell();
        }
    }

    /// Waits a moment for others.
    ///
    /// # Errors
    /// [`MethodError::Cancelled`] when the host wants it.
    async fn wait(&mut self) -> Result<(), MethodError> {
        self.host.idle().await;
        self.count(0).await
    }

    async fn tick(&mut self, units: u64) -> Result<(), MethodError> {
        self.reader.begin().await?;
        self.count(units).await
    }

    /// Counts work that was read, or that the device was asked of otherwise.
    async fn count(&mut self, units: u64) -> Result<(), MethodError> {
        self.done += units;
        if let Some((counted, done)) = &mut self.piece {
            *done += units;
            // More than was counted: known before the piece ends.
            self.total += done.saturating_sub(*counted);
            *counted = (*counted).max(*done);
        }
        self.count_elsewhere();
        // What two have computed is counted twice until it is known.
        self.total = self.total.max(self.done);
        #[cfg(feature = "faults")]
        if self.done > 0 && crate::faults::in_step(self.reader.step()) {
            self.reader.ask_again().await?;
        }
        self.tell();
        self.host.pause().await;
        self.reader.goes_on(self.host.seconds());
        if self.host.cancelled() { Err(MethodError::Cancelled) } else { Ok(()) }
    }

    /// Claims a part of a result, unless the device has found something wrong with the work that led to it.
    pub(crate) async fn claim(&mut self, claim: Claim) -> Result<(), Error> {
        self.reader.ask().await?;
        self.host.claim(claim);
        Ok(())
    }

    /// Emits a result, unless the device has found something wrong with the work that led to it.
    pub(crate) async fn show(&mut self, event: Event) -> Result<(), Error> {
        self.reader.ask().await?;
        self.host.emit(event);
        Ok(())
    }
}

impl<H: Host> Progress for Ticker<'_, H> {
    fn advance(&mut self, units: u64) -> Advance<'_> {
        Box::pin(self.tick(units))
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
