//! Many prompts: run one after the other, interrupted, gone on with, drawn, brought back.

use twinbeam_core::prompts::{Draw, PromptPair};
use twinbeam_core::wire::devices::{CheckReport, DeviceChoice};
use twinbeam_core::wire::{Event, Problem, Request};
use twinbeam_core::words::{ComponentKind, Method};

use super::play::Play;
use crate::session::{OfPairs, Visitor};
use crate::values::Job;

pub(super) const THREE: &str =
    "clean,corrupted,answer,wrong\na b,a c,d,e\nf g,f h,i,j\nk l,k m,n,o\n";

fn draw(task: &str, n: usize) -> OfPairs {
    OfPairs::Draw { task: task.to_owned(), n, seed: 7 }
}

fn pairs(n: usize) -> Vec<PromptPair> {
    let pair = |n| PromptPair {
        clean: format!("clean {n}"),
        corrupted: format!("other {n}"),
        answer: vec!["a".to_owned()],
        wrong: vec!["b".to_owned()],
        ..PromptPair::default()
    };
    (0..n).map(pair).collect()
}

/// The running pair goes through.
fn pair_goes_through(play: &mut Play) {
    assert_eq!(play.session.job(), Some(Job::Pair));
    play.sides();
    play.strips(ComponentKind::Heads, &[Method::Ig, Method::Ap]);
    play.done(false);
}

fn merged(play: &Play) -> usize {
    play.session.many.merged.as_ref().map_or(0, |merged| merged.n())
}

#[test]
fn pairs_run_one_after_the_other() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    assert_eq!(play.session.many.pairs.len(), 3);
    play.msg(OfPairs::Run);
    for done in 1..=3 {
        pair_goes_through(&mut play);
        assert_eq!(merged(&play), done);
    }
    assert!(!play.session.many.is_running && play.session.job().is_none());
    let summary = play.session.summary().expect("three are done");
    assert!(summary.n == 3 && summary.json.contains("model_sha256"));
}

#[test]
fn a_run_interrupts_them_and_they_go_on_where_they_were() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    pair_goes_through(&mut play);
    let pair = play.job();
    play.sides();
    play.msg(Visitor::Run);
    assert_eq!(play.requests()[0], &Request::Cancel { job: pair });
    assert!(!play.session.many.is_running);
    play.figure();
    play.neurons();
    assert_eq!((play.session.job(), merged(&play)), (None, 1), "they wait to be told");
    play.msg(OfPairs::GoOn);
    pair_goes_through(&mut play);
    pair_goes_through(&mut play);
    assert_eq!(merged(&play), 3);
}

#[test]
fn a_question_goes_before_the_next_pair() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    let probe = Some(twinbeam_core::wire::probes::Probe::ZeroBaseline);
    let slot = crate::values::Slot::ZeroBaseline;
    play.msg(Visitor::Want { slot, probe });
    assert_eq!(play.session.job(), Some(Job::Pair));
    pair_goes_through(&mut play);
    assert_eq!(play.session.job(), Some(Job::Question(slot)));
}

#[test]
fn a_pair_that_fails_or_kills_its_worker_is_listed_and_the_others_run() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: Problem::NotFinite { what: "a score".to_owned() } });
    assert!(!play.session.failed, "the figure has not failed");
    play.dies("out of memory");
    play.starts();
    play.loads("mini");
    pair_goes_through(&mut play);
    let merged = play.session.many.merged.clone().expect("one is done");
    assert_eq!((merged.n(), merged.left_out.len()), (1, 2));
    assert!(!play.session.many.is_running);
}

#[test]
fn pairs_of_a_gpu_are_taken_when_they_are_confirmed() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    let job = play.job();
    play.sides();
    play.strips(ComponentKind::Heads, &[Method::Ig, Method::Ap]);
    play.done(true);
    assert_eq!((merged(&play), play.session.job()), (0, Some(Job::Pair)));
    play.hears(Event::Checked { job, report: CheckReport::default(), seconds: 0.1 });
    assert_eq!(merged(&play), 1);
    // One that is not confirmed is run once more.
    let job = play.job();
    play.sides();
    play.done(true);
    let problem = Problem::NotFinite { what: "a score".to_owned() };
    play.hears(Event::Withdrawn { job, problem });
    assert_eq!((merged(&play), play.session.many.next), (1, 1));
    assert_ne!(play.job(), job);
}

