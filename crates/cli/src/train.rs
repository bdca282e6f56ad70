//! `twinbeam train`: the bundled model from nothing, on a generated corpus, on the CPU.

mod card;
mod checkpoint;
mod data;
mod dropout;
mod step;
mod vocabulary;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_core::models::{ModelFiles, ModelShape};
use twinbeam_core::wire::Expected;
use twinbeam_engine::{DeviceKind, Model};
use twinbeam_gpt2::{Gpt2Config, Hooks, NoHooks, StoredDtype};
use twinbeam_tasks::Split;

use crate::evaluate::strongest_edges;
use crate::terminal::Terminal;
use card::{Findings, card};
use data::Batches;
use dropout::HeadDropout;
use step::Trainer;

/// What to train, and how.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder to write the model to; a run that was stopped continues from what is there.
    #[arg(long, default_value = "assets/models/mini")]
    pub out: PathBuf,
    /// Seed of the corpus and of the first weights.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Optimiser steps of about a thousand tokens.
    #[arg(long, default_value_t = 8_000)]
    pub steps: usize,
    /// Largest learning rate; it rises over the first 100 steps and falls to a tenth at the end.
    #[arg(long, default_value_t = 1e-3)]
    pub learning_rate: f64,
    /// Steps between checkpoints and evaluations.
    #[arg(long, default_value_t = 500)]
    pub every: usize,
}

/// Sizes of the bundled model; the vocabulary is what its tokenizer finds.
pub fn shape(d_vocab: usize) -> ModelShape {
    ModelShape { n_layers: 4, n_heads: 8, d_model: 128, d_head: 16, d_mlp: 512, n_ctx: 64, d_vocab }
}

/// Held-out prompts per task in the last evaluation, and in those on the way.
const FINAL_PROMPTS: usize = 500;
const QUICK_PROMPTS: usize = 60;
/// Pairs of lists in which heads are looked at, in the last evaluation and in those on the way, and induction prompts
/// whose edges are patched.
const FINAL_LISTS: usize = 50;
const QUICK_LISTS: usize = 3;
const FINAL_EDGES: usize = 100;
/// Held-out prompts are drawn with another seed than the corpus.
const EVALUATION_SEED: u64 = 0x7765_6967;

/// Share of the steps from which on heads are silenced at random and the tasks are mixed evenly. Before it, names to
/// copy prevail and all heads work: that is learnt late, and otherwise later still.
const LATE_FROM: f64 = 0.75;

/// Trains, evaluates, and writes the model with its card.
///
/// # Errors
/// A folder that cannot be written, a checkpoint that is not of this run.
#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
#[expect(clippy::disallowed_methods, reason = "native: the clock is there")]
pub fn run(options: &Options) -> anyhow::Result<()> {
    let begun = Instant::now();
    let out = &options.out;
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let tokenizer = vocabulary::train(options.seed, &out.join(ModelFiles::TOKENIZER))?;
    let config = Gpt2Config::new(shape(tokenizer.len()), vocabulary::BOS_ID);
    fs::write(out.join(ModelFiles::CONFIG), config.to_json()).context("writing config.json")?;
    let settings = vocabulary::settings(config.shape.n_ctx);
    fs::write(out.join("tokenizer_config.json"), settings)
        .context("writing tokenizer_config.json")?;
    let checkpoint = out.join("checkpoint.safetensors");
    let mut trainer = if checkpoint.exists() {
        let trainer = Trainer::resume(config.clone(), &checkpoint)?;
        println!("continuing at step {}", trainer.step());
        trainer
    } else {
        Trainer::new(config.clone(), options.seed)?
    };
    println!(
        "{} parameters, {} tokens in the vocabulary",
        config.shape.n_params(),
        tokenizer.len()
    );

    let late_from = (LATE_FROM * options.steps as f64) as usize;
    let mut batches = Batches::new(&tokenizer, options.seed, late_from);
    batches.skip(trainer.step())?;
    while trainer.step() < options.steps {
        let rate = learning_rate(options, trainer.step());
        let mut dropout = HeadDropout::new(options.seed, trainer.step());
        let late = trainer.step() >= late_from;
        let hooks: &mut dyn Hooks = if late { &mut dropout } else { &mut NoHooks };
        let loss = trainer.train(&batches.next()?, rate, hooks)?;
        let step = trainer.step();
        if step % 50 == 0 {
            println!("step {step}: loss {loss:.3}, {:.0} s", begun.elapsed().as_secs_f64());
        }
        if step % options.every == 0 || step == options.steps {
            trainer.save(&checkpoint)?;
            trainer.export(&out.join(ModelFiles::WEIGHTS), StoredDtype::F16)?;
            Findings::of(&load(out)?, QUICK_PROMPTS, QUICK_LISTS)?.print();
        }
    }
    let model = load(out)?;
    let findings = Findings::of(&model, FINAL_PROMPTS, FINAL_LISTS)?;
    findings.print();
    let edges = strongest_edges(&model, Split::HeldOut, FINAL_EDGES, EVALUATION_SEED)?;
    let card = card(options, &config, batches.tokens(), &findings, &edges);
    fs::write(out.join("MODEL_CARD.md"), card).context("writing MODEL_CARD.md")?;
    fs::remove_file(&checkpoint).context("removing the checkpoint")?;
    Ok(())
}

/// Linear warm-up, then half a cosine down to a tenth.
fn learning_rate(options: &Options, step: usize) -> f64 {
    const WARM_UP: f64 = 100.0;
    let (step, steps) = (step as f64, options.steps as f64);
    if step < WARM_UP {
        return options.learning_rate * (step + 1.0) / WARM_UP;
    }
    let progress = ((step - WARM_UP) / (steps - WARM_UP).max(1.0)).min(1.0);
    let cosine = f64::midpoint(1.0, (std::f64::consts::PI * progress).cos());
    options.learning_rate * (0.1 + 0.9 * cosine)
}

/// The model as it is on the disk, in half precision, which is what visitors get.
fn load(out: &Path) -> anyhow::Result<Model> {
    let device = DeviceKind::cpu("training").with_precision(twinbeam_engine::Precision::Single);
    let folder = Folder(out.to_path_buf());
    Ok(block_on(Model::load(&folder, &Expected::default(), &device, &mut Terminal::new()))?)
}
