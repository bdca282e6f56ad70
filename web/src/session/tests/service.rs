//! The copy of the page that the browser keeps: asked for behind the first figure, and never loaded without a click.

use super::play::Play;
use crate::explain;
use crate::session::{Effect, Msg, Session, Visitor};
use crate::values::{Order, Service, WayOn};

fn keeps(play: &Play) -> bool {
    play.effects.contains(&Effect::Service(Order::Keep))
}

#[test]
fn the_browser_is_asked_once_and_not_before_the_first_figure() {
    let mut play = Play::loaded();
    assert!(!keeps(&play), "a model is not a figure");
    play.figure();
    assert!(keeps(&play));
    play.neurons();
    play.msg(Visitor::Run);
    play.figure();
    assert!(!keeps(&play), "once is enough");
    assert_eq!(play.session.is_kept, None, "it has not answered yet");
    play.msg(Msg::Service(Service::Kept));
    assert_eq!(play.session.is_kept, Some(true));
    play.msg(Msg::Service(Service::Absent));
    assert_eq!(play.session.is_kept, Some(false));
    assert_eq!(play.session.newer, None);
}

#[test]
fn a_newer_build_is_said_beside_other_notices_and_loaded_by_a_click() {
    let mut play = Play::ready();
    play.msg(Msg::Service(Service::Newer));
    assert_eq!(play.session.newer, Some(Service::Newer));
    assert!(play.effects.is_empty(), "nothing is loaded by itself: {:?}", play.effects);
    play.msg(Visitor::Hear(explain::worker_hung()));
    assert_eq!((play.notice(), play.session.newer), ("Stopped", Some(Service::Newer)));
    play.msg(Visitor::Dismiss);
    assert_eq!(play.session.newer, Some(Service::Newer), "another notice was closed");
    play.msg(Visitor::LoadNewer);
    assert_eq!(play.effects.last(), Some(&Effect::Service(Order::Load)));
    assert_eq!(play.session.newer, None);

    play.msg(Msg::Service(Service::Replaced));
    play.msg(Visitor::Later);
    assert_eq!(play.session.newer, None);
}

#[test]
fn a_copy_is_distrusted_where_a_worker_dies_before_the_first_figure() {
    let leaves = |play: &Play| play.effects.contains(&Effect::Service(Order::Leave));
    let mut play = Play::loaded();
    play.dies("unreachable");
    assert!(leaves(&play), "nothing has shown that the copy works");
    let mut play = Play::ready();
    play.types("another prompt");
    play.msg(Visitor::Run);
    play.dies("out of memory");
    assert!(!leaves(&play), "it has drawn a figure");
}

#[test]
fn a_frame_keeps_nothing_and_asks_nothing() {
    let mut session = Session::clone(&Play::loaded().session);
    session.is_frame = true;
    let mut play = Play::of(session);
    play.figure();
    assert!(!keeps(&play));
    play.msg(Msg::Service(Service::Newer));
    assert_eq!(play.session.newer, None);
}

#[test]
fn each_news_of_another_build_has_its_way_on() {
    let way_on = |service| explain::newer(service).map(|notice| notice.ways_on);
    assert_eq!(way_on(Service::Newer), Some(vec![WayOn::LoadNewer]));
    assert_eq!(way_on(Service::Replaced), Some(vec![WayOn::Reload]));
    assert_eq!(way_on(Service::Gone), Some(vec![WayOn::Reload]));
    assert_eq!(way_on(Service::Kept), None);
    assert_eq!(Service::of("gone"), Some(Service::Gone));
    assert_eq!(Service::of("[object Object]"), None);
}
