//! Nodes and edges, and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::models::ModelShape;
use crate::words::{Component, ComponentKind};

/// What a head reads of the residual stream, each through a matrix of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// Its queries, `hook_q`: where it looks from.
    Query,
    /// Its keys, `hook_k`: where it looks.
    Key,
    /// Its values, `hook_v`: what it takes from there.
    Value,
}

impl Port {
    /// All three, in the order of the model's parameters.
    pub const ALL: [Self; 3] = [Self::Query, Self::Key, Self::Value];

    /// The letter in the names of receivers: `q`, `k`, `v`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Query => "q",
            Self::Key => "k",
            Self::Value => "v",
        }
    }

    /// What it is called, of one head.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Query => "queries",
            Self::Key => "keys",
            Self::Value => "values",
        }
    }
}

/// A part of a block that can be replaced by itself, beside heads as a whole and neurons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The queries, keys or values of a head.
    Port(Port),
    /// The attention pattern of a head after the softmax, `hook_pattern`.
    Pattern,
    /// The output of an MLP, `hook_mlp_out`.
    MlpOut,
}

impl Part {
    /// All of them, in the order in which a block computes them.
    pub const ALL: [Self; 5] = [
        Self::Port(Port::Query),
        Self::Port(Port::Key),
        Self::Port(Port::Value),
        Self::Pattern,
        Self::MlpOut,
    ];

    /// Stable lower-case name, as on the command line: `q`, `k`, `v`, `pattern`, `mlp_out`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Port(port) => port.id(),
            Self::Pattern => "pattern",
            Self::MlpOut => "mlp_out",
        }
    }

    /// What it is called, of one head or MLP.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Port(port) => port.words(),
            Self::Pattern => "pattern",
            Self::MlpOut => "output",
        }
    }

    /// How many of it a layer has.
    pub const fn width(self, shape: &ModelShape) -> usize {
        match self {
            Self::Port(_) | Self::Pattern => shape.n_heads,
            Self::MlpOut => 1,
        }
    }
}

/// The text names no part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of q, k, v, pattern and mlp_out")]
pub struct UnknownPart(pub String);

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(name: &str) -> Result<Self, UnknownPart> {
        let found = Self::ALL.into_iter().find(|part| part.id() == name);
        found.ok_or_else(|| UnknownPart(name.to_owned()))
    }
}

/// What writes to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The token embedding.
    Embed,
    /// An attention head, without its layer's bias.
    Head {
        /// Layer of the head.
        layer: usize,
        /// The head.
        head: usize,
    },
    /// The MLP of a layer.
    Mlp {
        /// The layer.
        layer: usize,
    },
}

/// What reads the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// The queries, keys or values of a head.
    Head {
        /// Layer of the head.
        layer: usize,
        /// The head.
        head: usize,
        /// What of it reads.
        port: Port,
    },
    /// The MLP of a layer.
    Mlp {
        /// The layer.
        layer: usize,
    },
    /// The final LayerNorm and the unembedding.
    Logits,
}

impl Receiver {
    /// The node that reads, as what it sends; `None`: the logits, which send nothing.
    pub const fn node(self) -> Option<Sender> {
        match self {
            Self::Head { layer, head, .. } => Some(Sender::Head { layer, head }),
            Self::Mlp { layer } => Some(Sender::Mlp { layer }),
            Self::Logits => None,
        }
    }
}

/// A way from a sender to a receiver, with nothing between them but the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// What writes.
    pub from: Sender,
    /// What reads.
    pub to: Receiver,
}

/// `embed`, `L0H3`, `M2`.
impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embed => f.write_str("embed"),
            Self::Head { layer, head } => write!(f, "L{layer}H{head}"),
            Self::Mlp { layer } => write!(f, "M{layer}"),
        }
    }
}

/// `L4H1.q`, `M2`, `logits`.
impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head { layer, head, port } => write!(f, "L{layer}H{head}.{}", port.id()),
            Self::Mlp { layer } => write!(f, "M{layer}"),
            Self::Logits => f.write_str("logits"),
        }
    }
}

