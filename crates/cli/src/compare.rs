//! `twinbeam compare`: both methods on a list of cases, as one JSON file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use twinbeam_core::{
    Answers, ComponentKind, DeviceChoice, Direction, Expected, Experiment, MAX_STEPS, Method,
    Metric, MetricValues, Outcome, ScoreTable, Steps, TokenPair,
};
use twinbeam_engine::{
    DeviceKind, Error, Model, Plan, Precision, Question, question, run as run_engine,
};

use crate::files::{Folder, Terminal};
use crate::self_check;

/// What to compare, and how.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder with config.json, model.safetensors and, for prompts as text, tokenizer.json.
    #[arg(long)]
    pub model: PathBuf,
    /// JSON list of cases.
    #[arg(long)]
    pub cases: PathBuf,
    /// File to write.
    #[arg(long)]
    pub out: PathBuf,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceOption::Cpu)]
    pub device: DeviceOption,
    /// Type of number on the CPU; auto is double for models up to 20 million parameters.
    #[arg(long, value_enum, default_value_t = PrecisionOption::Auto)]
    pub precision: PrecisionOption,
    /// Neurons too.
    #[arg(long)]
    pub neurons: bool,
    /// Gauss-Legendre nodes of integrated gradients; `auto`: as many as it takes for a thousandth of the gap,
    /// and `auto:200` for 200 millionths.
    #[arg(long, default_value_t = Steps::Fixed(50), value_parser = steps)]
    pub n_steps: Steps,
    /// Which run is changed.
    #[arg(long, value_enum, default_value_t = DirectionOption::Both)]
    pub direction: DirectionOption,
    /// What is measured.
    #[arg(long, value_enum, default_value_t = MetricOption::LogitDiff)]
    pub metric: MetricOption,
    /// Leave `<|endoftext|>` out in front of prompts given as text.
    #[arg(long)]
    pub no_bos: bool,
}

/// Where to compute.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DeviceOption {
    /// The CPU.
    Cpu,
    /// The GPU; needs a build with `--features gpu`.
    Gpu,
}

/// Type of number on the CPU.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PrecisionOption {
    /// By the size of the model.
    Auto,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

/// Which run is changed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DirectionOption {
    /// The clean run.
    Noising,
    /// The corrupted run.
    Denoising,
    /// Each in turn.
    Both,
}

/// What is measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum MetricOption {
    /// Logit of the answer minus that of the wrong token.
    LogitDiff,
    /// Probability of the answer minus that of the wrong token.
    ProbDiff,
    /// Logarithm of the answer's probability.
    LogProb,
    /// Divergence from the clean run.
    Kl,
}

impl From<DeviceOption> for DeviceChoice {
    fn from(option: DeviceOption) -> Self {
        match option {
            DeviceOption::Cpu => Self::Cpu,
            DeviceOption::Gpu => Self::Gpu,
        }
    }
}

impl From<PrecisionOption> for Precision {
    fn from(option: PrecisionOption) -> Self {
        match option {
            PrecisionOption::Auto => Self::Auto,
            PrecisionOption::F32 => Self::Single,
            PrecisionOption::F64 => Self::Double,
        }
    }
}

impl From<MetricOption> for Metric {
    fn from(option: MetricOption) -> Self {
        match option {
            MetricOption::LogitDiff => Self::LogitDiff,
            MetricOption::ProbDiff => Self::ProbDiff,
            MetricOption::LogProb => Self::LogProb,
            MetricOption::Kl => Self::Kl,
        }
    }
}

/// Steps in the range that is offered.
pub(crate) fn steps(text: &str) -> Result<Steps, String> {
    let steps: Steps = text.parse().map_err(|source| format!("{source}"))?;
    if steps.is_possible() {
        Ok(steps)
    } else {
        Err(format!("choose 1 to {MAX_STEPS} nodes, or auto:1 to auto:100000"))
    }
}

/// One token or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(item) => vec![item],
            Self::More(items) => items,
        }
    }
}

/// A case in either of its two forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Case {
    Text {
        clean: String,
        corrupted: String,
        answer: OneOrMore<String>,
        wrong: OneOrMore<String>,
    },
    Ids {
        clean_ids: Vec<u32>,
        corrupted_ids: Vec<u32>,
        answer_id: OneOrMore<u32>,
        wrong_id: OneOrMore<u32>,
    },
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
    // The bar would be drawn over what is said.
    terminal.finish();
    self_check::show(&model);

    let mut entries = Vec::with_capacity(cases.len());
    let mut all_right = true;
    for (index, case) in cases.into_iter().enumerate() {
        let name = case.get("name").cloned().unwrap_or_else(|| json!(format!("case{index}")));
        terminal.name(name.as_str().unwrap_or_default());
        entries.push(match compare(&model, case, options, &mut terminal) {
            Ok(outcome) => entry(&name, &outcome),
            Err(error) => {
                all_right = false;
                json!({ "name": name, "error": format!("{error:#}") })
            }
        });
    }
    terminal.finish();
    let mut text = serde_json::to_string(&entries)?;
    text.push('\n');
    fs::write(&options.out, text).with_context(|| format!("writing {}", options.out.display()))?;
    Ok(all_right)
}

/// The cases of a file.
pub(crate) fn read_cases(path: &Path) -> anyhow::Result<Vec<Value>> {
    let cases = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&cases)
        .with_context(|| format!("{} is not a JSON list of cases", path.display()))
}

