//! A note of a link's sender: seen with what it is of, never passed on, and gone once it is closed.

use twinbeam_core::link::{Link, Note, View, parse_link, print_link};
use twinbeam_core::words::Experiment;

use super::play::Play;
use crate::session::{Effect, Msg, Timer, Visitor};

const WORDS: &str = "Look at the first layer.";

fn link(has_result: bool) -> Link {
    let play = Play::ready();
    let snapshot = play.session.snapshot().filter(|_| has_result);
    let view = View { note: Note::new(WORDS), ..View::default() };
    let text = print_link(&Experiment::default(), snapshot.as_ref(), &view).expect("it is short");
    parse_link(&text).expect("its own link")
}

fn note(play: &Play) -> Option<&str> {
    play.session.note().map(Note::text)
}

#[test]
fn a_note_is_there_before_anything_is_computed_and_stays_with_ones_own_numbers() {
    for has_result in [true, false] {
        let mut play = Play::opened(Some(link(has_result)));
        assert_eq!(note(&play), Some(WORDS));
        play.listed();
        play.loads("mini");
        assert_eq!(note(&play), Some(WORDS));
        let kept = |play: &Play| parse_link(play.links().last()?).ok().map(|link| link.view.note);
        assert!(kept(&play).is_none_or(|note| note.text() == WORDS), "the address keeps it");
    }
}

#[test]
fn a_note_is_of_its_own_experiment_and_comes_back_with_it() {
    let mut play = Play::opened(Some(link(true)));
    play.listed();
    play.loads("mini");
    play.figure();
    play.neurons();
    assert_eq!(note(&play), Some(WORDS), "the receiver’s own numbers are of it too");
    let other = Experiment { clean: "Another prompt".to_owned(), ..Experiment::default() };
    play.msg(Visitor::Edit { draft: Box::new(other.clone()), at_once: true });
    assert_eq!(note(&play), Some(WORDS), "the figure is still the one that it is of");
    play.msg(Visitor::Open(Box::new(other)));
    play.figure();
    assert_eq!(note(&play), None);
    play.neurons();
    play.msg(Visitor::Open(Box::default()));
    assert_eq!(note(&play), Some(WORDS));
}

#[test]
fn a_link_that_is_made_here_has_the_note_of_whoever_makes_it_and_no_other() {
    let play = Play::opened(Some(link(true)));
    let note_of = |note: &str| {
        let link = play.session.link(Note::new(note)).expect("it is short");
        parse_link(&link).expect("its own link").view.note
    };
    assert_eq!(note_of(""), Note::default());
    assert_eq!(note_of("Mine."), Note::new("Mine."));
}

#[test]
fn a_note_that_is_closed_leaves_the_address() {
    let mut play = Play::opened(Some(link(true)));
    let mut sight = play.session.sight.clone();
    sight.noted = None;
    play.msg(Visitor::Look(Box::new(sight)));
    assert_eq!(note(&play), None);
    let pauses = |effect: &Effect| matches!(effect, Effect::After { timer: Timer::Looking, .. });
    assert!(play.effects.iter().any(pauses));
    play.msg(Msg::Timer(Timer::Looking));
    let written = parse_link(play.links()[0]).expect("its own link");
    assert!(written.view.note.is_empty() && written.snapshot.is_some());
}
