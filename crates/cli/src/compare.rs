//! `twinbeam compare`: both methods on a list of cases, case by case and in common.

mod notes;
mod summary;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pollster::block_on;
use twinbeam_batch::{
    Case, Compared, Folder, ListFile, Models, Settings, Shard, Source, Step, bundle, compare,
    compare_share, draw_cases, figure, has_beginning, name_of, read_cases, store, task,
};
use twinbeam_core::circuits::Part as NodePart;
use twinbeam_core::prompts::lists::Limits;
use twinbeam_core::scores::Unit;
use twinbeam_core::scores::many::{CaseResult, Merged, Merging};
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::words::{Direction, MAX_STEPS, Metric, Steps};
use twinbeam_engine::{DeviceKind, Precision};
use twinbeam_figure::colour::Ground;
use twinbeam_tasks::Task;

use crate::self_check;
use crate::terminal::Terminal;

use self::notes::Notes;

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
    #[arg(long, required_unless_present_any = ["summary", "svg", "bundle"])]
    pub out: Option<PathBuf>,
    /// One share of the cases, as in `2/8`: `--out` is its file, which gets its name when it is whole. Where it is there
    /// already, of the same cases, model and options, nothing is computed: to go on after a failure, run the same again.
    /// `twinbeam merge` makes one result of all shares.
    #[arg(long, requires = "out", conflicts_with_all = ["summary", "svg", "bundle"])]
    pub shard: Option<Shard>,
    /// File to draw to: an SVG with head maps, neurons if they are computed, IG against AP, and layer by layer, of the
    /// first of the directions. Of several cases each has its number in front of the extension: `figure-1.svg`.
    #[arg(long)]
    pub svg: Option<PathBuf>,
    /// File to write: a ZIP archive with all of one case, as the page saves it: scores as JSON and CSV, the figure, plots, and a
    /// Jupyter notebook that computes the scores again with TransformerLens and captum. Of several cases each has its
    /// number, as with `--svg`.
    #[arg(long)]
    pub bundle: Option<PathBuf>,
    /// Draw for the dark theme.
    #[arg(long, requires = "svg")]
    pub dark: bool,
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
    pub nodes: Vec<NodePart>,
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

impl Options {
    /// What is computed of every case.
    fn settings(&self) -> Settings {
        Settings {
            prepend_bos: !self.no_bos,
            metric: self.metric.into(),
            n_steps: self.n_steps,
            directions: self.direction.directions(),
            neurons: self.neurons,
            parts: self.nodes.clone(),
        }
    }
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
    let most = Limits::DISK.pairs;
    let n = text.parse().ok().filter(|n| (1..=most).contains(n));
    n.ok_or_else(|| format!("choose 1 to {most}"))
}

/// Runs every case, or every case of a shard; `false` if one of them has an error.
///
/// # Errors
/// A model, a device or a list of cases that cannot be used, a file that cannot be written, or a shard's file that was
/// made of something else.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let cases = match (&options.cases, options.task) {
        (Some(path), _) => read_cases(path)?,
        (None, Some(task)) => draw_cases(task, options.n, options.seed),
        // The command line asks for one of them.
        (None, None) => Vec::new(),
    };
    let settings = options.settings();
    let mut terminal = Terminal::new();
    let device = block_on(DeviceKind::choose(options.device.into()))?
        .with_precision(options.precision.into());
    let loading = || format!("loading {}", options.model.display());
    let folder = Folder(options.model.clone());
    let models = Models::load(&folder, &device, &mut terminal).with_context(loading)?;
    // The bar would be drawn over what is said.
    terminal.finish();
    let job = Job { models, settings, device, terminal };
    if let (Some(shard), Some(out)) = (options.shard, &options.out) {
        return job.shard(&cases, shard, out);
    }
    job.check(&cases).with_context(loading)?;
    job.list(cases, options)
}

/// A model and what is asked of every case.
struct Job {
    models: Models,
    settings: Settings,
    /// What computes.
    device: DeviceKind,
    terminal: Terminal,
}

impl Job {
    /// Whether prompts as text can be read, and what there is to say of the model before it runs.
    fn check(&self, cases: &[Case]) -> anyhow::Result<()> {
        has_beginning(&self.models, cases, &self.settings)?;
        self_check::show(self.models.model());
        Ok(())
    }

