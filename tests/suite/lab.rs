//! What is asked beyond score tables: the fast way is the plain way, the identities hold, TransformerLens and captum
//! agree, and the engine refuses what cannot be.

use std::future::ready;

use burn::tensor::DType;
use pollster::block_on;
use proptest::prelude::*;
use serde_json::Value;
use twinbeam_attribution::plain::{self, PlainOptions, PlainValues};
use twinbeam_attribution::{
    Advance, Budget, CostModel, NoProgress, Nodes, Progress, RunPair, Values, ablate,
    attention_pattern, faithfulness, integrand, integrate, means, patch_some, position_effects,
    streams,
};
use twinbeam_batch::Folder;
use twinbeam_core::wire::probes::circuits::EdgeOrder;
use twinbeam_core::wire::probes::{
    Finding, PositionEffects, Probe, Replacement, Stream, StreamMap,
};
use twinbeam_core::wire::{Event, Expected, Problem};
use twinbeam_core::words::{
    Component, ComponentKind, Direction, Entered, Experiment, Method, Metric, Phase, PromptError,
    Side, Written,
};
use twinbeam_engine::{DeviceKind, Error, Model, Plan, probe, question, run};
use twinbeam_tests::{
    CPU_TOLERANCE, F32_FLOOR, FIXTURES, Listener, Question, VOCABULARY, any_question,
    assert_close_or, case, fixture_model, json, numbers, repository,
};

/// Gauss-Legendre nodes of property tests.
const NODES: usize = 9;

/// Property tests compute in double precision: what is left is rounding of the points of a line to f32, in parts of
/// a table's largest value.
const TOLERANCE: f32 = 1e-4;

/// What f64 resolves of a difference between two metrics.
const FLOOR: f32 = 1e-10;

/// Each value agrees, on the scale of its table and of the parts that it was made of.
fn agree(got: &[f32], expected: &[f32], parts: &[f32], floor: f32) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), expected.len());
    let scale = greatest(expected).max(greatest(parts));
    for (a, b) in got.iter().zip(expected) {
        let is_close = (a - b).abs() <= TOLERANCE * scale + floor;
        prop_assert!(is_close, "{a}, not {b}, of {scale}: {got:?} {expected:?}");
    }
    Ok(())
}

fn all_close(got: &[f32], expected: &[f32]) -> Result<(), TestCaseError> {
    agree(got, expected, &[], FLOOR)
}

/// A value that is a sum of parts, or one of a table.
fn close(got: f32, expected: f32, parts: &[f32]) -> Result<(), TestCaseError> {
    agree(&[got], &[expected], parts, FLOOR)
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// By how much metrics are more than before, and what is left of that in f32, in which they are told.
fn gains(metrics: &[f32], before: f32) -> (Vec<f32>, f32) {
    let floor = 2.0 * f32::EPSILON * greatest(metrics).max(before.abs());
    (metrics.iter().map(|metric| metric - before).collect(), FLOOR + floor)
}

/// How far apart the runs are.
fn gap(pair: &RunPair<'_>, metric: Metric) -> f32 {
    let [clean, corrupted] =
        [Side::Clean, Side::Corrupted].map(|side| pair.metrics(side).get(metric));
    metric.orientation() * (clean - corrupted)
}

/// Counts the work.
#[derive(Default)]
struct Counted(u64);

impl Progress for Counted {
    fn advance(&mut self, units: u64) -> Advance<'_> {
        self.0 += units;
        Box::pin(ready(Ok(())))
    }
}

/// Positions of a component by points that are found, and how many these are.
fn found_points(
    pair: &RunPair<'_>,
    cost: CostModel,
    component: Component,
    direction: Direction,
    tolerance: f32,
) -> (PositionEffects, usize) {
    let nodes = Nodes::Until { tolerance: f64::from(tolerance) };
    let mut work = Counted::default();
    let found = block_on(position_effects(pair, component, direction, nodes, &mut work));
    let Component { kind, layer, .. } = component;
    let is_it = |n: &usize| cost.positions(kind, layer, *n) == work.0;
    let points = (2..=8).map(|doublings| (1 << doublings) + 1).find(is_it);
    (found.expect("runs"), points.expect("work of a rule's points"))
}

fn before(pair: &RunPair<'_>, question: &Question) -> f32 {
    let side = match question.direction {
        Direction::Noising => Side::Clean,
        Direction::Denoising => Side::Corrupted,
    };
    pair.metrics(side).get(question.metric)
}

const fn sign(direction: Direction) -> f32 {
    match direction {
        Direction::Noising => -1.0,
        Direction::Denoising => 1.0,
    }
}

fn all_streams(pair: &RunPair<'_>, direction: Direction, n: usize) -> Vec<StreamMap> {
    let maps = block_on(streams(pair, direction, Nodes::Fixed(n), &mut NoProgress)).expect("runs");
    let order: Vec<_> = maps.iter().map(|map| (map.stream, map.method)).collect();
    let both = |stream| [(stream, Method::Ap), (stream, Method::Ig)];
    assert_eq!(order, Stream::ALL.into_iter().flat_map(both).collect::<Vec<_>>());
    maps
}

