//! Merged results against their definitions.

use crate::scores::{ScoreTable, TableKey, Tables, Unit};
use crate::statistics::{Agreement, mean_sd};
use crate::words::{ComponentKind, Direction, Method, Metric};

use super::*;

const WIDTH: usize = 6;

const fn heads(method: Method, direction: Direction) -> TableKey {
    TableKey { kind: ComponentKind::Heads, method, direction }
}

/// A result with other scores in every table.
fn with_values(case: &CaseResult, change: impl Fn(&ScoreTable) -> Vec<f32>) -> CaseResult {
    let of = |table: &ScoreTable| ScoreTable::new(table.key(), table.width(), change(table));
    CaseResult { tables: case.tables.iter().map(of).collect(), ..case.clone() }
}

/// A case with scores that vary, IG and AP in both directions.
fn case(seed: usize, gap: f32) -> CaseResult {
    let table = |method: Method, direction: Direction| {
        let shift = seed * 7 + usize::from(method == Method::Ap) * 3;
        let score = |place: usize| ((place * place + shift) % 11) as f32 / 3.0 - 1.0;
        ScoreTable::new(heads(method, direction), WIDTH, (0..2 * WIDTH).map(score).collect())
    };
    let tables = Direction::ALL.into_iter();
    let tables = tables.flat_map(|d| [table(Method::Ig, d), table(Method::Ap, d)]).collect();
    CaseResult { name: format!("case{seed}"), gap, n_pos: 5, tables }
}

fn merged(cases: &[CaseResult], unit: Unit) -> Merged {
    let mut merging = Merging::new(Metric::LogitDiff, unit, 16);
    for case in cases {
        merging.add(case);
    }
    assert_eq!(merging.n(), merging.merged().n());
    merging.merged()
}

#[test]
fn merging_one_by_one_is_what_all_at_once_gives() {
    let cases: Vec<CaseResult> = (0..9).map(|seed| case(seed, seed as f32 + 0.3)).collect();
    for unit in [Unit::Metric, Unit::ShareOfGap] {
        let merged = merged(&cases, unit);
        assert_eq!((merged.n(), merged.tables.len()), (9, 4));
        let kind = ComponentKind::Heads;
        let table = merged.table(heads(Method::Ap, Direction::Denoising)).expect("it is there");
        for place in 0..2 * WIDTH {
            let score = |case: &CaseResult| {
                let table = case.tables.get(heads(Method::Ap, Direction::Denoising)).unwrap();
                let over = if unit == Unit::Metric { 1.0 } else { f64::from(case.gap) };
                f64::from(table.values()[place]) / over
            };
            let [mean, sd] = mean_sd(&cases.iter().map(score).collect::<Vec<_>>()).unwrap();
            assert!((f64::from(table.mean[place]) - mean).abs() < 1e-5, "{mean}");
            assert!((f64::from(table.sd[place]) - sd).abs() < 1e-5, "{sd}");
        }
        assert_eq!(table.to_scores().get(1, 2), Some(table.mean[WIDTH + 2]));
        let agreement = merged.agreement(kind, Direction::Noising).expect("it is there");
        let of = |case: &CaseResult| {
            let values =
                |method| case.tables.get(heads(method, Direction::Noising)).unwrap().values();
            Agreement::of(values(Method::Ig), values(Method::Ap))
        };
        let expected: Vec<Agreement> = cases.iter().map(of).collect();
        assert!(agreement.cases.iter().map(|(_, agreement)| agreement).eq(&expected));
        let mean = expected.iter().filter_map(|a| a.spearman).sum::<f64>() / 9.0;
        assert_eq!(agreement.spearman.mean, Some(mean));
        let [low, high] = agreement.spearman.interval.expect("nine prompts");
        assert!(low < mean && mean < high && agreement.spearman.n == 9);
        let means = [Method::Ig, Method::Ap]
            .map(|method| &merged.table(heads(method, Direction::Noising)).unwrap().mean);
        assert_eq!(agreement.of_means, Agreement::of(means[0], means[1]));
    }
}

