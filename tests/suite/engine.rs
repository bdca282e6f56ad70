//! The engine as its users see it: loading from a folder, known answers, streamed events, cancelling.

use burn::tensor::DType;
use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_batch::run_checked;
use twinbeam_cli::terminal::Terminal;
use twinbeam_core::scores::{Coverage, Outcome, ScoreTable, TableKey, Tables};
use twinbeam_core::wire::devices::{BenchPart, CheckReport};
use twinbeam_core::wire::inspection::Inspection;
use twinbeam_core::wire::{Event, Expected, Problem};
use twinbeam_core::words::{
    ComponentKind, Direction, Experiment, MAX_STEPS, Method, PromptError, Steps,
};
use twinbeam_engine::{
    BenchPlan, ByteSource as _, DeviceKind, Error, Model, Plan, Precision, bench, inspect,
    question, run, self_test, self_test_values,
};
use twinbeam_tests::{Listener, fixture, on_cpu, repository};

fn bundled() -> Model {
    let folder = Folder(repository("assets/models/mini"));
    let device = DeviceKind::cpu("a test");
    block_on(Model::load(&folder, &Expected::default(), &device, &mut Listener::default()))
        .expect("it loads")
}

fn run_default(model: &Model, host: &mut Listener) -> Result<Outcome, Error> {
    let experiment = Experiment::default();
    let question = question(model, &experiment)?;
    let plan = Plan::of(vec![ComponentKind::Heads], Direction::Noising);
    let outcome = block_on(run(model, &question, experiment, &plan, 7, host))?;
    assert!(host.claims.is_empty(), "the CPU is what others are checked by");
    Ok(outcome)
}

#[test]
fn the_known_answers_are_those_of_the_cpu() {
    let values = block_on(self_test_values(&on_cpu(DType::F64))).expect("the CPU runs");
    let fresh = serde_json::to_string(&values).expect("numbers");
    let worst = block_on(self_test(&on_cpu(DType::F64))).unwrap_or(f32::NAN);
    assert!(worst < 1e-6, "off by {worst:e}, the stored answers should be: {fresh}");
    // Stored from double precision; single precision must agree to its own resolution.
    let worst = block_on(self_test(&on_cpu(DType::F32))).expect("the CPU passes");
    assert!(worst < 2e-5, "f32 is off by {worst:e}");
}

#[test]
fn a_run_streams_what_its_outcome_holds() {
    let model = bundled();
    let mut host = Listener::default();
    let outcome = run_default(&model, &mut host).expect("it runs");
    assert_eq!(streamed(&host), outcome.tables);
    // IG, AtP and AP in both directions.
    assert_eq!(outcome.tables.len(), 6);
    for table in &outcome.tables {
        assert_eq!((table.n_layers(), table.width()), (4, 8));
    }
    let progress: Vec<(u64, u64)> = host
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Progress { done, total, .. } => Some((*done, *total)),
            _ => None,
        })
        .collect();
    assert!(progress.is_sorted(), "work is never undone");
    let (done, total) = progress.last().expect("there is progress");
    assert_eq!(done, total, "the count of the work is exact");
}

#[test]
fn ig_converges_and_heads_add_up_on_the_bundled_model() {
    let model = bundled();
    let outcome = run_default(&model, &mut Listener::default()).expect("it runs");
    for direction in Direction::ALL {
        let ig = outcome
            .tables
            .get(TableKey { kind: ComponentKind::Heads, method: Method::Ig, direction })
            .expect("IG");
        let joint = outcome.joint.iter().find(|joint| joint.direction == direction).expect("joint");
        for ((row, joint), delta) in ig.rows().zip(&joint.values).zip(ig.convergence_delta()) {
            let sum: f32 = row.iter().sum();
            assert!((sum - joint - delta).abs() < 1e-4, "{sum} {joint} {delta}");
            assert!(delta.abs() < 0.01 * outcome.basis().gap, "not converged: {delta}");
        }
    }
}

#[test]
fn a_cancelled_run_stops_at_its_next_step() {
    let model = bundled();
    let mut host = Listener { cancel_after: Some(5), ..Listener::default() };
    let error = run_default(&model, &mut host).expect_err("it was cancelled");
    assert_eq!(error.problem(), Problem::Cancelled);
    // A layer that is complete is shown in two strips before the next step.
    assert!(host.events.len() <= 7, "{} events", host.events.len());
}