/// What a case asks, and its prompts if they are text; the rest is that of `experiment`.
pub(crate) fn question_of(
    model: &Model,
    case: Value,
    experiment: Experiment,
) -> anyhow::Result<(Question, Experiment)> {
    let case: Case = serde_json::from_value(case).map_err(|_untagged| {
        anyhow::anyhow!(
            "a case has clean, corrupted, answer and wrong as text, or clean_ids, corrupted_ids, \
             answer_id and wrong_id as numbers"
        )
    })?;
    Ok(match case {
        Case::Text { clean, corrupted, answer, wrong } => {
            let (answer, wrong) = (answer.into_vec(), wrong.into_vec());
            let experiment = Experiment { clean, corrupted, answer, wrong, ..experiment };
            (question(model, &experiment)?, experiment)
        }
        Case::Ids { clean_ids, corrupted_ids, answer_id, wrong_id } => {
            let tokens = TokenPair::new(clean_ids, corrupted_ids, model.shape())?;
            let answers = Answers::new(answer_id.into_vec(), wrong_id.into_vec(), model.shape())?;
            let Experiment { metric, n_steps, .. } = experiment;
            (Question { tokens, answers, metric, n_steps }, experiment)
        }
    })
}

fn compare(
    model: &Model,
    case: Value,
    options: &Options,
    terminal: &mut Terminal,
) -> anyhow::Result<Outcome> {
    let experiment = Experiment {
        model: String::new(),
        prepend_bos: !options.no_bos,
        metric: options.metric.into(),
        n_steps: options.n_steps,
        ..Experiment::default()
    };
    let (question, experiment) = question_of(model, case, experiment)?;
    let directions = match options.direction {
        DirectionOption::Noising => vec![Direction::Noising],
        DirectionOption::Denoising => vec![Direction::Denoising],
        DirectionOption::Both => Direction::ALL.to_vec(),
    };
    let mut kinds = vec![ComponentKind::Heads];
    if options.neurons {
        kinds.push(ComponentKind::Neurons);
    }
    // The zero baseline is defined with the clean run upstream, which is the noising direction.
    let zero_baseline = directions.contains(&Direction::Noising);
    let plan = Plan { directions, kinds, zero_baseline };
    let (outcome, _) = block_on(run_engine(model, &question, experiment, &plan, 1, terminal))
        .map_err(|error: Error| anyhow::Error::from(error))?;
    Ok(outcome)
}

/// One case of the output; every score in the metric's unit, positive supports the clean behaviour.
fn entry(name: &Value, outcome: &Outcome) -> Value {
    let (clean, corrupted) = (&outcome.clean.metrics, &outcome.corrupted.metrics);
    let (heads, neurons) = (ComponentKind::Heads, ComponentKind::Neurons);
    let mut entry = Map::new();
    entry.insert("name".to_owned(), name.clone());
    entry.insert(
        "logit_diff".to_owned(),
        json!({ "clean": clean.logit_diff, "corrupted": corrupted.logit_diff }),
    );
    entry.insert(
        "metrics".to_owned(),
        json!({ "clean": metrics(clean), "corrupted": metrics(corrupted) }),
    );
    entry.insert("heads".to_owned(), tables(outcome, heads));
    let has_neurons = outcome.tables.iter().any(|table| table.kind == neurons);
    if has_neurons {
        entry.insert("neurons".to_owned(), tables(outcome, neurons));
    }
    let mut joint = Map::new();
    for effects in &outcome.joint {
        insert(&mut joint, &[effects.kind.id(), effects.direction.id()], json!(effects.values));
    }
    entry.insert("joint".to_owned(), Value::Object(joint));
    let mut deltas = Map::new();
    for table in &outcome.tables {
        let value = json!(table.convergence_delta);
        match table.method {
            Method::Ig => {
                insert(&mut deltas, &["ig", table.kind.id(), table.direction.id()], value);
            }
            Method::IgZero => insert(&mut deltas, &["ig_zero"], value),
            Method::Ap | Method::Atp => {}
        }
    }
    entry.insert("convergence_delta".to_owned(), Value::Object(deltas));
    let mut steps = Map::new();
    for table in outcome.tables.iter().filter(|table| !table.n_steps.is_empty()) {
        let path = [table.method.id(), table.kind.id(), table.direction.id()];
        insert(&mut steps, &path, json!(table.n_steps));
    }
    entry.insert("n_steps".to_owned(), Value::Object(steps));
    let seconds: Map<String, Value> =
        outcome.seconds.iter().map(|(phase, seconds)| (phase.clone(), json!(seconds))).collect();
    entry.insert("seconds".to_owned(), Value::Object(seconds));
    Value::Object(entry)
}

fn metrics(values: &MetricValues) -> Value {
    json!({
        "logit_diff": values.logit_diff,
        "prob_diff": values.prob_diff,
        "log_prob": values.log_prob,
        "kl": values.kl,
        "prob_answer": values.prob_answer,
        "prob_wrong": values.prob_wrong,
    })
}

fn tables(outcome: &Outcome, kind: ComponentKind) -> Value {
    let mut map = Map::new();
    for table in outcome.tables.iter().filter(|table| table.kind == kind) {
        let rows = json!(table.rows().collect::<Vec<_>>());
        match table.method {
            Method::IgZero => insert(&mut map, &[table.method.id()], rows),
            _ => insert(&mut map, &[table.method.id(), direction_of(table)], rows),
        }
    }
    Value::Object(map)
}

fn direction_of(table: &ScoreTable) -> &'static str {
    table.direction.id()
}

/// Puts a value at a path of keys.
fn insert(map: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            map.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = map.entry(*first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
