//! The parts of the page that are not maps, from top to bottom.

mod answers;
mod controls;
pub(crate) mod drawer;
pub(crate) mod footer;
mod hints;
mod likelihoods;
pub(crate) mod link_mark;
pub(crate) mod masthead;
pub(crate) mod notice;
pub(crate) mod offers;
mod pointer;
pub(crate) mod prompts;
pub(crate) mod run;
mod speed;
pub(crate) mod status;
pub(crate) mod summary;
mod typed_as;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Event, HtmlElement};

pub(crate) use self::pointer::{has_moved, on_window, rectangle, watch_pointer};

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
