//! The lab's statistics against SciPy's and NumPy's in float64, the two-input gates against quadrature, and what
//! `twinbeam compare` makes of many prompt pairs.
//!
//! The fixture's numbers become `f32` on their way in, as scores are: of values up to 4 and statistics of the order
//! of 1 that changes no more than the seventh digit.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use twinbeam_cli::compare::{
    DeviceOption, DirectionOption, MetricOption, Options, PrecisionOption, UnitOption, run,
};
use twinbeam_core::statistics::GateNetwork;
use twinbeam_core::statistics::{
    Agreement, BlandAltman, asymmetry, bootstrap_mean, highlighted, mean_sd, overlap_curve,
    quantile, slope,
};
use twinbeam_core::words::{Direction, Steps};
use twinbeam_tasks::Task;
use twinbeam_tests::{fixture, json, numbers, repository};

/// Relative to the number, or to 1 where it is smaller.
const TOLERANCE: f64 = 1e-6;
/// Ten digits are in the fixture.
const EXACT: f64 = 1e-9;
const RESAMPLES: usize = 50_000;

fn expected(name: &str) -> Vec<Value> {
    json("lab/statistics.json")[name].as_array().expect("a list").clone()
}

fn f32s(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|number| number as f32).collect()
}

fn places(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|number| number as usize).collect()
}

/// Compares numbers that both sides may call undefined.
fn assert_same(what: &str, got: Option<f64>, expected: &Value, tolerance: f64) {
    match (got, expected.as_f64()) {
        (None, None) => assert!(expected.is_null(), "{what}: {expected}"),
        (Some(got), Some(expected)) => {
            let most = tolerance * expected.abs().max(1.0);
            assert!((got - expected).abs() <= most, "{what}: {got}, expected {expected}");
        }
        _ => panic!("{what}: {got:?}, expected {expected}"),
    }
}

#[test]
fn agreement_is_scipys() {
    let cases = expected("agreement");
    assert_eq!(cases.len(), 7);
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let (ig, ap) = (f32s(&case["ig"]), f32s(&case["ap"]));
        let same = |field: &str, got, expected: &Value| {
            assert_same(&format!("{name}, {field}"), got, expected, TOLERANCE);
        };
        let agreement = Agreement::of(&ig, &ap);
        same("pearson", agreement.pearson, &case["pearson"]);
        same("spearman", agreement.spearman, &case["spearman"]);
        // SciPy's line is of AP on IG; the page's slope is the other way round, IG on AP.
        let line = slope(&ig, &ap);
        same("slope", line.map(|line| line.slope), &case["slope"]);
        same("intercept", line.map(|line| line.intercept), &case["intercept"]);
        let of_the_other = slope(&ap, &ig).map(|line| line.slope);
        assert_eq!(agreement.slope, of_the_other, "{name}");
        if let (Some(r), Some(a), Some(b)) = (agreement.pearson, agreement.slope, line) {
            assert_same(&format!("{name}, r²"), Some(a * b.slope), &Value::from(r * r), TOLERANCE);
        }
        let found = BlandAltman::of(&ig, &ap).expect("two values");
        let expected = &case["bland_altman"];
        same("mean difference", Some(found.mean_difference), &expected["mean_difference"]);
        same("sd", Some(found.sd), &expected["sd"]);
        same("lower limit", Some(found.limits[0]), &expected["lower"]);
        same("upper limit", Some(found.limits[1]), &expected["upper"]);
        let shares = numbers(&case["overlap"]["share"]);
        let curve = overlap_curve(&ig, &ap);
        assert_eq!(curve.len(), shares.len(), "{name}");
        for (k, (got, expected)) in curve.iter().zip(shares).enumerate() {
            assert!((f64::from(*got) - expected).abs() < TOLERANCE, "{name}, top {}", k + 1);
        }
    }
}

