//! Where the pointer is, whether it has moved by itself, and which rectangle of the screen an element has.

use std::cell::Cell;

use gloo::events::{EventListener, EventListenerOptions};
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, Event};

/// What is known of the pointer.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    place: Option<(i32, i32)>,
    /// Whether the last movement was one, see [`has_moved`].
    moved: bool,
    /// Whether keys have been used since, or the focus has gone elsewhere.
    keyed: bool,
}

thread_local! {
    static LAST: Cell<Last> = const { Cell::new(Last { place: None, moved: false, keyed: false }) };
}

/// Notes from now on where the pointer comes to rest, for [`has_moved`].
pub(crate) fn watch_pointer() {
    let note = |event: &Event| {
        if let Some(event) = event.dyn_ref::<MouseEvent>() {
            let last = LAST.get();
            let place = Some(place(event));
            let moved = !last.keyed || last.place != place;
            LAST.set(Last { place, moved, keyed: last.keyed && !moved });
        }
    };
    on_window("pointermove", note);
    for name in ["keydown", "focusin"] {
        on_window(name, |_event| LAST.set(Last { keyed: true, ..LAST.get() }));
    }
}

/// Whether a pointer has come or gone by itself: where keys have led somewhere, a page that scrolls under a pointer
/// that rests has not been pointed at.
///
/// Browsers differ in what they fire then, and in what they say of the distance; so it is told by its place. Whoever
/// follows the pointer asks at `pointermove`, which comes with every movement, and not at an enter, which does not come
/// where something has come to lie under the pointer.
pub(crate) fn has_moved(event: &MouseEvent) -> bool {
    let last = LAST.get();
    if event.type_() == "pointermove" {
        // It is noted already, on its way down.
        last.moved
    } else {
        last.place.is_none_or(|at| at != place(event))
    }
}

fn place(event: &MouseEvent) -> (i32, i32) {
    (event.client_x(), event.client_y())
}

/// Listens as long as the page lives, before anybody below the window does.
pub(crate) fn on_window(name: &'static str, heard: impl FnMut(&Event) + 'static) {
    let options =
        EventListenerOptions { passive: false, ..EventListenerOptions::run_in_capture_phase() };
    EventListener::new_with_options(&window(), name, options, heard).forget();
}

/// Left, top, width and height of an element on the screen.
pub(crate) fn rectangle(element: &Element) -> Option<[f64; 4]> {
    // By name: the binding has it under a feature that nothing else here needs.
    let of = |object: &JsValue, name: &str| js_sys::Reflect::get(object, &name.into()).ok();
    let measure: js_sys::Function = of(element, "getBoundingClientRect")?.dyn_into().ok()?;
    let found = measure.call0(element).ok()?;
    Some(
        ["left", "top", "width", "height"]
            .map(|name| of(&found, name).and_then(|number| number.as_f64()).unwrap_or(0.0)),
    )
}
