//! What follows a key press: tokens by a worker that does nothing else, what the model expects, edits that are run by
//! themselves, and a run in place of a running one.

use twinbeam_core::prompts::{About, Hint};
use twinbeam_core::wire::devices::{DeviceChoice, Work};
use twinbeam_core::wire::inspection::{Inspection, Prediction, Predictions};
use twinbeam_core::wire::{Event, Request};
use twinbeam_core::words::{Experiment, Field, Metric, PromptError};

use super::lists::THREE;
use super::play::{Play, loaded};
use crate::session::workers::Role;
use crate::session::{Death, Effect, Memory, Msg, OfPairs, Session, Timer, Visitor};
use crate::values::{BUILD, Job, Status};

/// A draft that asks so much of the device, and with which nothing is wrong.
fn of_work(operations: f64) -> Inspection {
    Inspection { work: Some(Work { operations, dispatches: 0.0 }), ..Inspection::default() }
}

fn types(play: &mut Play, clean: &str) {
    let draft = Experiment { clean: clean.to_owned(), ..play.session.draft.clone() };
    play.msg(Visitor::Edit { draft: Box::new(draft), at_once: false });
}

fn sees(play: &mut Play, inspection: Inspection) {
    let seq = play.session.workers.inspections;
    play.hears(Event::Inspected { seq, inspection: Box::new(inspection) });
}

/// The draft is looked at after a pause in typing.
fn pauses_and_sees(play: &mut Play, inspection: Inspection) {
    play.msg(Msg::Timer(Timer::Typing));
    sees(play, inspection);
    play.msg(Msg::Timer(Timer::Pausing));
}

/// A page with a figure whose heads took 1.5 s for so much work.
fn measured(operations: f64) -> Play {
    let mut play = Play::opened(None);
    play.listed();
    play.starts();
    play.loads("mini");
    sees(&mut play, of_work(operations));
    play.figure();
    play.neurons();
    play
}

/// A page with a figure, and a worker that reads what is typed.
fn with_reader() -> (Play, u64) {
    let mut play = Play::ready();
    play.hears(Event::Words);
    let [Effect::Open { worker }, Effect::HandOn { from: 1, to }] = play.effects[..] else {
        panic!("{:?}", play.effects);
    };
    assert_eq!(worker, to);
    play.hears_from(worker, Event::Started { build: BUILD.to_owned() });
    assert!(play.effects.contains(&Effect::Listens { worker }));
    play.hears_from(worker, Event::Reads);
    (play, worker)
}

