//! The model as a graph, drawn: layers upward, heads across with the MLP at their side, and edges between them.

use twinbeam_core::circuits::{Edge, Graph, Port, Sender};
use twinbeam_core::link::Spot;

use super::labels::Places;
use super::markup::{
    TYPE, attribute, begin, picture, push_count, push_number, rectangle, text, text_width,
};
use super::plan::{ASIDE, NAMED, Plan};
use super::{Drawn, Ink, sentence, spaced};
use crate::scale::Scale;

/// A stroke of the strongest edge, and of one next to nothing.
const STROKE: [f64; 2] = [6.5, 0.8];
/// Numbers that are written beside nodes at most.
const MOST_NUMBERS: usize = 16;

/// An edge with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrow {
    /// The edge.
    pub edge: Edge,
    /// Its score, in the unit of the network.
    pub value: f32,
}

/// Edges of a model.
#[derive(Debug, Clone)]
pub struct Network {
    /// Name of the network.
    pub title: String,
    /// Unit of its scores.
    pub unit: &'static str,
    /// The graph whose nodes are drawn.
    pub graph: Graph,
    /// The strongest first.
    pub arrows: Vec<Arrow>,
    /// Of the scores, for widths and colours.
    pub scale: Scale,
    /// In pixels; 0: what is usual.
    pub width: f64,
    /// What is pointed at or pinned: its edges stand out.
    pub lit: Option<Spot>,
}