/// Several sets of components of both kinds and any layers, an empty one among them.
fn sets(question: &Question) -> Vec<Vec<Component>> {
    let shape = &question.shape;
    let all = ComponentKind::ALL.into_iter().flat_map(|kind| {
        let width = kind.width(shape);
        (0..shape.n_layers * width).map(move |place| Component::at(kind, place, width))
    });
    let all: Vec<_> = all.collect();
    let every = |n: usize| all.iter().copied().skip(question.pick % n).step_by(n).collect();
    vec![every(3), Vec::new(), every(7), all.clone(), every(all.len())]
}

/// Prompts of different lengths, one of them too short to count.
fn averaged(question: &Question) -> Vec<Vec<u32>> {
    vec![question.clean.clone(), vec![3], question.corrupted[1..].to_vec(), vec![1, 2, 3, 4, 5]]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn positions_are_those_of_the_plain_path_and_add_up(q in any_question()) {
        let model = q.model(DType::F64);
        let (pair, tokens, direction) = (q.pair(&model), q.tokens(), q.direction);
        let nodes = Nodes::Fixed(NODES);
        for kind in ComponentKind::ALL {
            let component = q.component(kind);
            let of = |pair| block_on(position_effects(pair, component, direction, nodes, &mut NoProgress));
            let found = of(&pair).expect("runs");
            prop_assert!(found.ap[..q.first()].iter().chain(&found.ig[..q.first()]).all(|e| *e == 0.0));
            let patched = |position| {
                block_on(plain::patch_position(&pair, &tokens, component, position, direction))
            };
            let ap = (0..q.clean.len()).map(patched).collect::<Result<Vec<_>, _>>().expect("runs");
            all_close(&found.ap, &ap)?;
            let options = PlainOptions { n_steps: NODES, ..PlainOptions::default() };
            let ig = block_on(plain::integrate_positions(&pair, &tokens, component, direction, options));
            all_close(&found.ig, &ig.expect("runs"))?;
            let table = block_on(integrate(&pair, kind, component.layer, direction, nodes, &mut NoProgress));
            let sum: f32 = found.ig.iter().sum();
            close(sum, table.expect("IG").ig[component.index], &found.ig)?;
            let small = Budget { batch: 1, gradients: 1, buffer: usize::MAX, has_kernels: false };
            let tight = of(&q.pair(&model).within(small)).expect("runs");
            all_close(&tight.ap, &found.ap)?;
            all_close(&tight.ig, &found.ig)?;
        }
    }

    /// The number of points is found on the way, and is that of the layer or more.
    #[test]
    fn shares_of_positions_are_refined_until_they_are_good_enough(q in any_question()) {
        let model = q.model(DType::F64);
        let (pair, direction) = (q.pair(&model), q.direction);
        let cost = CostModel::new(&q.shape, &q.tokens(), q.metric);
        let tolerance = gap(&pair, q.metric).abs() * 1e-3;
        for kind in ComponentKind::ALL {
            let component = q.component(kind);
            let (found, points) = found_points(&pair, cost, component, direction, tolerance);
            let nodes = Nodes::Until { tolerance: f64::from(tolerance) };
            let table = block_on(integrate(&pair, kind, component.layer, direction, nodes, &mut NoProgress));
            let table = table.expect("IG");
            prop_assert!(points >= table.n_steps, "{points} points, the layer {}", table.n_steps);
            if points == table.n_steps {
                close(found.ig.iter().sum(), table.ig[component.index], &found.ig)?;
            }
            let nodes = Nodes::Fixed(300);
            let best = block_on(position_effects(&pair, component, direction, nodes, &mut NoProgress)).expect("runs");
            if points < 257 {
                let off = found.ig.iter().zip(&best.ig).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                prop_assert!(off <= tolerance, "{points} points: off by {off}, not {tolerance}");
            }
        }
    }

    #[test]
    fn where_one_position_differs_it_is_all_of_the_effect(q in any_question()) {
        let last = q.clean.len() - 1;
        let mut corrupted = q.clean.clone();
        corrupted[last] = (corrupted[last] + 1) % VOCABULARY;
        let q = Question { corrupted, ..q };
        let model = q.model(DType::F64);
        let pair = q.pair(&model);
        for kind in ComponentKind::ALL {
            let c = q.component(kind);
            let found = block_on(position_effects(&pair, c, q.direction, Nodes::Fixed(2), &mut NoProgress));
            let found = found.expect("runs").ap;
            prop_assert!(found[..last].iter().all(|effect| *effect == 0.0));
            let ap = block_on(patch_some(&pair, &[c], q.direction, &mut NoProgress));
            close(found[last], ap.expect("AP")[0], &[])?;
        }
    }

    #[test]
    fn streams_are_those_of_the_plain_path(q in any_question()) {
        let model = q.model(DType::F64);
        let (pair, tokens, direction) = (q.pair(&model), q.tokens(), q.direction);
        let n_pos = q.clean.len();
        let layer = q.pick % q.shape.n_layers;
        for map in all_streams(&pair, direction, NODES) {
            prop_assert_eq!((map.n_pos, map.values.len()), (n_pos, q.shape.n_layers * n_pos));
            for row in map.values.chunks(n_pos) {
                prop_assert!(row[..q.first()].iter().all(|effect| *effect == 0.0));
            }
            if map.stream != Stream::ResidPre {
                let last = &map.values[map.values.len() - n_pos..];
                prop_assert!(last[..n_pos - 1].iter().all(|effect| *effect == 0.0));
            }
            let got = &map.values[layer * n_pos..(layer + 1) * n_pos];
            let place = (map.stream, layer);
            let patch = |position| block_on(plain::patch_stream(&pair, &tokens, place, position, direction));
            if map.method == Method::Ap {
                prop_assert!(map.convergence_delta.is_empty());
                let plain = (0..n_pos).map(|position| patch(Some(position)));
                all_close(got, &plain.collect::<Result<Vec<_>, _>>().expect("runs"))?;
            } else {
                let options = PlainOptions { n_steps: NODES, ..PlainOptions::default() };
                let plain = block_on(plain::integrate_stream(&pair, &tokens, place, direction, options));
                all_close(got, &plain.expect("runs"))?;
                let joint = patch(None).expect("runs");
                let sum: f32 = got.iter().sum();
                close(sum - map.convergence_delta[layer], joint, got)?;
            }
        }
    }

    /// All embeddings put in are the other run.
    #[test]
    fn the_first_stream_holds_the_whole_gap(q in any_question()) {
        let model = q.model(DType::F64);
        let pair = q.pair(&model);
        let map = &all_streams(&pair, q.direction, NODES)[1];
        let sum: f32 = map.values[..map.n_pos].iter().sum();
        let got = sum - map.convergence_delta[0];
        let ends = [Side::Clean, Side::Corrupted].map(|side| pair.metrics(side).get(q.metric));
        let (_, floor) = gains(&ends, 0.0);
        agree(&[got], &[gap(&pair, q.metric)], &map.values[..map.n_pos], floor)?;
    }

    #[test]
    fn equal_prompts_have_no_effects(q in any_question()) {
        let q = Question { corrupted: q.clean.clone(), ..q };
        let model = q.model(DType::F64);
        let pair = q.pair(&model);
        for map in all_streams(&pair, q.direction, 3) {
            prop_assert!(map.values.iter().chain(&map.convergence_delta).all(|value| *value == 0.0));
        }
        for kind in ComponentKind::ALL {
            let (component, nodes) = (q.component(kind), Nodes::Fixed(3));
            let found = block_on(position_effects(&pair, component, q.direction, nodes, &mut NoProgress));
            let found = found.expect("runs");
            prop_assert!(found.ap.iter().chain(&found.ig).all(|effect| *effect == 0.0));
            let line = block_on(integrand(&pair, component, q.direction, nodes, &mut NoProgress)).expect("runs");
            prop_assert!(line.slope.iter().chain(&line.layer_slope).all(|slope| *slope == 0.0));
            prop_assert!(line.metric.iter().all(|metric| *metric == before(&pair, &q)));
            prop_assert_eq!((line.ig, line.joint, line.split_ig, line.split_delta), (0.0, 0.0, 0.0, 0.0));
            prop_assert_eq!(line.cut, 1.0);
        }
        let found = block_on(ablate(&pair, &sets(&q), &Values::OtherRun, q.direction, &mut NoProgress));
        prop_assert!(found.expect("runs").after.iter().all(|metric| *metric == before(&pair, &q)));
    }

    #[test]
    fn swapping_the_answers_negates_every_effect(q in any_question()) {
        let metric = if q.pick % 2 == 0 { Metric::LogitDiff } else { Metric::ProbDiff };
        let [answer, wrong] = q.answers;
        let q = Question { metric, ..q };
        let swapped = Question { answers: [wrong, answer], ..q.clone() };
        let model = q.model(DType::F64);
        let (there, back) = (q.pair(&model), swapped.pair(&model));
        let negated = |values: &[f32]| values.iter().map(|value| -value).collect::<Vec<_>>();
        let maps = all_streams(&there, q.direction, 3).into_iter().zip(all_streams(&back, q.direction, 3));
        for (a, b) in maps {
            all_close(&a.values, &negated(&b.values))?;
        }
        for kind in ComponentKind::ALL {
            let of = |pair| {
                let nodes = Nodes::Fixed(3);
                block_on(position_effects(pair, q.component(kind), q.direction, nodes, &mut NoProgress)).expect("runs")
            };
            let (a, b) = (of(&there), of(&back));
            all_close(&a.ap, &negated(&b.ap))?;
            all_close(&a.ig, &negated(&b.ig))?;
        }
    }

    #[test]
    fn the_integrand_integrates_to_its_scores(q in any_question()) {
        let model = q.model(DType::F64);
        let (pair, tokens, direction) = (q.pair(&model), q.tokens(), q.direction);
        for kind in ComponentKind::ALL {
            let component = q.component(kind);
            let (site, index) = ((kind, component.layer), component.index);
            let tolerance = f64::from(gap(&pair, q.metric).abs()) * 1e-2;
            for nodes in [Nodes::Fixed(NODES), Nodes::Until { tolerance }] {
                let line = block_on(integrand(&pair, component, direction, nodes, &mut NoProgress)).expect("runs");
                let table = block_on(integrate(&pair, kind, component.layer, direction, nodes, &mut NoProgress));
                let table = table.expect("IG");
                prop_assert!(line.alphas.is_sorted() && line.alphas[0] == 0.0 && line.alphas.last() == Some(&1.0));
                prop_assert!(line.alphas.len() >= 33);
                close(line.ig, table.ig[index], &table.ig)?;
                close(line.joint, table.joint, &[])?;
                close(line.slope[0], table.atp[index], &[])?;
                let integral: f32 = line.weights.iter().zip(&line.layer_slope).map(|(w, s)| w * s).sum();
                close(integral - line.joint, table.convergence_delta, &[integral, line.joint])?;
                prop_assert_eq!(line.metric[0], before(&pair, &q));
                let (on_line, floor) = gains(&line.metric, line.metric[0]);
                for (alpha, gain) in line.alphas.iter().zip(&on_line).step_by(5) {
                    let plain = block_on(plain::gain_on_line(&pair, &tokens, site, direction, f64::from(*alpha)));
                    let plain = q.metric.orientation() * plain.expect("runs");
                    agree(&[*gain], &[plain], &on_line, floor)?;
                }
                let cut = f64::from(line.cut);
                let n = if nodes == Nodes::Fixed(NODES) { NODES } else { 32 };
                let split = block_on(plain::split_layer(&pair, &tokens, site, direction, n, cut)).expect("runs");
                close(line.split_ig, split[index], &split)?;
                let joint = block_on(plain::gain_on_line(&pair, &tokens, site, direction, cut)).expect("runs");
                let joint = sign(direction) * joint;
                close(line.split_joint, joint, &on_line)?;
                let sum: f32 = split.iter().sum();
                close(line.split_delta, sum - joint, &[sum, joint])?;
                // The whole way is integrated gradients.
                let whole = block_on(plain::split_layer(&pair, &tokens, site, direction, NODES, 1.0)).expect("runs");
                if nodes == Nodes::Fixed(NODES) {
                    all_close(&table.ig, &whole)?;
                }
            }
        }
    }

    #[test]
    fn ablation_is_that_of_the_plain_path(q in any_question()) {
        let model = q.model(DType::F64);
        let (pair, tokens, direction) = (q.pair(&model), q.tokens(), q.direction);
        let (sets, prompts) = (sets(&q), averaged(&q));
        let skip = q.pick % 3;
        let mean = block_on(means(&pair, &prompts, skip, &mut NoProgress)).expect("runs");
        let plain_mean = PlainValues::Mean { prompts: &prompts, skip };
        let small = Budget { batch: 1, gradients: 1, buffer: usize::MAX, has_kernels: false };
        let tight = q.pair(&model).within(small);
        for (with, plain_with) in [
            (Values::OtherRun, PlainValues::OtherRun),
            (Values::Zero, PlainValues::Zero),
            (Values::Mean(mean), plain_mean),
        ] {
            let found = block_on(ablate(&pair, &sets, &with, direction, &mut NoProgress)).expect("runs");
            prop_assert_eq!((found.before, found.after[1]), (before(&pair, &q), before(&pair, &q)));
            let in_batches = block_on(ablate(&tight, &sets, &with, direction, &mut NoProgress)).expect("runs");
            let (batches, _) = gains(&in_batches.after, found.before);
            let (at_once, floor) = gains(&found.after, found.before);
            agree(&batches, &at_once, &[], floor)?;
            let plain = |set: &Vec<Component>| {
                let gain = block_on(plain::ablate_set(&pair, &tokens, set, plain_with, direction)).expect("runs");
                q.metric.orientation() * gain
            };
            agree(&at_once, &sets.iter().map(plain).collect::<Vec<_>>(), &[], floor)?;
        }
    }

    #[test]
    fn ablating_by_the_other_run_is_patching(q in any_question()) {
        let model = q.model(DType::F64);
        let (pair, direction) = (q.pair(&model), q.direction);
        for kind in ComponentKind::ALL {
            let width = kind.width(&q.shape);
            let all: Vec<_> = (0..q.shape.n_layers * width).map(|place| Component::at(kind, place, width)).collect();
            let mut sets: Vec<_> = all.iter().map(|component| vec![*component]).collect();
            sets.extend(all.chunks(width).map(<[Component]>::to_vec));
            let found = block_on(ablate(&pair, &sets, &Values::OtherRun, direction, &mut NoProgress)).expect("runs");
            let (gains, floor) = gains(&found.after, found.before);
            let supports = |gain: f32| sign(direction) * q.metric.orientation() * gain;
            let effects: Vec<f32> = gains.into_iter().map(supports).collect();
            let (single, joint) = effects.split_at(all.len());
            let ap = block_on(patch_some(&pair, &all, direction, &mut NoProgress)).expect("AP");
            agree(single, &ap, &[], floor)?;
            for (layer, joint) in joint.iter().enumerate() {
                let table = block_on(integrate(&pair, kind, layer, direction, Nodes::Fixed(1), &mut NoProgress));
                agree(&[*joint], &[table.expect("IG").joint], &[], floor)?;
            }
        }
    }

    #[test]
    fn faithfulness_keeps_what_it_says(q in any_question()) {
        let q = Question { direction: Direction::Noising, ..q };
        let model = q.model(DType::F64);
        let pair = q.pair(&model);
        for kind in ComponentKind::ALL {
            let width = kind.width(&q.shape);
            let n = q.shape.n_layers * width;
            let up: Vec<usize> = (0..n).map(|i| (i + q.pick) % n).collect();
            let orders = [up.clone(), up.iter().rev().copied().collect()];
            let sizes = [0, 1, n / 2, n];
            for with in [Values::OtherRun, Values::Zero] {
                let found = block_on(faithfulness(&pair, kind, &orders, &sizes, &with, &mut NoProgress)).expect("runs");
                let clean = pair.metrics(Side::Clean).get(q.metric);
                for (order, got) in orders.iter().zip(&found.metric) {
                    prop_assert_eq!(got[3], clean);
                    let rest = |kept: &usize| order[*kept..].iter().map(|p| Component::at(kind, *p, width)).collect();
                    let sets: Vec<Vec<Component>> = sizes.iter().map(rest).collect();
                    let ablated = block_on(ablate(&pair, &sets, &with, Direction::Noising, &mut NoProgress));
                    let (kept, floor) = gains(got, clean);
                    let (ablated, _) = gains(&ablated.expect("runs").after, clean);
                    agree(&kept, &ablated, &[], floor)?;
                }
            }
        }
    }

    #[test]
    fn heads_attend_to_what_is_before_them(q in any_question()) {
        let model = q.model(DType::F64);
        let pair = q.pair(&model);
        let Component { layer, index, .. } = q.component(ComponentKind::Heads);
        let found = block_on(attention_pattern(&pair, layer, index, &mut NoProgress)).expect("runs");
        let n = q.clean.len();
        for pattern in [&found.clean, &found.corrupted] {
            prop_assert_eq!(pattern.len(), n * n);
            for (query, row) in pattern.chunks(n).enumerate() {
                prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                prop_assert!(row[query + 1..].iter().all(|probability| *probability == 0.0));
            }
        }
    }
}

