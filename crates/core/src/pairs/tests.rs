use proptest::prelude::*;

use crate::stats::{Agreement, mean_sd};
use crate::{ComponentKind, Direction, Method, Metric, ScoreTable, Unit};

use super::*;

fn pair(name: &str, answer: &[&str]) -> PromptPair {
    PromptPair {
        name: name.to_owned(),
        clean: "A, \"b\" c".to_owned(),
        corrupted: "A, d c".to_owned(),
        answer: answer.iter().map(|word| (*word).to_owned()).collect(),
        wrong: vec![" z".to_owned()],
        ..PromptPair::default()
    }
}

fn refusal(text: &str) -> String {
    parse_pairs(text).expect_err("it must be refused").to_string()
}

#[test]
fn json_is_read_as_a_list_and_as_lines() {
    let one =
        r#"{"clean":"A, \"b\" c","Corrupt":"A, d c","answer":[" x"," y"],"wrong":" z","seed":[1]}"#;
    let two = r#"{"name":"second","clean":"A, \"b\" c","corrupted":"A, d c","answer":" x","wrong":[" z"]}"#;
    let expected = vec![pair("", &[" x", " y"]), pair("second", &[" x"])];
    for text in
        [format!("\u{feff} [{one},\n{two}]\n"), format!("{one}\r\n{two}\n"), format!("{one} {two}")]
    {
        assert_eq!(parse_pairs(&text), Ok(expected.clone()), "{text}");
    }
    assert_eq!(parse_pairs(&print_pairs(&expected)), Ok(expected.clone()));
    let titles: Vec<String> = expected.iter().enumerate().map(|(i, p)| p.title(i)).collect();
    assert_eq!(titles, ["pair 1", "second"]);
}

#[test]
fn csv_is_read_in_any_order_and_case() {
    let expected = vec![pair("", &[" x", " y"]), pair("second", &[" x"])];
    let comma = "\u{feff}WRONG,Name,corrupt,note,answer,Clean\r\n\
         \x20z,,\"A, d c\",,\" x| y\",\"A, \"\"b\"\" c\"\r\n\r\n\
         \x20z,second,\"A, d c\",?, x,\"A, \"\"b\"\" c\"\r\n,,,,,\r\n";
    assert_eq!(parse_pairs(comma), Ok(expected.clone()));
    let semicolon = "clean;corrupted;answer;wrong;name\n\
         \"A, \"\"b\"\" c\";A, d c; x| y; z;\n\"A, \"\"b\"\" c\";A, d c; x|; z;second";
    assert_eq!(parse_pairs(semicolon), Ok(expected.clone()));
    let tab = semicolon.replace(';', "\t");
    assert_eq!(parse_pairs(&tab), Ok(expected));
}

