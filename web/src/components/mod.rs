//! The parts of the page that are not maps, from top to bottom.

mod answers;
mod controls;
pub(crate) mod drawer;
pub(crate) mod footer;
mod hints;
pub(crate) mod link_mark;
pub(crate) mod masthead;
pub(crate) mod notice;
pub(crate) mod prompts;
pub(crate) mod reading;
mod speed;
pub(crate) mod status;
pub(crate) mod summary;

use std::cell::Cell;

use gloo::events::EventListener;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Event, HtmlElement};

/// What was chosen in a select whose options have the names of `all`.
pub(crate) fn chosen<T: Copy>(event: &Event, all: &[T], id: fn(T) -> &'static str) -> Option<T> {
    let wanted = event_target_value(event);
    all.iter().copied().find(|one| id(*one) == wanted)
}

/// Puts the focus on the first element that a selector finds: what has it may be about to leave the page.
pub(crate) fn focus(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        element.unchecked_into::<HtmlElement>().focus().ok();
    }
}

/// When the pointer moved, and where to.
type Movement = (f64, (i32, i32));

thread_local! {
    /// The last movement and the one before.
    static MOVEMENTS: Cell<[Option<Movement>; 2]> = const { Cell::new([None; 2]) };
}

/// Notes from now on where the pointer comes to rest, for [`has_moved`].
pub(crate) fn watch_pointer() {
    let listener = EventListener::new(&window(), "mousemove", |event| {
        if let Some(event) = event.dyn_ref::<MouseEvent>() {
            let [last, _] = MOVEMENTS.get();
            MOVEMENTS.set([Some((event.time_stamp(), place(event))), last]);
        }
    });
    // The page listens as long as it lives.
    listener.forget();
}

/// Whether a pointer has come or gone by itself: a page that scrolls under one that rests has not been pointed at.
///
/// By its place, since not every browser says in an enter how far the pointer has moved.
pub(crate) fn has_moved(event: &MouseEvent) -> bool {
    let [last, before] = MOVEMENTS.get();
    // Whoever asks of a movement may come after it was noted.
    let is_noted = last.is_some_and(|(time, _)| time == event.time_stamp());
    let rested = if is_noted { before } else { last };
    rested.is_none_or(|(_, at)| at != place(event))
}

fn place(event: &MouseEvent) -> (i32, i32) {
    (event.client_x(), event.client_y())
}
