//! Identities that need no reference, on random models (docs/METHODS.md, "Identities").

use burn::tensor::{DType, Device, Tensor};
use pollster::block_on;
use proptest::prelude::*;
use twinbeam_attribution::plain::{PlainOptions, integrate_layer, patch_layer, patch_one};
use twinbeam_attribution::{
    Budget, NoProgress, Nodes, RunPair, integrate, integrate_from_zero, patch, patch_some,
};
use twinbeam_core::models::HookName;
use twinbeam_core::words::{Component, ComponentKind, Direction, Metric, Side};
use twinbeam_gpt2::{ActivationCache, Hooks, NoHooks, gelu_new};
use twinbeam_tests::{Question, VOCABULARY, any_question, assert_close, values};

/// Scores of every layer: AP, IG, AtP.
fn tables(pair: &RunPair<'_>, kind: ComponentKind, direction: Direction) -> [Vec<f32>; 3] {
    let (mut ap, mut ig, mut atp) = (Vec::new(), Vec::new(), Vec::new());
    for layer in 0..pair.n_layers() {
        ap.extend(block_on(patch(pair, kind, layer, direction, &mut NoProgress)).expect("AP"));
        let integral =
            block_on(integrate(pair, kind, layer, direction, Nodes::Fixed(12), &mut NoProgress));
        let integral = integral.expect("IG");
        ig.extend(integral.ig);
        atp.extend(integral.atp);
    }
    [ap, ig, atp]
}

/// The components of a kind in all layers.
fn all_components(case: &Question, kind: ComponentKind) -> Vec<Component> {
    let width = kind.width(&case.shape);
    (0..case.shape.n_layers).flat_map(|layer| kind.of_layer(layer, width)).collect()
}

/// What an f32 difference of metrics can resolve: its scale is that of the metric, not of the score.
fn close(got: f32, expected: f32, scale: f32) -> bool {
    (got - expected).abs() <= 2e-5 * scale.max(1e-2)
}

