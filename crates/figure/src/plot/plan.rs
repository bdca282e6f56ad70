//! Where the nodes of a drawn model are, and the ends and curves of its edges.

use twinbeam_core::circuits::{Edge, Graph, Port, Receiver, Sender};

use super::markup::{TYPE, room};

/// Left of the heads: names of the layers.
pub(super) const ASIDE: f64 = 26.0;
/// Height that all layers together have, if there are neither many nor few.
const HEIGHT: f64 = 440.0;
/// Least and most of a layer.
const LAYER: [f64; 2] = [26.0, 88.0];
/// Widest that a node is.
const NODE: f64 = 36.0;
/// A head is at least so wide where the names of its ports are in it, and its number.
pub(super) const NAMED: [f64; 2] = [26.0, 15.0];
/// Where nodes are.
pub(super) struct Plan {
    pub(super) graph: Graph,
    pub(super) column: f64,
    pub(super) layer: f64,
    /// Width and height of a head.
    pub(super) head: [f64; 2],
    /// Of any other node.
    pub(super) node: [f64; 2],
    pub(super) width: f64,
    /// Middle of the logits.
    pub(super) top: f64,
}

impl Plan {
    pub(super) fn of(graph: Graph, width: f64) -> Self {
        let width = room(width);
        let column = (width - ASIDE - 4.0) / (graph.n_heads() + 1) as f64;
        let layer = (HEIGHT / graph.n_layers().max(1) as f64).clamp(LAYER[0], LAYER[1]);
        let wide = (column - 4.0).clamp(5.0, NODE);
        let is_named = wide >= NAMED[0] && layer >= 56.0;
        let low = if layer < 34.0 { 11.0 } else { 17.0 };
        let high = if is_named { 31.0 } else { low };
        let (head, node) = ([wide, high], [wide.max(22.0).min(column + 8.0), low]);
        Self { graph, column, layer, head, node, width, top: 2.0 * TYPE + 14.0 }
    }

    /// Middle of the row of a layer's heads.
    pub(super) fn row(&self, layer: usize) -> f64 {
        let above = self.graph.n_layers().saturating_sub(layer + 1) as f64;
        self.top + self.layer * (1.15 + above)
    }

    pub(super) fn across(&self, place: usize) -> f64 {
        ASIDE + (place as f64 + 0.5) * self.column
    }

    pub(super) fn middle(&self) -> f64 {
        ASIDE + self.column * (self.graph.n_heads() + 1) as f64 / 2.0
    }

    /// Middle of a node; `None`: the logits.
    pub(super) fn place(&self, node: Option<Sender>) -> [f64; 2] {
        match node {
            None => [self.middle(), self.top],
            Some(Sender::Embed) => [self.middle(), self.row(0) + 0.9 * self.layer],
            Some(Sender::Head { layer, head }) => [self.across(head), self.row(layer)],
            Some(Sender::Mlp { layer }) => {
                [self.across(self.graph.n_heads()), self.row(layer) - self.layer / 2.0]
            }
        }
    }

    pub(super) fn size(&self, node: Option<Sender>) -> [f64; 2] {
        match node {
            Some(Sender::Head { .. }) => self.head,
            Some(Sender::Mlp { .. }) => self.node,
            None | Some(Sender::Embed) => [52.0, self.node[1]],
        }
    }

    pub(super) fn port(&self, port: Port) -> f64 {
        (port as usize as f64 - 1.0) * self.head[0] * 0.32
    }

    /// Where an edge begins, and where it ends.
    pub(super) fn ends(&self, edge: Edge) -> [[f64; 2]; 2] {
        let [x1, y1] = self.place(Some(edge.from));
        let [x2, y2] = self.place(edge.to.node());
        let aside = match edge.to {
            Receiver::Head { port, .. } => self.port(port),
            Receiver::Mlp { .. } | Receiver::Logits => 0.0,
        };
        let half = |node| self.size(node)[1] / 2.0;
        [[x1, y1 - half(Some(edge.from))], [x2 + aside, y2 + half(edge.to.node())]]
    }

    /// Pulls of the curve of an edge, at its two ends.
    pub(super) fn pulls(&self, [[x1, y1], [x2, y2]]: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
        let by = (0.45 * (y1 - y2)).max(12.0);
        // Straight up, it would run behind the nodes between: round them, the farther the longer it is.
        let layers = (y1 - y2) / self.layer;
        let is_upright = (x1 - x2).abs() < 0.4 * self.column && layers > 1.2;
        let side = if x1 > self.middle() { -1.0 } else { 1.0 };
        let bow =
            if is_upright { side * self.column * (0.5 + 0.35 * layers.min(5.0)) } else { 0.0 };
        [[x1 + bow, y1 - by], [x2 + bow, y2 + by]]
    }
}