/// One component alone does not add up to the joint patch of its layer: that must not be waited for.
#[test]
fn shares_of_positions_need_few_points() {
    for folder in FIXTURES {
        let model = fixture_model(folder, DType::F64);
        let (tokens, answers) = case(&model, &json(&format!("{folder}/cases.json"))[0]);
        let metric = Metric::LogitDiff;
        let pair = block_on(RunPair::new(&model, &tokens, answers, metric)).expect("runs");
        let cost = CostModel::new(model.shape(), &tokens, metric);
        let tolerance = gap(&pair, metric).abs() * 1e-2;
        for kind in ComponentKind::ALL {
            for layer in 0..pair.n_layers() {
                let component = Component { kind, layer, index: 1 };
                let direction = Direction::Noising;
                let (_, points) = found_points(&pair, cost, component, direction, tolerance);
                assert!(points <= 33, "{folder} {component}: {points} points");
            }
        }
    }
}

#[test]
fn the_lab_agrees_with_the_reference_in_double_precision() {
    reference(DType::F64, 1e-6, 0.0);
}

#[test]
fn the_lab_agrees_with_the_reference_in_single_precision() {
    reference(DType::F32, CPU_TOLERANCE, F32_FLOOR);
}

fn reference(dtype: DType, tolerance: f64, floor: f64) {
    for folder in FIXTURES {
        let model = fixture_model(folder, dtype);
        let file = json(&format!("lab/{folder}.json"));
        let cases = json(&format!("{folder}/cases.json"));
        let expected = file["cases"].as_array().expect("a list of cases");
        assert_eq!(expected.len(), cases.as_array().expect("a list of cases").len());
        for (index, expected) in expected.iter().enumerate() {
            let (tokens, answers) = case(&model, &cases[index]);
            let pair =
                block_on(RunPair::new(&model, &tokens, answers, Metric::LogitDiff)).expect("runs");
            let compare = |what: &str, got: &[f32], reference: &Value| {
                let name = format!("{dtype:?} {folder} case {index} {what}");
                assert_close_or(&name, got, &numbers(reference), tolerance, floor);
            };
            for entry in list(&expected["integrand"]) {
                compare_integrand(&pair, &file, entry, &compare);
            }
            for entry in list(&expected["positions"]) {
                let (component, direction) = (component(&entry["component"]), direction(entry));
                let found = block_on(position_effects(
                    &pair,
                    component,
                    direction,
                    Nodes::Fixed(50),
                    &mut NoProgress,
                ));
                let found = found.expect("runs");
                compare(&format!("{component} {direction} ap"), &found.ap, &entry["ap"]);
                compare(&format!("{component} {direction} ig"), &found.ig, &entry["ig"]);
            }
            compare_streams(&pair, expected, &compare);
            let pattern = &expected["pattern"];
            let at = |key: &str| pattern[key].as_u64().expect("a number") as usize;
            let found =
                block_on(attention_pattern(&pair, at("layer"), at("head"), &mut NoProgress));
            let found = found.expect("runs");
            compare("pattern clean", &found.clean, &pattern["clean"]);
            compare("pattern corrupted", &found.corrupted, &pattern["corrupted"]);
            compare_ablation(&pair, &file, expected, &compare);
        }
    }
}