fn scale(pair: &RunPair<'_>, metric: Metric) -> f32 {
    let of = |side| pair.metrics(side).get(metric).abs();
    of(Side::Clean).max(of(Side::Corrupted)).max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_hooks_is_the_plain_forward_pass(case in any_question()) {
        let model = case.model(DType::F32);
        let tokens = model.tokens(&[&case.clean]);
        let plain = values(&model.forward(tokens.clone()));
        prop_assert_eq!(&values(&model.run_with_hooks(tokens.clone(), &mut NoHooks)), &plain);
        prop_assert_eq!(&values(&model.run_with_cache(tokens).0), &plain);
    }

    #[test]
    fn a_batch_is_its_single_runs(case in any_question()) {
        let model = case.model(DType::F32);
        let both = values(&model.forward(model.tokens(&[&case.clean, &case.corrupted])));
        let mut single = values(&model.forward(model.tokens(&[&case.clean])));
        single.extend(values(&model.forward(model.tokens(&[&case.corrupted]))));
        let single: Vec<f64> = single.into_iter().map(f64::from).collect();
        assert_close("batch", &both, &single, 1e-5);
    }

    #[test]
    fn a_later_token_changes_nothing_before_it(case in any_question()) {
        let model = case.model(DType::F32);
        let mut other = case.clean.clone();
        let last = other.len() - 1;
        other[last] = (other[last] + 1) % VOCABULARY;
        let run = |ids: &[u32]| model.forward(model.tokens(&[ids])).narrow(1, 0, last);
        prop_assert_eq!(values(&run(&case.clean)), values(&run(&other)));
    }

    #[test]
    fn the_fast_path_is_the_plain_path(case in any_question(), heads in any::<bool>()) {
        let kind = if heads { ComponentKind::Heads } else { ComponentKind::Neurons };
        let direction = case.direction;
        let model = case.model(DType::F32);
        let (pair, tokens) = (case.pair(&model), case.tokens());
        let scale = scale(&pair, case.metric);
        let layer = case.seed as usize % case.shape.n_layers;
        let effects = block_on(patch(&pair, kind, layer, direction, &mut NoProgress)).expect("AP");
        for (index, got) in effects.iter().enumerate() {
            let plain = block_on(patch_one(&pair, &tokens, Component { kind, layer, index }, direction));
            let plain = plain.expect("runs");
            prop_assert!(close(*got, plain, scale), "AP {index}: {got} {plain} of {scale}");
        }
        // Some heads and neurons of all layers together, in no order.
        let all: Vec<Component> = ComponentKind::ALL.into_iter().flat_map(|kind| all_components(&case, kind)).collect();
        let some: Vec<Component> = (0..all.len())
            .map(|place| all[(place * 7 + case.seed as usize % 5) % all.len()])
            .step_by(3)
            .collect();
        let together = block_on(patch_some(&pair, &some, direction, &mut NoProgress)).expect("AP");
        // In batches of two, of which one run is the unchanged one, and of two points of a line.
        let small = Budget { batch: 1, gradients: 1, buffer: usize::MAX, has_kernels: false };
        let tight = case.pair(&model).within(small);
        let in_batches = block_on(patch_some(&tight, &some, direction, &mut NoProgress)).expect("AP");
        for (got, expected) in in_batches.iter().zip(&together) {
            prop_assert!(close(*got, *expected, scale), "in batches: {got} {expected} of {scale}");
        }
        let nodes = Nodes::Fixed(7);
        let in_batches = block_on(integrate(&tight, kind, layer, direction, nodes, &mut NoProgress)).expect("IG");
        let at_once = block_on(integrate(&pair, kind, layer, direction, nodes, &mut NoProgress)).expect("IG");
        prop_assert!(close(in_batches.joint, at_once.joint, scale));
        for (got, expected) in in_batches.ig.iter().chain(&in_batches.atp).zip(at_once.ig.iter().chain(&at_once.atp)) {
            prop_assert!(close(*got, *expected, scale), "in batches: {got} {expected} of {scale}");
        }
        for (component, got) in some.iter().zip(together) {
            let plain = block_on(patch_one(&pair, &tokens, *component, direction));
            let plain = plain.expect("runs");
            prop_assert!(close(got, plain, scale), "AP {component:?}: {got} {plain} of {scale}");
        }
        let fast = block_on(integrate(&pair, kind, layer, direction, Nodes::Fixed(7), &mut NoProgress)).expect("IG");
        let joint = block_on(patch_layer(&pair, &tokens, kind, layer, direction)).expect("runs");
        prop_assert!(close(fast.joint, joint, scale), "joint: {} {joint}", fast.joint);
        for (n_steps, got) in [(7, &fast.ig), (0, &fast.atp)] {
            let options = PlainOptions { n_steps, ..PlainOptions::default() };
            let plain = block_on(integrate_layer(&pair, &tokens, (kind, layer), direction, options));
            for (got, plain) in got.iter().zip(plain.expect("runs")) {
                prop_assert!(close(*got, plain, scale), "{n_steps} steps: {got} {plain}");
            }
        }
        let zero = block_on(integrate_from_zero(&pair, kind, layer, Nodes::Fixed(7), &mut NoProgress)).expect("IG");
        let options = PlainOptions { n_steps: 7, from_zero: true, ..PlainOptions::default() };
        let plain = block_on(integrate_layer(&pair, &tokens, (kind, layer), Direction::Noising, options));
        for (got, plain) in zero.ig.iter().zip(plain.expect("runs")) {
            prop_assert!(close(*got, plain, scale), "zero baseline: {got} {plain}");
        }
    }

    /// Identity 1.
    #[test]
    fn patching_with_own_activations_changes_nothing(case in any_question()) {
        let same = Question { corrupted: case.clean.clone(), ..case };
        let model = same.model(DType::F32);
        let pair = same.pair(&model);
        for kind in ComponentKind::ALL {
            for direction in Direction::ALL {
                // Identity 4: every score, of every method, is exactly 0.
                for table in tables(&pair, kind, direction) {
                    prop_assert!(table.iter().all(|score| *score == 0.0), "{table:?}");
                }
                let all = all_components(&same, kind);
                let together = block_on(patch_some(&pair, &all, direction, &mut NoProgress));
                prop_assert!(together.expect("AP").iter().all(|effect| *effect == 0.0));
            }
        }
    }

    /// Identity 1: every component and the embeddings put in are the other run.
    #[test]
    fn patching_everything_gives_the_other_run(case in any_question()) {
        let model = case.model(DType::F32);
        let other = model.tokens(&[&case.corrupted]);
        let (logits, cache) = model.run_with_cache(other);
        let mut hooks = PutIn { cache };
        let patched = model.run_with_hooks(model.tokens(&[&case.clean]), &mut hooks);
        let logits: Vec<f64> = values(&logits).into_iter().map(f64::from).collect();
        assert_close("everything patched", &values(&patched), &logits, 1e-5);
    }

    /// Identity 2: the fundamental theorem of calculus.
    #[test]
    fn moving_one_component_integrates_to_its_patch(case in any_question()) {
        let direction = case.direction;
        let model = case.model(DType::F32);
        let (pair, tokens) = (case.pair(&model), case.tokens());
        let scale = scale(&pair, case.metric);
        for kind in ComponentKind::ALL {
            let layer = case.seed as usize % case.shape.n_layers;
            let index = case.seed as usize % kind.width(&case.shape);
            let options = PlainOptions { n_steps: 120, only: Some(index), from_zero: false };
            let ig = block_on(integrate_layer(&pair, &tokens, (kind, layer), direction, options));
            let ig = ig.expect("runs")[index];
            let ap = block_on(patch(&pair, kind, layer, direction, &mut NoProgress)).expect("AP")[index];
            // Quadrature of a random, sharp function: looser than arithmetic, still five times
            // tighter than any effect of interest.
            prop_assert!((ig - ap).abs() < 1e-3 * scale, "{kind:?}: IG {ig}, AP {ap}");
        }
    }

    /// Identity 3.
    #[test]
    fn ig_adds_up_to_the_joint_patch(case in any_question()) {
        let direction = case.direction;
        let model = case.model(DType::F32);
        let pair = case.pair(&model);
        let scale = scale(&pair, case.metric);
        for kind in ComponentKind::ALL {
            let layer = case.seed as usize % case.shape.n_layers;
            let ig = block_on(integrate(&pair, kind, layer, direction, Nodes::Fixed(120), &mut NoProgress));
            let ig = ig.expect("IG");
            let sum: f32 = ig.ig.iter().sum();
            prop_assert!((sum - ig.joint - ig.convergence_delta).abs() < 1e-5 * scale);
            prop_assert!(ig.convergence_delta.abs() < 1e-3 * scale, "{}", ig.convergence_delta);
        }
    }

    /// The number of points is found on the way: both the sum and each score are then as good as asked for.
    #[test]
    fn a_line_is_refined_until_its_scores_are_good_enough(case in any_question()) {
        let direction = case.direction;
        let model = case.model(DType::F32);
        let pair = case.pair(&model);
        let scale = scale(&pair, case.metric);
        for kind in ComponentKind::ALL {
            let layer = case.seed as usize % case.shape.n_layers;
            let of = |nodes| block_on(integrate(&pair, kind, layer, direction, nodes, &mut NoProgress)).expect("IG");
            let tolerance = 1e-3 * scale;
            let auto = of(Nodes::Until { tolerance: f64::from(tolerance) });
            prop_assert!((auto.n_steps - 1).is_power_of_two() && (5..=257).contains(&auto.n_steps));
            let best = of(Nodes::Fixed(300));
            prop_assert!((auto.joint - best.joint).abs() < 2e-5 * scale);
            if auto.n_steps < 257 {
                prop_assert!(auto.convergence_delta.abs() <= tolerance);
                let off = auto.ig.iter().zip(&best.ig).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                // What the last doubling changed is more than what is left.
                prop_assert!(off <= tolerance, "{} points: off by {off} of {scale}", auto.n_steps);
            }
            let nested = of(Nodes::Nested(auto.n_steps - 1));
            for (a, b) in nested.ig.iter().zip(&auto.ig) {
                prop_assert!(close(*a, *b, scale), "the same nodes: {a} {b}");
            }
        }
    }

    /// Identity 4.
    #[test]
    fn swapping_the_answers_negates_every_score(case in any_question()) {
        let metric = if case.seed % 2 == 0 { Metric::LogitDiff } else { Metric::ProbDiff };
        let case = Question { metric, ..case };
        let [answer, wrong] = case.answers;
        let swapped = Question { answers: [wrong, answer], ..case.clone() };
        let model = case.model(DType::F32);
        let (pair, swapped) = (case.pair(&model), swapped.pair(&model));
        let scale = scale(&pair, metric);
        for kind in ComponentKind::ALL {
            for direction in Direction::ALL {
                let (there, back) = (tables(&pair, kind, direction), tables(&swapped, kind, direction));
                for (a, b) in there.iter().flatten().zip(back.iter().flatten()) {
                    prop_assert!(close(*a, -b, scale), "{a} {b}");
                }
            }
        }
    }

    /// Identity 5.
    #[test]
    fn positions_before_the_first_difference_are_equal_to_the_bit(case in any_question()) {
        let model = case.model(DType::F32);
        let first = case.clean.iter().zip(&case.corrupted).position(|(a, b)| a != b);
        let first = first.unwrap_or(case.clean.len());
        prop_assume!(first > 0);
        let mut cache = ActivationCache::default();
        let tokens = model.tokens(&[&case.clean, &case.corrupted]);
        model.run_with_hooks(tokens, &mut cache);
        for layer in 0..case.shape.n_layers {
            let z = cache.heads(HookName::Z(layer)).expect("cached").narrow(1, 0, first);
            let difference = z.clone().narrow(0, 0, 1) - z.narrow(0, 1, 1);
            prop_assert!(values(&difference).iter().all(|value| *value == 0.0));
            let post = cache.stream(HookName::Post(layer)).expect("cached").narrow(1, 0, first);
            let difference = post.clone().narrow(0, 0, 1) - post.narrow(0, 1, 1);
            prop_assert!(values(&difference).iter().all(|value| *value == 0.0));
        }
    }
}

