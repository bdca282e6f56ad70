//! The lab's questions: asked when there is time, taken back when nobody wants them, lost with their worker.

use twinbeam_core::circuits::Graph;
use twinbeam_core::wire::probes::circuits::{EdgeEffects, EdgeEstimates};
use twinbeam_core::wire::probes::{AttentionPattern, Finding, Probe};
use twinbeam_core::wire::{Event, Problem, Request};
use twinbeam_core::words::Direction;

use super::play::Play;
use crate::session::{OfPairs, Visitor};
use crate::values::{Job, Loss, NoAnswer, Slot};

const PATTERN: Probe = Probe::Pattern { layer: 0, head: 1 };
const STREAMS: Probe = Probe::Streams { direction: Direction::Noising };

fn want(slot: Slot, probe: Probe) -> Visitor {
    Visitor::Want { slot, probe: Some(probe) }
}

fn found() -> Box<Finding> {
    let pattern =
        AttentionPattern { layer: 0, head: 1, n_pos: 1, clean: vec![1.0], corrupted: vec![1.0] };
    Box::new(Finding::Pattern(pattern))
}

#[test]
fn a_question_during_a_run_waits_for_the_figure_and_its_neurons() {
    let mut play = Play::loaded();
    play.msg(want(Slot::Pattern, PATTERN));
    assert_eq!(play.session.job(), Some(Job::Heads));
    play.figure();
    assert_eq!(play.session.job(), Some(Job::Neurons));
    play.neurons();
    let asked = [Request::Probe {
        job: play.job(),
        experiment: play.session.draft.clone(),
        probe: PATTERN,
    }];
    assert_eq!(play.requests(), asked.each_ref());
    let job = play.job();
    play.hears(Event::Probed { job, finding: found(), unchecked: false });
    let answer = play.session.last_answer(Slot::Pattern).expect("it is answered");
    assert_eq!(answer.found, Ok(*found()));
    assert_eq!(play.session.job(), None, "and not asked again");
}

#[test]
fn a_run_interrupts_a_question_which_is_asked_again_of_the_new_figure() {
    let mut play = Play::ready();
    play.msg(want(Slot::Pattern, PATTERN));
    let job = play.job();
    play.types("another prompt");
    play.msg(Visitor::Run);
    assert_eq!(play.requests()[0], &Request::Cancel { job });
    // An answer that was on its way is of a job that is no more.
    play.hears(Event::Probed { job, finding: found(), unchecked: false });
    assert!(play.session.last_answer(Slot::Pattern).is_none());
    play.figure();
    play.neurons();
    assert_eq!(play.session.job(), Some(Job::Question(Slot::Pattern)));
    let running = play.session.running.as_ref().expect("it is asked");
    assert_eq!(running.experiment.clean, "another prompt");
}

#[test]
fn a_question_that_nobody_asks_any_more_makes_way_for_the_next() {
    let mut play = Play::ready();
    play.msg(want(Slot::Streams, STREAMS));
    let job = play.job();
    play.msg(want(Slot::Pattern, PATTERN));
    assert_eq!(play.session.job(), Some(Job::Question(Slot::Streams)), "it is still wanted");
    play.msg(Visitor::Want { slot: Slot::Streams, probe: None });
    assert_eq!(play.requests()[0], &Request::Cancel { job });
    assert_eq!(play.session.job(), Some(Job::Question(Slot::Pattern)));
}

#[test]
fn a_question_that_kills_its_worker_is_not_asked_again_by_itself() {
    let mut play = Play::ready();
    play.msg(want(Slot::Pattern, PATTERN));
    play.dies("unreachable executed");
    let answer = play.session.last_answer(Slot::Pattern).expect("it is said why").clone();
    assert_eq!(answer.found, Err(NoAnswer::Lost(Loss::Died)));
    play.starts();
    play.loads("mini");
    assert_eq!(play.session.job(), None);
    play.msg(Visitor::AskAgain(Slot::Pattern));
    assert_eq!(play.session.job(), Some(Job::Question(Slot::Pattern)));
}

#[test]
fn a_question_that_fails_says_why_and_the_figure_has_not_failed() {
    let mut play = Play::ready();
    play.msg(want(Slot::Pattern, PATTERN));
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: Problem::NotFinite { what: "a weight".to_owned() } });
    let answer = play.session.last_answer(Slot::Pattern).expect("it is said why");
    let problem = Problem::NotFinite { what: "a weight".to_owned() };
    assert_eq!(answer.found, Err(NoAnswer::Failed { problem, on_gpu: false }));
    assert!(!play.session.failed);
}

#[test]
fn an_answer_is_of_the_figure_that_it_was_asked_of() {
    let mut play = Play::ready();
    play.msg(want(Slot::Pattern, PATTERN));
    let job = play.job();
    play.hears(Event::Probed { job, finding: found(), unchecked: true });
    assert!(play.session.last_answer(Slot::Pattern).is_some_and(|answer| answer.unchecked));
    play.types("another prompt");
    play.msg(Visitor::Run);
    play.figure();
    assert!(play.session.last_answer(Slot::Pattern).is_none());
}

#[test]
fn effects_of_edges_add_up_over_rounds_and_wait_for_many_pairs() {
    let direction = Direction::Noising;
    let mut play = Play::ready();
    let shape = play.session.shape().expect("a model");
    let n = Graph::new(&shape).n_edges();
    play.msg(want(Slot::Edges, Probe::Edges { direction }));
    let scores = vec![0.5; n];
    let (eap, eap_ig) = (scores.clone(), scores);
    let found = EdgeEstimates { direction, eap, eap_ig, convergence_delta: 0.0, n_steps: 3 };
    answer(&mut play, Finding::Edges(found));
    assert_eq!(play.session.edges(direction).map(|edges| edges.n_exact()), Some(0));
    assert!(play.session.edges(Direction::Denoising).is_none());
    for edges in [vec![1], vec![0, 2]] {
        let probe = Probe::PatchEdges { edges: edges.clone(), direction };
        play.msg(want(Slot::PatchEdges, probe));
        play.passes(1500.0);
        let exact = edges.iter().map(|edge| *edge as f32).collect();
        answer(&mut play, Finding::PatchEdges(EdgeEffects { direction, edges, exact }));
    }
    let edges = play.session.edges(direction).expect("they are of this figure");
    assert_eq!((edges.n_exact(), edges.exact[2]), (3, 2.0));
    let left = edges.seconds_left().expect("some are patched");
    assert!((left / (n - 3) as f64 - 1.0).abs() < 0.01, "a second each: {left}");
    // Many pairs go on, and the next round waits for them.
    play.msg(OfPairs::Type(
        r#"[{"clean": "a", "corrupted": "b", "answer": "c", "wrong": "d"}]"#.to_owned(),
    ));
    play.msg(OfPairs::Run);
    assert_eq!(play.session.job(), Some(Job::Pair));
    play.msg(want(Slot::PatchEdges, Probe::PatchEdges { edges: vec![3], direction }));
    assert_eq!(play.session.job(), Some(Job::Pair));
    play.msg(OfPairs::Stop);
    assert_eq!(play.session.job(), Some(Job::Question(Slot::PatchEdges)));
    // Of another figure nothing is known.
    play.types("another prompt");
    play.msg(Visitor::Run);
    play.figure();
    assert!(play.session.edges(direction).is_none());
}

fn answer(play: &mut Play, finding: Finding) {
    let job = play.job();
    play.hears(Event::Probed { job, finding: Box::new(finding), unchecked: false });
}
