//! Questions about an experiment beyond its score tables, and what is found: one question, one finding.

pub mod circuits;

use serde::{Deserialize, Serialize};

use self::circuits::{
    CircuitCurves, DirectEffects, EdgeEffects, EdgeEstimates, EdgeOrder, EdgePositions, HeadLens,
    PartMap,
};

use crate::scores::ScoreTable;
use crate::words::{Component, ComponentKind, Direction, Method};

/// What the lab asks of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// The metric and its gradient along the line that the layer of a component moves on.
    Integrand {
        /// The component whose part of the gradient is wanted.
        component: Component,
        /// Which run is changed.
        direction: Direction,
    },
    /// What a component does at each token.
    Positions {
        /// The component.
        component: Component,
        /// Which run is changed.
        direction: Direction,
    },
    /// The residual stream, attention outputs and MLP outputs, layer by layer and token by token.
    Streams {
        /// Which run is changed.
        direction: Direction,
    },
    /// Where a head attends to, in both runs.
    Pattern {
        /// Layer of the head.
        layer: usize,
        /// The head.
        head: usize,
    },
    /// Integrated gradients of the heads from activations of zero, the clean run upstream.
    ZeroBaseline,
    /// Sets of components, each replaced together.
    Ablate {
        /// The sets, heads and neurons of any layers.
        sets: Vec<Vec<Component>>,
        /// What they are replaced by.
        with: Replacement,
        /// Which run is changed.
        direction: Direction,
    },
    /// The clean run with all components of a kind replaced but the first of an order, more and more of them.
    Faithfulness {
        /// Heads or neurons.
        kind: ComponentKind,
        /// Orders of places in a score table, those to be kept first at the beginning.
        orders: Vec<Vec<usize>>,
        /// Numbers of components that are kept, ascending.
        sizes: Vec<usize>,
        /// What the others are replaced by.
        with: Replacement,
    },
    /// Queries, keys, values and patterns of all heads, and outputs of all MLPs, each by AP, IG and AtP.
    Parts {
        /// Which run is changed.
        direction: Direction,
    },
    /// What goes straight to the logits, of heads, MLPs and neurons.
    Direct {
        /// Which run is changed.
        direction: Direction,
    },
    /// The tokens that a head raises and lowers most.
    Lens {
        /// Layer of the head.
        layer: usize,
        /// The head.
        head: usize,
    },
    /// Estimates of all edges by gradients.
    Edges {
        /// Which run is changed.
        direction: Direction,
    },
    /// Exact effects of some edges.
    PatchEdges {
        /// Numbers of the edges in [`crate::circuits::Graph`].
        edges: Vec<u32>,
        /// Which run is changed.
        direction: Direction,
    },
    /// What an edge carries at each token.
    EdgePositions {
        /// Number of the edge in [`crate::circuits::Graph`].
        edge: u32,
        /// Which run is changed.
        direction: Direction,
    },
    /// The metric of circuits of growing size.
    CircuitCurves {
        /// Orders of all edges.
        orders: Vec<EdgeOrder>,
        /// Numbers of edges that are taken of each order; see [`crate::circuits::Ranking::strongest`].
        sizes: Vec<usize>,
    },
    /// The metric of some circuits.
    Circuits {
        /// Numbers of the edges of each.
        sets: Vec<Vec<u32>>,
    },
}

/// What an ablated component's activation is replaced by, at all positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    /// The component's activation in the other run: activation patching, of a set.
    OtherRun,
    /// The component's mean over prompts and positions. `<|endoftext|>` in front is the same in every prompt: there the
    /// activation stays, and the mean is over the others.
    Mean {
        /// The prompts, as text.
        prompts: Vec<String>,
    },
    /// Zero.
    Zero,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The answer to [`Probe::Integrand`].
    Integrand(Integrand),
    /// The answer to [`Probe::Positions`].
    Positions(PositionEffects),
    /// The answer to [`Probe::Streams`]: a map of each stream by both methods.
    Streams(Vec<StreamMap>),
    /// The answer to [`Probe::Pattern`].
    Pattern(AttentionPattern),
    /// The answer to [`Probe::ZeroBaseline`].
    ZeroBaseline(ScoreTable),
    /// The answer to [`Probe::Ablate`].
    Ablate(Ablation),
    /// The answer to [`Probe::Faithfulness`].
    Faithfulness(Faithfulness),
    /// The answer to [`Probe::Parts`]: a map of each part.
    Parts(Vec<PartMap>),
    /// The answer to [`Probe::Direct`].
    Direct(DirectEffects),
    /// The answer to [`Probe::Lens`].
    Lens(HeadLens),
    /// The answer to [`Probe::Edges`].
    Edges(EdgeEstimates),
    /// The answer to [`Probe::PatchEdges`].
    PatchEdges(EdgeEffects),
    /// The answer to [`Probe::EdgePositions`].
    EdgePositions(EdgePositions),
    /// The answer to [`Probe::CircuitCurves`].
    CircuitCurves(CircuitCurves),
    /// The answer to [`Probe::Circuits`]: the metric of each, in its unit.
    Circuits(Vec<f32>),
}

