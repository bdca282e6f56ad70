//! The words and plain values that every other crate shares. No tensors, no devices, no I/O.
//!
//! # Glossary
//!
//! Axes, always in this order and with these words:
//!
//! | axis | meaning |
//! |---|---|
//! | `batch` | independent runs in one forward pass (also: patched variants, IG steps) |
//! | `pos` | token position; `query_pos` and `key_pos` in attention |
//! | `n_heads` | attention heads of one layer |
//! | `d_head` | width of one head |
//! | `d_model` | width of the residual stream |
//! | `d_mlp` | neurons of one MLP |
//! | `d_vocab` | token ids |
//!
//! - **clean** prompt: the behaviour is present. **corrupted** prompt: same length, behaviour absent.
//! - **component**: an attention head or an MLP neuron.
//! - **`logit_diff`**: logit of the answer minus logit of the wrong token, at the last token.
//! - **noising**: run *clean*, put *corrupted* values in. Is the component necessary?
//! - **denoising**: run *corrupted*, put *clean* values in. Is the component sufficient?
//! - **AP**, activation patching: the exact effect of one component, one forward pass each.
//! - **IG**, layer-wise integrated gradients: all components of a layer move together.
//! - **AtP**, attribution patching: IG with one step, at the run that is changed.
//! - **joint layer patch**: AP of all components of one layer at once.
//! - **`convergence_delta`**: sum of a layer's IG scores minus its joint layer patch.
//!
//! Every score is in the metric's unit (logits for `logit_diff`), and **positive always means that
//! the component supports the clean behaviour**, in both directions and in every method.

mod align;
mod bench;
mod catalog;
mod claim;
mod experiment;
pub mod gates;
mod hint;
mod hook_name;
mod journal;
mod lab;
mod link;
mod pairs;
mod placement;
mod probe;
mod progressive;
mod prompt;
mod protocol;
mod scores;
mod self_check;
mod shape;
mod snapshot;
pub mod stats;
mod units;
mod view;

pub use align::{Aligned, align};
pub use bench::{Bench, BenchPart, BenchRow};
pub use catalog::{Catalog, CatalogError, CatalogModel, KnownHead, KnownHeads, Published};
pub use claim::{Claim, ClaimedIntegral};
pub use experiment::{
    Direction, Experiment, MAX_PROMPT_CHARS, MAX_STEPS, Metric, NotSteps, Steps, Written,
};
pub use hint::{About, Field, Hint, hides, is_unseen, name_of};
pub use hook_name::HookName;
pub use journal::{Completion, Entry, Journal, Piece};
pub use lab::{ExactPairs, Interaction, Ladder, Redundancy};
pub use link::{
    Link, LinkError, MAX_FRAGMENT, experiment_from_text, experiment_to_text, parse_link, print_link,
};
pub use pairs::{
    BadRow, CaseResult, LeftOut, MAX_PAIRS, MAX_PAIRS_BYTES, Merged, MergedAgreement, MergedTable,
    Merging, OverCases, PairList, PairsError, PromptPair, RowPlace, RowProblem, pairs_text,
    print_pairs, read_pairs,
};
pub use placement::{Because, GpuState, Placement, Speed, Work};
pub use probe::{
    Ablation, AttentionPattern, Faithfulness, Finding, Integrand, PositionEffects, Probe,
    Replacement, Stream, StreamMap,
};
pub use progressive::{Coverage, Patches, Screening, SplitMix64};
pub use prompt::{Answers, PromptError, TokenPair, parse_ids};
pub use protocol::{
    AnswerCheck, AnswerReading, CheckReport, DeviceChoice, DeviceReport, Event, Expected,
    FetchFault, Inspection, Kept, ModelFiles, Phase, Problem, Request, SideView, TokenView,
    TokenizerNote, TokenizerReport, Wait,
};
pub use scores::{
    Component, ComponentKind, JointEffects, Method, MetricValues, Outcome, ScoreTable, SideSummary,
    Strip, TopToken,
};
pub use self_check::{CheckedItem, PUBLISHED_TOLERANCE, SelfCheck};
pub use shape::ModelShape;
pub use snapshot::{NeuronScores, Snapshot};
pub use units::{GapRefused, Unit, UnitBasis};
pub use view::{Draw, Highlight, Panel, ScaleChoice, SetChoice, View, WithChoice};