/// `L0H3 → L4H1.q`.
impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.from, self.to)
    }
}

/// The text names no node or edge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no node; nodes are embed, heads (L4H1), MLPs (M2), a head's L4H1.q, .k or .v, and logits"
)]
pub struct UnknownNode(pub String);

impl FromStr for Sender {
    type Err = UnknownNode;

    fn from_str(name: &str) -> Result<Self, UnknownNode> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("embed") {
            return Ok(Self::Embed);
        }
        if let Some(layer) = mlp(name) {
            return Ok(Self::Mlp { layer });
        }
        match name.parse() {
            Ok(Component { kind: ComponentKind::Heads, layer, index }) => {
                Ok(Self::Head { layer, head: index })
            }
            Ok(_) | Err(_) => Err(UnknownNode(name.to_owned())),
        }
    }
}

impl FromStr for Receiver {
    type Err = UnknownNode;

    fn from_str(name: &str) -> Result<Self, UnknownNode> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("logits") {
            return Ok(Self::Logits);
        }
        if let Some(layer) = mlp(name) {
            return Ok(Self::Mlp { layer });
        }
        let unknown = || UnknownNode(name.to_owned());
        let (head, port) = name.rsplit_once('.').ok_or_else(unknown)?;
        let is_it = |of: &Port| of.id().eq_ignore_ascii_case(port);
        let port = Port::ALL.into_iter().find(is_it).ok_or_else(unknown)?;
        match head.parse() {
            Ok(Sender::Head { layer, head }) => Ok(Self::Head { layer, head, port }),
            Ok(_) | Err(_) => Err(unknown()),
        }
    }
}

impl FromStr for Edge {
    type Err = UnknownNode;

    fn from_str(name: &str) -> Result<Self, UnknownNode> {
        let ends = name.split_once('→').or_else(|| name.split_once("->"));
        let (from, to) = ends.ok_or_else(|| UnknownNode(name.trim().to_owned()))?;
        Ok(Self { from: from.parse()?, to: to.parse()? })
    }
}

/// The layer of `M2`.
fn mlp(name: &str) -> Option<usize> {
    let digits = name.strip_prefix(['M', 'm'])?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        let head = Sender::Head { layer: 10, head: 7 };
        for sender in [Sender::Embed, head, Sender::Mlp { layer: 3 }] {
            assert_eq!(sender.to_string().parse(), Ok(sender));
        }
        let port = |port| Receiver::Head { layer: 4, head: 1, port };
        for to in
            [port(Port::Query), port(Port::Value), Receiver::Mlp { layer: 0 }, Receiver::Logits]
        {
            assert_eq!(to.to_string().parse(), Ok(to));
            let edge = Edge { from: head, to };
            assert_eq!(edge.to_string().parse(), Ok(edge));
            assert_eq!(edge.to_string().replace('→', "->").parse(), Ok(edge));
        }
        assert_eq!(Edge { from: head, to: port(Port::Key) }.to_string(), "L10H7 → L4H1.k");
    }

    #[test]
    fn parts_are_read_by_their_names() {
        for part in Part::ALL {
            assert_eq!(part.id().parse(), Ok(part));
        }
        assert_eq!("z".parse::<Part>(), Err(UnknownPart("z".to_owned())));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for name in ["", "M", "Mx", "L0N3", "logits", "L1H", "M+2", "L4H1.q"] {
            assert_eq!(name.parse::<Sender>(), Err(UnknownNode(name.to_owned())), "{name}");
        }
        for name in ["", "embed", "L4H1", "L4H1.z", "M1.q", "L4N1.q"] {
            assert_eq!(name.parse::<Receiver>(), Err(UnknownNode(name.to_owned())), "{name}");
        }
        assert!("L0H1".parse::<Edge>().is_err() && "L0H1 → embed".parse::<Edge>().is_err());
    }
}
