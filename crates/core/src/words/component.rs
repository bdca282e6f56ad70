//! Heads and neurons, and the methods that score them.

use std::fmt;
use std::str::FromStr;

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

    /// The letter in the name of one: `H`, `N`.
    pub const fn letter(self) -> char {
        match self {
            Self::Heads => 'H',
            Self::Neurons => 'N',
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

impl Component {
    /// The name for those who hear it: `layer 0, head 7`.
    pub fn spoken(&self) -> String {
        let Self { kind, layer, index } = self;
        format!("layer {layer}, {} {index}", kind.one())
    }
}

/// The short name, as the field writes it: `L0H7`, `L0N7`.
impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, layer, index } = self;
        write!(f, "L{layer}{}{index}", kind.letter())
    }
}

/// The text names no component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no head or neuron is called {0:?}")]
pub struct UnknownComponent(pub String);

/// Reads every name that a component has had: `L0H7`, `layer 0, head 7`, `layer 0 head 7`, `heads.0.7`, and `0.7`,
/// which was a head's in the tables of papers and of this page.
impl FromStr for Component {
    type Err = UnknownComponent;

    fn from_str(name: &str) -> Result<Self, UnknownComponent> {
        let unknown = || UnknownComponent(name.to_owned());
        let lower = name.trim().to_ascii_lowercase();
        let number = |digits: &str| -> Option<usize> {
            let digits = digits.trim();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse().ok())?
        };
        let read = || {
            let at = |text: &str| {
                let (layer, index) = text.split_once('.')?;
                Some((number(layer)?, number(index)?))
            };
            if let Some((layer, index)) = at(&lower) {
                return Some(Self { kind: ComponentKind::Heads, layer, index });
            }
            ComponentKind::ALL.into_iter().find_map(|kind| {
                let parts = |before: &str, between: &str| {
                    let (layer, index) = lower.strip_prefix(before)?.split_once(between)?;
                    Some((number(layer.trim_end().trim_end_matches(','))?, number(index)?))
                };
                let dotted = || at(lower.strip_prefix(kind.id())?.strip_prefix('.')?);
                let letter = kind.letter().to_ascii_lowercase().to_string();
                let (layer, index) =
                    parts("layer ", kind.one()).or_else(|| parts("l", &letter)).or_else(dotted)?;
                Some(Self { kind, layer, index })
            })
        };
        read().ok_or_else(unknown)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_a_component_has_had_is_read() {
        let head = Component { kind: ComponentKind::Heads, layer: 11, index: 7 };
        let neuron = Component { kind: ComponentKind::Neurons, layer: 0, index: 3071 };
        assert_eq!((head.to_string(), neuron.to_string()), ("L11H7".into(), "L0N3071".into()));
        assert_eq!(neuron.spoken(), "layer 0, neuron 3071");
        for of in [head, neuron] {
            let Component { kind, layer, index } = of;
            let names = [
                of.to_string(),
                of.to_string().to_lowercase(),
                of.spoken(),
                format!("Layer {layer} {} {index}", kind.one()),
                format!("{}.{layer}.{index}", kind.id()),
            ];
            for name in names {
                assert_eq!(name.parse(), Ok(of), "{name}");
            }
        }
        assert_eq!("11.7".parse(), Ok(head), "it was a head's");
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for name in
            ["", "L0", "LxH7", "L0H", "L0H+7", "L0X7", "0.7.1", "tails.0.1", "heads.3", "1e3.2"]
        {
            assert_eq!(name.parse::<Component>(), Err(UnknownComponent(name.to_owned())), "{name}");
        }
        let huge = "L99999999999999999999999H1";
        assert!(huge.parse::<Component>().is_err());
    }
}
