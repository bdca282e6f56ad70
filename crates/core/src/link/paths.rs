//! What is looked at of the model's graph: how many edges, in which order, which node or edge is pinned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::view::{MOST_LAYERS, MOST_WIDTH};
use crate::circuits::{Edge, Receiver, Sender, UnknownNode};

/// Which number orders the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgesBy {
    /// EAP-IG.
    #[default]
    EapIg,
    /// Exact path patching.
    Exact,
    /// EAP-IG minus exact.
    Difference,
    /// EAP.
    Eap,
}

impl EdgesBy {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::EapIg, Self::Exact, Self::Difference, Self::Eap];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::EapIg => "eap_ig",
            Self::Exact => "exact",
            Self::Difference => "difference",
            Self::Eap => "eap",
        }
    }
}

/// A node or an edge of the graph; as text its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Spot {
    /// A node that sends: the embedding, a head or an MLP, with all that it receives.
    Node(Sender),
    /// The logits.
    Logits,
    /// An edge.
    Edge(Edge),
}

impl Spot {
    /// Whether an edge begins or ends here, or is it.
    pub fn is_of(self, edge: Edge) -> bool {
        match self {
            Self::Node(node) => edge.from == node || edge.to.node() == Some(node),
            Self::Logits => edge.to == Receiver::Logits,
            Self::Edge(one) => one == edge,
        }
    }

    fn is_possible(self) -> bool {
        let can_be = |node: Sender| match node {
            Sender::Embed => true,
            Sender::Head { layer, head } => layer < MOST_LAYERS && head < MOST_WIDTH,
            Sender::Mlp { layer } => layer < MOST_LAYERS,
        };
        match self {
            Self::Node(node) => can_be(node),
            Self::Logits => true,
            Self::Edge(Edge { from, to }) => can_be(from) && to.node().is_none_or(can_be),
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Logits => Receiver::Logits.fmt(f),
            Self::Edge(edge) => edge.fmt(f),
        }
    }
}

impl FromStr for Spot {
    type Err = UnknownNode;

    fn from_str(name: &str) -> Result<Self, UnknownNode> {
        if name == "logits" {
            return Ok(Self::Logits);
        }
        name.parse().map(Self::Edge).or_else(|_no_edge| name.parse().map(Self::Node))
    }
}

impl From<Spot> for String {
    fn from(spot: Spot) -> Self {
        spot.to_string()
    }
}

impl TryFrom<String> for Spot {
    type Error = UnknownNode;

    fn try_from(name: String) -> Result<Self, UnknownNode> {
        name.parse()
    }
}

/// What is looked at of the model's graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paths {
    /// How many edges are drawn of each ranking; of a circuit, its size.
    pub n: usize,
    /// The order of the table, and of the ranking whose circuit is looked at.
    pub by: EdgesBy,
    /// Whether only edges are drawn that are on a path from the embedding to the logits.
    pub connected: bool,
    /// The node or edge that is pinned.
    pub pinned: Option<Spot>,
    /// Whether circuits have been run, for the figure that the link holds.
    pub kept: bool,
    /// Numbers of the edges that were chosen by hand, ascending.
    pub by_hand: Vec<u32>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            n: 20,
            by: EdgesBy::default(),
            connected: false,
            pinned: None,
            kept: false,
            by_hand: Vec::new(),
        }
    }
}

impl Paths {
    /// Edges that are drawn at most, which is more than can be told apart.
    pub const MOST: usize = 1000;

    /// Edges of a set by hand at most, as many as a link names.
    pub const MOST_BY_HAND: usize = 200;

    /// Whether every number of it can be: a link is from anybody.
    pub(super) fn is_possible(&self) -> bool {
        (1..=Self::MOST).contains(&self.n)
            && self.pinned.is_none_or(Spot::is_possible)
            && self.by_hand.len() <= Self::MOST_BY_HAND
            && self.by_hand.is_sorted_by(|a, b| a < b)
    }

    /// Leaves out what a link has no room for.
    pub(super) fn shorten(&mut self) {
        self.by_hand.truncate(Self::MOST_BY_HAND);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_is_read_by_its_name() {
        for name in ["embed", "L1H3", "M2", "logits", "L1H3 → L3H2.k", "embed → logits"] {
            let spot: Spot = name.parse().expect(name);
            assert_eq!(spot.to_string(), name);
            let json = serde_json::to_string(&spot).expect("text");
            assert_eq!(serde_json::from_str::<Spot>(&json).expect("our own"), spot);
        }
        for name in ["", "L1", "L1H3.q", "L1H3 → embed", "7"] {
            assert!(name.parse::<Spot>().is_err(), "{name}");
        }
        let edge: Edge = "L1H3 -> L3H2.k".parse().expect("an edge");
        let of = |name: &str| name.parse::<Spot>().expect(name).is_of(edge);
        assert!(of("L1H3") && of("L3H2") && of("L1H3 → L3H2.k"));
        assert!(!of("L3H1") && !of("logits") && !of("embed") && !of("L1H3 → L3H2.q"));
    }

    #[test]
    fn what_no_model_has_is_not_possible() {
        assert!(Paths::default().is_possible());
        let pinned = |name: &str| Paths { pinned: name.parse().ok(), ..Paths::default() };
        assert!(pinned("L95H3 -> logits").is_possible());
        for paths in [
            pinned("L96H0"),
            pinned("M3 -> L99H0.q"),
            Paths { n: 0, ..Paths::default() },
            Paths { n: 1001, ..Paths::default() },
            Paths { by_hand: vec![2, 1], ..Paths::default() },
            Paths { by_hand: (0..201).collect(), ..Paths::default() },
        ] {
            assert!(!paths.is_possible(), "{paths:?}");
        }
    }
}
