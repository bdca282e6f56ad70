//! TransformerLens and captum in float64 against this project on both fixture folders, in the two types of
//! number that the CPU path computes in.
//! Every hook point first, then metrics, then every score table: the first name to drift says where.

use burn::tensor::DType;
use pollster::block_on;
use safetensors::SafeTensors;
use serde_json::Value;
use twinbeam_attribution::{
    LayerIntegral, NoProgress, Nodes, RunPair, integrate, integrate_from_zero, patch,
};
use twinbeam_core::models::HookName;
use twinbeam_core::words::{ComponentKind, Direction, Metric, Side};
use twinbeam_gpt2::{Activations, Gpt2};
use twinbeam_tests::{
    CPU_TOLERANCE, F32_FLOOR, FIXTURES, assert_close, assert_close_or, case, fixture_model, json,
    numbers, read, values,
};

/// As the fixtures were made.
const N_STEPS: usize = 50;

#[test]
fn every_hook_point_agrees() {
    let mut compared = 0;
    for folder in FIXTURES {
        let model = fixture_model(folder, DType::F32);
        for (index, expected) in cases(folder).iter().enumerate() {
            let (tokens, _) = case(&model, expected);
            let bytes = read(&format!("{folder}/acts/case{index}.safetensors"));
            let file = SafeTensors::deserialize(&bytes).expect("activations");
            for (side, ids) in [("clean", tokens.clean()), ("corrupted", tokens.corrupted())] {
                let (logits, cache) = model.run_with_cache(model.tokens(&[ids]));
                for name in HookName::all(model.shape().n_layers) {
                    // The fixtures keep the points that matter; the rest lies between them.
                    let Ok(view) = file.tensor(&format!("{side}.{name}")) else {
                        continue;
                    };
                    let got = match cache.get(name).expect("every point is cached") {
                        Activations::Stream(activation) => values(activation),
                        Activations::Heads(activation) => values(activation),
                    };
                    let what = format!("{folder} case {index} {side}.{name}");
                    assert_close(&what, &got, &f32s(view.data()), 1e-5);
                    compared += 1;
                }
                let view = file.tensor(&format!("{side}.logits")).expect("logits");
                assert_close(
                    &format!("{folder} logits"),
                    &values(&logits),
                    &f32s(view.data()),
                    1e-5,
                );
            }
        }
    }
    // 5 points per layer and 2 embeddings, 2 sides, 4 cases of 3 layers and 2 of 2.
    assert_eq!(compared, 2 * (4 * (5 * 3 + 2) + 2 * (5 * 2 + 2)), "hook points compared");
}

#[test]
fn every_metric_agrees() {
    for folder in FIXTURES {
        let model = fixture_model(folder, DType::F64);
        for expected in cases(folder) {
            // In double precision: a divergence is a small difference of large terms.
            let pair = run_pair(&model, &expected, Metric::LogitDiff);
            for (side, name) in [(Side::Clean, "clean"), (Side::Corrupted, "corrupted")] {
                let got = pair.metrics(side);
                let reference = &expected["metrics"][name];
                let fields = [
                    ("logit_diff", got.logit_diff),
                    ("prob_answer", got.prob_answer),
                    ("prob_wrong", got.prob_wrong),
                    ("log_prob_answer", got.log_prob),
                ];
                for (field, got) in fields {
                    assert_close(field, &[got], &numbers(&reference[field]), CPU_TOLERANCE);
                }
                let prob_diff = got.prob_answer - got.prob_wrong;
                assert!((got.prob_diff - prob_diff).abs() < 1e-7, "{got:?}");
            }
            let kl = pair.metrics(Side::Corrupted).kl;
            let reference = &expected["metrics"]["corrupted"]["kl_from_clean"];
            assert_close("kl_from_clean", &[kl], &numbers(reference), CPU_TOLERANCE);
            assert_eq!(pair.metrics(Side::Clean).kl, 0.0);
        }
    }
}

#[test]
fn every_score_table_agrees_in_single_precision() {
    score_tables(DType::F32, CPU_TOLERANCE, F32_FLOOR);
}

#[test]
fn every_score_table_agrees_in_double_precision() {
    // Scores are handed on in f32: 6e-8 of themselves. The rest is the f32 of the fixtures' weights.
    score_tables(DType::F64, 1e-6, 0.0);
}

