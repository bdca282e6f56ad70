//! Workers that hang, die, lose their device, or are of another build; jobs that are cancelled; models that arrive.

use twinbeam_core::wire::devices::{Because, DeviceChoice, Placement};
use twinbeam_core::wire::{Event, Problem, Request};
use twinbeam_core::words::{ComponentKind, Method};

use super::play::{Play, cpu, loaded};
use crate::session::workers::Role;
use crate::session::{Death, Effect, Msg, Timer, Visitor};
use crate::values::{Job, Status};

fn lost() -> Problem {
    Problem::DeviceLost { message: "The driver was reset".to_owned() }
}

#[test]
fn the_first_figure_comes_by_itself_and_its_neurons_after_it() {
    let mut play = Play::opened(None);
    let opens = |effect: &Effect| matches!(effect, Effect::Open { worker: 1 });
    assert!(play.effects.iter().any(opens) && play.effects.contains(&Effect::ReadCatalog));
    assert_eq!(play.session.status(), Status::Loading);
    play.listed();
    assert!(matches!(play.requests()[..], [Request::Load { .. }]), "{:?}", play.effects);
    play.starts();
    assert!(play.effects.contains(&Effect::Listens { worker: 1 }));
    play.loads("mini");
    let [Request::Inspect { .. }, Request::Predict { .. }, Request::Run { kinds, .. }] =
        &play.requests()[..]
    else {
        panic!("it is looked at and run: {:?}", play.effects);
    };
    assert_eq!(kinds, &[ComponentKind::Heads]);
    assert_eq!(play.session.status(), Status::Running);
    play.inspected();
    play.figure();
    assert_eq!((play.session.status(), play.session.job()), (Status::Done, Some(Job::Neurons)));
    assert_eq!(play.links().len(), 1, "the result goes into the address");
    play.neurons();
    assert_eq!(play.session.job(), None);
    assert!(play.session.committed.as_ref().is_some_and(|c| c.is_complete(ComponentKind::Neurons)));
}

#[test]
fn a_worker_that_hangs_is_replaced_and_what_was_shown_comes_back() {
    let mut play = Play::ready();
    let before = play.session.committed.clone();
    play.types("another prompt");
    play.msg(Visitor::Run);
    play.sides();
    assert_ne!(play.session.committed, before, "the new figure begins");
    play.msg(Visitor::Cancel);
    let waits =
        |effect: &Effect| matches!(effect, Effect::After { timer: Timer::Stopping, millis: 4000 });
    assert!(play.effects.iter().any(waits), "one that works is given time: {:?}", play.effects);
    play.msg(Msg::Timer(Timer::Stopping));
    assert!(play.effects.contains(&Effect::Close { worker: 1 }));
    assert!(play.effects.contains(&Effect::Open { worker: 2 }));
    assert_eq!((play.notice(), play.session.job()), ("Stopped", None));
    assert_eq!(play.session.committed, before);
    assert_eq!(play.session.draft.clean, "another prompt", "nothing that was typed is lost");
}

#[test]
fn a_worker_that_was_silent_is_given_less_time_to_stop() {
    let mut play = Play::loaded();
    for _ in 0..12 {
        play.msg(Msg::Second);
    }
    assert_eq!(play.session.silent_seconds, Some(12), "it is said that nothing is heard");
    play.msg(Visitor::Cancel);
    let waits =
        |effect: &Effect| matches!(effect, Effect::After { timer: Timer::Stopping, millis: 1200 });
    assert!(play.effects.iter().any(waits), "{:?}", play.effects);
}

#[test]
fn a_job_that_is_cancelled_twice_ends_once() {
    let mut play = Play::loaded();
    let job = play.job();
    play.msg(Visitor::Cancel);
    play.msg(Visitor::Cancel);
    assert_eq!(play.requests(), [&Request::Cancel { job }]);
    play.hears(Event::Cancelled { job });
    assert!(play.effects.contains(&Effect::Stop(Timer::Stopping)));
    assert_eq!((play.session.job(), play.notice()), (None, "Stopped"));
    play.msg(Visitor::Dismiss);
    play.hears(Event::Cancelled { job });
    assert_eq!(play.notice(), "", "the second end is of a job that is no more");
    // A timer that ran out at the same moment replaces nobody.
    play.msg(Msg::Timer(Timer::Stopping));
    assert_eq!(play.session.workers.in_use, Some(1));
    play.msg(Visitor::Cancel);
    assert!(play.effects.is_empty(), "there is nothing to cancel");
}

