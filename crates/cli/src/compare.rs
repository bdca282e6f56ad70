//! `twinbeam compare`: both methods on a list of cases, case by case and in common.

mod cases;
mod entry;
mod notes;
mod summary;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pollster::block_on;
use twinbeam_core::circuits::Part;
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::{BadRow, MAX_PAIRS};
use twinbeam_core::scores::many::{CaseResult, Merging};
use twinbeam_core::scores::{Outcome, Unit};
use twinbeam_core::wire::Expected;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, MAX_STEPS, Metric, Steps};
use twinbeam_engine::{
    DeviceKind, Error, Model, Plan, Precision, Question, hints, probe_question, run as run_engine,
};
use twinbeam_tasks::Task;

use crate::checked::run_checked;
use crate::files::{Folder, Terminal};
use crate::self_check;

use self::cases::{draw_cases, task};
use self::entry::{Entry, Scores};
use self::notes::Notes;

pub(crate) use self::cases::{case_of_ids, name_of, question_of, read_cases};
pub use self::summary::describe;

/// What to compare, and how.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder with config.json, model.safetensors and, for prompts as text, tokenizer.json, or vocab.json and
    /// merges.txt.
    #[arg(long)]
    pub model: PathBuf,
    /// List of cases in UTF-8 or UTF-16: JSON (a list, an object with a list under `prompts`, `cases` or `pairs`, or an
    /// object per line) or a table (CSV with commas, semicolons or tabs), by the file's beginning.
    ///
    /// Fields, or columns named in the first line, are `clean`, `corrupted`, `answer`, `wrong` and, optionally, `name`;
    /// several answers are a list in JSON and stand between `|` in a table. By token id: `answer_id` and `wrong_id` in
    /// place of the answers, or `clean_ids`, `corrupted_ids`, `answer_id` and `wrong_id`. The names of published lists
    /// are read as well (`corrupt`, `answers`, `wrong_answers`; `correct_idx`, `incorrect_idx`; `clean_prefix`,
    /// `patch_answer`, ...). `label` alone is the year of a greater-than list, where the clean prompt has a year and ends
    /// in its first two digits: right are the two-digit years above it. Other columns are left out.
    ///
    /// A row that cannot be read is an entry with an `error`, and the others run.
    #[arg(long, required_unless_present = "task", conflicts_with = "task")]
    pub cases: Option<PathBuf>,
    /// Draw cases from a task instead, of fillers that the bundled model was not trained on: ioi, ioi-long,
    /// greater-than, subject-verb, pronoun, capital, hypernym or induction.
    #[arg(long, value_parser = task)]
    pub task: Option<Task>,
    /// Cases to draw.
    #[arg(long, conflicts_with = "cases", default_value_t = 20, value_parser = drawn)]
    pub n: usize,
    /// Cases are the same for the same seed.
    #[arg(long, conflicts_with = "cases", default_value_t = 0)]
    pub seed: u64,
    /// File to write: JSON, all scores of every case.
    #[arg(long, required_unless_present = "summary")]
    pub out: Option<PathBuf>,
    /// File to write: JSON, mean and spread of each component over all cases, and how far the methods agree. With
    /// neurons of many cases, ask for this file alone: all scores of every case take hundreds of megabytes.
    #[arg(long)]
    pub summary: Option<PathBuf>,
    /// In which unit the summary's means are; in shares of the gap, a case is left out, with the reason, whose clean run
    /// does not beat the corrupted one, or hardly.
    #[arg(long, value_enum, default_value_t = UnitOption::Metric, requires = "summary")]
    pub unit: UnitOption,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceOption::Cpu)]
    pub device: DeviceOption,
    /// Type of number on the CPU; auto is double for models up to 20 million parameters.
    #[arg(long, value_enum, default_value_t = PrecisionOption::Auto)]
    pub precision: PrecisionOption,
    /// Neurons too.
    #[arg(long)]
    pub neurons: bool,
    /// Parts of heads and MLPs too, each replaced by itself: `q`, `k`, `v`, `pattern`, `mlp_out`, with commas between them.
    /// They are written to `--out`. What a GPU says of them is not checked on the CPU.
    #[arg(long, value_delimiter = ',')]
    pub nodes: Vec<Part>,
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
    /// Double for models up to 20 million parameters, single for larger ones.
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
    /// Both runs, each in turn.
    Both,
}

impl DirectionOption {
    /// The directions that it stands for, in the order in which they are run.
    pub(crate) fn directions(self) -> Vec<Direction> {
        match self {
            Self::Noising => vec![Direction::Noising],
            Self::Denoising => vec![Direction::Denoising],
            Self::Both => Direction::ALL.to_vec(),
        }
    }
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

/// The unit of the summary's means.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UnitOption {
    /// The metric's own unit.
    Metric,
    /// A share of what the metric differs by between the two runs.
    Share,
}

impl From<UnitOption> for Unit {
    fn from(option: UnitOption) -> Self {
        match option {
            UnitOption::Metric => Self::Metric,
            UnitOption::Share => Self::ShareOfGap,
        }
    }
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

fn drawn(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MAX_PAIRS).contains(n));
    n.ok_or_else(|| format!("choose 1 to {MAX_PAIRS}"))
}

/// A JSON list that is written entry by entry: all scores of many cases do not fit into memory.
struct ListFile {
    file: BufWriter<File>,
    is_empty: bool,
}