#[test]
fn single_and_double_precision_agree() {
    let folder = Folder(repository("assets/models/mini"));
    let of = |precision| {
        let device = DeviceKind::cpu("a test").with_precision(precision);
        let mut host = Listener::default();
        let model = block_on(Model::load(&folder, &Expected::default(), &device, &mut host))
            .expect("it loads");
        run_default(&model, &mut host).expect("it runs")
    };
    let (single, double) = (of(Precision::Single), of(Precision::Double));
    for (a, b) in single.tables.iter().zip(&double.tables) {
        let worst =
            a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4 * b.max_abs(), "{:?}: {worst} of {}", a.method(), b.max_abs());
    }
}

#[test]
fn what_a_device_computes_is_compared_with_the_cpu_in_a_thread_beside_it() {
    let folder = Folder(repository("assets/models/mini"));
    // f32 stands in for a GPU.
    let device = DeviceKind::cpu("a test").with_precision(Precision::Single).checked(true);
    let mut host = Listener::default();
    let model =
        block_on(Model::load(&folder, &Expected::default(), &device, &mut host)).expect("it loads");
    let experiment = Experiment::default();
    let question = question(&model, &experiment).expect("it can be run");
    let plan = Plan::of(ComponentKind::ALL.to_vec(), Direction::Noising);
    let asked = (&question, experiment, &plan);
    let (outcome, report) = run_checked(&model, &bundled(), asked, &mut host).expect("they agree");
    let CheckReport { worst, values } = report;
    assert!(worst > 0.0 && worst < 1e-3, "off by {worst:e}");
    let shape = model.shape();
    // A layer of IG and AtP, a joint patch, and of the heads, which are patched together, and of each round of
    // neurons (256, those drawn, 512 and the rest) the strongest of each layer.
    let per_kind = |kind: ComponentKind, rounds: usize| {
        2 * kind.width(shape) + 1 + (shape.n_layers + 1) * rounds
    };
    let per_direction = per_kind(ComponentKind::Heads, 1) + per_kind(ComponentKind::Neurons, 5);
    let least = 2 * shape.d_vocab + 2 * per_direction;
    assert!(values >= least as u64 && values < 2 * least as u64, "{values} of at least {least}");
    assert_eq!(streamed(&host), outcome.tables);
}

/// The tables that a page would have.
fn streamed(host: &Listener) -> Tables {
    let mut tables = Tables::default();
    for event in &host.events {
        match event {
            Event::Strip { strip, .. } => strip.clone().add_to(&mut tables),
            Event::Patched { patches, .. } => patches.add_to(&mut tables),
            _ => {}
        }
    }
    tables
}

#[test]
fn neurons_are_patched_in_the_order_of_what_gradients_say_and_the_strongest_are_final_early() {
    let model = bundled();
    let experiment = Experiment::default();
    let question = question(&model, &experiment).expect("it can be run");
    let kind = ComponentKind::Neurons;
    let plan = Plan::of(vec![kind], Direction::Noising);
    let mut host = Listener::default();
    let result = block_on(run(&model, &question, experiment, &plan, 7, &mut host));
    let outcome = result.expect("it runs");
    assert_eq!(streamed(&host), outcome.tables);
    for direction in Direction::ALL {
        let final_table =
            outcome.tables.get(TableKey { kind, method: Method::Ap, direction }).expect("AP");
        assert!(final_table.is_all_exact(), "in the end");
        let mut tables = streamed(&host);
        tables.retain(|table| table.method() != Method::Ap);
        let (mut seen, mut found) = (0, None);
        for event in &host.events {
            let Event::Patched { patches, coverage, .. } = event else { continue };
            if patches.direction != direction {
                continue;
            }
            patches.add_to(&mut tables);
            seen += patches.places.len();
            assert_eq!((coverage.exact, coverage.total), (seen, 4 * 512));
            let table = tables.get(TableKey { kind, method: Method::Ap, direction }).expect("AP");
            assert_eq!(table.n_exact(), seen);
            // Never more in the rest than it says, of what is known in the end.
            let top = final_table.strongest(Coverage::TOP);
            let missing = top.iter().filter(|c| table.get(c.layer, c.index).is_none()).count();
            assert!(coverage.most_missed().is_none_or(|most| missing <= most), "{coverage:?}");
            if missing == 0 {
                found.get_or_insert(seen);
            }
        }
        let found = found.expect("the strongest are found");
        assert!(found <= 4 * 512 / 5, "the strongest hundred are final after {found}");
    }
}