/// The line of a component's layer from the changed run's activations (`alpha` 0) to those put in (`alpha` 1),
/// and what the metric does on it.
///
/// # Units
/// The metric's. Slopes and effects: positive supports the clean behaviour, in both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integrand {
    /// The component whose `slope` it is.
    pub component: Component,
    /// Which run is changed.
    pub direction: Direction,
    /// Points of the line, ascending from 0 to 1.
    pub alphas: Vec<f32>,
    /// Their weights in the integral; 0 for a point that is drawn only.
    pub weights: Vec<f32>,
    /// The metric itself at each point.
    pub metric: Vec<f32>,
    /// Change of the effect with `alpha` because of the component; IG is its integral.
    pub slope: Vec<f32>,
    /// Slopes of all components of the layer together.
    pub layer_slope: Vec<f32>,
    /// The component's integrated gradients over the whole line.
    pub ig: f32,
    /// Effect of putting in the whole layer.
    pub joint: f32,
    /// Point of the line at which the metric has made 90 % of its way from one extreme to the other.
    pub cut: f32,
    /// The component's integrated gradients from 0 to `cut`: split IG.
    pub split_ig: f32,
    /// Effect of putting in the share `cut` of the whole layer: what split IG of the layer should add up to.
    pub split_joint: f32,
    /// Sum of split IG over the layer, minus `split_joint`.
    pub split_delta: f32,
}

/// What a component does at each token.
///
/// # Units
/// The metric's; positive supports the clean behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionEffects {
    /// The component.
    pub component: Component,
    /// Which run is changed.
    pub direction: Direction,
    /// Activation patching at one position at a time. They need not add up to the effect at all positions.
    pub ap: Vec<f32>,
    /// The positions' shares of its integrated gradients, which they add up to.
    pub ig: Vec<f32>,
}

/// A place in the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// The residual stream that a layer reads.
    ResidPre,
    /// What the attention of a layer adds to the residual stream.
    AttnOut,
    /// What the MLP of a layer adds to the residual stream.
    MlpOut,
}

impl Stream {
    /// All three, in the order of a block.
    pub const ALL: [Self; 3] = [Self::ResidPre, Self::AttnOut, Self::MlpOut];

    /// Stable lower-case name: that of the hook point.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ResidPre => "resid_pre",
            Self::AttnOut => "attn_out",
            Self::MlpOut => "mlp_out",
        }
    }
}

/// Effects of one stream by layer and position.
///
/// # Units
/// The metric's; positive supports the clean behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamMap {
    /// The stream.
    pub stream: Stream,
    /// `Ap`: one position of one layer is replaced; `Ig`: all positions of one layer move together.
    pub method: Method,
    /// Which run is changed.
    pub direction: Direction,
    /// Tokens of each prompt.
    pub n_pos: usize,
    /// Layer by layer; `[n_layers * n_pos]`.
    pub values: Vec<f32>,
    /// Per layer, sum over positions minus effect of replacing all positions together; only of IG.
    pub convergence_delta: Vec<f32>,
}

/// Where a head attends to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionPattern {
    /// Layer of the head.
    pub layer: usize,
    /// The head.
    pub head: usize,
    /// Tokens of each prompt.
    pub n_pos: usize,
    /// Probabilities in the clean run, a row per query; `[n_pos * n_pos]`.
    pub clean: Vec<f32>,
    /// Probabilities in the corrupted run, a row per query.
    pub corrupted: Vec<f32>,
}

/// The metric with sets of components replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// Which run is changed.
    pub direction: Direction,
    /// The metric of the run before anything is replaced.
    pub before: f32,
    /// The metric with each set replaced.
    pub after: Vec<f32>,
}

/// What is left of the metric when few components are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Faithfulness {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// Numbers of components that are kept.
    pub sizes: Vec<usize>,
    /// The metric of the clean run with the others replaced; a list per order.
    pub metric: Vec<Vec<f32>>,
}