impl Network {
    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let plan = Plan::of(self.graph, self.width);
        let mut out = String::new();
        text(&mut out, "plot-title", [0.0, TYPE + 2.0], &self.title);
        let graph = self.graph;
        for layer in 0..graph.n_layers() {
            text(
                &mut out,
                "plot-soft",
                [0.0, plan.row(layer) + 4.5],
                &["L", &layer.to_string()].concat(),
            );
        }
        // The weak ones lie below.
        for arrow in self.arrows.iter().rev() {
            self.edge(&mut out, &plan, *arrow);
        }
        let near: Vec<Option<Sender>> = self
            .arrows
            .iter()
            .filter(|arrow| self.lit.is_none_or(|lit| lit.is_of(arrow.edge)))
            .flat_map(|arrow| [Some(arrow.edge.from), arrow.edge.to.node()])
            .collect();
        let senders = (0..graph.n_senders()).map(|number| Some(graph.sender(number)));
        for node in senders.chain([None]) {
            self.node(&mut out, &plan, node, near.contains(&node));
        }
        self.numbers(&mut out, &plan);
        let bottom = plan.place(Some(Sender::Embed))[1] + plan.node[1];
        let height = self.legend(&mut out, bottom + TYPE, plan.width);
        Drawn {
            svg: picture([plan.width, height], &out),
            summary: self.summary(),
            size: [plan.width as f32, height as f32],
            ..Drawn::default()
        }
    }

    fn is_lit(&self, edge: Edge) -> bool {
        self.lit.is_some_and(|lit| lit.is_of(edge))
    }

    /// The curve of an edge, with a broader one that can be hit.
    fn edge(&self, out: &mut String, plan: &Plan, Arrow { edge, value }: Arrow) {
        let ends = plan.ends(edge);
        let pulls = plan.pulls(ends);
        let dim = if self.lit.is_some() && !self.is_lit(edge) { " net-dim" } else { "" };
        let place = f64::from(self.scale.place(value).abs());
        let stroke = STROKE[1] + place * (STROKE[0] - STROKE[1]);
        for (class, stroke) in [
            (["net-edge ", ink(value).class(), dim].concat(), stroke),
            ("net-hit".to_owned(), stroke.max(9.0)),
        ] {
            let is_hit = class == "net-hit";
            begin(out, "path", &class, &[("stroke-width", stroke)]);
            if is_hit {
                attribute(out, "data-spot", &edge.to_string());
            }
            out.push_str(" d=\"M");
            point(out, ends[0]);
            for (sign, at) in [("C", pulls[0]), (" ", pulls[1]), (" ", ends[1])] {
                out.push_str(sign);
                point(out, at);
            }
            out.push_str("\"/>");
        }
    }

    fn node(&self, out: &mut String, plan: &Plan, node: Option<Sender>, is_near: bool) {
        let spot = node.map_or(Spot::Logits, Spot::Node);
        let mut class = "net-node".to_owned();
        if self.lit == Some(spot) {
            class.push_str(" net-lit");
        } else if !is_near {
            class.push_str(" net-dim");
        }
        begin(out, "g", &class, &[]);
        attribute(out, "data-spot", &spot.to_string());
        out.push('>');
        let ([x, y], [width, height]) = (plan.place(node), plan.size(node));
        let (left, top) = (x - width / 2.0, y - height / 2.0);
        begin(
            out,
            "rect",
            "",
            &[("x", left), ("y", top), ("width", width), ("height", height), ("rx", 3.0)],
        );
        out.push_str("/>");
        let is_named = plan.head[1] > plan.node[1];
        let name = match node {
            None | Some(Sender::Embed) => spot.to_string(),
            Some(Sender::Mlp { .. }) if width >= 22.0 && height > TYPE => spot.to_string(),
            Some(Sender::Head { head, .. }) if width >= NAMED[1] && height > TYPE => {
                head.to_string()
            }
            Some(_) => String::new(),
        };
        let is_head = matches!(node, Some(Sender::Head { .. }));
        let base = if is_head && is_named { y - 2.0 } else { y + 4.5 };
        if !name.is_empty() {
            text(out, "plot-mid", [x, base], &name);
        }
        if is_head {
            for port in Port::ALL {
                let at = x + plan.port(port);
                if is_named {
                    text(out, "plot-mid plot-soft", [at, y + 11.5], port.id());
                } else {
                    rectangle(out, "net-port", [at - 1.5, y + height / 2.0 - 2.0, 3.0, 3.0]);
                }
            }
        }
        out.push_str("</g>");
    }

    /// Numbers of the edges that stand out, each beside its other end.
    fn numbers(&self, out: &mut String, plan: &Plan) {
        let Some(lit) = self.lit else { return };
        let bottom = plan.place(Some(Sender::Embed))[1] + plan.node[1] + TYPE;
        let mut places = Places::new([0.0, TYPE, plan.width, bottom]);
        let of = self.arrows.iter().filter(|arrow| lit.is_of(arrow.edge)).take(MOST_NUMBERS);
        for Arrow { edge, value } in of {
            let [from, to] = plan.ends(*edge);
            let at = match lit {
                Spot::Node(node) if edge.from == node => [to[0], to[1] + 0.5 * TYPE],
                Spot::Node(_) | Spot::Logits => [from[0], from[1] - 0.5 * TYPE],
                Spot::Edge(_) => [f64::midpoint(from[0], to[0]), f64::midpoint(from[1], to[1])],
            };
            let words = self.scale.written(*value);
            if let Some(at) = places.beside(at, &words) {
                text(out, &["plot-name ", ink(*value).class()].concat(), at, &words);
            }
        }
    }

    /// What the widest strokes stand for, from `y` down; returns where the picture ends.
    fn legend(&self, out: &mut String, y: f64, width: f64) -> f64 {
        let limit = self.scale.limit();
        if limit <= 0.0 {
            return y;
        }
        let mut x = ASIDE;
        for value in [limit, -limit] {
            let class = ["net-edge ", ink(value).class()].concat();
            begin(out, "path", &class, &[("stroke-width", STROKE[0])]);
            out.push_str(" d=\"M");
            point(out, [x, y + 7.0]);
            out.push('H');
            push_number(out, x + 22.0);
            out.push_str("\"/>");
            let unit = if value < 0.0 { self.unit } else { "" };
            let words = spaced(&self.scale.written(value), unit);
            text(out, "plot-soft", [x + 27.0, y + 11.5], &words);
            x += 27.0 + text_width(&words) + 14.0;
            if x > width {
                break;
            }
        }
        y + TYPE + 6.0
    }

    fn summary(&self) -> String {
        let mut words = String::new();
        push_count(&mut words, self.arrows.len() as u64);
        words.push_str(if self.arrows.len() == 1 { " edge" } else { " edges" });
        for (place, Arrow { edge, value }) in self.arrows.iter().take(3).enumerate() {
            words.push_str(if place == 0 { ", the strongest " } else { ", " });
            let number = self.scale.written(*value);
            words.push_str(&[&edge.to_string(), " ", &spaced(&number, self.unit)].concat());
        }
        words.push('.');
        sentence(&self.title, &words, "")
    }
}

/// Some drawings in one picture, from left to right.
pub fn beside(drawn: &[Drawn]) -> String {
    let (mut body, mut width, mut height) = (String::new(), 0.0_f64, 0.0_f64);
    for one in drawn {
        begin(&mut body, "svg", "", &[("x", width)]);
        let tag = one.svg.strip_prefix("<svg aria-hidden=\"true\" class=\"plot-svg\"");
        body.push_str(tag.unwrap_or("></svg>"));
        width += f64::from(one.size[0]) + 24.0;
        height = height.max(one.size[1].into());
    }
    picture([width, height], &body)
}

