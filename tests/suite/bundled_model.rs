//! The committed weights do what their card says.

use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_cli::evaluate::{EdgeCount, HeadScore, evaluate, head_scores, strongest_edges};
use twinbeam_cli::terminal::Terminal;
use twinbeam_core::circuits::Sender;
use twinbeam_core::models::Catalog;
use twinbeam_core::wire::Expected;
use twinbeam_engine::{DeviceKind, Model, Precision};
use twinbeam_tasks::{Split, Task, vocabulary};
use twinbeam_tests::{repository, sha256_of};

/// Another seed than the training run's evaluation: other prompts, the same claim.
const SEED: u64 = 4711;

fn model() -> Model {
    let folder = Folder(repository("assets/models/mini"));
    let device = DeviceKind::cpu("a test").with_precision(Precision::Single);
    block_on(Model::load(&folder, &Expected::default(), &device, &mut Terminal::new()))
        .expect("it loads")
}

#[test]
fn held_out_prompts_are_solved() {
    for score in evaluate(&model(), Split::HeldOut, 400, SEED).expect("it reads every prompt") {
        let (accuracy, logit_diff) =
            if score.task == Task::Ioi { (0.99, 3.0) } else { (0.95, 0.0) };
        assert!(score.accuracy >= accuracy, "{score:?}");
        assert!(score.mean_logit_diff >= logit_diff, "{score:?}");
    }
}

#[test]
fn induction_takes_heads_of_two_layers() {
    let model = model();
    let scores = head_scores(&model, Split::HeldOut, 10, SEED).expect("it reads every list");
    let best = |score: fn(&HeadScore) -> f64| {
        let most = scores.iter().max_by(|one, other| score(one).total_cmp(&score(other)));
        *most.expect("it has heads")
    };
    let (previous, induction) = (best(|head| head.previous), best(|head| head.induction));
    assert!(previous.previous > 0.4, "{previous:?}");
    assert!(induction.induction > 0.6, "{induction:?}");
    assert!(previous.layer < induction.layer, "{previous:?} {induction:?}");

    // What the previous token's head writes is what the induction head's keys read.
    let edges = strongest_edges(&model, Split::HeldOut, 40, SEED).expect("it reads every prompt");
    let through_keys = edges.iter().filter(|edge| edge.through_keys());
    let pairs: usize = through_keys.map(|edge| edge.pairs).sum();
    assert!(pairs >= 30, "of 40 pairs, {pairs} go through keys: {edges:?}");
    let EdgeCount { from, .. } = edges[0];
    let Sender::Head { layer, head } = from else { panic!("{edges:?}") };
    assert_eq!((layer, head), (previous.layer, previous.head), "{edges:?}");
}

#[test]
fn it_has_the_size_that_was_promised() {
    let model = model();
    let shape = model.shape();
    assert_eq!((shape.n_layers, shape.n_heads, shape.d_model, shape.n_ctx), (4, 8, 128, 64));
    assert!(shape.d_vocab <= 2048);
    let bytes = |file: &str| {
        std::fs::metadata(repository("assets/models/mini").join(file)).expect("it is there").len()
    };
    assert!(bytes("model.safetensors") <= 2_600_000);
    assert_eq!(model.fingerprint().len(), 64);
}

#[test]
fn it_is_the_file_that_the_page_expects() {
    let catalog = Catalog::bundled();
    let listed = catalog.first();
    let folder =
        repository("assets").join(listed.base.as_deref().expect("it lies beside the page"));
    let weights = std::fs::read(folder.join("model.safetensors")).expect("it is there");
    assert_eq!(listed.sha256, Some(sha256_of(&weights)));
    assert_eq!(listed.file_bytes, weights.len() as u64);
    assert_eq!(listed.shape, *model().shape());
}

#[test]
fn every_word_of_the_tasks_is_one_token() {
    let tokenizer = std::fs::read(repository("assets/models/mini/tokenizer.json")).expect("read");
    let tokenizer = twinbeam_gpt2::Tokenizer::from_json(&tokenizer).expect("a tokenizer");
    for word in vocabulary() {
        assert_eq!(tokenizer.encode(&word).expect("it encodes").len(), 1, "{word:?}");
    }
}