#[test]
fn a_case_is_taken_in_as_a_whole_or_left_out_with_a_reason() {
    let other_model = with_values(&case(1, 3.0), |table| table.values()[..WIDTH].to_vec());
    let broken = with_values(&case(2, 3.0), |table| {
        let mut values = table.values().to_vec();
        if table.key() == heads(Method::Ap, Direction::Denoising) {
            values[0] = f32::NAN;
        }
        values
    });
    let mut merging = Merging::new(Metric::LogitDiff, Unit::ShareOfGap, 16);
    assert!(merging.add(&case(0, 3.0)));
    assert!(!merging.add(&case(3, 0.05)));
    assert!(!merging.add(&case(5, -4.2)));
    assert!(!merging.add(&other_model));
    assert!(!merging.add(&broken));
    merging.leave_out("case4".to_owned(), "it is cancelled".to_owned());
    let merged = merging.merged();
    let left: Vec<String> =
        merged.left_out.iter().map(|l| format!("{}: {}", l.name, l.reason)).collect();
    assert_eq!(
        left,
        [
            "case3: The runs differ by 0.050 logits only, and shares of the gap need at least 0.1 logits: choose prompts \
             that differ more, or read the scores in logits.",
            "case5: The clean run does not beat the corrupted one (the gap is -4.200 logits), and as shares of that gap \
             all scores would change their signs: swap the answers or the two prompts, or read the scores in logits.",
            "case1: it is of a model of other sizes than the first",
            "case2: some of its scores are not finite numbers",
            "case4: it is cancelled",
        ]
    );
    assert!(merged.tables.iter().all(|table| table.n == 1 && table.sd.is_empty()));
    let agreement = merged.agreement(ComponentKind::Heads, Direction::Noising).unwrap();
    assert_eq!((agreement.pearson.interval, agreement.pearson.n), (None, 1));
}

#[test]
fn in_the_metrics_unit_a_pair_that_the_model_fails_counts_as_it_is() {
    let merged = merged(&[case(0, 3.0), case(1, -3.0), case(2, 0.05)], Unit::Metric);
    assert_eq!((merged.n(), merged.left_out.len()), (3, 0));
}

#[test]
fn undefined_statistics_are_counted_and_screened_tables_are_not_merged() {
    let noising_ig = heads(Method::Ig, Direction::Noising);
    let constant = with_values(&case(1, 3.0), |table| {
        let is_it = table.key() == noising_ig;
        if is_it { vec![0.0; 2 * WIDTH] } else { table.values().to_vec() }
    });
    let mut screened = case(2, 3.0);
    let screen = screened.tables.get(noising_ig).expect("it is there");
    screened.tables.insert(ScoreTable::screened_by(screen));
    let merged = merged(&[case(0, 3.0), constant, screened], Unit::Metric);
    let (kind, noising) = (ComponentKind::Heads, Direction::Noising);
    let agreement = merged.agreement(kind, noising).unwrap();
    assert_eq!((agreement.pearson.n, agreement.pearson.undefined), (1, 1));
    let n = |method| merged.table(heads(method, noising)).unwrap().n;
    assert_eq!((n(Method::Ig), n(Method::Ap)), (3, 2));
    assert_eq!(merged.agreement(kind, Direction::Denoising).unwrap().pearson.n, 3);
}

#[test]
fn the_summary_file_has_a_row_per_layer() {
    let merged = merged(&[case(0, 3.0), case(1, 3.0)], Unit::Metric);
    let file: serde_json::Value = serde_json::from_str(&merged.to_json()).expect("JSON");
    let rows = file.pointer("/tables/1/sd").and_then(|rows| rows.as_array()).expect("rows");
    assert!(rows.len() == 2 && rows.iter().all(|row| row.as_array().unwrap().len() == WIDTH));
    let at = |pointer: &str| file.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
    assert_eq!(at("/tables/1/method"), "ap");
    assert_eq!(at("/tables/0/unit"), "logits");
    assert_eq!(at("/n"), 2);
    assert_eq!(at("/agreement/0/slope/n"), 2);
    assert_eq!(at("/agreement/0/cases/1/name"), "case1");
}

#[test]
fn two_equal_prompts_are_listed_and_halve_no_mean() {
    let key = heads(Method::Ap, Direction::Noising);
    let table = |score: f32| ScoreTable::new(key, 2, vec![score; 2]);
    let case = |name: &str, gap, score| CaseResult {
        name: name.to_owned(),
        gap,
        n_pos: 3,
        tables: Tables::from_iter([table(score)]),
    };
    let mut merging = Merging::new(Metric::LogitDiff, Unit::Metric, 4);
    assert!(merging.add(&case("one", 2.0, 1.0)));
    assert!(!merging.add(&case("equal", 0.0, 0.0)));
    let merged = merging.merged();
    let mean = merged.table(key).expect("one");
    assert_eq!((mean.mean.as_slice(), merged.n()), ([1.0; 2].as_slice(), 1));
    assert!(merged.left_out[0].reason.contains("the same"), "{:?}", merged.left_out);
}

#[test]
fn two_equal_prompts_are_left_out_whatever_else_was_computed_of_one() {
    let mut equal = with_values(&case(1, 0.0), |table| vec![0.0; table.values().len()]);
    // IG from zero is of the clean run alone: its scores are not zeros.
    let from_zero = heads(Method::IgZero, Direction::Noising);
    equal.tables.insert(ScoreTable::new(from_zero, WIDTH, vec![1.0; 2 * WIDTH]));
    let mut merging = Merging::new(Metric::LogitDiff, Unit::Metric, 16);
    assert!(!merging.add(&equal) && merging.n() == 0);
}
