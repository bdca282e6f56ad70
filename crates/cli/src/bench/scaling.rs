//! How time grows, against the cost model.

use anyhow::{Context as _, ensure};
use pollster::block_on;
use twinbeam_batch::{case_of_ids, question_of};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::wire::devices::{Bench, DeviceReport};
use twinbeam_core::words::{ComponentKind, Experiment, Steps};
use twinbeam_engine::{BenchPlan, Model, bench};

use crate::terminal::Terminal;

/// Most that a time may be off from what the cost model says, relative to the median of all.
const ALLOWED: f64 = 0.3;
/// Steps of integrated gradients: enough for full batches.
const STEPS: usize = 30;

/// One size of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Job {
    tokens: usize,
    layers: usize,
    prompts: usize,
}

pub(super) fn run(
    whole: &Model,
    device: &DeviceReport,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let n_layers = whole.shape().n_layers;
    // What does not fit the model's context is as long as that; the same job twice says nothing.
    let n_ctx = whole.shape().n_ctx;
    let mut lengths = [9, 17, 33, 65, 129].map(|n_pos: usize| n_pos.min(n_ctx)).to_vec();
    lengths.dedup();
    let mut jobs = Vec::new();
    for n_pos in lengths {
        jobs.push(Job { tokens: n_pos, layers: n_layers, prompts: 1 });
    }
    let usual = n_ctx.min(17);
    for part in [4, 2] {
        jobs.push(Job { tokens: usual, layers: n_layers.div_ceil(part), prompts: 1 });
    }
    for prompts in [2, 4] {
        jobs.push(Job { tokens: usual, layers: n_layers, prompts });
    }
    let mut rows = Vec::new();
    for job in jobs {
        let model = whole.cut_after(job.layers);
        let plan = BenchPlan {
            kinds: vec![ComponentKind::Heads],
            ig_layers: (0..job.layers).collect(),
            neuron_layers: Vec::new(),
            n_neurons: 0,
            n_edges: 0,
        };
        let (mut seconds, mut flops) = (0.0, 0);
        for prompt in 0..job.prompts {
            let experiment = Experiment { n_steps: Steps::Fixed(STEPS), ..Experiment::default() };
            let (question, _) = question_of(&model, pair(&model, job.tokens, prompt), experiment)?;
            let report: Bench = block_on(bench(&model, device, &question, &plan, 1, terminal))?;
            seconds += report.rows.iter().map(|row| row.seconds).sum::<f64>();
            flops += report.rows.iter().map(|row| row.flops).sum::<u64>();
        }
        rows.push((job, flops, seconds));
    }
    print(&rows)
}

/// A pair of prompts whose upper half of positions can differ.
fn pair(model: &Model, n_pos: usize, prompt: usize) -> PromptPair {
    let id = |number: usize| (number % model.shape().d_vocab) as u32;
    let clean: Vec<u32> = (0..n_pos).map(|pos| id(pos + prompt)).collect();
    let mut corrupted = clean.clone();
    corrupted[n_pos / 2] = id(corrupted[n_pos / 2] as usize + 1);
    case_of_ids(&clean, &corrupted, id(1), id(2))
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
fn print(rows: &[(Job, u64, f64)]) -> anyhow::Result<()> {
    let speed = |(_, flops, seconds): &(Job, u64, f64)| *flops as f64 / seconds;
    let mut speeds: Vec<f64> = rows.iter().map(speed).collect();
    speeds.sort_by(f64::total_cmp);
    let median = speeds.get(speeds.len() / 2).copied().context("nothing was timed")?;
    println!(
        "Heads, AP and IG in {STEPS} steps, one direction; at the median {:.1} GFLOP/s",
        median / 1e9
    );
    println!(
        "{:>7} {:>7} {:>8} {:>9} {:>8} {:>9} {:>9} {:>6}",
        "tokens", "layers", "prompts", "GFLOP", "s", "GFLOP/s", "model, s", "off"
    );
    let mut worst = 0.0_f64;
    for row in rows {
        let (Job { tokens, layers, prompts }, flops, seconds) = row;
        let expected = *flops as f64 / median;
        let off = seconds / expected - 1.0;
        worst = worst.max(off.abs());
        println!(
            "{tokens:>7} {layers:>7} {prompts:>8} {:>9.1} {seconds:>8.2} {:>9.1} {expected:>9.2} {:>+5.0}%",
            *flops as f64 / 1e9,
            speed(row) / 1e9,
            100.0 * off
        );
    }
    ensure!(worst <= ALLOWED, "a time is {:.0} % off", 100.0 * worst);
    Ok(())
}
