//! A model whose blocks are brought one at a time says what one says that has them all.

use burn::tensor::DType;
use pollster::block_on;
use proptest::prelude::*;
use twinbeam_attribution::{
    Advance, Baseline, Blocks, Budget, Integrated, LayerIntegral, NoProgress, Nodes, Patched,
    RunPair, integrate, integrate_from_zero, patch, sample,
};
use twinbeam_batch::Folder;
use twinbeam_cli::terminal::Terminal;
use twinbeam_core::scores::{Patches, TableKey};
use twinbeam_core::wire::Expected;
use twinbeam_core::wire::devices::{Claim, ClaimedIntegral};
use twinbeam_core::words::{
    Answers, Component, ComponentKind, Direction, Experiment, Method, Side, Steps,
};
use twinbeam_engine::{DeviceKind, Error, Model, Plan, check_stored, question, run};
use twinbeam_gpt2::{
    Gpt2, Gpt2Builder, Gpt2Config, Param, Params, PlannedTensor, StoredDtype, stored_bytes,
};
use twinbeam_tests::{Listener, Question, any_question, on_cpu, random_weights, repository};

/// Brings blocks of parameters, and remembers which.
struct Brought<'a> {
    model: &'a Gpt2,
    params: Params,
    layers: Vec<usize>,
}

impl Blocks for Brought<'_> {
    fn bring(&mut self, layer: usize) -> Advance<'_> {
        self.layers.push(layer);
        self.model.bring(layer, &self.params).expect("all parameters are there");
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The model of a question without its blocks, and the parameters of these.
fn apart(q: &Question) -> (Gpt2, Params) {
    let options = on_cpu(DType::F64);
    let mut outside = Gpt2Builder::new(Gpt2Config::new(q.shape, 0), [], options.clone());
    let mut blocks = Params::default();
    for (name, dims, values) in random_weights(q.shape, q.seed) {
        let bytes = stored_bytes(&values, StoredDtype::F32);
        let (stored_name, range) = (name.clone(), 0..bytes.len() as u64);
        let planned = PlannedTensor { name, stored_name, dtype: StoredDtype::F32, dims, range };
        if planned.layer().is_some() {
            let param = Param::from_values(&planned.name, &planned.dims, values, &options)
                .expect("it fits");
            blocks.insert(planned.name, param);
        } else {
            outside.push(&planned, &bytes).expect("it fits");
        }
    }
    (outside.finish_without_blocks().expect("embeddings and LayerNorm"), blocks)
}

fn close(got: &[f32], expected: &[f32]) -> Result<(), TestCaseError> {
    let largest = expected.iter().fold(1e-6_f32, |most, value| most.max(value.abs()));
    prop_assert_eq!(got.len(), expected.len());
    for (a, b) in got.iter().zip(expected) {
        prop_assert!((a - b).abs() <= 2e-6 * largest, "{a} {b} of {largest}");
    }
    Ok(())
}

fn all_patches(q: &Question) -> Vec<Patched> {
    let mut patches = Vec::new();
    for direction in Direction::ALL {
        for kind in ComponentKind::ALL {
            for layer in 0..q.shape.n_layers {
                let width = kind.width(&q.shape);
                let all = kind.of_layer(layer, width);
                patches.extend(all.map(|component| Patched { component, direction }));
            }
        }
    }
    // In no order: it is that of the question that counts.
    let middle = q.pick % patches.len();
    patches.rotate_left(middle);
    patches
}

fn some_layers(q: &Question) -> Vec<Integrated> {
    let mut layers = Vec::new();
    for (kind, nodes) in
        [(ComponentKind::Heads, Nodes::Fixed(3)), (ComponentKind::Neurons, Nodes::Nested(4))]
    {
        for layer in (0..q.shape.n_layers).rev() {
            for baseline in [Baseline::OtherRun(q.direction), Baseline::Zero] {
                layers.push(Integrated { kind, layer, baseline, nodes });
            }
        }
    }
    layers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn blocks_one_at_a_time_say_what_all_at_once_do(
        q in any_question(),
        most_bytes in 0_usize..20_000,
        batch in 0_usize..200_000,
    ) {
        let whole = q.model(DType::F64);
        let expected_pair = q.pair(&whole);
        let (model, params) = apart(&q);
        let mut blocks = Brought { model: &model, params, layers: Vec::new() };
        let [answer, wrong] = q.answers.map(|id| vec![id]);
        let answers = Answers::new(answer, wrong, &q.shape).expect("legal");
        let tokens = q.tokens();
        let pair = RunPair::one_by_one(&model, &mut blocks, &tokens, answers, q.metric);
        // Sweeps of a few streams, or of many.
        let pair = block_on(pair).expect("it runs").within(Budget { batch, ..Budget::cpu(1) });
        for side in [Side::Clean, Side::Corrupted] {
            prop_assert_eq!(pair.logits(side), expected_pair.logits(side));
        }
        let (patches, layers) = (all_patches(&q), some_layers(&q));
        let found = block_on(sample(&pair, &mut blocks, &patches, &layers, most_bytes));
        let (effects, integrals) = found.expect("it runs");
        let mut expected = Vec::new();
        for Patched { component: Component { kind, layer, index }, direction } in patches.iter().copied() {
            let all = block_on(patch(&expected_pair, kind, layer, direction, &mut NoProgress));
            expected.push(all.expect("it runs")[index]);
        }
        close(&effects, &expected)?;
        for (asked, got) in layers.iter().zip(integrals) {
            let Integrated { kind, layer, baseline, nodes } = *asked;
            let no = &mut NoProgress;
            let expected = match baseline {
                Baseline::OtherRun(direction) => block_on(integrate(&expected_pair, kind, layer, direction, nodes, no)),
                Baseline::Zero => block_on(integrate_from_zero(&expected_pair, kind, layer, nodes, no)),
            };
            let LayerIntegral { ig, atp, joint, n_steps, .. } = expected.expect("it runs");
            close(&got.ig, &ig)?;
            close(&got.atp, &atp)?;
            // The sum of the scores is as large as the effect of all.
            close(&[got.joint, got.ig.iter().sum()], &[joint, ig.iter().sum()])?;
            prop_assert_eq!(got.n_steps, n_steps);
        }
        // The two runs, and then at most forward and back for every two points.
        let rounds = 3;
        prop_assert!(blocks.layers.len() <= q.shape.n_layers * (1 + 2 * rounds), "{:?}", blocks.layers);
    }
}

