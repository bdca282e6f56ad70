//! `twinbeam edges`: EAP, EAP-IG and path patching of a model's edges on a list of cases, and circuits of the strongest.

mod entry;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pollster::block_on;
use twinbeam_batch::{Folder, name_of, question_of, read_cases};
use twinbeam_core::circuits::{
    Ends, Graph, RANDOM_SEEDS, Ranking, Receiver, SHARES, size_of_share,
};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::scores::UnitBasis;
use twinbeam_core::wire::Expected;
use twinbeam_core::wire::probes::circuits::{CircuitCurves, EdgeEstimates, EdgeOrder};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Direction, Experiment, Steps};
use twinbeam_engine::{DeviceKind, Model, Question, probe_question, sides};

use self::entry::{DirectionEntry, EdgeEntry, Entry, Scores};
use crate::compare::{DeviceOption, DirectionOption, MetricOption, PrecisionOption, steps};
use crate::terminal::Terminal;

/// What to look at, and how.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder with config.json, model.safetensors and, for prompts as text, tokenizer.json, or vocab.json and
    /// merges.txt.
    #[arg(long)]
    pub model: PathBuf,
    /// List of cases, as `compare` takes it.
    #[arg(long)]
    pub cases: PathBuf,
    /// File to write: JSON, of each case and direction the nodes, the edges, and circuits by size.
    #[arg(long)]
    pub out: PathBuf,
    /// Edges that are written, the strongest by absolute EAP-IG; by default all.
    #[arg(long)]
    pub top: Option<usize>,
    /// Which edges are patched exactly: all, those that are written, or none. Circuits by exact effects need all.
    #[arg(long, value_enum, default_value_t = ExactOption::All)]
    pub exact: ExactOption,
    /// Where to compute. What a GPU says of edges is not checked on the CPU.
    #[arg(long, value_enum, default_value_t = DeviceOption::Cpu)]
    pub device: DeviceOption,
    /// Type of number on the CPU; auto is double for models up to 20 million parameters.
    #[arg(long, value_enum, default_value_t = PrecisionOption::Auto)]
    pub precision: PrecisionOption,
    /// Gauss-Legendre nodes of EAP-IG; `auto`: as many as it takes for a thousandth of the gap, and `auto:200` for 200
    /// millionths.
    #[arg(long, default_value_t = Steps::Fixed(50), value_parser = steps)]
    pub n_steps: Steps,
    /// Which run is changed.
    #[arg(long, value_enum, default_value_t = DirectionOption::Both)]
    pub direction: DirectionOption,
    /// What is measured.
    #[arg(long, value_enum, default_value_t = MetricOption::LogitDiff)]
    pub metric: MetricOption,
    /// Leave circuits out.
    #[arg(long)]
    pub no_circuits: bool,
    /// Leave `<|endoftext|>` out in front of prompts given as text.
    #[arg(long)]
    pub no_bos: bool,
}

/// Which edges are patched exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExactOption {
    /// Every edge of the model.
    All,
    /// Every edge that is written.
    Top,
    /// None: estimates only.
    None,
}

/// Runs every case; `false` if one of them has an error.
///
/// # Errors
/// A model, a device or a list of cases that cannot be used, or a file that cannot be written.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let cases = read_cases(&options.cases)?;
    let mut terminal = Terminal::new();
    let device = block_on(DeviceKind::choose(options.device.into()))?
        .with_precision(options.precision.into());
    let folder = Folder(options.model.clone());
    let model = block_on(Model::load(&folder, &Expected::default(), &device, &mut terminal))
        .with_context(|| format!("loading {}", options.model.display()))?;
    terminal.finish();
    let mut entries = Vec::with_capacity(cases.len());
    for (index, case) in cases.into_iter().enumerate() {
        let name = name_of(&case, index);
        terminal.name(&name);
        let scores = case
            .map_err(anyhow::Error::from)
            .and_then(|pair| scores(&model, &name, pair, options, &mut terminal));
        entries.push(match scores {
            Ok(scores) => Entry::Result(Box::new(scores)),
            Err(error) => Entry::Failure { name, error: format!("{error:#}") },
        });
    }
    terminal.finish();
    let text = serde_json::to_string(&entries)? + "\n";
    fs::write(&options.out, text).with_context(|| format!("writing {}", options.out.display()))?;
    Ok(entries.iter().all(|entry| matches!(entry, Entry::Result(_))))
}

fn scores(
    model: &Model,
    name: &str,
    case: PromptPair,
    options: &Options,
    terminal: &mut Terminal,
) -> anyhow::Result<Scores> {
    let experiment = Experiment {
        model: String::new(),
        prepend_bos: !options.no_bos,
        metric: options.metric.into(),
        n_steps: options.n_steps,
        ..Experiment::default()
    };
    let (question, experiment) = question_of(model, case, experiment)?;
    let [clean, corrupted] = block_on(sides(model, &question))?;
    let basis = UnitBasis::new(question.metric, &clean, &corrupted, model.shape().d_model);
    let mut asked = Asked { model, question, experiment, terminal };
    let ends = Ends::of(&basis, &clean, &corrupted);
    let random = match ends {
        Ok(ends) if !options.no_circuits => {
            let orders = RANDOM_SEEDS.map(|seed| EdgeOrder::Random { seed }).to_vec();
            Some((asked.curves(orders)?, ends))
        }
        Ok(_) | Err(_) => None,
    };
    let refused = ends.err().filter(|_| !options.no_circuits);
    let mut scores = Scores::new(name, [&clean, &corrupted], basis.metric);
    for direction in options.direction.directions() {
        let mut entry = of_direction(&mut asked, direction, options, random.as_ref())?;
        entry.circuit_refused = refused.map(|refused| refused.to_string());
        scores.insert(direction, entry);
    }
    Ok(scores)
}