#[test]
fn steps_are_found_by_themselves_until_the_scores_are_good_enough() {
    let model = bundled();
    let run_with = |n_steps| {
        let experiment = Experiment { n_steps, ..Experiment::default() };
        let question = question(&model, &experiment).expect("it can be run");
        let plan = Plan::of(ComponentKind::ALL.to_vec(), Direction::Noising);
        let mut host = Listener::default();
        let outcome =
            block_on(run(&model, &question, experiment, &plan, 7, &mut host)).expect("it runs");
        let counted = host.events.iter().rev().find_map(|event| match event {
            Event::Progress { done, total, .. } => Some((*done, *total)),
            _ => None,
        });
        let (done, total) = counted.expect("there is progress");
        assert_eq!(done, total, "what was counted on is corrected");
        (outcome, done)
    };
    let (most, _) = run_with(Steps::Fixed(MAX_STEPS));
    let (fifty, work_of_fifty) = run_with(Steps::Fixed(50));
    let (auto, work) = run_with(Steps::AUTO);
    assert!(work < work_of_fifty, "{work} of {work_of_fifty}");
    for (table, steps) in [(&fifty, 50..51), (&auto, 5..258)] {
        let ig = table.tables.iter().filter(|table| table.method() == Method::Ig);
        assert!(ig.flat_map(ScoreTable::n_steps).all(|n| steps.contains(n)));
    }
    let allowed = 1e-3 * auto.basis().gap.abs();
    for (a, b) in auto.tables.iter().zip(&most.tables).filter(|(a, _)| a.method() == Method::Ig) {
        let worst =
            a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < allowed, "{:?} {}: off by {worst}", a.kind(), a.direction());
        let deltas = a.convergence_delta().iter().map(|delta| delta.abs());
        assert!(deltas.fold(0.0, f32::max) <= allowed);
        assert!(a.n_steps().iter().sum::<usize>() < 4 * 50, "{:?}", a.n_steps());
    }
}

#[test]
fn a_benchmark_counts_what_it_does() {
    let model = bundled();
    let experiment = Experiment::default();
    let question = question(&model, &experiment).expect("it can be run");
    let plan = BenchPlan::small(model.shape());
    let device = DeviceKind::cpu("a test");
    let bench = block_on(bench(&model, device.report(), &question, &plan, 1, &mut Terminal::new()));
    let bench = bench.expect("it runs");
    // AP and IG of heads and neurons, and both ways of looking at edges.
    assert_eq!(bench.rows.len(), 6);
    assert!(bench.peak > 1e8, "{}", bench.peak);
    for row in &bench.rows {
        assert!(row.flops > 0 && row.flops <= row.all_flops, "{row:?}");
        let share = bench.share_of_peak(row);
        assert!(row.seconds > 0.0 && share > 0.0 && share < 1.5, "{row:?}: {share}");
    }
    let heads = bench.rows.iter().find(|row| row.part == BenchPart::Ap(ComponentKind::Heads));
    assert!(heads.is_some_and(|row| row.flops == row.all_flops), "all heads are patched");
}

