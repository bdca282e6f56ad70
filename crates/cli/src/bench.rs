//! `twinbeam bench`: how fast the methods run here, and how far that is from what the machine can do.

#[cfg(feature = "gpu")]
mod products;
mod scaling;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use pollster::block_on;
use twinbeam_batch::{Folder, question_of, read_cases};
use twinbeam_core::wire::Expected;
use twinbeam_core::wire::devices::Bench;
use twinbeam_core::words::{Experiment, Steps};
use twinbeam_engine::{BenchPlan, DeviceKind, Model, bench, bench_question};

use crate::compare::{DeviceOption, PrecisionOption, steps};
use crate::terminal::Terminal;

/// What to time, and where.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder with config.json and model.safetensors.
    #[arg(long, required_unless_present = "products")]
    pub model: Option<PathBuf>,
    /// List of cases as `compare` takes it, of which the first is timed; by default token ids of the size of the
    /// notebook's pair (docs/METHODS.md): 17 tokens, or as many as the model reads, the eleventh different.
    #[arg(long)]
    pub cases: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceOption::Cpu)]
    pub device: DeviceOption,
    /// Type of number on the CPU; auto is double for models up to 20 million parameters.
    #[arg(long, value_enum, default_value_t = PrecisionOption::Auto)]
    pub precision: PrecisionOption,
    /// Gauss-Legendre nodes of integrated gradients; `auto`: as many as it takes for a thousandth of the gap,
    /// and `auto:200` for 200 millionths.
    #[arg(long, default_value_t = Steps::Fixed(50), value_parser = steps)]
    pub n_steps: Steps,
    /// Layers whose neurons are patched, all of them; by default four from the first to the last.
    #[arg(long, value_delimiter = ',')]
    pub neuron_layers: Option<Vec<usize>>,
    /// A few seconds of each part only.
    #[arg(long)]
    pub small: bool,
    /// Print how time grows with the length of the prompts, the layers of the model and the number of prompts,
    /// and how far that is from what the cost model says.
    #[arg(long, conflicts_with_all = ["cases", "neuron_layers", "small", "json"])]
    pub scaling: bool,
    /// Time products of matrices on a GPU, by shape and kernel, without a model. For builds with the feature `gpu`.
    #[arg(long, conflicts_with_all = ["model", "cases", "neuron_layers", "small", "scaling", "json"])]
    pub products: bool,
    /// Write what was measured to this file too, as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Times the methods and prints a table.
///
/// # Errors
/// A model or a device that cannot be used.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut terminal = Terminal::new();
    let Some(path) = &options.model else {
        return products(&terminal);
    };
    let device = block_on(DeviceKind::choose(options.device.into()))?
        .with_precision(options.precision.into());
    let folder = Folder(path.clone());
    let model = block_on(Model::load(&folder, &Expected::default(), &device, &mut terminal))
        .with_context(|| format!("loading {}", path.display()))?;
    terminal.finish();
    if options.scaling {
        return scaling::run(&model, device.report(), &mut terminal);
    }
    let shape = model.shape();
    let mut plan = if options.small { BenchPlan::small(shape) } else { BenchPlan::large(shape) };
    if let Some(layers) = &options.neuron_layers {
        let last = shape.n_layers - 1;
        ensure!(layers.iter().all(|layer| *layer <= last), "the model has layers 0 to {last}");
        plan.neuron_layers.clone_from(layers);
    }
    let question = if let Some(path) = &options.cases {
        let cases = read_cases(path)?;
        let case = cases.into_iter().find_map(Result::ok);
        let case = case.with_context(|| format!("{}: no row is a case", path.display()))?;
        let experiment = Experiment { n_steps: options.n_steps, ..Experiment::default() };
        question_of(&model, case, experiment)?.0
    } else {
        bench_question(&model, options.n_steps)?
    };
    let report = block_on(bench(&model, device.report(), &question, &plan, 1, &mut terminal))?;
    print(&report);
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

#[cfg(feature = "gpu")]
fn products(terminal: &Terminal) -> anyhow::Result<()> {
    products::run(terminal)
}

#[cfg(not(feature = "gpu"))]
fn products(_: &Terminal) -> anyhow::Result<()> {
    anyhow::bail!("this build does without a GPU; `--features gpu` makes one that has it")
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
fn print(report: &Bench) {
    println!("{}; peak {:.1} GFLOP/s", report.device.name, report.peak / 1e9);
    println!("{:<32} {:>9} {:>9} {:>9} {:>6} {:>9}", "", "GFLOP", "s", "GFLOP/s", "peak", "all, s");
    for row in &report.rows {
        println!(
            "{:<32} {:>9.1} {:>9.2} {:>9.1} {:>5.0}% {:>9.1}",
            row.part.label(),
            row.flops as f64 / 1e9,
            row.seconds,
            row.flops_per_second() / 1e9,
            100.0 * report.share_of_peak(row),
            row.all_seconds(),
        );
    }
    println!("{:<32} {:>46.1}", "a run in all", report.all_seconds());
}