/// A case, and what answers questions about it.
struct Asked<'a> {
    model: &'a Model,
    question: Question,
    experiment: Experiment,
    terminal: &'a mut Terminal,
}

impl Asked<'_> {
    fn ask(&mut self, probe: &Probe) -> anyhow::Result<Finding> {
        let asked = (&self.question, &self.experiment);
        let (found, _unchecked) =
            block_on(probe_question(self.model, asked, probe, 1, self.terminal))?;
        Ok(found)
    }

    fn estimates(&mut self, direction: Direction) -> anyhow::Result<EdgeEstimates> {
        match self.ask(&Probe::Edges { direction })? {
            Finding::Edges(found) => Ok(found),
            other => anyhow::bail!("another answer came: {other:?}"),
        }
    }

    fn exact(&mut self, edges: Vec<u32>, direction: Direction) -> anyhow::Result<Vec<f32>> {
        match self.ask(&Probe::PatchEdges { edges, direction })? {
            Finding::PatchEdges(found) => Ok(found.exact),
            other => anyhow::bail!("another answer came: {other:?}"),
        }
    }

    fn curves(&mut self, orders: Vec<EdgeOrder>) -> anyhow::Result<CircuitCurves> {
        let n = Graph::new(self.model.shape()).n_edges();
        let sizes = SHARES.map(|share| size_of_share(share, n)).to_vec();
        match self.ask(&Probe::CircuitCurves { orders, sizes })? {
            Finding::CircuitCurves(found) => Ok(found),
            other => anyhow::bail!("another answer came: {other:?}"),
        }
    }
}

fn of_direction(
    asked: &mut Asked<'_>,
    direction: Direction,
    options: &Options,
    random: Option<&(CircuitCurves, Ends)>,
) -> anyhow::Result<DirectionEntry> {
    let graph = Graph::new(asked.model.shape());
    let estimates = asked.estimates(direction)?;
    let by_ig = Ranking::by_scores(graph, &estimates.eap_ig);
    let n = options.top.unwrap_or(usize::MAX).min(graph.n_edges());
    let mut written = by_ig.order()[..n].to_vec();
    if n == graph.n_edges() {
        // All of them in the model's order.
        written.sort_unstable();
    }
    let patched: Vec<usize> = match options.exact {
        ExactOption::All => (0..graph.n_edges()).collect(),
        ExactOption::Top => written.clone(),
        ExactOption::None => Vec::new(),
    };
    let numbers = patched.iter().map(|edge| *edge as u32).collect();
    let effects = if patched.is_empty() { Vec::new() } else { asked.exact(numbers, direction)? };
    let mut exact = vec![None; graph.n_edges()];
    for (edge, effect) in patched.iter().zip(effects) {
        exact[*edge] = Some(effect);
    }
    let circuit = match random {
        Some((random, ends)) => {
            let listed = |ranking: &Ranking| {
                EdgeOrder::Listed(ranking.order().iter().map(|edge| *edge as u32).collect())
            };
            let all: Option<Vec<f32>> = exact.iter().copied().collect();
            let by_ap = all.map(|exact| Ranking::by_scores(graph, &exact));
            let orders = std::iter::once(&by_ig).chain(&by_ap).map(listed).collect();
            let curves = asked.curves(orders)?;
            entry::circuits(&curves, random, *ends)
        }
        None => Vec::new(),
    };
    let areas = entry::areas_of(&circuit);
    let edge = |number: &usize| {
        let edge = graph.edge(*number);
        EdgeEntry {
            from: edge.from.to_string(),
            to: edge.to.to_string(),
            eap: estimates.eap[*number],
            eap_ig: estimates.eap_ig[*number],
            exact: exact[*number],
        }
    };
    Ok(DirectionEntry {
        nodes: nodes(graph),
        edges: written.iter().map(edge).collect(),
        n_steps: estimates.n_steps,
        convergence_delta: estimates.convergence_delta,
        circuit,
        areas,
        circuit_refused: None,
    })
}

/// Names of all senders, then of the receivers that are not among them: an MLP is both.
fn nodes(graph: Graph) -> Vec<String> {
    let senders = (0..graph.n_senders()).map(|sender| graph.sender(sender).to_string());
    let receivers = (0..graph.n_receivers()).map(|receiver| graph.receiver(receiver));
    let receivers = receivers.filter(|receiver| !matches!(receiver, Receiver::Mlp { .. }));
    senders.chain(receivers.map(|receiver| receiver.to_string())).collect()
}