/// Puts another run's components and embeddings in.
struct PutIn {
    cache: ActivationCache,
}

impl Hooks for PutIn {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        match name {
            HookName::Embed | HookName::PosEmbed | HookName::Post(_) => {
                self.cache.stream(name).expect("cached")
            }
            _ => activation,
        }
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        match name {
            HookName::Z(_) => self.cache.heads(name).expect("cached"),
            _ => activation,
        }
    }
}

#[test]
fn gelu_is_the_tanh_form_with_its_derivative_for_every_argument() {
    let xs = [-1e3_f32, -50.0, -13.3, -5.0, -1.0, -1e-3, 0.0, 1e-3, 0.7, 5.0, 13.3, 50.0, 1e3];
    let x = Tensor::<1>::from_floats(xs, &Device::flex()).autodiff().require_grad();
    let y = gelu_new(x.clone());
    let gradients = y.clone().sum().backward();
    let slope = values(&x.grad(&gradients).expect("a leaf"));
    let tanh_form = |x: f64| {
        let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
        0.5 * x * (1.0 + u.tanh())
    };
    for ((x, y), slope) in xs.iter().zip(values(&y.inner())).zip(slope) {
        let x = f64::from(*x);
        let expected = tanh_form(x);
        assert!((f64::from(y) - expected).abs() < 1e-6 * x.abs().max(1.0), "gelu({x}) = {y}");
        let h = 1e-4;
        let expected = (tanh_form(x + h) - tanh_form(x - h)) / (2.0 * h);
        assert!((f64::from(slope) - expected).abs() < 1e-5, "gelu'({x}) = {slope}, not {expected}");
    }
}