fn told(play: &Play) -> Vec<(u64, &Request)> {
    let told = play.effects.iter().filter_map(|effect| match effect {
        Effect::Tell { worker, request, .. } => Some((*worker, &**request)),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_key_press_goes_to_the_reader_at_once_and_to_the_model_after_a_pause() {
    let (mut play, reader) = with_reader();
    play.msg(Visitor::RunNeurons);
    assert_eq!(play.session.job(), Some(Job::Neurons));
    types(&mut play, "Whe");
    assert!(matches!(told(&play)[..], [(to, Request::Inspect { .. })] if to == reader));
    let seq = play.session.workers.inspections;
    types(&mut play, "When");
    play.hears_from(reader, Event::Inspected { seq, inspection: Box::default() });
    assert!(!play.session.inspected, "an answer to what was typed before is dropped");
    play.hears_from(reader, Event::Inspected { seq: seq + 1, inspection: Box::default() });
    assert!(play.session.inspected && !play.session.predicted && !play.session.paused);
    play.msg(Msg::Timer(Timer::Typing));
    assert!(matches!(told(&play)[..], [(1, Request::Predict { .. })]), "{:?}", play.effects);
    assert_eq!(play.session.job(), Some(Job::Neurons), "nothing has been stopped for it");
    let next = |p_answer| Prediction { p_answer: Some(p_answer), ..Prediction::default() };
    let predictions = Predictions { clean: next(0.75), corrupted: next(0.25) };
    play.hears(Event::Predicted { seq: seq + 1, predictions: Box::new(predictions) });
    assert!(play.session.predicted);
    assert_eq!(play.session.inspection.clean.next.p_answer, Some(0.75));
    // What was expected before stays until it is known what is expected now.
    types(&mut play, "When I");
    play.hears_from(reader, Event::Inspected { seq: seq + 2, inspection: Box::default() });
    assert_eq!(play.session.inspection.corrupted.next.p_answer, Some(0.25));
    assert!(!play.session.predicted);
    play.hears(Event::Predicted { seq: seq + 1, predictions: Box::default() });
    assert!(!play.session.predicted, "it is of what was typed before");
}

#[test]
fn without_a_reader_the_worker_in_use_looks_after_a_pause() {
    let (mut play, reader) = with_reader();
    types(&mut play, "When");
    play.msg(Msg::Died { from: reader, death: Death::Stopped("out of memory".to_owned()) });
    assert!(matches!(told(&play)[..], [(1, Request::Inspect { .. })]), "{:?}", play.effects);
    assert_eq!((play.notice(), play.session.workers.in_use), ("", Some(1)), "nobody is told");
    sees(&mut play, Inspection::default());
    assert!(play.session.inspected);
    types(&mut play, "When I");
    assert!(told(&play).is_empty(), "it has other things to do");
    play.msg(Msg::Timer(Timer::Typing));
    let both = told(&play);
    assert!(
        matches!(both[..], [(1, Request::Inspect { .. }), (1, Request::Predict { .. })]),
        "{both:?}"
    );
}

#[test]
fn a_reader_that_cannot_read_or_is_of_another_build_is_none() {
    for event in [
        Event::Started { build: "another".to_owned() },
        Event::Failed { job: None, problem: twinbeam_core::wire::Problem::NoModel },
    ] {
        let mut play = Play::ready();
        play.hears(Event::Words);
        let reader = play.session.workers.reader.expect("it is opened").worker;
        play.hears_from(reader, event);
        assert_eq!(play.session.workers.reader, None);
        assert!(play.effects.contains(&Effect::Close { worker: reader }));
        assert_eq!((play.notice(), play.session.status()), ("", Status::Done));
    }
}

#[test]
fn the_reader_stays_for_the_same_model_and_goes_with_it() {
    let (mut play, reader) = with_reader();
    play.msg(Visitor::ChooseDevice(DeviceChoice::Cpu, None));
    types(&mut play, "a prompt");
    assert!(
        told(&play).iter().any(|(to, _)| *to == reader),
        "tokens are there while the model is loaded anew"
    );
    play.loads("mini");
    play.hears(Event::Words);
    assert_eq!(play.session.workers.reader.map(|reader| reader.worker), Some(reader));
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    let coming = play.session.workers.coming.as_ref().expect("it comes").worker;
    play.hears_from(coming, loaded("gpt2", "cd"));
    assert!(play.effects.contains(&Effect::Close { worker: reader }));
    play.hears_from(coming, Event::Words);
    let next = play.session.workers.reader.expect("another one reads for it").worker;
    assert_eq!(play.session.workers.role(next), Some(Role::Reader));
}

#[test]
fn a_frame_has_no_reader() {
    let mut session = Session::new(Experiment::default(), DeviceChoice::Auto);
    session.is_frame = true;
    let mut play = Play::begun(session);
    play.listed();
    play.loads("mini");
    play.hears(Event::Words);
    assert_eq!(play.session.workers.reader, None);
}

#[test]
fn an_edit_is_run_when_typing_pauses_if_that_is_quick() {
    let mut play = measured(1e9);
    types(&mut play, "another prompt");
    let pauses =
        |effect: &Effect| matches!(effect, Effect::After { timer: Timer::Pausing, millis: 400 });
    assert!(play.effects.iter().any(pauses));
    pauses_and_sees(&mut play, of_work(5e8));
    assert_eq!(play.session.expected_seconds(), Some(0.75));
    assert_eq!(play.session.job(), Some(Job::Heads));
    let before = play.session.committed.clone();
    assert_eq!(play.session.is_stale(), Some(true), "the figure before stays, and is marked");
    play.sides();
    assert_ne!(play.session.committed, before, "the new one has begun to arrive");
    // It may take longer than the pause until it is known what was typed.
    let mut play = measured(1e9);
    types(&mut play, "another prompt");
    play.msg(Msg::Timer(Timer::Typing));
    play.msg(Msg::Timer(Timer::Pausing));
    assert_eq!(play.session.job(), None);
    sees(&mut play, of_work(5e8));
    assert_eq!(play.session.job(), Some(Job::Heads));
}

#[test]
fn a_choice_is_run_at_once_and_a_slow_run_is_for_the_visitor_to_begin() {
    let mut play = measured(1e9);
    let draft = Experiment { metric: Metric::Kl, ..play.session.draft.clone() };
    play.msg(Visitor::Edit { draft: Box::new(draft.clone()), at_once: true });
    sees(&mut play, of_work(1e9));
    assert_eq!(play.session.job(), None);
    assert_eq!(play.session.expected_seconds(), Some(1.5), "the button says so");
    play.msg(Visitor::Edit { draft: Box::new(draft), at_once: true });
    sees(&mut play, of_work(1e8));
    assert_eq!(play.session.job(), Some(Job::Heads));
}

#[test]
fn what_is_wrong_unfinished_unwanted_or_known_is_not_run_by_itself() {
    let problem = Some(PromptError::Lengths { clean: 3, corrupted: 2 });
    let hint = Hint {
        field: Field::Clean,
        text: "a ".to_owned(),
        about: About::EndsInSpace,
        mends: Vec::new(),
    };
    for inspection in [
        Inspection { problem, ..Inspection::default() },
        Inspection { hints: vec![hint], ..of_work(1e8) },
        Inspection::default(),
    ] {
        let mut play = measured(1e9);
        types(&mut play, "a ");
        pauses_and_sees(&mut play, inspection.clone());
        assert_eq!(play.session.job(), None, "{inspection:?}");
    }
    let mut play = measured(1e9);
    let same = play.session.draft.clean.clone();
    types(&mut play, &same);
    pauses_and_sees(&mut play, of_work(1e8));
    assert_eq!(play.session.job(), None, "the figure is of it");

    play.msg(Visitor::SetAutoRun(false));
    let remembers = |effect: &Effect| {
        matches!(effect, Effect::Remember { memory: Memory::Lasting, text: Some(_), .. })
    };
    assert!(play.effects.iter().any(remembers), "{:?}", play.effects);
    types(&mut play, "another prompt");
    pauses_and_sees(&mut play, of_work(1e8));
    assert_eq!((play.session.job(), play.session.status()), (None, Status::Stale));
    play.msg(Visitor::SetAutoRun(true));
    assert_eq!(play.session.job(), Some(Job::Heads), "what has waited for it");
}

#[test]
fn many_prompts_are_not_stopped_by_an_edit() {
    let mut play = measured(1e9);
    play.msg(OfPairs::Type(THREE.to_owned()));
    play.msg(OfPairs::Run);
    assert_eq!(play.session.job(), Some(Job::Pair));
    types(&mut play, "another prompt");
    pauses_and_sees(&mut play, of_work(1e8));
    assert_eq!(play.session.job(), Some(Job::Pair));
}

#[test]
fn edits_that_go_on_are_one_step_of_the_history() {
    let steps = |play: &Play| {
        let of_address = |effect: &Effect| match effect {
            Effect::Address { new_step, .. } => Some(*new_step),
            _ => None,
        };
        play.effects.iter().filter_map(of_address).collect::<Vec<_>>()
    };
    // Each figure takes 1.5 s here, however little is asked: the first says that it was very fast.
    let mut play = measured(1e12);
    let mut made = Vec::new();
    for clean in ["a prompt", "a prompt that", "a prompt that grows"] {
        types(&mut play, clean);
        pauses_and_sees(&mut play, of_work(1e8));
        made.extend(steps(&play));
        play.figure();
        play.neurons();
    }
    assert_eq!(made, [true, false, false], "Back leads to what was before");
    play.passes(20_000.0);
    types(&mut play, "another one");
    pauses_and_sees(&mut play, of_work(1e8));
    assert_eq!(steps(&play), [true], "that was another thought");
    play.figure();
    types(&mut play, "another one, run");
    play.msg(Msg::Timer(Timer::Typing));
    sees(&mut play, of_work(1e8));
    play.msg(Visitor::Run);
    assert_eq!(steps(&play), [true], "Run is a step of its own");
    types(&mut play, "and on");
    pauses_and_sees(&mut play, of_work(1e8));
    assert_eq!(steps(&play), [true]);
}

#[test]
fn a_run_takes_the_place_of_a_running_one() {
    let mut play = Play::ready();
    let before = play.session.committed.clone();
    play.types("a prompt");
    play.msg(Visitor::Run);
    let job = play.job();
    play.sides();
    assert!(!play.session.can_run(), "it is what is running");
    play.types("another prompt");
    assert!(play.session.can_run());
    play.msg(Visitor::Run);
    assert!(
        matches!(play.requests()[..], [Request::Cancel { job: first }, Request::Run { .. }] if *first == job)
    );
    play.hears(Event::Cancelled { job });
    assert_eq!((play.session.job(), play.notice()), (Some(Job::Heads), ""));
    // If that comes to nothing the last whole figure is back.
    let job = play.job();
    play.sides();
    play.msg(Visitor::Cancel);
    play.hears(Event::Cancelled { job });
    assert_eq!(play.session.committed, before);
}

#[test]
fn what_is_typed_before_the_first_figure_does_not_spoil_it() {
    let mut play = Play::opened(None);
    play.listed();
    play.starts();
    let opened = play.session.draft.clone();
    types(&mut play, "half a");
    play.loads("mini");
    let running = play.session.running.clone().expect("the first figure is computed");
    assert_eq!(running.experiment, opened);
    sees(&mut play, of_work(1e8));
    play.figure();
    assert_eq!(play.session.draft.clean, "half a", "the edit is there");
    assert_eq!(play.session.status(), Status::Stale);
}

#[test]
fn an_edit_that_was_made_while_the_speed_was_found_is_run_then() {
    let mut play = Play::opened(None);
    play.listed();
    play.starts();
    play.loads("mini");
    sees(&mut play, of_work(1e9));
    types(&mut play, "another prompt");
    pauses_and_sees(&mut play, of_work(1e8));
    assert_ne!(play.session.running.as_ref().expect("heads").experiment, play.session.draft);
    play.figure();
    let running = play.session.running.as_ref().expect("the edit is run");
    assert_eq!((running.job, &running.experiment), (Job::Heads, &play.session.draft));
}