type Compare<'a> = dyn Fn(&str, &[f32], &Value) + 'a;

fn compare_integrand(pair: &RunPair<'_>, file: &Value, entry: &Value, compare: &Compare<'_>) {
    let (component, direction) = (component(&entry["component"]), direction(entry));
    let found = block_on(integrand(pair, component, direction, Nodes::Fixed(50), &mut NoProgress));
    let found = found.expect("runs");
    let compare = |field: &str, got: &[f32], reference: &Value| {
        compare(&format!("{component} {direction} {field}"), got, reference);
    };
    compare("alphas", &found.alphas, &file["alphas"]);
    compare("weights", &found.weights, &file["weights"]);
    compare("metric", &found.metric, &entry["metric"]);
    compare("slope", &found.slope, &entry["slope"]);
    compare("layer_slope", &found.layer_slope, &entry["layer_slope"]);
    // What the delta is left of stands beside it, for its scale.
    for (field, got) in [("ig", found.ig), ("joint", found.joint)] {
        compare(field, &[got], &entry[field]);
    }
    let (cut, reference) = (f64::from(found.cut), entry["cut"].as_f64().expect("a number"));
    // The cut is where a curve crosses a line: its error is that of the curve over its slope.
    let range = entry["hi"][1].as_f64().expect("hi") - entry["lo"][1].as_f64().expect("lo");
    let off = (cut - reference).abs();
    let most = if pair.is_double() { 1e-5 } else { 1e-5 + 3e-6 / range };
    assert!(off < most, "{component} {direction}: cut {cut}, not {reference}: {off:e} of {most:e}");
    let around = |value: f32, field: &str| {
        let reference = entry[field].as_f64().expect("a number");
        let slopes = numbers(&entry["layer_slope"])
            .iter()
            .chain(&numbers(&entry["slope"]))
            .fold(0.0_f64, |a, b| a.max(b.abs()));
        let (off, allowed) = ((f64::from(value) - reference).abs(), 2.0 * most * slopes + 4e-6);
        assert!(
            off < allowed,
            "{component} {direction} {field}: {value}, not {reference}, {allowed:e}"
        );
    };
    around(found.split_ig, "split_ig");
    around(found.split_joint, "split_joint");
    around(found.split_delta, "split_delta");
}

