//! TransformerLens in float64 against this project on both fixture folders: edges, parts of heads, direct effects and
//! circuits, each there by its definition, one run at a time (tests/reference/make_circuits.py).

use burn::tensor::DType;
use pollster::block_on;
use serde_json::Value;
use twinbeam_attribution::{
    NoProgress, Nodes, RunPair, circuits, direct, edge_positions, estimate_edges, lens, parts,
    patch_edges,
};
use twinbeam_core::circuits::{
    Circuit, Edge, Graph, Part, Port, Ranking, SHARES, areas, size_of_share,
};
use twinbeam_core::words::{Component, Direction, Metric, Side};
use twinbeam_gpt2::Gpt2;
use twinbeam_tests::{
    CPU_TOLERANCE, F32_FLOOR, FIXTURES, assert_close_or, case, fixture_model, json, numbers,
};

/// Of the largest value of a table in double precision; what is told is rounded to f32.
const DOUBLE_TOLERANCE: f64 = 1e-6;

/// A fixture with its model in one of the two types of number.
struct Fixture {
    folder: &'static str,
    model: Gpt2,
    dtype: DType,
    expected: Value,
}

impl Fixture {
    fn all() -> Vec<Self> {
        let of = |folder: &'static str, dtype| Self {
            folder,
            model: fixture_model(folder, dtype),
            dtype,
            expected: json(&format!("circuits/{folder}.json")),
        };
        let types = |folder| [DType::F64, DType::F32].map(|dtype| of(folder, dtype));
        FIXTURES.into_iter().flat_map(types).collect()
    }

    fn nodes(&self) -> Nodes {
        Nodes::Fixed(self.expected["n_steps"].as_u64().expect("a number") as usize)
    }

    /// Each of the file's cases, with its two runs.
    fn each(&self, list: &str, look: impl Fn(&RunPair<'_>, &Value)) {
        let known = json(&format!("{}/cases.json", self.folder));
        let known = known.as_array().expect("cases");
        let list = self.expected[list].as_array().expect("cases");
        assert!(!list.is_empty(), "there are cases");
        for expected in list {
            let is_it = |of: &&Value| of["name"] == expected["name"];
            let (tokens, answers) = case(&self.model, known.iter().find(is_it).expect("the case"));
            let metric = expected["metric"].as_str().expect("a metric");
            let metric = Metric::ALL.into_iter().find(|of| of.id() == metric).expect("a metric");
            let pair = block_on(RunPair::new(&self.model, &tokens, answers, metric));
            look(&pair.expect("runs"), expected);
        }
    }

    fn close(&self, what: &str, got: &[f32], expected: &Value) {
        self.close_to(what, got, &numbers(expected));
    }

    fn close_to(&self, what: &str, got: &[f32], expected: &[f64]) {
        let (tolerance, floor) = match self.dtype {
            DType::F64 => (DOUBLE_TOLERANCE, 1e-12),
            _ => (CPU_TOLERANCE, F32_FLOOR),
        };
        let name = format!("{} {:?} {what}", self.folder, self.dtype);
        assert_close_or(&name, got, expected, tolerance, floor);
    }
}

/// The metric of the clean run.
fn of_clean(pair: &RunPair<'_>, expected: &Value) -> f32 {
    let is_it = |of: &Metric| expected["metric"] == of.id();
    pair.metrics(Side::Clean).get(Metric::ALL.into_iter().find(is_it).expect("a metric"))
}

fn is_double(fixture: &Fixture) -> bool {
    fixture.dtype == DType::F64
}

#[test]
fn nodes_and_edges_are_in_the_same_order() {
    for fixture in Fixture::all() {
        let graph = Graph::new(fixture.model.shape());
        let text = |value: &Value| value.as_str().expect("a name").to_owned();
        let edges = fixture.expected["edges"].as_array().expect("edges");
        assert_eq!(edges.len(), graph.n_edges());
        for (number, ends) in edges.iter().enumerate() {
            let edge = Edge {
                from: text(&ends[0]).parse().expect("a sender"),
                to: text(&ends[1]).parse().expect("a receiver"),
            };
            assert_eq!(graph.edge(number), edge);
        }
    }
}

