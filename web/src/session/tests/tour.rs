//! The tour: it shows examples of its own, and what the visitor had comes back.

use std::sync::Arc;

use twinbeam_core::link::parse_link;
use twinbeam_core::wire::Request;
use twinbeam_core::words::{Component, ComponentKind, Experiment};

use super::play::Play;
use crate::session::{DRAFT, Effect, OfTour, Visitor};
use crate::values::{Job, Sight, Status, Step};

const HEAD: Component = Component { kind: ComponentKind::Heads, layer: 1, index: 0 };

fn example(clean: &str) -> Experiment {
    Experiment { clean: clean.to_owned(), ..Experiment::default() }
}

/// A tour that has opened an example, whose figure is complete.
fn toured(mut play: Play) -> Play {
    play.msg(OfTour::Start);
    play.msg(OfTour::Open(Box::new(example("The tour's own"))));
    play.inspected();
    play.figure();
    play.neurons();
    assert!(play.session.tour_leads_back());
    play
}

#[test]
fn a_figure_comes_back_as_it_was_without_being_run_again() {
    let mut play = Play::ready();
    play.msg(Visitor::Look(Box::new(Sight { pinned: Some(HEAD), ..play.session.sight.clone() })));
    let figure = play.session.committed.clone().expect("it is ready");
    let mut play = toured(play);
    assert_eq!(play.session.sight.pinned, None, "it was of another figure");
    play.msg(OfTour::End);
    let now = play.session.committed.clone().expect("it is back");
    assert!(Arc::ptr_eq(&now, &figure));
    assert_eq!(play.session.draft, figure.experiment);
    assert_eq!(play.session.sight.pinned, Some(HEAD));
    assert!(!play.requests().iter().any(|request| matches!(request, Request::Run { .. })));
    let link = play.links().last().and_then(|link| parse_link(link).ok()).expect("a link");
    assert_eq!(link.experiment, figure.experiment);
    assert!(link.snapshot.is_some(), "with its result");
    play.inspected();
    assert_eq!(play.session.status(), Status::Done);
}

#[test]
fn what_was_typed_and_not_run_comes_back_so() {
    let mut play = Play::ready();
    play.types("My own words to");
    let mut play = toured(play);
    play.msg(OfTour::End);
    play.inspected();
    assert_eq!(play.session.draft.clean, "My own words to");
    assert_eq!(play.session.status(), Status::Stale);
    assert_eq!(play.session.job(), None, "it is for the visitor to run");
}

#[test]
fn what_was_typed_outlives_a_reload_in_the_middle_of_the_tour() {
    let mut play = Play::ready();
    play.types("My own words to");
    play.msg(OfTour::Start);
    play.msg(OfTour::Open(Box::new(example("The tour's own"))));
    let kept = play.effects.iter().rev().find_map(|effect| match effect {
        Effect::Remember { key: DRAFT, text, .. } => Some(text.clone()),
        _ => None,
    });
    let text = kept.flatten().expect("it is remembered");
    assert!(text.contains("My own words to") && !text.ends_with("own\"}"), "{text}");
}

#[test]
fn whoever_types_in_the_tour_keeps_that() {
    let mut play = toured(Play::ready());
    play.types("Typed on the way");
    assert!(!play.session.tour_leads_back());
    play.msg(OfTour::End);
    assert_eq!(play.session.draft.clean, "Typed on the way");
}

#[test]
fn an_example_that_is_on_the_screen_is_not_run_again() {
    let mut play = Play::ready();
    let shown = play.session.draft.clone();
    play.msg(OfTour::Start);
    play.msg(OfTour::Go(Step::Differ));
    assert_eq!(play.session.tour_step(), Some(Step::Differ));
    play.msg(OfTour::Open(Box::new(shown)));
    assert_eq!(play.session.job(), None);
    assert!(!play.session.tour_leads_back());
    play.msg(OfTour::End);
    assert_eq!((play.session.tour_step(), play.session.status()), (None, Status::Done));
}

#[test]
fn a_first_figure_that_the_tour_came_before_is_drawn_after_it() {
    let mut play = Play::loaded();
    play.msg(OfTour::Start);
    play.msg(OfTour::Open(Box::new(example("The tour's own"))));
    play.inspected();
    play.figure();
    play.msg(OfTour::End);
    assert_eq!(play.session.draft.clean, Experiment::default().clean);
    play.inspected();
    assert_eq!(play.session.job(), Some(Job::Heads));
}
