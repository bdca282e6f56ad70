//! A term that says what it means where it stands.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, FocusEvent};

use super::glossary;
use crate::components::rectangle;
use crate::reactive::{dynamic, live};

/// Width of the note, and the room that it keeps to the edges, in pixels.
const WIDTH: f64 = 288.0;
const ROOM: f64 = 12.0;
/// Height that a note may take: with less room below the term, it stands above.
const HEIGHT: f64 = 170.0;

/// Where a note stands: its left edge, and its upper edge or, above the term, its lower one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    left: f64,
    width: f64,
    top: Option<f64>,
    bottom: Option<f64>,
}

/// Beside a term, within the window.
fn place([left, top, bottom]: [f64; 3], [width, height]: [f64; 2]) -> Place {
    let wide = WIDTH.min(width - 2.0 * ROOM);
    let left = left.min(width - wide - ROOM).max(ROOM);
    if bottom + HEIGHT > height && top > height - bottom {
        Place { left, width: wide, top: None, bottom: Some(height - top + 4.0) }
    } else {
        Place { left, width: wide, top: Some(bottom + 4.0), bottom: None }
    }
}

/// A word with a note that says what it means: by pointer, touch and keyboard.
#[component]
pub(crate) fn Term(
    /// Which term, by its id in the glossary.
    id: &'static str,
    /// The word as it stands in its sentence; without one, the term's name.
    #[prop(optional)]
    says: &'static str,
) -> impl IntoView {
    let Some(entry) = glossary::find(id) else {
        return says.into_any();
    };
    let word = if says.is_empty() { entry.name } else { says };
    let open = RwSignal::new(None::<Place>);
    let turn = move |event: leptos::ev::MouseEvent| {
        if open.get_untracked().is_some() {
            open.set(None);
            return;
        }
        let button = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        open.set(button.and_then(|button| rectangle(&button)).map(|[left, top, _, height]| {
            let size = |size: Result<wasm_bindgen::JsValue, _>| {
                size.ok().and_then(|size| size.as_f64()).unwrap_or_default()
            };
            let window = window();
            let around = [size(window.inner_width()), size(window.inner_height())];
            place([left, top, top + height], around)
        }));
    };
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked().is_some() {
            // It closes the note and nothing around it.
            event.stop_propagation();
            open.set(None);
        }
    };
    let note = move || {
        let Place { left, width, top, bottom } = open.get()?;
        let px = |length: Option<f64>| {
            length.map_or_else(|| "auto".to_owned(), |length| format!("{length}px"))
        };
        Some(view! {
            <span
                class="term-note"
                role="note"
                data-testid="term-note"
                style=("left", px(Some(left)))
                style=("width", px(Some(width)))
                style=("top", px(top))
                style=("bottom", px(bottom))
            >
                <strong>{entry.name}</strong>
                " "
                {entry.means}
            </span>
        })
    };
    view! {
        <span class="term" on:keydown=keys on:focusout=move |_event: FocusEvent| open.set(None)>
            <button
                type="button"
                data-term=id
                aria-expanded=live(move || open.with(Option::is_some).to_string())
                on:click=turn
            >
                {word}
            </button>
            <span aria-live="polite">{dynamic(note)}</span>
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_stands_below_its_term_within_the_window_or_above_it() {
        let below = place([400.0, 100.0, 120.0], [1280.0, 800.0]);
        assert_eq!((below.left, below.top, below.bottom), (400.0, Some(124.0), None));
        let above = place([1270.0, 700.0, 720.0], [1280.0, 800.0]);
        assert_eq!((above.left, above.top, above.bottom), (980.0, None, Some(104.0)));
        let phone = place([200.0, 100.0, 120.0], [300.0, 640.0]);
        assert_eq!((phone.left, phone.width), (ROOM, 276.0));
        // Without room on either side, the larger one.
        assert_eq!(place([0.0, 40.0, 60.0], [300.0, 200.0]).top, Some(64.0));
    }
}
