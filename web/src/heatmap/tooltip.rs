//! The tooltip: what is pointed at, wherever on the page, said beside it. It follows the pointer, a tap, and the focus of
//! keys, and shows what they have made the component at hand.

mod place;
mod words;

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use twinbeam_core::words::{Component, ComponentKind, Side};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event};

use self::place::place;
use self::words::Words;
use crate::components::{has_moved, on_window, rectangle};
use crate::lab::tokens;
use crate::models;
use crate::pinned::attention;
use crate::reactive::{effect, live, memo};
use crate::state::AppState;
use crate::values::Slot;

/// What names components by itself: a cell of a map, an entry of a list.
const NAMED: &str = ".heatmap td, [data-component]";
/// What has components somewhere in it.
const AREA: &str = ".plot-area, .strip-canvas";
/// Half of what a mouse, and a finger, hides.
const MOUSE: f64 = 8.0;
const FINGER: f64 = 26.0;
/// Rests of a pointer that are shorter ask nothing.
const PAUSE_MILLIS: u64 = 150;

/// What leads to what is pointed at.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Nothing,
    Pointer { x: f64, y: f64, reach: f64 },
    Keys,
}

/// What the tooltip is about, and the rectangle of the screen that it leaves free.
#[derive(Debug, Clone, Copy, PartialEq)]
struct At {
    of: Component,
    keep: [f64; 4],
}

#[derive(Clone, Copy)]
struct Watch {
    state: AppState,
    at: RwSignal<Option<At>>,
    by: StoredValue<By>,
    /// Not to be shown again before something else has been pointed at.
    put_away: StoredValue<Option<Component>>,
    /// Whether an entry of a list has been pointed at.
    listed: StoredValue<bool>,
    /// Whether it is looked at the page in the next frame anyway.
    waits: StoredValue<bool>,
}

/// One for the whole page.
#[component]
pub(crate) fn Tooltip(state: AppState) -> impl IntoView {
    let watch = Watch {
        state,
        at: RwSignal::new(None),
        by: StoredValue::new(By::Nothing),
        put_away: StoredValue::new(None),
        listed: StoredValue::new(false),
        waits: StoredValue::new(false),
    };
    watch.listen();
    watch.ask();
    let element = NodeRef::<html::Div>::new();
    let (left, top) = (RwSignal::new(0.0_f64), RwSignal::new(0.0_f64));
    let tokens = tokens(state);
    effect(move || {
        let Some(element) = element.get() else { return };
        let at = watch.at.get();
        let html = at.and_then(|at| {
            let look = state.look();
            let attends = (at.of.kind == ComponentKind::Heads && watch.can_ask()).then(|| {
                let answer = attention::answer(state, at.of);
                let rows = answer.and_then(|answer| attention::of_last(&answer));
                let words = rows.map(|[clean, _]| {
                    tokens
                        .with(|tokens| attention::in_words(&clean, Side::Clean, tokens.as_ref(), 2))
                });
                words.unwrap_or_default()
            });
            let known = models::heads(state)
                .filter(|_| at.of.kind == ComponentKind::Heads)
                .and_then(|known| Some(known.of(at.of.layer, at.of.index)?.class.clone()));
            state.committed.with(|committed| {
                let committed = committed.as_ref()?;
                Some(Words { of: at.of, committed, look, known, attends }.html())
            })
        });
        let (Some(at), Some(html)) = (at, html) else {
            element.set_hidden(true);
            return;
        };
        element.set_inner_html(&html);
        element.set_hidden(false);
        let size = [element.offset_width(), element.offset_height()].map(f64::from);
        let room = document().document_element();
        let room = room.map_or([0; 2], |page| [page.client_width(), page.client_height()]);
        let [x, y] = place(at.keep, size, room.map(f64::from));
        left.set(x.round());
        top.set(y.round());
    });
    view! {
        <div
            node_ref=element
            id="tooltip"
            class="tooltip"
            role="tooltip"
            data-testid="tooltip"
            hidden
            style:left=live(move || format!("{}px", left.get()))
            style:top=live(move || format!("{}px", top.get()))
        ></div>
    }
}

impl Watch {
    fn listen(self) {
        for name in ["pointermove", "pointerup"] {
            on_window(name, move |event| self.point(event));
        }
        on_window("keydown", move |event| self.press(event));
        for name in ["focusin", "focusout"] {
            on_window(name, move |_event| self.look_soon());
        }
        on_window("scroll", move |_event| {
            // What lies under a pointer that rests has not been pointed at.
            if self.by.get_value() != By::Keys {
                self.hide();
            }
            self.look_soon();
        });
        let cell = self.state.cell;
        effect(move || {
            let cell = cell.get();
            if self.put_away.get_value() != cell {
                self.put_away.set_value(None);
            }
            self.look_soon();
        });
    }

    fn point(self, event: &Event) {
        let Some(event) = event.dyn_ref::<PointerEvent>() else { return };
        let is_touch = event.pointer_type() == "touch";
        // A finger points where it is lifted, a mouse wherever it moves.
        let is_pointing = if is_touch { event.type_() == "pointerup" } else { has_moved(event) };
        if !is_pointing {
            return;
        }
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        let reach = if is_touch { FINGER } else { MOUSE };
        self.by.set_value(By::Pointer { x, y, reach });
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        self.point_at_entry(target);
        self.look_soon();
    }

