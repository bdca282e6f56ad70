//! One key leads from what is pinned to its panel, and back.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use super::PANEL;
use crate::components::{focus, on_window};
use crate::state::AppState;

/// Said in the panel.
pub(super) const KEY: &str = "p";
/// Where the key means something: only what has the focus may have a key of one letter.
const FROM: &str = ".heatmap, .plot-area, .strip-canvas, [data-component]";

/// Listens for the key, as long as the page lives.
pub(super) fn listen(state: AppState) {
    let came_from = StoredValue::new_local(None::<HtmlElement>);
    on_window("keydown", move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        let is_plain = !(event.ctrl_key() || event.alt_key() || event.meta_key());
        let Some(at) = document().active_element().filter(|_| is_plain) else { return };
        let is_in_panel = is_within(&at, PANEL);
        match event.key().as_str() {
            KEY | "P" if is_in_panel => back(came_from),
            KEY | "P" if is_within(&at, FROM) && state.pinned.get_untracked().is_some() => {
                came_from.set_value(at.dyn_into().ok());
                focus(PANEL);
            }
            "Escape" if is_in_panel => {
                state.pinned.set(None);
                back(came_from);
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    });
}

/// To where the focus came from, if that is still there, else to the first map.
fn back(came_from: StoredValue<Option<HtmlElement>, LocalStorage>) {
    let before = came_from.try_update_value(Option::take).flatten();
    match before.filter(|element| element.is_connected()) {
        Some(element) => drop(element.focus()),
        None => focus(".heatmap [tabindex='0']"),
    }
}

fn is_within(element: &Element, selector: &str) -> bool {
    element.closest(selector).ok().flatten().is_some()
}