impl ListFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { file: BufWriter::new(file), is_empty: true })
    }

    fn push(&mut self, entry: &Entry<'_>) -> anyhow::Result<()> {
        self.file.write_all(if self.is_empty { b"[" } else { b"," })?;
        self.is_empty = false;
        Ok(serde_json::to_writer(&mut self.file, entry)?)
    }

    fn close(mut self) -> anyhow::Result<()> {
        self.file.write_all(if self.is_empty { b"[]\n" } else { b"]\n" })?;
        Ok(self.file.flush()?)
    }
}

/// Runs every case; `false` if one of them has an error.
///
/// # Errors
/// A model, a device or a list of cases that cannot be used, or a file that cannot be written.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let cases = match (&options.cases, options.task) {
        (Some(path), _) => read_cases(path)?,
        (None, Some(task)) => draw_cases(task, options.n, options.seed),
        // The command line asks for one of them.
        (None, None) => Vec::new(),
    };
    let mut terminal = Terminal::new();
    let device = block_on(DeviceKind::choose(options.device.into()))?
        .with_precision(options.precision.into());
    let folder = Folder(options.model.clone());
    let mut load = |device: &DeviceKind| {
        block_on(Model::load(&folder, &Expected::default(), device, &mut terminal))
            .with_context(|| format!("loading {}", options.model.display()))
    };
    let model = load(&device)?;
    let on_cpu = device.report().gpu.then(|| load(&DeviceKind::cpu("To check the GPU.")));
    let on_cpu = on_cpu.transpose()?;
    // The bar would be drawn over what is said.
    terminal.finish();
    let is_text = |case: &Result<PromptPair, BadRow>| {
        case.as_ref().is_ok_and(|pair| !pair.written.prompts_are_ids())
    };
    if !options.no_bos && cases.iter().any(is_text) {
        model.words().bos().with_context(|| format!("loading {}", options.model.display()))?;
    }
    self_check::show(&model);
    let mut notes = Notes::of(&model, !options.no_bos);

    let mut out = options.out.as_deref().map(ListFile::create).transpose()?;
    let unit = options.unit.into();
    let mut merging = Merging::new(options.metric.into(), unit, model.shape().d_model);
    let mut all_right = true;
    for (index, case) in cases.into_iter().enumerate() {
        let name = name_of(&case, index);
        terminal.name(&name);
        let result = case.map_err(anyhow::Error::from).and_then(|pair| {
            let models = (&model, on_cpu.as_ref());
            compare(models, pair, options, (&name, &mut notes), &mut terminal)
        });
        all_right &= result.is_ok();
        if let Some(out) = &mut out {
            out.push(&match &result {
                Ok((outcome, parts)) => Entry::Result(Box::new(Scores::of(&name, outcome, parts))),
                Err(error) => Entry::Failure { name: &name, error: format!("{error:#}") },
            })?;
        }
        if options.summary.is_some() {
            match result {
                Ok((outcome, _)) => {
                    merging.add(&CaseResult::of(name, outcome));
                }
                Err(error) => merging.leave_out(name, format!("{error:#}")),
            }
        }
    }
    terminal.finish();
    notes.show();
    out.map_or(Ok(()), ListFile::close)?;
    if let Some(path) = &options.summary {
        write_summary(path, &merging)?;
    }
    Ok(all_right)
}

#[expect(clippy::print_stdout, reason = "the standard output is for results")]
fn write_summary(path: &Path, merging: &Merging) -> anyhow::Result<()> {
    let merged = merging.merged();
    fs::write(path, merged.to_json() + "\n")
        .with_context(|| format!("writing {}", path.display()))?;
    print!("{}", describe(&merged));
    Ok(())
}

fn compare(
    (model, on_cpu): (&Model, Option<&Model>),
    case: PromptPair,
    options: &Options,
    (title, notes): (&str, &mut Notes),
    terminal: &mut Terminal,
) -> anyhow::Result<(Outcome, Vec<PartMap>)> {
    let experiment = Experiment {
        model: String::new(),
        prepend_bos: !options.no_bos,
        metric: options.metric.into(),
        n_steps: options.n_steps,
        ..Experiment::default()
    };
    let (question, experiment) = question_of(model, case, experiment)?;
    notes.add(title, hints(model.words(), &experiment));
    let directions = options.direction.directions();
    let mut kinds = vec![ComponentKind::Heads];
    if options.neurons {
        kinds.push(ComponentKind::Neurons);
    }
    // The zero baseline is defined with the clean run upstream, which is the noising direction.
    let zero_baseline = directions.contains(&Direction::Noising);
    let parts = parts(model, (&question, &experiment), &options.nodes, &directions, terminal)?;
    let plan = Plan { directions, kinds, zero_baseline };
    let Some(on_cpu) = on_cpu else {
        let outcome = block_on(run_engine(model, &question, experiment, &plan, 1, terminal));
        let outcome = outcome.map_err(|error: Error| anyhow::Error::from(error))?;
        return Ok((outcome, parts));
    };
    let asked = (&question, experiment, &plan);
    let (outcome, report) = run_checked(model, on_cpu, asked, terminal)?;
    notes.checked(report);
    Ok((outcome, parts))
}

/// Maps of the wanted parts in some directions.
fn parts(
    model: &Model,
    asked: (&Question, &Experiment),
    wanted: &[Part],
    directions: &[Direction],
    terminal: &mut Terminal,
) -> anyhow::Result<Vec<PartMap>> {
    let mut maps = Vec::new();
    if wanted.is_empty() {
        return Ok(maps);
    }
    for direction in directions {
        let probe = Probe::Parts { direction: *direction };
        let (found, _unchecked) = block_on(probe_question(model, asked, &probe, 1, terminal))?;
        if let Finding::Parts(found) = found {
            maps.extend(found.into_iter().filter(|map| wanted.contains(&map.part)));
        }
    }
    Ok(maps)
}
