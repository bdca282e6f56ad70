//! All nodes and edges of a model, numbered.

use super::{Edge, Port, Receiver, Sender};
use crate::models::ModelShape;

/// All edges of a model, numbered: by receivers in the order in which the model computes them (of each layer the
/// queries, keys and values of its first head, then those of the next, then the MLP; at the end the logits), and for
/// each by its senders.
///
/// Senders are numbered too, in the order in which they write: the embedding, then of each layer its heads and its MLP.
/// So what a receiver reads are always the first so many senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graph {
    n_layers: usize,
    n_heads: usize,
}

impl Graph {
    /// The graph of a model of some sizes.
    pub const fn new(shape: &ModelShape) -> Self {
        Self { n_layers: shape.n_layers, n_heads: shape.n_heads }
    }

    /// Layers of the model.
    pub const fn n_layers(&self) -> usize {
        self.n_layers
    }

    /// Heads of a layer.
    pub const fn n_heads(&self) -> usize {
        self.n_heads
    }

    /// Number of senders.
    pub const fn n_senders(&self) -> usize {
        self.n_layers * (self.n_heads + 1) + 1
    }

    /// Number of receivers.
    pub const fn n_receivers(&self) -> usize {
        self.n_layers * self.receivers_of_layer() + 1
    }

    /// Queries, keys and values of a layer: as many receivers.
    pub const fn n_ports(&self) -> usize {
        Port::ALL.len() * self.n_heads
    }

    const fn receivers_of_layer(&self) -> usize {
        self.n_ports() + 1
    }

    /// The number of the first receiver of a layer; behind its queries, keys and values stands its MLP.
    pub const fn first_of_layer(&self, layer: usize) -> usize {
        layer * self.receivers_of_layer()
    }

    /// Number of edges.
    pub const fn n_edges(&self) -> usize {
        self.offset(self.n_receivers() - 1) + self.n_senders()
    }

    /// The sender of a number.
    pub const fn sender(&self, number: usize) -> Sender {
        if number == 0 {
            return Sender::Embed;
        }
        let (layer, head) = ((number - 1) / (self.n_heads + 1), (number - 1) % (self.n_heads + 1));
        if head < self.n_heads { Sender::Head { layer, head } } else { Sender::Mlp { layer } }
    }

    /// The receiver of a number.
    pub const fn receiver(&self, number: usize) -> Receiver {
        let of_layer = self.receivers_of_layer();
        let (layer, place) = (number / of_layer, number % of_layer);
        if layer == self.n_layers {
            Receiver::Logits
        } else if place + 1 == of_layer {
            Receiver::Mlp { layer }
        } else {
            let port = Port::ALL[place % Port::ALL.len()];
            Receiver::Head { layer, head: place / Port::ALL.len(), port }
        }
    }

    /// The number of a sender; `None`: the model has no such node.
    pub fn sender_number(&self, sender: Sender) -> Option<usize> {
        let of_layer = |layer: usize, place: usize| 1 + layer * (self.n_heads + 1) + place;
        match sender {
            Sender::Embed => Some(0),
            Sender::Head { layer, head } => {
                (layer < self.n_layers && head < self.n_heads).then(|| of_layer(layer, head))
            }
            Sender::Mlp { layer } => (layer < self.n_layers).then(|| of_layer(layer, self.n_heads)),
        }
    }

    /// The number of a receiver; `None`: the model has no such node.
    pub fn receiver_number(&self, receiver: Receiver) -> Option<usize> {
        let of_layer = |layer: usize, place: usize| self.first_of_layer(layer) + place;
        match receiver {
            Receiver::Head { layer, head, port } => (layer < self.n_layers && head < self.n_heads)
                .then(|| of_layer(layer, Port::ALL.len() * head + port as usize)),
            Receiver::Mlp { layer } => {
                (layer < self.n_layers).then(|| of_layer(layer, self.n_ports()))
            }
            Receiver::Logits => Some(self.n_receivers() - 1),
        }
    }