    /// An entry of a list names the component at hand, as long as it is pointed at.
    fn point_at_entry(self, target: Option<Element>) {
        let entry = target.and_then(|target| target.closest("[data-component]").ok().flatten());
        let name = entry.and_then(|entry| entry.get_attribute("data-component"));
        let of: Option<Component> = name.and_then(|name| name.parse().ok());
        if of.is_some() || self.listed.get_value() {
            self.listed.set_value(of.is_some());
            if self.state.cell.get_untracked() != of {
                self.state.cell.set(of);
            }
        }
    }

    fn press(self, event: &Event) {
        let Some(keyboard) = event.dyn_ref::<KeyboardEvent>() else { return };
        match keyboard.key().as_str() {
            // What is shown goes first, and a pin with the next press.
            "Escape" if self.at.get_untracked().is_some() => {
                self.put_away();
                event.stop_propagation();
                event.prevent_default();
            }
            // What was pinned is said in full elsewhere.
            "Enter" | " " => self.put_away(),
            "Control" | "Shift" | "Alt" | "Meta" => {}
            _ => {
                self.by.set_value(By::Keys);
                self.look_soon();
            }
        }
    }

    fn put_away(self) {
        self.put_away.set_value(self.state.cell.get_untracked());
        self.hide();
    }

    fn hide(self) {
        if self.at.get_untracked().is_some() {
            self.at.set(None);
        }
    }

    /// Looks at the page once all that this event changes has changed.
    fn look_soon(self) {
        if !self.waits.get_value() {
            self.waits.set_value(true);
            request_animation_frame(move || {
                self.waits.set_value(false);
                self.look();
            });
        }
    }

    /// Finds what is pointed at, and where.
    fn look(self) {
        let of = self.state.cell.get_untracked();
        let of = of.filter(|of| self.put_away.get_value() != Some(*of));
        let keep = match self.by.get_value() {
            By::Nothing => None,
            By::Pointer { x, y, reach } => under([x, y], reach),
            By::Keys => focused(),
        };
        let at = of.zip(keep).map(|(of, keep)| At { of, keep });
        if self.at.get_untracked() != at {
            self.at.set(at);
        }
    }

    /// Whether the model of the figure is there to be asked.
    fn can_ask(self) -> bool {
        self.state.loaded.with(Option::is_some)
    }

    /// Asks what a head attends to once the pointer has rested on it. The worker takes that up when it has nothing else to
    /// do, and lets it go when the pointer has.
    fn ask(self) {
        let rested = RwSignal::new(None);
        let of = memo(move || {
            let of = self.at.get().map(|at| at.of);
            of.filter(|of| of.kind == ComponentKind::Heads)
        });
        effect(move || {
            let rests = of.get();
            if rested.get_untracked().is_some() {
                rested.set(None);
            }
            let ask = move || {
                let is_known =
                    || rests.is_some_and(|of| attention::answer(self.state, of).is_some());
                if rests.is_some() && of.get_untracked() == rests && !untrack(is_known) {
                    rested.set(rests);
                }
            };
            set_timeout(ask, std::time::Duration::from_millis(PAUSE_MILLIS));
        });
        self.state.ask(Slot::Pointed, move || attention::question(rested.get()?));
    }
}

/// The rectangle of what lies under the pointer, if that has to do with components.
fn under([x, y]: [f64; 2], reach: f64) -> Option<[f64; 4]> {
    let element = document().element_from_point(x as f32, y as f32)?;
    let here = [x - reach, y - reach, 2.0 * reach, 2.0 * reach];
    if let Some(named) = element.closest(NAMED).ok().flatten() {
        let named = rectangle(&named)?;
        // A finger hides more than a cell.
        return Some(if reach > MOUSE { both(named, here) } else { named });
    }
    let area = element.closest(AREA).ok().flatten()?;
    if area.matches(".plot-area").is_ok_and(|is_plot| is_plot) {
        // In a plot there is room between what can be pointed at.
        let current = rectangle(&area.query_selector(".plot-current").ok().flatten()?)?;
        return is_near(current, [x, y], 2.0 * reach).then_some(here);
    }
    Some(here)
}

/// Whether a place is within a distance of a rectangle.
fn is_near([left, top, width, height]: [f64; 4], [x, y]: [f64; 2], within: f64) -> bool {
    let away = |at: f64, from: f64, size: f64| (from - at).max(at - from - size).max(0.0);
    away(x, left, width).hypot(away(y, top, height)) <= within
}

/// The rectangle of what keys have reached.
fn focused() -> Option<[f64; 4]> {
    let active = document().active_element()?;
    if active.closest(NAMED).ok().flatten().is_some() {
        return rectangle(&active);
    }
    let area = active.closest(AREA).ok().flatten()?;
    let marked =
        area.query_selector(".plot-current, .mark:not(.pinned):not([hidden])").ok().flatten();
    marked.and_then(|marked| rectangle(&marked))
}

/// The rectangle round two.
fn both(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    let [left, top] = [a[0].min(b[0]), a[1].min(b[1])];
    let (right, bottom) = ((a[0] + a[2]).max(b[0] + b[2]), (a[1] + a[3]).max(b[1] + b[3]));
    [left, top, right - left, bottom - top]
}