#[test]
fn a_timer_of_a_job_that_has_ended_does_not_stop_the_next_one() {
    let mut play = Play::loaded();
    play.msg(Visitor::Cancel);
    let job = play.job();
    play.hears(Event::Cancelled { job });
    play.msg(Visitor::Run);
    play.msg(Msg::Timer(Timer::Stopping));
    assert_eq!((play.session.workers.in_use, play.session.job()), (Some(1), Some(Job::Heads)));
}

#[test]
fn a_worker_that_dies_is_replaced_but_not_again_and_again() {
    let mut play = Play::loaded();
    play.hears(Event::Panicked { message: "index out of bounds".to_owned() });
    play.dies("unreachable executed");
    let notice = play.session.notice.clone().expect("it is said");
    assert!(notice.what_to_do.starts_with("index out of bounds"), "{notice:?}: its last words");
    assert_eq!((play.session.workers.in_use, play.session.status()), (Some(2), Status::Error));
    play.dies("again");
    assert_eq!(play.session.workers.in_use, Some(3));
    play.dies("and again");
    assert_eq!(play.session.workers.in_use, None, "the third death before a model was there");
    play.msg(Visitor::RunAgain);
    assert_eq!(play.session.workers.in_use, Some(4), "a visitor may try again");
    assert_eq!((&play.session.notice, play.session.status()), (&None, Status::Loading));
    play.loads("mini");
    assert_eq!(play.session.workers.deaths, 0);
}

#[test]
fn what_a_replaced_worker_says_is_not_heard() {
    let mut play = Play::loaded();
    let job = play.job();
    play.dies("out of memory");
    let before = format!("{:?}", play.session.notice);
    play.hears_from(1, Event::Cancelled { job });
    play.hears_from(1, loaded("mini", "other"));
    play.msg(Msg::Died { from: 1, death: Death::Stopped("late".to_owned()) });
    assert_eq!(format!("{:?}", play.session.notice), before);
    assert_eq!((play.session.workers.in_use, play.session.loaded.is_none()), (Some(2), true));
}

#[test]
fn a_lost_device_is_asked_for_once_more_and_then_the_cpu_is_offered() {
    let mut play = Play::loaded();
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: lost() });
    assert_eq!(play.notice(), "The GPU was lost");
    assert_eq!((play.session.workers.in_use, play.session.failed), (Some(2), false));
    play.starts();
    play.loads("mini");
    assert_eq!(play.session.job(), Some(Job::Heads), "the run begins again by itself");
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: lost() });
    assert_eq!(play.notice(), "The GPU was lost again");
    assert!(play.session.failed);
    // A figure that is completed in between begins the count anew.
    let mut play = Play::loaded();
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: lost() });
    play.loads("mini");
    play.figure();
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: lost() });
    assert_eq!(play.notice(), "The GPU was lost");
}

#[test]
fn a_worker_of_another_build_is_not_spoken_to() {
    let mut play = Play::opened(None);
    play.listed();
    play.hears(Event::Started { build: "another".to_owned() });
    assert!(play.effects.contains(&Effect::Close { worker: 1 }));
    assert!(!play.effects.iter().any(|effect| matches!(effect, Effect::Listens { .. })));
    assert_eq!(play.notice(), "The page has been updated");
    assert_eq!(play.session.status(), Status::Error);
}

#[test]
fn a_run_takes_the_place_of_neurons_and_keeps_to_itself() {
    let mut play = Play::loaded();
    play.figure();
    let neurons = play.job();
    play.types("another prompt");
    play.msg(Visitor::Run);
    assert_eq!(play.requests()[0], &Request::Cancel { job: neurons });
    // What the cancelled job still says belongs to nobody.
    play.hears(Event::Cancelled { job: neurons });
    assert_eq!((play.session.job(), play.notice()), (Some(Job::Heads), ""));
}

#[test]
fn another_model_arrives_beside_the_one_in_use() {
    let mut play = Play::ready();
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    assert!(matches!(play.requests()[..], [Request::Load { .. }]));
    let coming = play.session.workers.coming.as_ref().expect("it comes").worker;
    assert_eq!(play.session.workers.role(coming), Some(Role::Arriving));
    play.types("a prompt for the model in use");
    play.msg(Visitor::Run);
    play.figure();
    assert_eq!(play.session.status(), Status::Done, "the one in use stays usable");
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    assert!(play.requests().is_empty(), "it is on its way");
    play.hears_from(coming, loaded("gpt2", "cd"));
    assert!(play.effects.contains(&Effect::Close { worker: 1 }));
    assert_eq!(play.session.workers.in_use, Some(coming));
    assert_eq!(play.session.draft.model, "gpt2");
    assert_eq!(play.session.status(), Status::Stale, "the figure is of the model before");
}

