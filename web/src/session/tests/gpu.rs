//! What a GPU says is drawn with its mark until the CPU has confirmed it, and withdrawn where it does not.

use twinbeam_core::wire::devices::{
    Because, CheckReport, DeviceChoice, GpuState, Placement, Speed,
};
use twinbeam_core::wire::{Event, Problem};
use twinbeam_core::words::{ComponentKind, Method};

use super::play::{Play, cpu, gpu};
use crate::session::{Effect, Memory, SPEEDS, Visitor};
use crate::values::Job;

const PLACEMENT: Placement = Placement {
    gpu: true,
    because: Because::Sooner,
    cpu_seconds: None,
    gpu_seconds: None,
    workers: 1,
};

fn untrusted() -> Problem {
    Problem::Untrusted { what: "L0H1".to_owned(), off: 0.05, allowed: 0.002 }
}

/// A page whose figure a GPU has computed, and which is being checked.
fn being_checked() -> (Play, u64) {
    let mut play = Play::loaded();
    let job = play.job();
    play.hears(Event::Placed { job, device: gpu(), placement: PLACEMENT });
    play.sides();
    assert_eq!(play.session.checked(), Some((None, true)), "marked from the first cell on");
    play.strips(ComponentKind::Heads, &[Method::Ig, Method::Ap]);
    play.done(true);
    assert!(play.links().is_empty(), "nothing unconfirmed goes into the address");
    (play, job)
}

#[test]
fn a_confirmed_result_goes_into_the_address() {
    let (mut play, job) = being_checked();
    play.neurons();
    let report = CheckReport { worst: 1e-5, values: 8 };
    play.hears(Event::Checked { job, report, seconds: 0.1 });
    assert_eq!(play.session.checked(), Some((Some(report), false)));
    assert_eq!(play.links().len(), 1);
    // Of a job that nobody checks any more.
    play.hears(Event::Checked { job, report, seconds: 0.1 });
    assert!(play.links().is_empty());
}

#[test]
fn a_result_that_the_cpu_does_not_confirm_is_taken_back_and_computed_there() {
    let (mut play, job) = being_checked();
    play.hears(Event::Withdrawn { job, problem: untrusted() });
    assert!(play.session.committed.is_none() && play.session.job() == Some(Job::Heads));
    assert!(play.notice().contains("not to be trusted"), "{}", play.notice());
    let next = play.job();
    assert_ne!(next, job);
    play.hears(Event::Placed { job: next, device: cpu(), placement: PLACEMENT });
    play.figure();
    assert_eq!(play.session.checked(), None, "the CPU needs no check");
}

#[test]
fn neurons_that_are_not_confirmed_leave_the_heads_of_the_cpu_alone() {
    let mut play = Play::loaded();
    play.figure();
    let job = play.job();
    play.hears(Event::Placed { job, device: gpu(), placement: PLACEMENT });
    play.strips(ComponentKind::Neurons, &[Method::Ig]);
    play.hears(Event::Withdrawn { job, problem: untrusted() });
    let shown = play.session.committed.clone().expect("the heads stay");
    assert!(shown.is_complete(ComponentKind::Heads));
    assert!(shown.tables.iter().all(|table| table.kind() == ComponentKind::Heads));
    assert_eq!(play.session.job(), Some(Job::Neurons));
}

#[test]
fn what_is_typed_does_not_change_what_is_run_again() {
    let (mut play, job) = being_checked();
    let of = play.session.committed.as_ref().expect("a figure").experiment.clone();
    play.types("another prompt");
    play.hears(Event::Withdrawn { job, problem: untrusted() });
    assert_eq!(play.session.running.as_ref().map(|running| &running.experiment), Some(&of));
    assert_eq!(play.session.draft.clean, "another prompt");
}

#[test]
fn speeds_are_remembered_and_a_refused_gpu_is_said_only_to_who_has_asked_for_it() {
    let mut play = Play::ready();
    let speed = Some(Speed { seconds_per_dispatch: 1e-4, operations_per_second: 1e12 });
    let ready = GpuState::Ready { report: gpu(), speed, memory_bytes: 0, seconds: 0.1 };
    play.hears(Event::Gpu { state: ready });
    let remembers = |effect: &Effect| matches!(effect, Effect::Remember { memory: Memory::Lasting, key, text: Some(_) } if *key == SPEEDS);
    assert!(play.effects.iter().any(remembers), "{:?}", play.effects);
    let unused = GpuState::Unused { why: "It computes wrong".to_owned() };
    play.hears(Event::Gpu { state: unused.clone() });
    assert_eq!(play.notice(), "");
    play.msg(Visitor::ChooseDevice(DeviceChoice::Gpu, None));
    play.hears(Event::Gpu { state: unused });
    assert_ne!(play.notice(), "");
}