/// What a GPU would claim of the bundled model: what the CPU found.
fn claims() -> (Experiment, Vec<Claim>) {
    let folder = Folder(repository("assets/models/mini"));
    let device = DeviceKind::cpu("a test");
    let model =
        block_on(Model::load(&folder, &Expected::default(), &device, &mut Listener::default()));
    let model = model.expect("it loads");
    let experiment = Experiment { n_steps: Steps::Fixed(6), ..Experiment::default() };
    let question = question(&model, &experiment).expect("legal");
    let plan = Plan::of(ComponentKind::ALL.to_vec(), Direction::Noising);
    let host = &mut Listener::default();
    let outcome =
        block_on(run(&model, &question, experiment.clone(), &plan, 1, host)).expect("it runs");
    let mut claims = Vec::new();
    for kind in ComponentKind::ALL {
        for direction in Direction::ALL {
            let key = |method| TableKey { kind, method, direction };
            let of = |method| outcome.tables.get(key(method)).expect("it was computed");
            let (ap, ig, atp) = (of(Method::Ap), of(Method::Ig), of(Method::Atp));
            let (places, values) = ((0..ap.values().len()).collect(), ap.values().to_vec());
            claims.push(Claim::Patches(Patches { kind, direction, places, values }));
            let joint = outcome
                .joint
                .iter()
                .find(|joint| (joint.kind, joint.direction) == (kind, direction));
            let joint = &joint.expect("it was computed").values;
            let tables = ig.rows().zip(atp.rows()).zip(joint).zip(ig.n_steps());
            let layers = tables.map(|(((ig, atp), joint), n_steps)| ClaimedIntegral {
                ig: ig.to_vec(),
                atp: atp.to_vec(),
                joint: *joint,
                n_steps: *n_steps,
            });
            claims.push(Claim::Integrals { key: key(Method::Ig), layers: layers.collect() });
        }
    }
    (experiment, claims)
}

#[test]
fn a_stored_model_confirms_what_is_right_and_finds_what_is_wrong() {
    let folder = Folder(repository("assets/models/mini"));
    let (experiment, mut claims) = claims();
    let check = |claims: &[Claim]| {
        block_on(check_stored(&folder, &experiment, claims, &mut Terminal::new()))
    };
    let report = check(&claims).expect("it is right");
    assert!(report.worst < 1e-6, "{report:?}");
    // Patches of each layer, and of each table the scores of one layer.
    let least = 4 * 4 + 2 * (2 * 8 + 1) + 2 * (2 * 512 + 1);
    assert!(report.values >= least, "{report:?}");
    for claim in &mut claims {
        let (of, right) = match claim {
            Claim::Patches(patches) => ("patching", &mut patches.values),
            Claim::Integrals { layers, .. } => {
                let strongest = |scores: &[f32]| {
                    scores.iter().fold(0.0_f32, |most, score| most.max(score.abs()))
                };
                let layer =
                    layers.iter_mut().max_by(|a, b| strongest(&a.ig).total_cmp(&strongest(&b.ig)));
                ("integrated gradients", &mut layer.expect("layers").ig)
            }
            Claim::Runs { .. } => continue,
        };
        let kept = right.clone();
        for score in right.iter_mut() {
            *score *= 1.01;
        }
        let wrong = [claim.clone()];
        match check(&wrong) {
            Err(Error::Untrusted { what, .. }) => assert!(what.contains(of), "{what}"),
            other => panic!("{of}: {other:?}"),
        }
        if let Claim::Patches(patches) = claim {
            patches.values = kept;
        }
    }
}