fn score_tables(dtype: DType, tolerance: f64, floor: f64) {
    for folder in FIXTURES {
        let model = fixture_model(folder, dtype);
        for (index, expected) in cases(folder).iter().enumerate() {
            let pair = run_pair(&model, expected, Metric::LogitDiff);
            let compare = |table: &str, got: &[f32], reference: &[f64]| {
                let name = format!("{dtype:?} {folder} case {index} {table}");
                assert_close_or(&name, got, reference, tolerance, floor);
            };
            for kind in ComponentKind::ALL {
                for direction in Direction::ALL {
                    compare_direction(&pair, expected, kind, direction, &compare);
                }
            }
            compare_zero_baseline(&pair, expected, &compare);
        }
    }
}

/// Compares AP, IG, AtP and joint patches with `expected.json`, whose units tests/fixtures/README.md translates.
fn compare_direction(
    pair: &RunPair<'_>,
    expected: &Value,
    kind: ComponentKind,
    direction: Direction,
    compare: &impl Fn(&str, &[f32], &[f64]),
) {
    let id = kind.id();
    let of = |side: &str| expected[format!("logit_diff_{side}")].as_f64().expect("a number");
    let gap = of("clean") - of("corrupted");
    let (ig_field, ap_factor, ig_factor) = match direction {
        Direction::Noising => (format!("ig_{id}_sum"), -gap, 1.0),
        Direction::Denoising => (format!("ig_{id}_reverse_sum"), gap, -1.0),
    };
    let reference = |field: &str, factor: f64| -> Vec<f64> {
        numbers(&expected[field]).iter().map(|score| score * factor).collect()
    };
    let ap_field = format!("ap_{id}_{direction}");
    compare(&ap_field, &patch_all(pair, kind, direction), &reference(&ap_field, ap_factor));

    let integrals = integrate_all(pair, kind, direction);
    let all = |pick: fn(&LayerIntegral) -> &[f32]| -> Vec<f32> {
        integrals.iter().flat_map(|integral| pick(integral).to_vec()).collect()
    };
    compare(&ig_field, &all(|i| &i.ig), &reference(&ig_field, ig_factor));
    let field = format!("atp_{id}_{direction}");
    compare(&field, &all(|i| &i.atp), &reference(&field, 1.0));
    let field = format!("joint_{id}_{direction}");
    compare(&field, &all(|i| std::slice::from_ref(&i.joint)), &reference(&field, 1.0));
}

fn compare_zero_baseline(
    pair: &RunPair<'_>,
    expected: &Value,
    compare: &impl Fn(&str, &[f32], &[f64]),
) {
    let heads = ComponentKind::Heads;
    let zero: Vec<LayerIntegral> = (0..pair.n_layers())
        .map(|layer| {
            block_on(integrate_from_zero(
                pair,
                heads,
                layer,
                Nodes::Fixed(N_STEPS),
                &mut NoProgress,
            ))
            .expect("integrates")
        })
        .collect();
    let scores: Vec<f32> = zero.iter().flat_map(|integral| integral.ig.clone()).collect();
    let reference = numbers(&expected["ig_heads_zero_baseline_sum"]);
    compare("ig_heads_zero_baseline_sum", &scores, &reference);
    // A delta is what is left of two sums: compared on the scale of the scores it is made of.
    let with_scale = |deltas: Vec<f64>| [deltas, reference.clone()].concat();
    let deltas = zero.iter().map(|integral| f64::from(integral.convergence_delta)).collect();
    let got: Vec<f32> = with_scale(deltas).into_iter().map(|value| value as f32).collect();
    let deltas = numbers(&expected["ig_zero_baseline_deltas"]);
    compare("ig_zero_baseline_deltas", &got, &with_scale(deltas));
}

fn cases(folder: &str) -> Vec<Value> {
    let expected = json(&format!("{folder}/expected.json"));
    let cases = expected.as_array().expect("a list of cases").clone();
    assert!(!cases.is_empty(), "{folder} has cases");
    cases
}

fn run_pair<'m>(model: &'m Gpt2, expected: &Value, metric: Metric) -> RunPair<'m> {
    let (tokens, answers) = case(model, expected);
    block_on(RunPair::new(model, &tokens, answers, metric)).expect("runs")
}

fn patch_all(pair: &RunPair<'_>, kind: ComponentKind, direction: Direction) -> Vec<f32> {
    let layers = 0..pair.n_layers();
    layers
        .flat_map(|layer| {
            block_on(patch(pair, kind, layer, direction, &mut NoProgress)).expect("patches")
        })
        .collect()
}

fn integrate_all(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    direction: Direction,
) -> Vec<LayerIntegral> {
    let layers = 0..pair.n_layers();
    layers
        .map(|layer| {
            block_on(integrate(
                pair,
                kind,
                layer,
                direction,
                Nodes::Fixed(N_STEPS),
                &mut NoProgress,
            ))
            .expect("integrates")
        })
        .collect()
}

fn f32s(bytes: &[u8]) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
}
