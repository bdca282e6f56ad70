//! What is found of a model's graph: parts of heads, edges, direct effects and circuits. docs/METHODS.md defines them.
//!
//! All effects are in the metric's unit, and positive supports the clean behaviour.

use serde::{Deserialize, Serialize};

use crate::circuits::Part;
use crate::words::Direction;

/// One part of every layer, by each method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartMap {
    /// The part.
    pub part: Part,
    /// Which run is changed.
    pub direction: Direction,
    /// How many of it a layer has: heads, or one.
    pub width: usize,
    /// Activation patching of one at a time; `[n_layers * width]`.
    pub ap: Vec<f32>,
    /// Integrated gradients, that part of the whole layer moving together; `[n_layers * width]`.
    pub ig: Vec<f32>,
    /// Attribution patching; `[n_layers * width]`.
    pub atp: Vec<f32>,
    /// Effect of replacing that part of the whole layer; `[n_layers]`.
    pub joint: Vec<f32>,
    /// Sum of integrated gradients minus the joint effect; `[n_layers]`.
    pub convergence_delta: Vec<f32>,
}

/// What goes straight to the logits, and how much of it a frozen LayerNorm would let through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectEffects {
    /// Which run is changed.
    pub direction: Direction,
    /// Heads, layer by layer; `[n_layers * n_heads]`.
    pub heads: DirectMap,
    /// MLPs; `[n_layers]`.
    pub mlps: DirectMap,
    /// Neurons, layer by layer; `[n_layers * d_mlp]`.
    pub neurons: DirectMap,
}

/// Direct effects of one kind of component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectMap {
    /// The direct path patched, the final LayerNorm computed anew.
    pub exact: Vec<f32>,
    /// Direct logit attribution, the final LayerNorm frozen; `None` for another metric than the logit difference.
    pub dla: Option<Vec<f32>>,
}

/// The tokens that a head's output at the last position raises and lowers most, in each run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadLens {
    /// Layer of the head.
    pub layer: usize,
    /// The head.
    pub head: usize,
    /// In the clean run.
    pub clean: LensSide,
    /// In the corrupted run.
    pub corrupted: LensSide,
}

/// What a head writes in one run, as tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LensSide {
    /// Tokens that the head raises most, the first the most.
    pub raised: Vec<LensToken>,
    /// Tokens that the head lowers most, the first the most.
    pub lowered: Vec<LensToken>,
}

/// A token, and how much of its logit is a head's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LensToken {
    /// Token id.
    pub id: u32,
    /// Text of the token.
    pub text: String,
    /// Logits.
    pub logits: f32,
}

/// All edges by their gradients, in the order of [`crate::circuits::Graph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgeEstimates {
    /// Which run is changed.
    pub direction: Direction,
    /// Edge attribution patching; `[n_edges]`.
    pub eap: Vec<f32>,
    /// EAP-IG; `[n_edges]`.
    pub eap_ig: Vec<f32>,
    /// Sum of EAP-IG over the edges of the embedding, minus the gap of the two runs.
    pub convergence_delta: f32,
    /// Points at which gradients were taken for EAP-IG.
    pub n_steps: usize,
}

/// Exact effects of some edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgeEffects {
    /// Which run was changed.
    pub direction: Direction,
    /// Numbers of the edges in [`crate::circuits::Graph`].
    pub edges: Vec<u32>,
    /// One effect per edge.
    pub exact: Vec<f32>,
}

/// What an edge carries at each token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgePositions {
    /// Number of the edge in [`crate::circuits::Graph`].
    pub edge: u32,
    /// Which run is changed.
    pub direction: Direction,
    /// Path patching at one position at a time. They need not add up to the effect at all positions.
    pub exact: Vec<f32>,
    /// The positions' shares of its EAP, which they add up to.
    pub eap: Vec<f32>,
    /// The positions' shares of its EAP-IG, which they add up to.
    pub eap_ig: Vec<f32>,
}

/// An order of all edges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOrder {
    /// Numbers of edges; those that are left out come last.
    Listed(Vec<u32>),
    /// A random order.
    Random {
        /// Decides the order: equal seeds, equal orders.
        seed: u64,
    },
}

/// The metric of circuits of growing size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CircuitCurves {
    /// Numbers of edges that were taken of each order.
    pub sizes: Vec<usize>,
    /// For each order, how many edges of each circuit are connected.
    pub kept: Vec<Vec<usize>>,
    /// For each order, the metric of each circuit.
    pub metric: Vec<Vec<f32>>,
}
