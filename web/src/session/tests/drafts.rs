//! The draft: edits, half-typed prompts, token ids, what survives a reload.

use twinbeam_core::link::{View, parse_link, print_link};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::inspection::{
    AnswerCheck, AnswerReading, Inspection, SideView, TokenView,
};
use twinbeam_core::wire::{Event, Request};
use twinbeam_core::words::{Experiment, PromptError, Steps, Written};

use super::play::Play;
use crate::session::edits::{in_ids, kept_draft, print_draft};
use crate::session::{DRAFT, Effect, Memory, Session, Timer, Visitor};
use crate::values::{Job, Status};

fn side(tokens: &[(u32, &str)]) -> SideView {
    let token = |(id, text): &(u32, &str)| TokenView {
        id: *id,
        text: (*text).to_owned(),
        bos: false,
        special: *id == 0,
    };
    SideView { tokens: tokens.iter().map(token).collect(), ..SideView::default() }
}

fn check(ids: &[u32], pieces: &[&str]) -> AnswerCheck {
    let reading = AnswerReading {
        text: String::new(),
        ids: ids.to_vec(),
        pieces: pieces.iter().map(|piece| (*piece).to_owned()).collect(),
        with_space: None,
    };
    AnswerCheck { readings: vec![reading] }
}

fn edit(play: &Play, clean: &str) -> Visitor {
    let draft = Experiment { clean: clean.to_owned(), ..play.session.draft.clone() };
    Visitor::Edit { draft: Box::new(draft), at_once: false }
}

/// The model sees that the draft cannot be run.
fn refuse(play: &mut Play) {
    let problem = Some(PromptError::Lengths { clean: 3, corrupted: 2 });
    let inspection = Box::new(Inspection { problem, ..Inspection::default() });
    let seq = play.session.workers.inspections;
    play.hears(Event::Inspected { seq, inspection });
}

#[test]
fn a_key_press_is_looked_at_after_a_pause_and_makes_the_figure_stale() {
    let mut play = Play::ready();
    let msg = edit(&play, "When");
    play.msg(msg);
    let pauses = |effect: &Effect| matches!(effect, Effect::After { timer: Timer::Typing, .. });
    assert!(play.effects.iter().any(pauses) && play.requests().is_empty());
    assert_eq!((play.session.status(), play.session.can_run()), (Status::Stale, false));
    play.msg(crate::session::Msg::Timer(Timer::Typing));
    assert!(matches!(play.requests()[..], [Request::Inspect { .. }, Request::Predict { .. }]));
    let seq = play.session.workers.inspections;
    play.hears(Event::Inspected { seq: seq - 1, inspection: Box::default() });
    assert!(!play.session.can_run(), "an answer to what was typed before is dropped");
    play.inspected();
    assert!(play.session.can_run());
}

#[test]
fn edits_survive_a_reload_and_the_figure_is_of_the_address() {
    let mut play = Play::ready();
    play.types("When I edit");
    let msg = edit(&play, "When I edit this");
    play.msg(msg);
    let remembered = play.effects.iter().find_map(|effect| match effect {
        Effect::Remember { memory: Memory::OfTab, key, text: Some(text) } if *key == DRAFT => {
            Some(text.clone())
        }
        _ => None,
    });
    let remembered = remembered.expect("the browser is told");
    let address = play.session.address.clone().expect("it was run").experiment;
    assert_eq!(
        kept_draft(&remembered, &address).map(|draft| draft.clean),
        Some("When I edit this".to_owned())
    );
    let mut session = Session::new(Experiment::default(), DeviceChoice::default());
    let link = print_link(&address, None, &View::default()).unwrap();
    session.open_address(Some(parse_link(&link)), Some(&remembered));
    let mut play = Play::begun(session);
    assert_eq!(play.notice(), "Your edits are back");
    play.listed();
    play.loads("mini");
    assert_eq!(play.session.draft.clean, "When I edit this");
    let running = play.session.running.clone().expect("the figure is computed");
    assert_eq!(running.experiment, address);
    play.figure();
    play.msg(Visitor::LetEditsGo);
    assert_eq!((&play.session.draft.clean, play.notice()), (&address.clean, ""));
    assert!(
        play.effects.iter().any(|effect| matches!(effect, Effect::Remember { text: None, .. }))
    );
}

#[test]
fn a_half_typed_draft_does_not_go_into_the_address_when_the_device_is_changed() {
    let mut play = Play::ready();
    play.types("half a");
    play.msg(Visitor::ChooseDevice(DeviceChoice::default(), None));
    play.starts();
    play.loads("mini");
    assert_eq!(play.session.job(), None, "it is looked at first");
    refuse(&mut play);
    assert!(play.session.job().is_none() && play.links().is_empty());
    // One that can be run is run.
    let mut play = Play::ready();
    play.types("a whole prompt");
    play.msg(Visitor::ChooseDevice(DeviceChoice::default(), None));
    play.loads("mini");
    play.inspected();
    assert_eq!(play.session.job(), Some(Job::Heads));
}

