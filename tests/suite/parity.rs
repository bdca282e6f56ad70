//! TransformerLens and captum in float64 against this project in f32, on both fixture folders.
//! Every hook point first, then metrics, then every score table: the first name to drift says where.

use pollster::block_on;
use safetensors::SafeTensors;
use serde_json::Value;
use twinbeam_attribution::{
    LayerIntegral, NoProgress, RunPair, Side, integrate, integrate_from_zero, patch,
};
use twinbeam_core::{ComponentKind, Direction, HookName, Metric};
use twinbeam_gpt2::{Activations, Gpt2};
use twinbeam_tests::{
    CPU_TOLERANCE, FIXTURES, assert_close, case, fixture_model, json, numbers, read, values,
};

const N_STEPS: usize = 50;

#[test]
fn every_hook_point_agrees() {
    let mut compared = 0;
    for folder in FIXTURES {
        let model = fixture_model(folder);
        for (index, expected) in cases(folder).iter().enumerate() {
            let (tokens, _) = case(&model, expected);
            let bytes = read(&format!("{folder}/acts/case{index}.safetensors"));
            let file = SafeTensors::deserialize(&bytes).expect("activations");
            for (side, ids) in [("clean", tokens.clean()), ("corrupted", tokens.corrupted())] {
                let (logits, cache) = model.run_with_cache(model.tokens(&[ids]));
                for name in HookName::all(model.shape().n_layers) {
                    // The fixtures keep the points that matter; the rest lies between them.
                    let Ok(view) = file.tensor(&format!("{side}.{name}")) else { continue };
                    let got = match cache.get(name).expect("every point is cached") {
                        Activations::Stream(activation) => values(activation),
                        Activations::Heads(activation) => values(activation),
                    };
                    let what = format!("{folder} case {index} {side}.{name}");
                    assert_close(&what, &got, &f32s(view.data()), 1e-5);
                    compared += 1;
                }
                let view = file.tensor(&format!("{side}.logits")).expect("logits");
                assert_close(&format!("{folder} logits"), &values(&logits), &f32s(view.data()), 1e-5);
            }
        }
    }
    // 5 points per layer and 2 embeddings, 2 sides, 4 cases of 3 layers and 2 of 2.
    assert_eq!(compared, 2 * (4 * (5 * 3 + 2) + 2 * (5 * 2 + 2)), "hook points compared");
}

#[test]
fn every_metric_agrees() {
    for folder in FIXTURES {
        let model = fixture_model(folder);
        for expected in cases(folder) {
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
            // A divergence is a small difference of large terms: its error is that of the logits.
            let kl = pair.metrics(Side::Corrupted).kl;
            let reference = expected["metrics"]["corrupted"]["kl_from_clean"].as_f64().unwrap();
            assert!((f64::from(kl) - reference).abs() < 1e-4 * reference + 1e-6, "{kl} {reference}");
            assert_eq!(pair.metrics(Side::Clean).kl, 0.0);
        }
    }
}

#[test]
fn every_score_table_agrees() {
    for folder in FIXTURES {
        let model = fixture_model(folder);
        for (index, expected) in cases(folder).iter().enumerate() {
            let gap = expected["logit_diff_clean"].as_f64().unwrap()
                - expected["logit_diff_corrupted"].as_f64().unwrap();
            let pair = run_pair(&model, expected, Metric::LogitDiff);
            let what = |table: &str| format!("{folder} case {index}: {table}");
            for kind in ComponentKind::ALL {
                let id = kind.id();
                for (direction, ig_field, factor) in [
                    (Direction::Noising, format!("ig_{id}_sum"), -gap),
                    (Direction::Denoising, format!("ig_{id}_reverse_sum"), gap),
                ] {
                    let ap_field = format!("ap_{id}_{direction}");
                    let reference: Vec<f64> =
                        numbers(&expected[&ap_field]).iter().map(|s| s * factor).collect();
                    let got = patch_all(&pair, kind, direction);
                    let worst = assert_close(&what(&ap_field), &got, &reference, CPU_TOLERANCE);
                    println!("{}: {worst:.1e}", what(&ap_field));

                    let integrals = integrate_all(&pair, kind, direction);
                    let sign = if direction == Direction::Noising { 1.0 } else { -1.0 };
                    let reference: Vec<f64> =
                        numbers(&expected[&ig_field]).iter().map(|s| s * sign).collect();
                    let got: Vec<f32> = integrals.iter().flat_map(|i| i.ig.clone()).collect();
                    let worst = assert_close(&what(&ig_field), &got, &reference, CPU_TOLERANCE);
                    println!("{}: {worst:.1e}", what(&ig_field));

                    let field = format!("atp_{id}_{direction}");
                    let got: Vec<f32> = integrals.iter().flat_map(|i| i.atp.clone()).collect();
                    assert_close(&what(&field), &got, &numbers(&expected[&field]), CPU_TOLERANCE);

                    let field = format!("joint_{id}_{direction}");
                    let got: Vec<f32> = integrals.iter().map(|i| i.joint).collect();
                    assert_close(&what(&field), &got, &numbers(&expected[&field]), CPU_TOLERANCE);
                }
            }
            let zero: Vec<LayerIntegral> = (0..model.shape().n_layers)
                .map(|layer| {
                    let heads = ComponentKind::Heads;
                    block_on(integrate_from_zero(&pair, heads, layer, N_STEPS, &mut NoProgress))
                        .expect("integrates")
                })
                .collect();
            let scores: Vec<f32> = zero.iter().flat_map(|i| i.ig.clone()).collect();
            let reference = numbers(&expected["ig_heads_zero_baseline_sum"]);
            assert_close(&what("zero baseline"), &scores, &reference, CPU_TOLERANCE);
            // Deltas are compared on the scale of the scores whose sum they are part of.
            let deltas: Vec<f32> = zero.iter().map(|i| i.convergence_delta).collect();
            let scale = twinbeam_tests::largest(&reference);
            for (got, delta) in deltas.iter().zip(numbers(&expected["ig_zero_baseline_deltas"])) {
                let off = (f64::from(*got) - delta).abs() / scale;
                assert!(off < CPU_TOLERANCE, "{}: {got} {delta}", what("zero baseline delta"));
            }
        }
    }
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
            block_on(integrate(pair, kind, layer, direction, N_STEPS, &mut NoProgress))
                .expect("integrates")
        })
        .collect()
}

fn f32s(bytes: &[u8]) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
}