fn point(out: &mut String, [x, y]: [f64; 2]) {
    push_number(out, x);
    out.push(' ');
    push_number(out, y);
}

/// The colour of a sign.
fn ink(value: f32) -> Ink {
    if value > 0.0 {
        Ink::Warm
    } else if value < 0.0 {
        Ink::Cold
    } else {
        Ink::Soft
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::ModelShape;

    use super::*;
    use crate::plot::standalone;

    fn network(n_layers: usize, n_heads: usize) -> Network {
        let shape = ModelShape { n_layers, n_heads, ..ModelShape::GPT2_SMALL };
        let edge = |name: &str, value| Arrow { edge: name.parse().expect(name), value };
        let arrows = vec![
            edge("L0H1 -> L1H0.k", -2.0),
            edge("embed -> L0H1.v", 1.0),
            edge("L1H0 -> logits", 0.5),
            edge("L0H1 -> M0", 0.25),
        ];
        Network {
            title: "EAP-IG".to_owned(),
            unit: "logits",
            graph: Graph::new(&shape),
            scale: Scale::of(arrows.iter().map(|arrow| &arrow.value)),
            arrows,
            width: 380.0,
            lit: None,
        }
    }

    #[test]
    fn the_stronger_is_wider_and_the_sign_has_its_colour() {
        let Drawn { svg, summary, .. } = network(2, 2).draw();
        assert_eq!(svg.matches("class=\"net-edge").count(), 4 + 2, "edges and the legend");
        assert!(svg.contains("<path class=\"net-edge plot-cold\" stroke-width=\"6.5\" d=\"M"));
        assert!(svg.contains("<path class=\"net-edge plot-warm\" stroke-width=\"3.7\" d=\"M"));
        assert!(svg.contains("class=\"net-hit\" stroke-width=\"9\" data-spot=\"L0H1 → L1H0.k\""));
        assert!(summary.starts_with("EAP-IG: 4 edges, the strongest L0H1 → L1H0.k −2.00 logits, "));
        assert!(standalone(&svg).contains(".net-edge{"), "a file has its colours");
    }

    #[test]
    fn what_is_pinned_stands_out_with_its_numbers() {
        let lit = |name: &str| Network { lit: name.parse().ok(), ..network(2, 2) }.draw().svg;
        let node = lit("L0H1");
        assert_eq!(node.matches("net-edge plot-warm net-dim").count(), 1, "{node}");
        assert!(node.contains("class=\"net-node net-lit\" data-spot=\"L0H1\""));
        for number in [">−2.00<", ">+1.00<", ">+0.25<"] {
            assert!(node.contains(number), "{number}");
        }
        let edge = lit("L1H0 -> logits");
        assert_eq!(edge.matches("net-dim\" stroke").count(), 3, "{edge}");
    }

    #[test]
    fn an_edge_ends_at_its_port_and_goes_up() {
        for (n_layers, n_heads) in [(2, 2), (4, 8), (12, 12), (48, 25)] {
            let plan = Plan::of(network(n_layers, n_heads).graph, 380.0);
            let end = |name: &str| plan.ends(name.parse().expect(name));
            let [q, k, v] = ["q", "k", "v"].map(|port| end(&format!("embed -> L1H1.{port}"))[1][0]);
            assert!(q < k && k < v, "{n_layers}");
            for number in 0..plan.graph.n_edges() {
                let [from, to] = plan.ends(plan.graph.edge(number));
                assert!(from[1] > to[1], "{} of {n_layers}", plan.graph.edge(number));
            }
            let [x, y] = plan.place(Some(Sender::Mlp { layer: 0 }));
            assert!(x < plan.width && y < plan.row(0));
        }
    }

    #[test]
    fn drawings_stand_beside_each_other_in_one_file() {
        let one = network(2, 2).draw();
        let file = standalone(&beside(&[one.clone(), one]));
        assert_eq!(file.matches("<svg").count(), 3);
        assert!(file.contains("<svg x=\"404\" width=\"380\""), "{file}");
        assert_eq!(file.matches("</svg>").count(), 3);
    }

    #[test]
    fn ports_have_their_names_where_there_is_room() {
        assert!(network(4, 8).draw().svg.contains(">q</text>"));
        let small = network(12, 12).draw().svg;
        assert!(!small.contains(">q</text>") && small.contains("net-port"));
    }
}
