//! How much each component matters, by several methods in one unit and one sign.
//!
//! The methods are statements about one *site*: the heads, or the neurons, of one layer. A
//! component adds a *contribution* to the residual stream there, linearly, so every method asks the
//! same question of the rest of the model: what is the metric when the residual stream at the site
//! is `changed + t * (contributions put in)`?
//!
//! - `suffix.rs` answers it for a batch of streams, with or without gradients: the fast path. It runs
//!   the positions that can differ through the blocks that follow; `cost.rs` counts what that takes, `batches.rs`
//!   runs it in batches, several at once (`lanes.rs`) or at the pace of a GPU (`pace.rs`).
//! - [`patch()`] (AP) puts one component's contribution in at a time.
//! - [`integrate()`] (IG, AtP, joint layer patch) moves all of a layer along a line.
//! - [`position_effects`] and [`streams()`] ask the same of single positions: a contribution's parts are then
//!   its positions, and a site any place between two halves of blocks. [`integrand()`] shows what is
//!   integrated, point by point.
//! - [`ablate()`] and [`faithfulness`] replace sets of components of any layers, by the other run, zero or
//!   [`means()`]: full runs, since such a set is at no one place. [`attention_pattern`] shows where heads look.
//! - `circuits.rs` asks it of parts of heads and of edges between components ([`patch_edges`], [`estimate_edges`]), and runs
//!   circuits of edges.
//! - [`sample`] computes some of it again on a model whose blocks are brought one at a time (`one_by_one.rs`).
//! - [`plain`] computes the same by the definitions, one full run at a time. It is what the fast
//!   path is tested against.
//!
//! Below them: `run.rs` (both prompts run once, sites and signs), `metric.rs` (the metrics, also as differentiable
//! functions), `line.rs` and `quadrature.rs` (a line and its points), `dispatches.rs` (how often a GPU is told of something),
//! `progress.rs` (who listens) and `error.rs`.
//!
//! Sign: `noising` changes the clean run, `denoising` the corrupted one, and positive always means
//! that the component supports the clean behaviour.
//!
//! # Source
//! Zhang and Nanda (2023), arXiv:2309.16042; Heimersheim and Nanda (2024), arXiv:2404.15255;
//! Sundararajan et al. (2017), arXiv:1703.01365; captum's `LayerIntegratedGradients`.
//!
//! # Example
//! Both methods on the heads of one layer, of a model with random weights.
//! ```
//! use burn::tensor::{Device, TensorCreationOptions};
//! use pollster::block_on;
//! use twinbeam_attribution::{NoProgress, Nodes, RunPair, integrate, patch};
//! use twinbeam_core::models::ModelShape;
//! use twinbeam_core::words::{Answers, ComponentKind, Direction, Metric, TokenPair};
//! use twinbeam_gpt2::{Gpt2, Gpt2Config, Param, Params, random_params};
//!
//! let shape =
//!     ModelShape { n_layers: 2, n_heads: 4, d_model: 16, d_head: 4, d_mlp: 32, n_ctx: 8, d_vocab: 20 };
//! let cpu = TensorCreationOptions::new(Device::flex());
//! let mut params = Params::default();
//! for (name, dims, values) in random_params(&shape, 1, 0.5) {
//!     params.insert(name.clone(), Param::from_values(&name, &dims, values, &cpu)?);
//! }
//! let model = Gpt2::from_params(Gpt2Config::new(shape, 0), &params)?;
//! let tokens = TokenPair::new(vec![0, 5, 9, 2], vec![0, 7, 9, 2], &shape)?;
//! let answers = Answers::new(vec![11], vec![13], &shape)?;
//! let pair = block_on(RunPair::new(&model, &tokens, answers, Metric::LogitDiff))?;
//!
//! let (heads, noising) = (ComponentKind::Heads, Direction::Noising);
//! let ap = block_on(patch(&pair, heads, 0, noising, &mut NoProgress))?;
//! let ig = block_on(integrate(&pair, heads, 0, noising, Nodes::Fixed(20), &mut NoProgress))?;
//! assert_eq!(ap.len(), 4);
//! // Integrated gradients of a layer add up to the effect of replacing all of it.
//! assert!(ig.convergence_delta.abs() < 1e-3 * ig.joint.abs().max(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ablate;
mod batches;
mod circuits;
mod cost;
mod dispatches;
mod error;
mod integrand;
mod integrate;
mod lanes;
mod line;
mod means;
mod metric;
mod one_by_one;
mod pace;
mod patch;
mod pattern;
pub mod plain;
mod positions;
mod progress;
mod quadrature;
mod run;
mod site;
mod streams;
mod suffix;

pub use ablate::{Values, ablate, faithfulness};
pub use circuits::{
    Lens, circuits, direct, edge_positions, estimate_edges, lens, parts, patch_edges,
};
pub use cost::{Budget, CostModel};
pub use error::Error;
#[cfg(feature = "faults")]
pub use error::spoil_next_read;
pub use integrand::integrand;
pub use integrate::{
    Baseline, LayerIntegral, Nodes, integrate, integrate_from_zero, integrate_layers,
    layers_at_once,
};
pub use means::{Means, means};
pub use metric::metric_values;
pub use one_by_one::{Blocks, Integrated, Patched, sample};
pub use pace::{Load, Pace};
pub use patch::{patch, patch_some};
pub use pattern::attention_pattern;
pub use positions::position_effects;
pub use progress::{Advance, NoProgress, Progress, ReadBack};
pub use quadrature::gauss_legendre;
pub use run::{RunPair, last_logits};
pub use streams::streams;