fn compare_streams(pair: &RunPair<'_>, expected: &Value, compare: &Compare<'_>) {
    for direction in Direction::ALL {
        for map in all_streams(pair, direction, 50) {
            let is_it = |entry: &&Value| {
                entry["stream"] == map.stream.id() && entry["direction"] == direction.id()
            };
            let entry = list(&expected["streams"]).iter().find(is_it).expect("it is there");
            let name = format!("{} {direction} {}", map.stream.id(), map.method.id());
            compare(&name, &map.values, &entry[map.method.id()]);
            if map.method == Method::Ig {
                // A delta is what is left of two sums: compared on the scale of what it is made of.
                let deltas = numbers(&entry["convergence_delta"]);
                let reference = [deltas, numbers(&entry["ig"])].concat();
                let got = [map.convergence_delta, map.values].concat();
                compare(&format!("{name} deltas"), &got, &Value::from(reference));
            }
        }
    }
}

fn compare_ablation(pair: &RunPair<'_>, file: &Value, expected: &Value, compare: &Compare<'_>) {
    let ids = |row: &Value| numbers(row).into_iter().map(|id| id as u32).collect();
    let prompts: Vec<Vec<u32>> = list(&file["prompts"]).iter().map(ids).collect();
    let set = |set: &Value| list(set).iter().map(component).collect();
    let sets: Vec<Vec<Component>> = list(&expected["ablation"]["sets"]).iter().map(set).collect();
    for run in list(&expected["ablation"]["runs"]) {
        let with = match run["with"].as_str().expect("a name") {
            "other_run" => Values::OtherRun,
            "zero" => Values::Zero,
            _ => Values::Mean(block_on(means(pair, &prompts, 1, &mut NoProgress)).expect("runs")),
        };
        let found =
            block_on(ablate(pair, &sets, &with, direction(run), &mut NoProgress)).expect("runs");
        let name = format!("ablation {} {}", run["with"], run["direction"]);
        compare(&name, &[found.before], &run["before"]);
        compare(&name, &found.after, &run["after"]);
    }
    for entry in list(&expected["faithfulness"]) {
        let kind = kind(&entry["kind"]);
        let integers =
            |row: &Value| numbers(row).into_iter().map(|n| n as usize).collect::<Vec<_>>();
        let orders: Vec<_> = list(&entry["orders"]).iter().map(integers).collect();
        let sizes = integers(&entry["sizes"]);
        let found =
            block_on(faithfulness(pair, kind, &orders, &sizes, &Values::OtherRun, &mut NoProgress));
        let found = found.expect("runs").metric.concat();
        compare(&format!("faithfulness {}", kind.id()), &found, &entry["metric"]);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn kind(id: &Value) -> ComponentKind {
    ComponentKind::ALL.into_iter().find(|kind| *id == kind.id()).expect("a kind")
}

fn component(value: &Value) -> Component {
    let at = |place: usize| value[place].as_u64().expect("a number") as usize;
    Component { kind: kind(&value[0]), layer: at(1), index: at(2) }
}

fn direction(entry: &Value) -> Direction {
    Direction::ALL.into_iter().find(|d| entry["direction"] == d.id()).expect("a direction")
}

fn bundled() -> Model {
    let folder = Folder(repository("assets/models/mini"));
    let device = DeviceKind::cpu("a test");
    block_on(Model::load(&folder, &Expected::default(), &device, &mut Listener::default()))
        .expect("it loads")
}

/// One probe of each kind.
fn probes() -> Vec<Probe> {
    let direction = Direction::Denoising;
    let head = Component { kind: ComponentKind::Heads, layer: 2, index: 3 };
    let neuron = Component { kind: ComponentKind::Neurons, layer: 3, index: 100 };
    let clean = Experiment::default().clean;
    let mean = Replacement::Mean { prompts: vec![clean, "The cat".to_owned()] };
    vec![
        Probe::Integrand { component: head, direction },
        Probe::Positions { component: neuron, direction },
        Probe::Streams { direction },
        Probe::Pattern { layer: 1, head: 7 },
        Probe::ZeroBaseline,
        Probe::Ablate { sets: vec![], with: Replacement::Zero, direction },
        Probe::Ablate { sets: vec![vec![head, neuron], vec![]], with: mean, direction },
        Probe::Faithfulness {
            kind: ComponentKind::Heads,
            orders: vec![(0..32).collect()],
            sizes: vec![0, 16, 32],
            with: Replacement::OtherRun,
        },
        Probe::Parts { direction },
        Probe::Direct { direction },
        Probe::Lens { layer: 3, head: 0 },
        Probe::Edges { direction },
        Probe::PatchEdges { edges: vec![1518, 0, 700], direction },
        Probe::EdgePositions { edge: 700, direction },
        Probe::CircuitCurves {
            orders: vec![EdgeOrder::Listed(vec![3, 1, 2]), EdgeOrder::Random { seed: 1 }],
            sizes: vec![1, 40],
        },
        Probe::Circuits { sets: vec![vec![], vec![0, 1518]] },
    ]
}

fn ask(model: &Model, asked: &Probe, host: &mut Listener) -> Result<Finding, Error> {
    let (finding, unchecked) = block_on(probe(model, &Experiment::default(), asked, 5, host))?;
    assert!(!unchecked, "the CPU needs no check");
    Ok(finding)
}

/// The token in front stays where a mean is put in, and ids have one in front if it is the first of them.
#[test]
fn a_mean_is_the_same_for_text_and_for_its_ids() {
    let model = bundled();
    let text = Experiment::default();
    let averaged = ["The cat".to_owned(), text.corrupted.clone()];
    let ids_of = |clean: &String, prepend_bos: bool| {
        let (clean, corrupted) = (clean.clone(), clean.clone());
        let experiment = Experiment { clean, corrupted, prepend_bos, ..Experiment::default() };
        let question = question(&model, &experiment).expect("its own words");
        question.tokens.clean().iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
    };
    for prepend_bos in [true, false] {
        let text = Experiment { prepend_bos, ..text.clone() };
        let answer = |texts: &[String]| texts.iter().map(|text| ids_of(text, false)).collect();
        let ids = Experiment {
            clean: ids_of(&text.clean, prepend_bos),
            corrupted: ids_of(&text.corrupted, prepend_bos),
            answer: answer(&text.answer),
            wrong: answer(&text.wrong),
            written: Written::Ids,
            // Nothing is put in front of ids, whatever it says.
            prepend_bos: true,
            ..text.clone()
        };
        let head = Component { kind: ComponentKind::Heads, layer: 2, index: 3 };
        let effect = |experiment: &Experiment, prompts: Vec<String>| {
            let (with, direction) = (Replacement::Mean { prompts }, Direction::Noising);
            let asked = Probe::Ablate { sets: vec![vec![head]], with, direction };
            let found = block_on(probe(&model, experiment, &asked, 5, &mut Listener::default()));
            found.expect("it is answered").0
        };
        let of_ids = averaged.iter().map(|text| ids_of(text, prepend_bos)).collect();
        assert_eq!(effect(&ids, of_ids), effect(&text, averaged.to_vec()), "{prepend_bos}");
    }
}

#[test]
fn every_probe_is_answered_and_counts_its_work() {
    let model = bundled();
    for asked in probes() {
        let mut host = Listener::default();
        let finding = ask(&model, &asked, &mut host).expect("it is answered");
        // What is asked and what is found have the same names.
        let name = |json: Value| match json {
            Value::String(name) => name,
            other => other.as_object().expect("an object").keys().next().expect("a name").clone(),
        };
        let names = [serde_json::to_value(&asked), serde_json::to_value(&finding)];
        let [asked_name, found_name] = names.map(|json| name(json.expect("plain values")));
        assert_eq!(asked_name, found_name);
        let progress = |event: &Event| match event {
            Event::Progress { job: 5, phase: Phase::Probe, done, total, .. } => (*done, *total),
            other => panic!("{other:?}"),
        };
        let progress: Vec<_> = host.events.iter().map(progress).collect();
        assert!(progress.is_sorted_by_key(|(done, _)| *done));
        let (done, total) = progress.last().expect("there is progress");
        assert_eq!(done, total, "{asked:?}");
    }
}

#[test]
fn the_zero_baseline_is_that_of_a_run() {
    let model = bundled();
    let experiment = Experiment::default();
    let found =
        ask(&model, &Probe::ZeroBaseline, &mut Listener::default()).expect("it is answered");
    let question = question(&model, &experiment).expect("legal");
    let plan = Plan { directions: vec![], kinds: vec![], zero_baseline: true };
    let mut host = Listener::default();
    let outcome =
        block_on(run(&model, &question, experiment, &plan, 1, &mut host)).expect("it runs");
    assert_eq!(
        found,
        Finding::ZeroBaseline(outcome.tables.iter().next().expect("it was asked for").clone())
    );
}

#[test]
fn a_probe_that_is_cancelled_stops_at_its_next_step() {
    let model = bundled();
    for asked in probes() {
        let mut host = Listener { cancel_after: Some(2), ..Listener::default() };
        let error = ask(&model, &asked, &mut host).expect_err("it was cancelled");
        assert_eq!(error.problem(), Problem::Cancelled);
        assert!(host.events.len() <= 2, "{asked:?}: {} events", host.events.len());
    }
}

#[test]
fn what_is_not_in_the_model_is_refused_with_the_cause() {
    let model = bundled();
    let refused = |asked: Probe| {
        ask(&model, &asked, &mut Listener::default()).expect_err("refused").problem()
    };
    let (kind, direction) = (ComponentKind::Heads, Direction::Noising);
    let outside = Component { kind, layer: 4, index: 0 };
    let wide = Component { kind, layer: 0, index: 8 };
    let with = Replacement::OtherRun;
    let order = |orders: Vec<Vec<usize>>, sizes: Vec<usize>| Probe::Faithfulness {
        kind,
        orders,
        sizes,
        with: with.clone(),
    };
    let curves = |order, size| Probe::CircuitCurves { orders: vec![order], sizes: vec![size] };
    for (asked, says) in [
        (Probe::Integrand { component: outside, direction }, "L4H0"),
        (Probe::Positions { component: wide, direction }, "L0H8"),
        (Probe::Pattern { layer: 0, head: 8 }, "L0H8"),
        (Probe::Ablate { sets: vec![vec![wide]], with: with.clone(), direction }, "L0H8"),
        (order(vec![vec![0, 32]], vec![1]), "place 32"),
        (order(vec![vec![0, 1, 0]], vec![1]), "place 0 twice"),
        (order(vec![vec![0, 1]], vec![3]), "3 heads cannot be kept"),
        (Probe::Lens { layer: 4, head: 0 }, "L4H0"),
        (Probe::PatchEdges { edges: vec![0, 1519], direction }, "no edge 1519"),
        (Probe::EdgePositions { edge: u32::MAX, direction }, "no edge 4294967295"),
        (Probe::Circuits { sets: vec![vec![], vec![1519]] }, "no edge 1519"),
        (curves(EdgeOrder::Listed(vec![1519]), 1), "no edge 1519"),
        (curves(EdgeOrder::Random { seed: 0 }, 1520), "1520 edges cannot be kept"),
    ] {
        let problem = refused(asked);
        assert!(
            matches!(&problem, Problem::Model { message } if message.contains(says)),
            "{problem:?}"
        );
    }
    let mean = |prompts: &[&str]| Probe::Ablate {
        sets: vec![],
        with: Replacement::Mean {
            prompts: prompts.iter().map(|text| (*text).to_owned()).collect(),
        },
        direction,
    };
    let problem = refused(mean(&[]));
    assert!(
        matches!(&problem, Problem::Model { message } if message.contains("at least one prompt"))
    );
    let empty = PromptError::Empty { what: Entered::Averaged };
    assert_eq!(refused(mean(&["The cat", " "])), Problem::Prompt { error: empty });
    let long = "cat ".repeat(900);
    assert!(matches!(
        refused(mean(&[&long])),
        Problem::Prompt { error: PromptError::TooLong { .. } }
    ));
}