#[test]
fn another_model_does_not_go_on_with_them() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    pair_goes_through(&mut play);
    play.msg(Visitor::Cancel);
    let job = play.job();
    play.hears(Event::Cancelled { job });
    play.msg(Visitor::ChooseDevice(DeviceChoice::default(), None));
    play.hears(super::play::loaded("mini", "another digest"));
    play.figure();
    play.neurons();
    play.msg(OfPairs::GoOn);
    assert!(play.session.job().is_none());
    assert!(
        play.session.many.problem.as_ref().is_some_and(|words| words.contains("Another model"))
    );
}

#[test]
fn pairs_are_drawn_once_and_again_by_another_worker() {
    let mut play = Play::opened(None);
    play.listed();
    play.msg(draw("ioi", 4));
    assert!(play.requests().is_empty(), "nobody is there who has the words");
    play.loads("mini");
    let wanted = Draw { task: "ioi".to_owned(), n: 4, seed: 7 };
    let is_draw = |request: &&Request| matches!(request, Request::Draw { .. });
    assert_eq!(play.requests().into_iter().filter(is_draw).count(), 1);
    play.inspected();
    assert_eq!(play.requests().into_iter().filter(is_draw).count(), 0, "it is on its way");
    play.dies("out of memory");
    play.loads("mini");
    assert_eq!(play.requests().into_iter().filter(is_draw).count(), 1);
    play.hears(Event::Drawn { draw: wanted.clone(), pairs: pairs(4) });
    assert_eq!((play.session.many.pairs.len(), &play.session.many.draw), (4, &Some(wanted)));
    assert!(play.session.view.pairs.is_empty(), "a link says where they were drawn from");
    assert!(play.session.many.text.contains("clean 3"), "the field shows them");
}

#[test]
fn drawn_pairs_join_a_list_of_ones_own_and_can_be_taken_back() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(draw("ioi", 2));
    play.hears(Event::Drawn {
        draw: Draw { task: "ioi".to_owned(), n: 2, seed: 7 },
        pairs: pairs(2),
    });
    assert_eq!(play.session.many.pairs.len(), 5);
    assert_eq!(play.session.view.pairs.len(), 5, "a link holds all of them");
    play.msg(OfPairs::Undo);
    assert_eq!((&*play.session.many.text, play.session.many.pairs.len()), (THREE, 3));
    play.msg(OfPairs::Undo);
    assert_eq!(play.session.many.pairs.len(), 5, "to undo once more brings them back");
    play.msg(draw("ioi", 5000));
    assert!(play.session.many.problem.is_some() && play.session.many.adding.is_none());
}

#[test]
fn a_task_that_there_is_not_is_said() {
    let mut play = Play::ready();
    play.msg(draw("chess", 2));
    let wanted = Draw { task: "chess".to_owned(), n: 2, seed: 7 };
    play.hears(Event::Drawn { draw: wanted, pairs: Vec::new() });
    assert!(play.session.many.problem.as_ref().is_some_and(|words| words.contains("chess")));
    assert_eq!(play.session.many.draw, None);
}

#[test]
fn white_space_in_the_field_loses_nothing_and_another_pair_does() {
    let mut play = Play::ready();
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    pair_goes_through(&mut play);
    play.msg(OfPairs::Stop);
    play.msg(OfPairs::Type(format!("{THREE}\n")));
    assert_eq!(merged(&play), 1);
    play.msg(OfPairs::Type(format!("{THREE}p q,p r,s,t\n")));
    assert_eq!((merged(&play), play.session.many.pairs.len()), (0, 4));
    play.msg(OfPairs::Refuse { name: "a.png".to_owned(), why: None });
    assert!(play.session.many.problem.is_some());
    assert_eq!(play.session.many.pairs.len(), 4, "a file that is not read changes nothing");
}
