//! Links: their figure is shown at once and stays until one's own is complete; races with models that load.

use std::sync::Arc;

use twinbeam_core::link::{Link, Note, Panel, Snapshot, View, parse_link, print_link};
use twinbeam_core::models::Completion;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::{Event, Problem};
use twinbeam_core::words::{ComponentKind, Experiment, Method};

use super::play::{DIGEST, Play, loaded};
use crate::session::{Effect, Msg, Session, Timer, Visitor};
use crate::values::{Job, LinkCheck, Shelf, Shelves, Status};

/// A link to a figure of a model, computed in a play of its own.
fn link(model: &str) -> Link {
    let play = Play::ready();
    let snapshot: Snapshot = play.session.snapshot().expect("it is complete");
    let experiment = Experiment { model: model.to_owned(), ..Experiment::default() };
    let text = print_link(&experiment, Some(&snapshot), &View::default()).expect("it is short");
    parse_link(&text).expect("its own link")
}

fn follow(link: Link) -> Msg {
    Msg::Address(Some(Box::new(Ok(link))))
}

#[test]
fn a_links_figure_stays_until_ones_own_is_complete_and_then_they_are_compared() {
    let mut play = Play::opened(Some(link("mini")));
    assert!(play.session.is_from_link(), "it is shown before anything is loaded");
    let shown = play.session.committed.clone();
    play.listed();
    play.loads("mini");
    play.sides();
    play.strips(ComponentKind::Heads, &[Method::Ig, Method::Ap]);
    assert_eq!(play.session.committed, shown, "nothing flickers");
    play.done(false);
    assert!(!play.session.is_from_link());
    assert!(play.session.link_check.as_ref().is_some_and(LinkCheck::agrees));
}

#[test]
fn a_links_figure_of_a_model_that_has_changed_stays_until_it_is_run() {
    let mut play = Play::opened(Some(link("mini")));
    let shown = play.session.committed.clone();
    play.listed();
    play.starts();
    play.hears(loaded("mini", &"cd".repeat(32)));
    assert!(play.session.is_of_changed_model() && !play.session.can_score_neurons());
    assert_eq!((play.session.job(), play.session.status()), (None, Status::Done));
    assert_eq!(play.session.committed, shown, "nothing takes its place by itself");
    play.inspected();
    play.msg(Visitor::Run);
    assert_eq!(play.session.job(), Some(Job::Heads));
    play.sides();
    play.strips(ComponentKind::Heads, &[Method::Ig, Method::Ap]);
    play.done(false);
    let check = play.session.link_check.as_ref().expect("they are compared");
    assert!(!check.same_weights && !play.session.is_of_changed_model());
}

/// A page whose model has other weights than the links of these tests are of.
fn with_other_weights(link: Option<Link>) -> Play {
    let mut play = Play::opened(link);
    play.listed();
    play.starts();
    play.hears(loaded("mini", &"cd".repeat(32)));
    play
}

#[test]
fn beside_a_links_figure_of_a_changed_model_all_else_runs_as_ever() {
    // A link that is opened while the model is there stays just the same.
    let mut play = with_other_weights(None);
    play.sides();
    play.strips(ComponentKind::Heads, &[Method::Ig, Method::Ap]);
    play.done(false);
    let other = Experiment { clean: "Another Mary gave it to".to_owned(), ..Experiment::default() };
    let Link { experiment, snapshot, view, .. } = link("mini");
    let text = print_link(
        &Experiment { clean: other.clean.clone(), ..experiment },
        snapshot.as_ref(),
        &view,
    );
    play.msg(follow(parse_link(&text.expect("it is short")).expect("its own link")));
    assert!(play.session.is_of_changed_model());
    assert_ne!(play.session.job(), Some(Job::Heads), "it stays");
    // What is opened after it has no figure of its own to keep.
    let text = print_link(&Experiment::default(), None, &View::default()).expect("it is short");
    play.msg(follow(parse_link(&text).expect("its own link")));
    assert_eq!(play.session.job(), Some(Job::Heads), "a link without numbers runs");

    // What the visitor has run begins again on a fresh worker.
    let mut play = with_other_weights(Some(link("mini")));
    play.inspected();
    play.msg(Visitor::Run);
    assert_eq!(play.session.job(), Some(Job::Heads));
    let (job, message) = (Some(play.job()), "The driver was reset".to_owned());
    play.hears(Event::Failed { job, problem: Problem::DeviceLost { message } });
    play.starts();
    play.hears(loaded("mini", &"cd".repeat(32)));
    assert_eq!(play.session.job(), Some(Job::Heads), "it was asked for");
}

#[test]
fn a_links_figure_that_cannot_be_computed_here_stays() {
    let mut play = Play::opened(Some(link("mini")));
    play.listed();
    play.loads("mini");
    play.sides();
    let job = Some(play.job());
    play.hears(Event::Failed { job, problem: Problem::NotFinite { what: "a score".to_owned() } });
    assert!(play.session.is_from_link());
}

#[test]
fn a_link_of_a_model_that_is_not_here_is_shown_and_nothing_is_fetched() {
    let mut play = Play::opened(Some(link("gpt2")));
    play.listed();
    play.loads("mini");
    play.looked_at_shelves();
    assert_eq!(play.notice(), "The link is of GPT-2 small, which is not in this browser yet");
    assert_eq!((play.session.job(), play.session.status()), (None, Status::Done));
    assert_eq!(play.session.asked().model, "gpt2", "the link stays the one that was opened");
    assert_eq!(play.session.draft.model, "mini", "Run takes the model in use");
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    let coming = play.session.workers.coming.as_ref().expect("it comes").worker;
    play.hears_from(coming, loaded("gpt2", DIGEST));
    assert_eq!((play.session.job(), &play.session.models.waiting), (Some(Job::Heads), &None));
}