#[test]
fn a_refusal_says_where_and_what_is_expected() {
    let header = "clean,corrupted,answer,wrong";
    for (text, words) in [
        (" \n", "there is no pair: a list is JSON objects, or CSV under a line of names"),
        ("[]", "there is no pair"),
        (header, "there is no pair"),
        ("[{},", "line 1, character 4: this is not JSON (EOF while parsing"),
        ("{\"clean\":\n1,,}", "line 2, character 3: this is not JSON"),
        ("[3]", "entry 1 is not an object with clean, corrupted, answer and wrong"),
        ("clean,answer\na,b", "the first line names no column corrupted: it must name clean"),
        ("hello", "the first line names no column clean"),
        (r#"{"clean":"a","corrupted":"b","answer":"c"}"#, "entry 1: wrong is missing; a pair has"),
        (r#"[{"clean":7}]"#, "entry 1: clean must be text"),
        (
            r#"{"clean":"a","corrupted":"b","answer":[7]}"#,
            "entry 1: answer must be text, or a list of texts",
        ),
    ] {
        let got = refusal(text);
        assert!(got.starts_with(words), "{text}: {got}");
    }
    let got = refusal(&format!("{header}\n\na,b,c,d\n\"a\nb\",b,c,d\na, and b,c,d,e\n"));
    assert!(
        got.starts_with("line 6 has 5 fields, the first line names 4: put text with a comma"),
        "{got}"
    );
    let got = refusal(&format!("{header}\r\na,b,c,d\r\na,b,|,d\r\n"));
    assert!(got.starts_with("line 3: answer is missing"), "{got}");
}

#[test]
fn too_long_a_list_is_refused() {
    let line = "a,b,c,d\n";
    let csv = |n| format!("clean,corrupted,answer,wrong\n{}", line.repeat(n));
    assert_eq!(parse_pairs(&csv(MAX_PAIRS)).map(|pairs| pairs.len()), Ok(MAX_PAIRS));
    assert_eq!(parse_pairs(&csv(MAX_PAIRS + 1)), Err(PairsError::TooMany));
    let many = vec![pair("", &[" x"]); MAX_PAIRS + 1];
    assert_eq!(parse_pairs(&print_pairs(&many)), Err(PairsError::TooMany));
    let objects = r#"{"clean":"a","corrupted":"b","answer":"c","wrong":"d"}"#.repeat(MAX_PAIRS + 1);
    assert_eq!(parse_pairs(&objects), Err(PairsError::TooMany));
    let bytes = MAX_PAIRS_BYTES + 1;
    assert_eq!(parse_pairs(&" ".repeat(bytes)), Err(PairsError::TooLarge(bytes)));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(?s).{0,300}") {
        for text in [
            text.clone(),
            format!("clean,corrupted,answer,wrong\n{text}"),
            format!("[{text}]"),
            format!("{{\"clean\":{text}}}"),
            format!("[{{\"clean\":{text:?},\"answer\":[{text:?},{text}]}}]"),
        ] {
            if let Ok(pairs) = parse_pairs(&text) {
                prop_assert!(pairs.iter().all(|p| !p.clean.is_empty() && !p.wrong.is_empty()));
                prop_assert_eq!(parse_pairs(&print_pairs(&pairs)), Ok(pairs));
            }
        }
    }

    #[test]
    fn any_csv_like_text_is_read_without_panic(text in "[a-c,;|\"\r\n\té]{0,80}") {
        parse_pairs(&text).ok();
        parse_pairs(&format!("clean,corrupted,answer,wrong\n{text}")).ok();
    }

    #[test]
    fn pairs_read_back_from_csv_too(fields in proptest::collection::vec("[a-c,;\"\r\n\té ]{1,20}", 4)) {
        let quoted: Vec<String> =
            fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        prop_assume!(fields.iter().any(|field| !field.trim().is_empty()));
        let pairs = parse_pairs(&format!("clean,corrupted,answer,wrong\r\n{}\r\n", quoted.join(",")));
        let [clean, corrupted, answer, wrong] = fields.try_into().expect("four");
        let (name, answer, wrong) = (String::new(), vec![answer], vec![wrong]);
        prop_assert_eq!(pairs, Ok(vec![PromptPair { name, clean, corrupted, answer, wrong, ..PromptPair::default() }]));
    }
}

const WIDTH: usize = 6;

/// A case with scores that vary, IG and AP in both directions.
fn case(seed: usize, gap: f32) -> CaseResult {
    let table = |method: Method, direction: Direction| {
        let shift = seed * 7 + usize::from(method == Method::Ap) * 3;
        let score = |place: usize| ((place * place + shift) % 11) as f32 / 3.0 - 1.0;
        ScoreTable {
            width: WIDTH,
            values: (0..2 * WIDTH).map(score).collect(),
            ..ScoreTable::empty(ComponentKind::Heads, method, direction)
        }
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
        let table = merged.table(kind, Method::Ap, Direction::Denoising).expect("it is there");
        for place in 0..2 * WIDTH {
            let score = |case: &CaseResult| {
                let table =
                    ScoreTable::find(&case.tables, kind, Method::Ap, Direction::Denoising).unwrap();
                let over = if unit == Unit::Metric { 1.0 } else { f64::from(case.gap) };
                f64::from(table.values[place]) / over
            };
            let [mean, sd] = mean_sd(&cases.iter().map(score).collect::<Vec<_>>()).unwrap();
            assert!((f64::from(table.mean[place]) - mean).abs() < 1e-5, "{mean}");
            assert!((f64::from(table.sd[place]) - sd).abs() < 1e-5, "{sd}");
        }
        assert_eq!(table.to_scores().get(1, 2), Some(table.mean[WIDTH + 2]));
        let agreement = merged.agreement(kind, Direction::Noising).expect("it is there");
        let of = |case: &CaseResult| Agreement::of(&case.tables[0].values, &case.tables[1].values);
        let expected: Vec<Agreement> = cases.iter().map(of).collect();
        assert!(agreement.cases.iter().map(|(_, agreement)| agreement).eq(&expected));
        let mean = expected.iter().filter_map(|a| a.spearman).sum::<f64>() / 9.0;
        assert_eq!(agreement.spearman.mean, Some(mean));
        let [low, high] = agreement.spearman.interval.expect("nine prompts");
        assert!(low < mean && mean < high && agreement.spearman.n == 9);
        let means = [Method::Ig, Method::Ap]
            .map(|method| &merged.table(kind, method, Direction::Noising).unwrap().mean);
        assert_eq!(agreement.of_means, Agreement::of(means[0], means[1]));
    }
}

#[test]
fn a_case_is_taken_in_as_a_whole_or_left_out_with_a_reason() {
    let mut other_model = case(1, 3.0);
    for table in &mut other_model.tables {
        table.values.truncate(WIDTH);
    }
    let mut broken = case(2, 3.0);
    broken.tables[3].values[0] = f32::NAN;
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
    let mut constant = case(1, 3.0);
    constant.tables[0].values.fill(0.0);
    let mut screened = case(2, 3.0);
    screened.tables[1] = ScoreTable::screened_by(&screened.tables[0]);
    let merged = merged(&[case(0, 3.0), constant, screened], Unit::Metric);
    let (kind, noising) = (ComponentKind::Heads, Direction::Noising);
    let agreement = merged.agreement(kind, noising).unwrap();
    assert_eq!((agreement.pearson.n, agreement.pearson.undefined), (1, 1));
    let n = |method| merged.table(kind, method, noising).unwrap().n;
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
    let table = |score: f32| ScoreTable {
        kind: ComponentKind::Heads,
        method: Method::Ap,
        direction: Direction::Noising,
        width: 2,
        values: vec![score; 2],
        exact: Vec::new(),
        convergence_delta: Vec::new(),
        n_steps: Vec::new(),
    };
    let case = |name: &str, gap, score| CaseResult {
        name: name.to_owned(),
        gap,
        n_pos: 3,
        tables: vec![table(score)],
    };
    let mut merging = Merging::new(Metric::LogitDiff, Unit::Metric, 4);
    assert!(merging.add(&case("one", 2.0, 1.0)));
    assert!(!merging.add(&case("equal", 0.0, 0.0)));
    let merged = merging.merged();
    let mean = &merged.table(ComponentKind::Heads, Method::Ap, Direction::Noising).expect("one");
    assert_eq!((mean.mean.as_slice(), merged.n()), ([1.0; 2].as_slice(), 1));
    assert!(merged.left_out[0].reason.contains("the same"), "{:?}", merged.left_out);
}
