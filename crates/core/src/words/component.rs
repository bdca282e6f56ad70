//! Heads and neurons, and the methods that score them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::models::ModelShape;

/// A kind of component that scores belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// Attention heads, `n_heads` per layer, at `hook_z`.
    Heads,
    /// MLP neurons, `d_mlp` per layer, at `hook_post`.
    Neurons,
}

impl ComponentKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Heads, Self::Neurons];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Heads => "heads",
            Self::Neurons => "neurons",
        }
    }

    /// Name of one component of the kind.
    pub const fn one(self) -> &'static str {
        match self {
            Self::Heads => "head",
            Self::Neurons => "neuron",
        }
    }

    /// Components per layer.
    pub const fn width(self, shape: &ModelShape) -> usize {
        match self {
            Self::Heads => shape.n_heads,
            Self::Neurons => shape.d_mlp,
        }
    }

    /// The first `n` components of the kind in a layer.
    pub fn of_layer(self, layer: usize, n: usize) -> impl Iterator<Item = Component> {
        (0..n).map(move |index| Component { kind: self, layer, index })
    }
}

/// One head or one neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Component {
    /// Head or neuron.
    pub kind: ComponentKind,
    /// Layer of the component.
    pub layer: usize,
    /// Place of the component in its layer.
    pub index: usize,
}

impl Component {
    /// The component at a place of a table's values.
    pub const fn at(kind: ComponentKind, place: usize, width: usize) -> Self {
        Self { kind, layer: place / width, index: place % width }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, layer, index } = self;
        write!(f, "layer {layer} {} {index}", kind.one())
    }
}

/// How a score was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Activation patching: exact, one forward pass per component.
    Ap,
    /// Layer-wise integrated gradients between the two runs' activations.
    Ig,
    /// Attribution patching: the gradient at the run that is changed, times the difference.
    Atp,
    /// Integrated gradients from zero activations, clean run upstream; not comparable with AP.
    IgZero,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ap, Self::Ig, Self::Atp, Self::IgZero];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ap => "ap",
            Self::Ig => "ig",
            Self::Atp => "atp",
            Self::IgZero => "ig_zero",
        }
    }
}