    /// Compares cases, and has `each` hear of every result.
    fn each(
        &mut self,
        cases: Vec<Case>,
        mut each: impl FnMut(String, Result<Compared, String>) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let mut notes = Notes::of(self.models.model(), self.settings.prepend_bos);
        let mut all_right = true;
        for (index, case) in cases.into_iter().enumerate() {
            let name = name_of(&case, index);
            self.terminal.name(&name);
            let result = case.map_err(|bad| bad.to_string()).and_then(|pair| {
                let found = compare(&self.models, pair, &self.settings, &mut self.terminal);
                found.map_err(|error| error.to_string())
            });
            all_right &= result.is_ok();
            if let Ok(Compared { hints, checked, .. }) = &result {
                notes.add(&name, hints.clone());
                notes.checked(*checked);
            }
            each(name, result)?;
        }
        self.terminal.finish();
        notes.show();
        Ok(all_right)
    }

    /// All cases, into one list and one summary.
    fn list(mut self, cases: Vec<Case>, options: &Options) -> anyhow::Result<bool> {
        let mut out = options.out.as_deref().map(ListFile::create).transpose()?;
        let (metric, unit) = (self.settings.metric, options.unit.into());
        let mut merging = Merging::new(metric, unit, self.models.model().shape().d_model);
        let is_alone = cases.len() == 1;
        let source = Source::of(&self.models, &self.device);
        let direction = options.direction.directions()[0];
        let mut place = 0;
        let all_right = self.each(cases, |name, result| {
            place += 1;
            let path_of =
                |path: &PathBuf| if is_alone { path.clone() } else { numbered(path, place) };
            if let (Some(path), Ok(found)) = (&options.svg, &result) {
                let ground = if options.dark { Ground::Dark } else { Ground::Light };
                store::write(&path_of(path), figure(found, &source, direction, ground).svg)?;
            }
            if let (Some(path), Ok(found)) = (&options.bundle, &result) {
                store::write(&path_of(path), bundle(found, &source, direction, now())?)?;
            }
            if let Some(out) = &mut out {
                out.push(&name, result.as_ref().map_err(String::as_str))?;
            }
            if options.summary.is_some() {
                match result {
                    Ok(found) => {
                        merging.add(&CaseResult::of(name, found.outcome));
                    }
                    Err(error) => merging.leave_out(name, error),
                }
            }
            Ok(())
        })?;
        out.map_or(Ok(()), ListFile::close)?;
        if let Some(path) = &options.summary {
            write_summary(path, &merging.merged())?;
        }
        Ok(all_right)
    }

    /// The cases of one shard, into its file; nothing, where that is there already.
    #[expect(clippy::print_stderr, reason = "the standard output is for results")]
    fn shard(mut self, cases: &[Case], shard: Shard, out: &Path) -> anyhow::Result<bool> {
        let model = self.models.model();
        let mut notes = Notes::of(model, self.settings.prepend_bos);
        let (on, what) = ((&self.models, &self.device), (cases, &self.settings));
        let hear = |terminal: &mut Terminal, step: Step<'_>| match step {
            Step::Begun => self_check::show(model),
            Step::Case(name) => terminal.name(name),
            Step::Found(name, Compared { hints, checked, .. }) => {
                notes.add(name, hints.clone());
                notes.checked(*checked);
            }
        };
        let done = compare_share(on, what, (shard, out), &mut self.terminal, hear)?;
        self.terminal.finish();
        notes.show();
        if done.before {
            eprintln!("Share {shard} is done already, in {}: nothing was computed.", out.display());
        }
        Ok(done.failed == 0)
    }
}

/// A file's name with a number in front of its extension.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let name = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map_or_else(String::new, |of| format!(".{}", name(Some(of))));
    path.with_file_name(format!("{}-{number}{extension}", name(path.file_stem())))
}

/// Seconds since the beginning of 1970.
#[expect(clippy::disallowed_methods, reason = "native: the clock is there")]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs().cast_signed()
}

/// Writes what all cases have in common, and prints it in short.
///
/// # Errors
/// The file cannot be written.
#[expect(clippy::print_stdout, reason = "the standard output is for results")]
pub(crate) fn write_summary(path: &Path, merged: &Merged) -> anyhow::Result<()> {
    store::write(path, merged.to_json() + "\n")?;
    print!("{}", describe(merged));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_files_has_a_name_of_its_own() {
        for (path, third) in [
            ("out/figure.svg", "out/figure-3.svg"),
            ("a.b.svg", "a.b-3.svg"),
            ("figure", "figure-3"),
            (".svg", ".svg-3"),
        ] {
            assert_eq!(numbered(Path::new(path), 3), Path::new(third));
        }
    }
}
