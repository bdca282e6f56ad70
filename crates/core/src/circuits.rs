//! The model as a graph: what sends, what receives, the edges between them, and sets of edges as circuits.
//!
//! [`Graph`] numbers all edges of a model; lists of scores and circuits are in the order of these numbers.

mod circuit;
mod faithful;
mod graph;
mod node;

pub use circuit::{Circuit, Ranking};
pub use faithful::{Areas, Ends, RANDOM_SEEDS, SHARES, areas, size_of_share};
pub use graph::Graph;
pub use node::{Edge, Part, Port, Receiver, Sender, UnknownNode, UnknownPart};