#[test]
fn a_model_that_the_browser_keeps_is_loaded_without_a_question() {
    let mut play = Play::opened(Some(link("gpt2")));
    play.listed();
    play.loads("mini");
    let name = play.session.models.find("gpt2").expect("it is listed").shelf();
    let complete = Some(Completion { sha256: String::new(), millis: 0, as_expected: Some(true) });
    let shelves = Shelves::Read(vec![Shelf { name, bytes: 9, complete }]);
    play.msg(Msg::Kept { shelves, space: None });
    assert!(play.session.workers.coming.is_some() && play.notice().is_empty());
}

#[test]
fn a_link_that_is_opened_while_a_model_arrives_is_asked_of_the_model_that_comes() {
    let mut play = Play::ready();
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    let coming = play.session.workers.coming.as_ref().expect("it comes").worker;
    play.msg(follow(link("gpt2")));
    play.looked_at_shelves();
    assert!(play.session.is_from_link());
    play.hears_from(coming, loaded("gpt2", DIGEST));
    assert_eq!(play.session.job(), Some(Job::Heads), "it was waited for");
    let running = play.session.running.as_ref().expect("it runs");
    assert_eq!(running.experiment.model, "gpt2");
}

#[test]
fn another_link_before_the_shelves_were_read_is_the_one_that_counts() {
    let mut play = Play::ready();
    play.msg(follow(link("gpt2")));
    play.msg(follow(link("mini")));
    play.looked_at_shelves();
    assert_eq!((play.notice(), &play.session.models.waiting), ("", &None));
    assert_eq!(play.session.job(), Some(Job::Heads));
}

#[test]
fn a_link_during_the_first_load_is_asked_when_the_list_is_there() {
    let mut play = Play::opened(None);
    play.msg(follow(link("gpt2")));
    play.listed();
    play.loads("mini");
    assert_eq!(play.session.job(), None, "the draft is for another model");
    play.looked_at_shelves();
    assert!(play.notice().starts_with("The link is of GPT-2 small"));
}

#[test]
fn a_damaged_link_is_said_and_the_page_works_all_the_same() {
    let mut session = Session::new(Experiment::default(), DeviceChoice::default());
    session.open_address(Some(parse_link("#v2=damaged")), Some("{}\n{}"));
    let mut play = Play::begun(session);
    assert_ne!(play.notice(), "");
    let said = play.notice().to_owned();
    play.listed();
    play.loads("mini");
    assert_eq!((play.session.job(), play.notice()), (Some(Job::Heads), said.as_str()));
    play.msg(Visitor::Run);
    assert_eq!(play.notice(), "", "what the visitor does has read it");
}

#[test]
fn what_is_looked_at_goes_into_the_address_after_a_pause_with_the_result() {
    let mut play = Play::ready();
    let mut sight = play.session.sight.clone();
    sight.zero_baseline = true;
    play.msg(Visitor::Look(Box::new(sight)));
    let pauses = |effect: &Effect| matches!(effect, Effect::After { timer: Timer::Looking, .. });
    assert!(play.effects.iter().any(pauses) && play.links().is_empty());
    play.msg(Msg::Timer(Timer::Looking));
    let written = parse_link(play.links()[0]).expect("its own link");
    assert!(written.view.zero_baseline && written.snapshot.is_some());
    assert_eq!(written.experiment, play.session.draft);
    // Where the pointer is goes nowhere.
    let mut sight = play.session.sight.clone();
    sight.cell = play.session.focus();
    play.msg(Visitor::Look(Box::new(sight)));
    assert!(play.effects.is_empty(), "{:?}", play.effects);
}

#[test]
fn a_chapter_is_a_step_of_the_history_and_back_computes_nothing() {
    let mut play = Play::ready();
    let before =
        parse_link(&play.session.link(Note::default()).expect("it is short")).expect("its own");
    let mut sight = play.session.sight.clone();
    sight.chapter = Panel::Directions;
    play.msg(Visitor::Step(Box::new(sight)));
    let steps = play.effects.iter().filter(|e| matches!(e, Effect::Address { new_step: true, .. }));
    assert_eq!(steps.count(), 1);
    let written = play.links().last().map(|link| parse_link(link).expect("its own link"));
    let written = written.expect("it is in the address");
    assert_eq!(written.view.chapter, Panel::Directions);
    assert!(written.snapshot.is_some(), "the figure stays in it");
    // What is being typed stays too.
    let typed = Experiment { clean: "something else".to_owned(), ..play.session.draft.clone() };
    play.msg(Visitor::Edit { draft: Box::new(typed.clone()), at_once: true });
    let figure = play.session.committed.clone();
    let job = play.session.job();
    play.msg(follow(before));
    assert_eq!(play.session.sight.chapter, Panel::Why);
    assert_eq!((play.session.job(), &play.session.committed), (job, &figure));
    assert_eq!(play.session.draft, typed);
    // A link to something else is followed as a whole.
    play.msg(follow(link("gpt2")));
    assert_ne!(play.session.draft, typed);
}

#[test]
fn a_frame_shows_its_link_and_asks_nothing() {
    let mut session = Session::new(Experiment::default(), DeviceChoice::default());
    session.is_frame = true;
    session.open_address(Some(Ok(link("mini"))), None);
    let mut play = Play::of(session);
    play.msg(Msg::Second);
    assert!(play.effects.is_empty() && play.session.silent_seconds.is_none());
    assert!(Arc::clone(&play.session.view).pairs.is_empty());
}