#[test]
fn quantiles_and_what_they_highlight_are_numpys() {
    for case in expected("agreement") {
        let name = case["name"].as_str().expect("a name");
        for expected in case["percentiles"].as_array().expect("a list") {
            let q = expected["q"].as_f64().expect("a number");
            for side in ["ig", "ap"] {
                let values = f32s(&case[side]);
                let sizes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
                let (what, expected) = (format!("{name}, {side}, {q}"), &expected[side]);
                assert_same(&what, quantile(&sizes, q), &expected["threshold"], TOLERANCE);
                // A score of 0 is nothing to highlight, whatever the quantile.
                let mut places = places(&expected["places"]);
                places.retain(|place| values[*place] != 0.0);
                assert_eq!(highlighted(&values, q), places, "{what}");
            }
        }
    }
}

#[test]
fn means_spreads_and_bootstrap_intervals_are_scipys() {
    for case in expected("samples") {
        let name = case["name"].as_str().expect("a name");
        let values = numbers(&case["values"]);
        let [mean, sd] = mean_sd(&values).expect("two values");
        assert_same(name, Some(mean), &case["mean"], EXACT);
        assert_same(name, Some(sd), &case["sd"], EXACT);
        let expected = &case["bootstrap"];
        let number = |field: &str| expected[field].as_f64().expect("a number");
        let (low, high) = (number("low"), number("high"));
        for seed in 0..3 {
            let [got_low, got_high] =
                bootstrap_mean(&values, number("confidence"), RESAMPLES, seed).expect("values");
            let most = 0.03 * (high - low);
            assert!((got_low - low).abs() < most, "{name}: {got_low}, expected {low}");
            assert!((got_high - high).abs() < most, "{name}: {got_high}, expected {high}");
        }
    }
}

#[test]
fn asymmetry_is_over_the_largest_absolute_difference() {
    for case in expected("asymmetry") {
        let name = case["name"].as_str().expect("a name");
        let got = asymmetry(&f32s(&case["noising"]), &f32s(&case["denoising"]));
        // The reference leaves 0 / 0 open; a map has a colour for it.
        let expected = match &case["score"] {
            Value::Null => vec![0.0; got.len()],
            score => numbers(score),
        };
        assert_eq!(got.len(), expected.len(), "{name}");
        for (got, expected) in got.into_iter().zip(expected) {
            assert!((f64::from(got) - expected).abs() < TOLERANCE, "{name}: {got}, {expected}");
        }
    }
}

#[test]
fn gates_are_what_quadrature_gives() {
    let cases = expected("gates");
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let (name, network) = match case["name"].as_str() {
            Some("and") => ("and", GateNetwork::AND),
            _ => ("or", GateNetwork::OR),
        };
        let same = |field: &str, got: f64, expected: &Value| {
            assert_same(&format!("{name}, {field}"), Some(got), expected, EXACT);
        };
        for (place, w) in network.w.into_iter().enumerate() {
            same("w", w, &case["w"][place]);
        }
        same("b", network.b, &case["b"]);
        for (inputs, at) in
            [([0.0, 0.0], "00"), ([1.0, 0.0], "10"), ([0.0, 1.0], "01"), ([1.0, 1.0], "11")]
        {
            same(at, network.output(inputs), &case["f"][at]);
        }
        same("gap", network.gap(), &case["gap"]);
        for direction in Direction::ALL {
            let raw = network.effects(direction);
            for (unit, effects) in [("raw", raw), ("share", raw.over(network.gap()))] {
                for place in 0..2 {
                    let ap = &case[unit][format!("ap_{direction}")][place];
                    same("ap", effects.ap[place], ap);
                    same("ig", effects.ig[place], &case[unit]["ig"][place]);
                }
            }
        }
    }
}

/// A path of its own for a test's file, without a file.
fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("statistics");
    fs::create_dir_all(&folder).expect("it can be made");
    let path = folder.join(name);
    if path.exists() {
        fs::remove_file(&path).expect("it can be removed");
    }
    path
}

fn file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("it is written")).expect("it is JSON")
}