#[test]
fn what_is_typed_after_a_load_is_not_run_by_itself() {
    let mut play = Play::ready();
    play.types("a prompt");
    play.msg(Visitor::ChooseDevice(DeviceChoice::default(), None));
    play.loads("mini");
    play.types("another one");
    assert_eq!(play.session.job(), None);
}

#[test]
fn a_model_without_a_tokenizer_reads_ids_and_the_text_waits() {
    let mut play = Play::ready();
    let text = play.session.draft.clone();
    play.msg(Visitor::ChooseModel("gpt2".to_owned()));
    let coming = play.session.workers.coming.as_ref().expect("it comes").worker;
    let Event::Loaded { model, shape, device, kept, fingerprint, .. } =
        super::play::loaded("gpt2", "cd")
    else {
        unreachable!()
    };
    play.hears_from(
        coming,
        Event::Loaded {
            model,
            shape,
            device,
            kept,
            fingerprint,
            shards: None,
            as_expected: None,
            tokenizer: None,
            seconds: Vec::new(),
            memory_bytes: 0,
        },
    );
    assert_eq!((play.session.draft.written, play.session.draft.clean.as_str()), (Written::Ids, ""));
    assert_eq!(play.session.job(), None, "there is nothing to run before it is typed");
    play.msg(Visitor::ChooseModel("mini".to_owned()));
    let coming = play.session.workers.coming.as_ref().expect("it comes").worker;
    play.hears_from(coming, super::play::loaded("mini", "ab"));
    assert_eq!(play.session.draft.clean, text.clean, "the text is back");
}

#[test]
fn text_becomes_the_ids_of_its_tokens() {
    let seen = Inspection {
        clean: side(&[(0, "<s>"), (5, "The"), (7, " cat")]),
        corrupted: side(&[(0, "<s>"), (5, "The"), (8, " dog")]),
        answer: check(&[9], &[" is"]),
        wrong: check(&[10], &[" are"]),
        ..Inspection::default()
    };
    let text = Experiment {
        clean: "The cat".to_owned(),
        corrupted: "The dog".to_owned(),
        answer: vec![" is".to_owned()],
        wrong: vec![" are".to_owned()],
        ..Experiment::default()
    };
    let ids = in_ids(&text, &seen);
    assert_eq!((ids.clean.as_str(), ids.corrupted.as_str()), ("0 5 7", "0 5 8"));
    assert_eq!((&ids.answer[..], &ids.wrong[..]), (&["9".to_owned()][..], &["10".to_owned()][..]));
}

#[test]
fn edits_come_back_with_the_link_that_they_are_of_and_with_no_other() {
    let address = Experiment { model: "gpt2".to_owned(), ..Experiment::default() };
    let clean = "a line\nand another, \"quoted\"".to_owned();
    let draft = Experiment { clean, ..address.clone() };
    let text = print_draft(&address, &draft);
    assert_eq!(kept_draft(&text, &address), Some(draft.clone()));
    assert_eq!(kept_draft(&text, &Experiment::default()), None, "of another link");
    assert_eq!(kept_draft(&text, &draft), None, "it has been run");
    assert_eq!(kept_draft(&print_draft(&address, &address), &address), None, "nothing was edited");
    for text in ["", "{}", "\n", "{}\n[1]", "<html>\n<html>"] {
        assert_eq!(kept_draft(text, &Experiment::default()), None, "{text}");
    }
}

#[test]
fn a_draft_that_cannot_be_run_or_linked_comes_back_as_it_is() {
    let address = Experiment::default();
    let draft = Experiment {
        clean: "word ".repeat(2000),
        answer: Vec::new(),
        n_steps: Steps::Fixed(0),
        ..address.clone()
    };
    assert_eq!(kept_draft(&print_draft(&address, &draft), &address), Some(draft));
}

#[test]
fn a_link_that_leaves_pairs_behind_can_be_told() {
    let mut play = Play::ready();
    assert!(!play.session.leaves_pairs_behind());
    let pair = PromptPair {
        clean: "a".to_owned(),
        corrupted: "b".to_owned(),
        answer: vec!["c".to_owned()],
        wrong: vec!["d".to_owned()],
        ..PromptPair::default()
    };
    let text = twinbeam_core::prompts::lists::print_pairs(&vec![pair; 101]);
    play.msg(crate::session::OfPairs::Type(text));
    assert_eq!(play.session.many.pairs.len(), 101);
    assert!(play.session.leaves_pairs_behind());
}