#[test]
fn every_edge_agrees() {
    for fixture in Fixture::all() {
        let graph = Graph::new(fixture.model.shape());
        let all: Vec<usize> = (0..graph.n_edges()).collect();
        let compare = |pair: &RunPair<'_>, expected: &Value| {
            for direction in Direction::ALL {
                let Some(of) = expected.get(direction.id()) else {
                    continue;
                };
                let name = |what: &str| format!("{} {direction} {what}", expected["name"]);
                let exact = block_on(patch_edges(pair, &all, direction, &mut NoProgress));
                fixture.close(&name("exact"), &exact.expect("edges"), &of["edges"]["exact"]);
                let mut progress = NoProgress;
                let found = estimate_edges(pair, direction, fixture.nodes(), &mut progress);
                let found = block_on(found).expect("estimates");
                fixture.close(&name("EAP"), &found.eap, &of["edges"]["eap"]);
                fixture.close(&name("EAP-IG"), &found.eap_ig, &of["edges"]["eap_ig"]);
                if is_double(&fixture) {
                    let delta = of["edges"]["eap_ig_delta"].as_f64().expect("a delta");
                    // Of a gap that is told in single precision.
                    let told = of_clean(pair, expected).abs();
                    let off = (f64::from(found.convergence_delta) - delta).abs();
                    assert!(off <= 2.0 * f64::from(f32::EPSILON * told) + 1e-6 * delta.abs());
                }
            }
        };
        fixture.each("cases", compare);
        fixture.each("nonlinear", compare);
    }
}

#[test]
fn pinned_edges_agree_position_by_position() {
    for fixture in Fixture::all().into_iter().filter(is_double) {
        let graph = Graph::new(fixture.model.shape());
        fixture.each("cases", |pair, expected| {
            for direction in Direction::ALL {
                for of in expected[direction.id()]["positions"].as_array().expect("edges") {
                    let end = |place: usize| of["edge"][place].as_str().expect("a name");
                    let edge = format!("{} -> {}", end(0), end(1));
                    let number = graph.number(edge.parse().expect("an edge")).expect("an edge");
                    let mut progress = NoProgress;
                    let found =
                        edge_positions(pair, number, direction, fixture.nodes(), &mut progress);
                    let found = block_on(found).expect("positions");
                    fixture.close(&format!("{edge} exact"), &found.exact, &of["exact"]);
                    fixture.close(&format!("{edge} EAP"), &found.eap, &of["eap"]);
                    fixture.close(&format!("{edge} EAP-IG"), &found.eap_ig, &of["eap_ig"]);
                }
            }
        });
    }
}

#[test]
fn parts_of_heads_and_mlps_agree() {
    for fixture in Fixture::all() {
        fixture.each("cases", |pair, expected| {
            for direction in Direction::ALL {
                let of = &expected[direction.id()];
                let mut progress = NoProgress;
                let maps = parts(pair, &Part::ALL, direction, fixture.nodes(), &mut progress);
                for map in block_on(maps).expect("parts") {
                    let of = match map.part {
                        Part::MlpOut => &of["mlp"],
                        Part::Port(_) | Part::Pattern => &of["parts"][map.part.id()],
                    };
                    let name = |method: &str| format!("{} {direction} {method}", map.part.id());
                    fixture.close(&name("AP"), &map.ap, &of["ap"]);
                    fixture.close(&name("IG"), &map.ig, &of["ig"]);
                    fixture.close(&name("AtP"), &map.atp, &of["atp"]);
                    if let Some(joint) = of.get("joint") {
                        fixture.close(&name("joint"), &map.joint, joint);
                    }
                }
            }
        });
    }
    assert_eq!(Part::Port(Port::Key).id(), "k", "the fixture's name");
}

#[test]
fn direct_effects_agree() {
    for fixture in Fixture::all() {
        fixture.each("cases", |pair, expected| {
            for direction in Direction::ALL {
                let of = &expected[direction.id()]["direct"];
                let found = block_on(direct(pair, direction, &mut NoProgress)).expect("effects");
                let kinds =
                    [("heads", &found.heads), ("mlps", &found.mlps), ("neurons", &found.neurons)];
                for (kind, map) in kinds {
                    fixture.close(&format!("{kind} direct"), &map.exact, &of[kind]["exact"]);
                    let dla = map.dla.as_ref().expect("of the logit difference");
                    fixture.close(&format!("{kind} DLA"), dla, &of[kind]["dla"]);
                }
            }
        });
    }
}