fn options(model: PathBuf, summary: PathBuf) -> Options {
    Options {
        model,
        cases: None,
        task: None,
        n: 3,
        seed: 5,
        out: None,
        summary: Some(summary),
        unit: UnitOption::Metric,
        device: DeviceOption::Cpu,
        precision: PrecisionOption::F64,
        neurons: false,
        nodes: Vec::new(),
        n_steps: Steps::Fixed(8),
        direction: DirectionOption::Both,
        metric: MetricOption::LogitDiff,
        no_bos: false,
        shard: None,
        svg: None,
        bundle: None,
        dark: false,
    }
}

#[test]
fn a_summary_is_the_mean_of_its_cases() {
    let (out, summary) = (path("cases.json"), path("cases-summary.json"));
    let options = Options {
        cases: Some(fixture("tiny-gpt2/cases.json")),
        out: Some(out.clone()),
        neurons: true,
        nodes: Vec::new(),
        ..options(fixture("tiny-gpt2"), summary.clone())
    };
    assert!(run(&options).expect("it runs"));
    let (cases, summary) = (file(&out), file(&summary));
    let cases = cases.as_array().expect("a list");
    assert_eq!((cases.len(), &summary["n"]), (4, &Value::from(4)));
    let tables = summary["tables"].as_array().expect("a list");
    // Two kinds, three methods, two directions, and IG from zero.
    assert_eq!(tables.len(), 13);
    for table in tables {
        let field = |name: &str| table[name].as_str().expect("text").to_owned();
        let (kind, method, direction) = (field("kind"), field("method"), field("direction"));
        let of = |case: &Value| match method.as_str() {
            "ig_zero" => numbers(&case[&kind][&method]),
            _ => numbers(&case[&kind][&method][&direction]),
        };
        let scores: Vec<Vec<f64>> = cases.iter().map(of).collect();
        let (means, sds) = (numbers(&table["mean"]), numbers(&table["sd"]));
        assert_eq!((means.len(), sds.len()), (scores[0].len(), scores[0].len()));
        for (place, (mean, sd)) in means.into_iter().zip(sds).enumerate() {
            let values: Vec<f64> = scores.iter().map(|scores| scores[place]).collect();
            let [expected_mean, expected_sd] = mean_sd(&values).expect("four cases");
            assert!((mean - expected_mean).abs() < TOLERANCE, "{kind} {method} {direction}");
            assert!((sd - expected_sd).abs() < TOLERANCE, "{kind} {method} {direction}");
        }
    }
}

#[test]
fn drawn_and_listed_cases_are_merged_and_failures_do_not_stop_the_rest() {
    let mini = repository("assets/models/mini");
    let summary = path("drawn.json");
    let drawn = options(mini.clone(), summary.clone());
    assert!(run(&Options { task: Some(Task::Pronoun), ..drawn }).expect("it runs"));
    let drawn = file(&summary);
    assert_eq!(drawn["names"], Value::from(["pronoun 1", "pronoun 2", "pronoun 3"].to_vec()));
    assert_eq!(drawn["agreement"][0]["pearson"]["n"], 3);

    let cases = path("cases.csv");
    let text = "Answer,Corrupt,clean,wrong,name\r\n\
         \x20Mary,\"When Mary and John met, Mary gave it to\",\"When Mary and John met, John gave it to\", John,\r\n\
         \x20Mary,one two,one two three, John,unequal\r\n";
    fs::write(&cases, text).expect("it can be written");
    let summary = path("listed.json");
    let listed = options(mini, summary.clone());
    assert!(!run(&Options { cases: Some(cases), ..listed }).expect("it runs"));
    let listed = file(&summary);
    assert_eq!((&listed["n"], &listed["names"][0]), (&Value::from(1), &Value::from("case0")));
    assert_eq!(listed["left_out"][0]["name"], "unequal");
    let reason = listed["left_out"][0]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("the prompts differ in length"), "{reason}");
}