    /// How many senders the receiver of a number reads: the first so many of all.
    pub const fn n_read(&self, receiver: usize) -> usize {
        let of_layer = self.receivers_of_layer();
        let (layer, place) = (receiver / of_layer, receiver % of_layer);
        let before = 1 + layer * (self.n_heads + 1);
        if layer < self.n_layers && place + 1 == of_layer { before + self.n_heads } else { before }
    }

    /// The number of the first edge into the receiver of a number.
    pub const fn offset(&self, receiver: usize) -> usize {
        let (of_layer, heads) = (self.receivers_of_layer(), self.n_heads);
        let (layer, place) = (receiver / of_layer, receiver % of_layer);
        // Layer l has 3 H receivers of 1 + l (H + 1) senders, and one of H more.
        let before = layer * of_layer
            + of_layer * (heads + 1) * (layer * layer.saturating_sub(1) / 2)
            + layer * heads;
        before + place * (1 + layer * (heads + 1))
    }

    /// The edge of a number.
    ///
    /// # Panics
    /// If the model has no such edge.
    pub fn edge(&self, number: usize) -> Edge {
        let (from, to) = self.ends(number);
        Edge { from: self.sender(from), to: self.receiver(to) }
    }

    /// The numbers of sender and receiver of the edge of a number.
    ///
    /// # Panics
    /// If the model has no such edge.
    pub fn ends(&self, number: usize) -> (usize, usize) {
        assert!(number < self.n_edges(), "the model has {} edges", self.n_edges());
        let (mut low, mut high) = (0, self.n_receivers());
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if self.offset(middle) <= number { low = middle } else { high = middle }
        }
        (number - self.offset(low), low)
    }

    /// The number of an edge; `None`: the model has no such node, or the receiver reads before the sender writes.
    pub fn number(&self, edge: Edge) -> Option<usize> {
        let (from, to) = (self.sender_number(edge.from)?, self.receiver_number(edge.to)?);
        (from < self.n_read(to)).then(|| self.offset(to) + from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n_layers: usize, n_heads: usize) -> Graph {
        Graph::new(&ModelShape { n_layers, n_heads, ..ModelShape::GPT2_SMALL })
    }

    #[test]
    fn gpt2_small_has_as_many_edges_as_papers_say() {
        let graph = of(12, 12);
        assert_eq!((graph.n_edges(), graph.n_senders(), graph.n_receivers()), (32_491, 157, 445));
    }

    #[test]
    fn every_edge_has_one_number() {
        for graph in [of(1, 1), of(2, 3), of(4, 8)] {
            let mut number = 0;
            for receiver in 0..graph.n_receivers() {
                assert_eq!(graph.receiver_number(graph.receiver(receiver)), Some(receiver));
                assert_eq!(graph.offset(receiver), number);
                for sender in 0..graph.n_read(receiver) {
                    assert_eq!(graph.sender_number(graph.sender(sender)), Some(sender));
                    assert_eq!(graph.ends(number), (sender, receiver));
                    assert_eq!(graph.number(graph.edge(number)), Some(number));
                    number += 1;
                }
            }
            assert_eq!(number, graph.n_edges());
        }
    }

    #[test]
    fn nothing_is_read_before_it_is_written() {
        let graph = of(2, 3);
        let number = |name: &str| graph.number(name.parse().expect("an edge"));
        for name in ["embed -> L0H0.q", "L0H2 -> M0", "M0 -> L1H0.v", "M1 -> logits", "L1H2 -> M1"]
        {
            assert!(number(name).is_some(), "{name}");
        }
        for name in [
            "L0H0 -> L0H1.q",
            "M0 -> M0",
            "M0 -> L0H0.k",
            "L1H0 -> M0",
            "L2H0 -> logits",
            "L0H3 -> logits",
            "embed -> M2",
            "L0H0 -> L1H3.k",
        ] {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