#[test]
fn what_is_typed_is_explained_not_refused() {
    let model = bundled();
    let look = |draft: &Experiment| block_on(inspect(&model, draft)).expect("it can be looked at");

    let fine = look(&Experiment::default());
    assert_eq!(fine.problem, None);
    assert!(fine.clean.tokens[0].bos);
    let differing: Vec<_> = fine.columns.iter().filter(|column| !column.equal).collect();
    assert_eq!(differing.len(), 1, "one name differs");
    assert!(!fine.clean.next.top.is_empty());
    assert!(fine.work.is_some_and(|work| work.operations > 1e6));
    let chances = |seen: &Inspection| {
        let next = [&seen.clean.next, &seen.corrupted.next];
        next.map(|next| (next.p_answer, next.p_wrong))
    };
    let [(Some(answer), Some(wrong)), (Some(other), Some(_))] = chances(&fine) else {
        panic!("{:?}", chances(&fine));
    };
    assert!(answer > 0.5 && other < 0.1, "the model solves it: {answer}, {other}");
    let top = &fine.clean.next.top[0];
    assert!((top.prob - answer).abs() < 1e-6, "{top:?} and {answer}");
    // A list is worth what its answers are worth together, each once.
    let both = vec![" John".to_owned(), " Mary".to_owned(), " John".to_owned()];
    let [(Some(sum), _), _] = chances(&look(&Experiment { answer: both, ..Experiment::default() }))
    else {
        panic!("all of them are tokens");
    };
    assert!((sum - answer - wrong).abs() < 1e-6, "{sum} of {answer} and {wrong}");

    let draft = Experiment::default();
    let longer = look(&Experiment { clean: format!("{} the", draft.clean), ..draft.clone() });
    assert!(matches!(longer.problem, Some(PromptError::Lengths { .. })));
    assert_eq!(longer.columns.iter().filter(|column| column.corrupted.is_none()).count(), 1);

    let unspaced = look(&Experiment { answer: vec!["John".to_owned()], ..draft.clone() });
    assert!(unspaced.work.is_none() && chances(&unspaced)[0].0.is_none(), "it is no token");
    assert!(matches!(unspaced.problem, Some(PromptError::NotOneToken { .. })));
    assert_eq!(unspaced.answer.readings[0].with_space.as_deref(), Some(" John"));

    // Row 24 of docs/FAULTS.md.
    let long = "a ".repeat(500_000);
    let cases = [
        Experiment { clean: String::new(), ..draft.clone() },
        Experiment { corrupted: "   ".to_owned(), ..draft.clone() },
        Experiment { clean: long.clone(), corrupted: long, ..draft.clone() },
        Experiment { wrong: draft.answer.clone(), ..draft.clone() },
        Experiment { answer: vec![], ..draft.clone() },
        Experiment { answer: vec![String::new()], ..draft.clone() },
        Experiment { n_steps: Steps::Fixed(0), ..draft.clone() },
        Experiment { clean: "word ".repeat(70), corrupted: "word ".repeat(70), ..draft.clone() },
    ];
    for case in cases {
        assert!(look(&case).problem.is_some(), "{:.60}", case.clean);
    }
    let odd = "👩‍👩‍👧 \u{202e}abc\u{200b} <|endoftext|> \u{0} naïve é";
    let same = Experiment { clean: odd.to_owned(), corrupted: odd.to_owned(), ..draft };
    let seen = look(&same);
    assert_eq!(seen.problem, None, "identical prompts of any text can be run");
    let bos = seen.clean.tokens[0].id;
    let typed = seen.clean.tokens[1..].iter().filter(|token| token.id == bos);
    assert!(typed.clone().count() == 1 && typed.clone().all(|token| token.special && !token.bos));
}

#[test]
fn a_folder_without_tokenizer_takes_ids_only() {
    let folder = Folder(fixture("tiny-gpt2"));
    assert!(block_on(folder.size("tokenizer.json")).is_err());
    let device = DeviceKind::cpu("a test");
    let model =
        block_on(Model::load(&folder, &Expected::default(), &device, &mut Listener::default()))
            .expect("it loads");
    assert!(matches!(question(&model, &Experiment::default()), Err(Error::NoTokenizer)));
}

#[test]
fn errors_name_their_file() {
    let device = DeviceKind::cpu("a test");
    let load = |folder: &str| {
        let folder = Folder(fixture(folder));
        block_on(Model::load(&folder, &Expected::default(), &device, &mut Listener::default()))
            .expect_err("refused")
    };
    assert!(matches!(load("nowhere"), Error::Source { file, .. } if file == "config.json"));
    let error = load("tiny-gpt2/acts").to_string();
    assert!(error.contains("config.json"), "{error}");
}