#[test]
fn lenses_agree() {
    for fixture in Fixture::all().into_iter().filter(is_double) {
        fixture.each("cases", |pair, expected| {
            for of in expected["lens"].as_array().expect("heads") {
                let head: Component = of["head"].as_str().expect("a name").parse().expect("a head");
                let found = block_on(lens(pair, head.layer, head.index)).expect("a lens");
                let logits = match of["side"].as_str() {
                    Some("clean") => found.clean,
                    _ => found.corrupted,
                };
                for tokens in ["raised", "lowered"].map(|list| &of[list]) {
                    let tokens = tokens.as_array().expect("tokens");
                    let id = |token: &Value| token[0].as_u64().expect("an id") as usize;
                    let got: Vec<f32> = tokens.iter().map(|token| logits[id(token)]).collect();
                    let wanted: Vec<f64> =
                        tokens.iter().map(|token| token[1].as_f64().expect("logits")).collect();
                    fixture.close_to("lens", &got, &wanted);
                }
            }
        });
    }
}

#[test]
fn circuits_and_their_curves_agree() {
    for fixture in Fixture::all() {
        let graph = Graph::new(fixture.model.shape());
        let listed = |value: &Value| -> Vec<usize> {
            numbers(value).into_iter().map(|edge| edge as usize).collect()
        };
        fixture.each("cases", |pair, expected| {
            let known = expected["circuits"].as_array().expect("circuits");
            let sets: Vec<Circuit> =
                known.iter().map(|of| Circuit::new(graph, listed(&of["edges"]))).collect();
            for (set, of) in sets.iter().zip(known) {
                let connected: Vec<usize> = set.connected().edges().collect();
                assert_eq!(connected, listed(&of["connected"]), "{}", of["name"]);
            }
            let found = block_on(circuits(pair, &sets, &mut NoProgress)).expect("circuits");
            let metrics: Vec<f64> =
                known.iter().map(|of| of["metric"].as_f64().expect("a metric")).collect();
            fixture.close_to("circuits", &found, &metrics);
            if !is_double(&fixture) {
                return;
            }
            let of_side = |side| pair.metrics(side).get(Metric::LogitDiff);
            let [clean, corrupted] = Side::ALL.map(of_side);
            for of in expected["curves"].as_object().expect("curves").values() {
                let ranking = Ranking::listed(graph, listed(&of["order"]));
                // Circuits that grow until so many edges are connected.
                let grown: Vec<Circuit> =
                    listed(&of["k"]).into_iter().map(|size| ranking.circuit(size)).collect();
                let kept: Vec<usize> = grown.iter().map(Circuit::len).collect();
                assert_eq!(kept, listed(&of["sizes"]));
                let metric = block_on(circuits(pair, &grown, &mut NoProgress)).expect("circuits");
                fixture.close("curve", &metric, &of["metric"]);
                // As many edges as MIB takes.
                let (of, sizes) =
                    (&of["mib"], SHARES.map(|share| size_of_share(share, graph.n_edges())));
                let taken = sizes.map(|size| ranking.strongest(size));
                let metric = block_on(circuits(pair, &taken, &mut NoProgress)).expect("circuits");
                fixture.close("MIB's curve", &metric, &of["metric"]);
                let faithful = |metric: &f32| (metric - corrupted) / (clean - corrupted);
                let faithful: Vec<f32> = metric.iter().map(faithful).collect();
                let got = areas(&faithful).expect("ten sizes");
                // Divided by a gap that is told in single precision.
                let near = |got: f32, of: &Value| {
                    let of = of.as_f64().expect("an area") as f32;
                    let resolved = 4.0 * f32::EPSILON * clean.abs() / (clean - corrupted).abs();
                    let near = (1e-5 + resolved) * of.abs().max(1.0);
                    assert!((got - of).abs() <= near, "{got}, not {of}");
                };
                near(got.cpr, &of["cpr"]);
                near(got.cmd, &of["cmd"]);
            }
        });
    }
}
