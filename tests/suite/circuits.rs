//! Parts of heads, edges and circuits: the fast way is the plain way, and the identities of docs/METHODS.md#circuits hold.

use burn::tensor::{DType, Tensor};
use pollster::block_on;
use proptest::prelude::*;
use twinbeam_attribution::plain::{self, EdgePoint};
use twinbeam_attribution::{
    NoProgress, Nodes, RunPair, circuits, direct, edge_positions, estimate_edges, gauss_legendre,
    integrate, lens, metric_values, parts, patch, patch_edges,
};
use twinbeam_core::circuits::{Circuit, Graph, Part, Ranking, Receiver, Sender};
use twinbeam_core::models::HookName;
use twinbeam_core::words::{Answers, ComponentKind, Direction, Metric, Side};
use twinbeam_gpt2::{ActivationCache, Hooks};
use twinbeam_tests::{Question, any_question};

/// Gauss-Legendre nodes of property tests.
const NODES: usize = 9;

/// Of the largest value of a table: both sides are computed in double precision and told in single.
const TOLERANCE: f32 = 1e-5;

/// What is left of a difference of metrics in double precision.
const FLOOR: f32 = 1e-10;

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

fn close(got: f32, expected: f32, scale: f32) -> Result<(), TestCaseError> {
    let is_close = (got - expected).abs() <= TOLERANCE * scale.max(expected.abs()) + FLOOR;
    prop_assert!(is_close, "{got}, not {expected}, of {scale}");
    Ok(())
}

fn all_edges(pair: &RunPair<'_>, direction: Direction) -> Vec<f32> {
    let all: Vec<usize> = (0..Graph::new(pair.shape()).n_edges()).collect();
    block_on(patch_edges(pair, &all, direction, &mut NoProgress)).expect("edges")
}

/// Places to look at, all over a list.
fn some(pick: usize, n: usize) -> impl Iterator<Item = usize> {
    let (count, step) = (6.min(n), (n / 6).max(1));
    (0..count).map(move |i| (pick + i * step) % n)
}

fn gap(pair: &RunPair<'_>, metric: Metric) -> f32 {
    let of = |side| pair.metrics(side).get(metric);
    metric.orientation() * (of(Side::Clean) - of(Side::Corrupted))
}

/// Puts the queries, keys and values of one head of another run in.
struct Ports<'a> {
    other: &'a ActivationCache,
    layer: usize,
    head: usize,
}