#[test]
fn a_model_that_dies_on_its_way_leaves_the_one_in_use_alone() {
    let mut play = Play::ready();
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    let from = play.session.workers.coming.as_ref().expect("it comes").worker;
    play.msg(Msg::Died { from, death: Death::Stopped("out of memory".to_owned()) });
    assert_eq!((play.session.workers.in_use, play.session.status()), (Some(1), Status::Done));
    assert!(play.session.models.arriving.is_none());
    play.msg(Visitor::LoadAgain { any_digest: false });
    assert!(play.session.workers.coming.is_some());
    play.msg(Visitor::CancelLoad);
    assert!(play.session.workers.coming.is_none() && play.effects.contains(&Effect::LookAtShelves));
}

#[test]
fn a_device_is_changed_with_a_new_worker_and_what_was_on_its_way_begins_anew() {
    let mut play = Play::ready();
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    play.msg(Visitor::ChooseDevice(DeviceChoice::Cpu, None));
    let loads: Vec<_> = play
        .requests()
        .into_iter()
        .filter_map(|request| match request {
            Request::Load { model, device, .. } => Some((model.as_str(), *device)),
            _ => None,
        })
        .collect();
    assert_eq!(loads, [("mini", DeviceChoice::Cpu), ("gpt2", DeviceChoice::Cpu)]);
    let closed = play.effects.iter().filter(|effect| matches!(effect, Effect::Close { .. }));
    assert_eq!(closed.count(), 2);
}

#[test]
fn one_core_is_asked_of_every_model_until_something_else_is_chosen() {
    let mut play = Play::ready();
    let asked = |play: &Play| {
        let requests = play.requests();
        let loads = requests.into_iter().filter_map(|request| match request {
            Request::Load { workers, .. } => Some(*workers),
            _ => None,
        });
        loads.collect::<Vec<_>>()
    };
    play.msg(Visitor::ChooseDevice(DeviceChoice::Cpu, Some(1)));
    assert_eq!(asked(&play), [Some(1)]);
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    assert_eq!(asked(&play).last(), Some(&Some(1)), "of the model that arrives too");
    play.msg(Visitor::ChooseDevice(DeviceChoice::Auto, None));
    assert_eq!(asked(&play).last(), Some(&None));
}

#[test]
fn a_worker_that_dies_with_others_at_its_job_computes_alone_after_that() {
    let mut play = Play::ready();
    let asked = |play: &Play| match play.requests()[..] {
        [Request::Load { workers, .. }] => *workers,
        ref other => panic!("it loads: {other:?}"),
    };
    for (workers, most) in [(1, None), (3, Some(1))] {
        play.types(&format!("a prompt for {workers}"));
        play.msg(Visitor::Run);
        let (because, cpu_seconds, gpu_seconds) = (Because::Only, None, None);
        let placement = Placement { gpu: false, because, cpu_seconds, gpu_seconds, workers };
        let job = play.job();
        play.hears(Event::Placed { job, device: cpu(), placement });
        play.dies("out of memory");
        assert_eq!(asked(&play), most, "after {workers}");
        play.starts();
        play.loads("mini");
    }
}

#[test]
fn the_speed_is_measured_for_as_long_as_nobody_wants_anything_else() {
    let mut play = Play::ready();
    play.msg(Visitor::MeasureSpeed);
    assert_eq!(play.session.job(), Some(Job::Speed));
    play.types("another prompt");
    assert_eq!(play.session.job(), None);
    assert_eq!(play.session.status(), Status::Stale);
}

#[test]
fn a_figure_in_part_that_fails_gives_its_place_back() {
    let mut play = Play::ready();
    let before = play.session.committed.clone();
    play.types("another prompt");
    play.msg(Visitor::Run);
    play.sides();
    play.strips(ComponentKind::Heads, &[Method::Ig]);
    let job = Some(play.job());
    let problem = Problem::NotFinite { what: "a score".to_owned() };
    play.hears(Event::Failed { job, problem });
    assert_eq!(play.session.committed, before);
    assert_eq!(play.session.status(), Status::Error);
}