impl Hooks for Ports<'_> {
    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        let (q, k, v) = (HookName::Q(self.layer), HookName::K(self.layer), HookName::V(self.layer));
        if ![q, k, v].contains(&name) {
            return activation;
        }
        let [batch, pos, _, d_head] = activation.dims();
        let head = self.head..self.head + 1;
        let other = self.other.heads(name).expect("it is cached").narrow(2, self.head, 1);
        activation.slice_assign([0..batch, 0..pos, head, 0..d_head], other)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn an_edge_is_a_full_run_in_which_its_receiver_alone_reads_more(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, tokens, direction) = (case.pair(&model), case.tokens(), case.direction);
        let graph = Graph::new(&case.shape);
        let exact = all_edges(&pair, direction);
        let scale = largest(&exact);
        for edge in some(case.pick, graph.n_edges()) {
            let run = plain::patch_edge(&pair, &tokens, graph.edge(edge), None, direction);
            close(exact[edge], block_on(run).expect("a run"), scale)?;
        }
        // In any order, and one of them alone.
        let few: Vec<usize> = some(case.pick, graph.n_edges()).collect();
        let again = block_on(patch_edges(&pair, &few, direction, &mut NoProgress));
        for (edge, again) in few.iter().zip(again.expect("edges")) {
            close(again, exact[*edge], scale)?;
        }
    }

    #[test]
    fn estimates_are_rates_of_the_runs_that_define_them(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, tokens, direction) = (case.pair(&model), case.tokens(), case.direction);
        let graph = Graph::new(&case.shape);
        let found = block_on(estimate_edges(&pair, direction, Nodes::Fixed(NODES), &mut NoProgress));
        let found = found.expect("estimates");
        let (scale, scale_ig) = (largest(&found.eap), largest(&found.eap_ig));
        for edge in some(case.pick, graph.n_edges()) {
            let rate = |alpha| {
                let at = EdgePoint { alpha, t: 0.0 };
                let rate = plain::edge_rate(&pair, &tokens, graph.edge(edge), at, direction);
                f64::from(block_on(rate).expect("a rate"))
            };
            close(found.eap[edge], rate(0.0) as f32, scale)?;
            let mean: f64 =
                gauss_legendre(NODES).into_iter().map(|(alpha, weight)| weight * rate(alpha)).sum();
            close(found.eap_ig[edge], mean as f32, scale_ig)?;
        }
    }

    #[test]
    fn an_edges_rate_integrates_to_its_exact_effect(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, tokens, direction) = (case.pair(&model), case.tokens(), case.direction);
        let graph = Graph::new(&case.shape);
        let edge = case.pick % graph.n_edges();
        let exact = block_on(patch_edges(&pair, &[edge], direction, &mut NoProgress));
        let rate = |t| {
            let at = EdgePoint { alpha: 0.0, t };
            let rate = plain::edge_rate(&pair, &tokens, graph.edge(edge), at, direction);
            f64::from(block_on(rate).expect("a rate"))
        };
        let nodes = gauss_legendre(60);
        let rates: Vec<f64> = nodes.iter().map(|(t, _)| rate(*t)).collect();
        let sum: f64 = nodes.iter().zip(&rates).map(|((_, weight), rate)| weight * rate).sum();
        let most = rates.iter().fold(0.0_f64, |most, rate| most.max(rate.abs()));
        let exact = f64::from(exact.expect("an edge")[0]);
        // A rate that turns quickly is integrated worse.
        prop_assert!((exact - sum).abs() <= 1e-3 * most + 1e-9, "{exact}, not {sum}, of {most}");
    }

    #[test]
    fn estimates_add_up(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, direction) = (case.pair(&model), case.direction);
        let graph = Graph::new(&case.shape);
        let nodes = Nodes::Until { tolerance: 1e-6 * f64::from(gap(&pair, case.metric).abs()) };
        let found = block_on(estimate_edges(&pair, direction, nodes, &mut NoProgress));
        let found = found.expect("estimates");
        let from = |sender: usize| {
            let reads = (0..graph.n_receivers()).filter(move |receiver| sender < graph.n_read(*receiver));
            reads.map(move |receiver| graph.offset(receiver) + sender)
        };
        // Of a head, to its attribution patching.
        for layer in 0..case.shape.n_layers {
            let mut progress = NoProgress;
            let integral = integrate(
                &pair,
                ComponentKind::Heads,
                layer,
                direction,
                Nodes::Fixed(1),
                &mut progress,
            );
            let atp = block_on(integral).expect("IG").atp;
            for (head, atp) in atp.iter().enumerate() {
                let sender = graph.sender_number(Sender::Head { layer, head }).expect("a head");
                let eap: Vec<f32> = from(sender).map(|edge| found.eap[edge]).collect();
                close(eap.iter().sum(), *atp, eap.iter().map(|score| score.abs()).sum())?;
            }
        }
        // Of the embedding, to the gap, by as much as is said.
        let sum: f64 = from(0).map(|edge| f64::from(found.eap_ig[edge])).sum();
        let gap = gap(&pair, case.metric);
        close(found.convergence_delta, sum as f32 - gap, largest(&found.eap_ig))?;
        if found.n_steps < 257 {
            prop_assert!(found.convergence_delta.abs() <= 1e-3 * gap.abs() + 1e-6 * largest(&found.eap_ig) + FLOOR);
        }
    }

    #[test]
    fn one_edge_position_by_position(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, tokens, direction) = (case.pair(&model), case.tokens(), case.direction);
        let graph = Graph::new(&case.shape);
        let edge = case.pick % graph.n_edges();
        let nodes = Nodes::Fixed(NODES);
        let found = block_on(edge_positions(&pair, edge, direction, nodes, &mut NoProgress)).expect("runs");
        let all = block_on(estimate_edges(&pair, direction, nodes, &mut NoProgress)).expect("runs");
        let size = |values: &[f32]| values.iter().map(|value| value.abs()).sum::<f32>();
        close(found.eap.iter().sum(), all.eap[edge], size(&found.eap))?;
        close(found.eap_ig.iter().sum(), all.eap_ig[edge], size(&found.eap_ig))?;
        prop_assert_eq!(found.exact.len(), case.clean.len());
        let scale = largest(&found.exact);
        for (position, exact) in found.exact.iter().enumerate() {
            let run = plain::patch_edge(&pair, &tokens, graph.edge(edge), Some(position), direction);
            close(*exact, block_on(run).expect("a run"), scale)?;
            if position < case.first() {
                prop_assert_eq!(*exact, 0.0);
            }
        }
    }

    #[test]
    fn parts_are_what_full_runs_say(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, tokens, direction) = (case.pair(&model), case.tokens(), case.direction);
        let maps = block_on(parts(&pair, &Part::ALL, direction, Nodes::Fixed(NODES), &mut NoProgress));
        for map in maps.expect("parts") {
            let layer = case.pick % case.shape.n_layers;
            let row = layer * map.width..(layer + 1) * map.width;
            let scale = largest(&map.ap);
            for (index, ap) in map.ap[row.clone()].iter().enumerate() {
                let run = plain::patch_part(&pair, &tokens, map.part, (layer, index), direction);
                close(*ap, block_on(run).expect("a run"), scale)?;
            }
            let integral = |n, only| {
                let of = plain::integrate_part(&pair, &tokens, map.part, layer, direction, n, only);
                block_on(of).expect("an integral")
            };
            for (got, n) in [(&map.ig, NODES), (&map.atp, 0)] {
                let scale = largest(got);
                for (got, expected) in got[row.clone()].iter().zip(integral(n, None)) {
                    close(*got, expected, scale)?;
                }
            }
            let sum: f32 = map.ig[row.clone()].iter().sum();
            close(map.convergence_delta[layer], sum - map.joint[layer], largest(&map.ig).max(sum.abs()))?;
            // Moving one alone integrates to its patch.
            let index = case.pick % map.width;
            let alone = integral(60, Some(index))[index];
            let most = largest(&map.ap).max(largest(&map.ig)).max(largest(&map.atp));
            prop_assert!((alone - map.ap[row.start + index]).abs() <= 1e-3 * most + 1e-9);
        }
    }

    #[test]
    fn replacing_queries_keys_and_values_is_replacing_the_head(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, direction) = (case.pair(&model), case.direction);
        let head = case.component(ComponentKind::Heads);
        let mut progress = NoProgress;
        let ap = patch(&pair, ComponentKind::Heads, head.layer, direction, &mut progress);
        let ap = block_on(ap).expect("AP");
        let (of, other) = match direction {
            Direction::Noising => (&case.clean, &case.corrupted),
            Direction::Denoising => (&case.corrupted, &case.clean),
        };
        let (_, other) = model.run_with_cache(model.tokens(&[other]));
        let mut hooks = Ports { other: &other, layer: head.layer, head: head.index };
        let logits = model.run_with_hooks(model.tokens(&[of]), &mut hooks);
        let last = logits.narrow(1, of.len() - 1, 1);
        let last = block_on(last.into_data_async()).expect("logits");
        let last: Vec<f64> = last.iter::<f64>().collect();
        let [answer, wrong] = case.answers.map(|id| vec![id]);
        let answers = Answers::new(answer, wrong, &case.shape).expect("legal");
        let after = metric_values(&last, pair.logits(Side::Clean), &answers).get(case.metric);
        let changed = if direction == Direction::Noising { Side::Clean } else { Side::Corrupted };
        let before = pair.metrics(changed).get(case.metric);
        let sign = if direction == Direction::Noising { -1.0 } else { 1.0 };
        let effect = sign * case.metric.orientation() * (after - before);
        // Metrics are told in single precision.
        close(effect, ap[head.index], before.abs().max(after.abs()))?;
    }

    #[test]
    fn direct_effects_are_edges_into_the_logits(case in any_question()) {
        let model = case.model(DType::F64);
        let (pair, direction) = (case.pair(&model), case.direction);
        let graph = Graph::new(&case.shape);
        let found = block_on(direct(&pair, direction, &mut NoProgress)).expect("direct effects");
        let exact = all_edges(&pair, direction);
        let logits = graph.receiver_number(Receiver::Logits).expect("logits");
        let edge = |sender| exact[graph.offset(logits) + graph.sender_number(sender).expect("a sender")];
        let scale = largest(&exact);
        for layer in 0..case.shape.n_layers {
            for head in 0..case.shape.n_heads {
                let place = layer * case.shape.n_heads + head;
                close(found.heads.exact[place], edge(Sender::Head { layer, head }), scale)?;
            }
            close(found.mlps.exact[layer], edge(Sender::Mlp { layer }), scale)?;
            if let (Some(mlps), Some(neurons)) = (&found.mlps.dla, &found.neurons.dla) {
                // Direct logit attribution is linear.
                let row = &neurons[layer * case.shape.d_mlp..(layer + 1) * case.shape.d_mlp];
                close(row.iter().sum(), mlps[layer], row.iter().map(|value| value.abs()).sum())?;
            }
        }
        prop_assert_eq!(found.heads.dla.is_some(), case.metric == Metric::LogitDiff);
        // In the last layer there is no other way: a neuron's direct effect is all of it.
        let last = case.shape.n_layers - 1;
        let ap = block_on(patch(&pair, ComponentKind::Neurons, last, direction, &mut NoProgress)).expect("AP");
        for (neuron, ap) in ap.iter().enumerate() {
            close(found.neurons.exact[last * case.shape.d_mlp + neuron], *ap, largest(&found.neurons.exact))?;
        }
    }

    #[test]
    fn circuits_of_all_and_of_no_edges_are_the_two_runs(case in any_question()) {
        let model = case.model(DType::F64);
        let pair = case.pair(&model);
        let graph = Graph::new(&case.shape);
        let n = graph.n_edges();
        let some = Ranking::random(graph, case.seed).order()[..n * 3 / 4].to_vec();
        let some = Circuit::new(graph, some);
        let without = |edge: usize| Circuit::new(graph, (0..n).filter(move |of| *of != edge));
        let edge = case.pick % n;
        let sets = [Circuit::new(graph, 0..n), Circuit::new(graph, []), some.connected(), some, without(edge)];
        let found = block_on(circuits(&pair, &sets, &mut NoProgress)).expect("circuits");
        let [clean, corrupted] = Side::ALL.map(|side| pair.metrics(side).get(case.metric));
        let scale = clean.abs().max(corrupted.abs()).max(1e-3);
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-5 * scale;
        prop_assert!(near(found[0], clean), "{} is not {clean}", found[0]);
        prop_assert_eq!(found[1], corrupted);
        prop_assert!(near(found[2], found[3]), "what is not connected changes nothing");
        // All but one edge is the clean run with that edge's path patched, as long as nothing reads the change again: the
        // receiver is the last to read.
        if graph.edge(edge).to == Receiver::Logits {
            let exact = block_on(patch_edges(&pair, &[edge], Direction::Noising, &mut NoProgress)).expect("an edge")[0];
            let effect = case.metric.orientation() * (clean - found[4]);
            prop_assert!((effect - exact).abs() <= 1e-5 * scale, "{effect}, not {exact}");
        }
    }

    #[test]
    fn a_heads_lens_is_what_it_writes(case in any_question()) {
        let model = case.model(DType::F64);
        let case = Question { metric: Metric::LogitDiff, ..case };
        let pair = case.pair(&model);
        // Direct logit attribution is the difference of what the two runs' outputs do, through one run's scale.
        let head = case.component(ComponentKind::Heads);
        let found = block_on(lens(&pair, head.layer, head.index)).expect("a lens");
        prop_assert_eq!(found.clean.len(), case.shape.d_vocab);
        let same = Question { corrupted: case.clean.clone(), ..case.clone() };
        let same_pair = same.pair(&model);
        let same_lens = block_on(lens(&same_pair, head.layer, head.index)).expect("a lens");
        for (a, b) in same_lens.clean.iter().zip(&same_lens.corrupted) {
            prop_assert!((a - b).abs() <= 1e-6 * largest(&same_lens.clean).max(1e-3));
        }
        for (a, b) in same_lens.clean.iter().zip(&found.clean) {
            prop_assert!((a - b).abs() <= 1e-5 * largest(&found.clean).max(1e-3), "of the clean run alone");
        }
    }
}
