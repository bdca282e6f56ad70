//! How wide plots are: their type has one size whatever the screen, so that each is drawn for the room that it has.

use js_sys::{Array, Function, Reflect};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use crate::reactive::{effect, live, memo};

/// Between two plots of a row, as `styles/lab.css` has it.
const GAP: f64 = 24.0;
/// Plots are no narrower than this, but on a screen that is.
const LEAST: f64 = 300.0;
/// And no wider.
const MOST: f64 = 720.0;
/// Before anything is measured.
const FIRST: f64 = 360.0;
/// A change of fewer pixels draws nothing anew.
const STEP: f64 = 8.0;

/// The room that plots have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sheet {
    room: RwSignal<f64>,
}

impl Sheet {
    /// Measures an element, and again whenever the window changes.
    pub(super) fn of(element: NodeRef<html::Div>) -> Self {
        let room = RwSignal::new(FIRST);
        let measure = move || {
            if let Some(element) = element.get_untracked() {
                let now = (f64::from(element.client_width()) / STEP).floor() * STEP;
                if now > 0.0 && room.get_untracked().to_bits() != now.to_bits() {
                    room.set(now);
                }
            }
        };
        effect(move || {
            if let Some(element) = element.get() {
                measure();
                whenever_resized(&element, Box::new(measure));
            }
        });
        Self { room }
    }

    /// Width of each of so many plots beside each other.
    pub(super) fn column(self, n: usize) -> f64 {
        let room = self.room.get();
        width(room, columns(room, n)).min(MOST)
    }

    /// The whole room.
    pub(super) fn whole(self) -> f64 {
        self.room.get()
    }
}

/// Calls back for as long as the page lives, as the lab does. By its name: the binding has it under a feature that
/// nothing else here needs.
fn whenever_resized(element: &Element, measure: Box<dyn FnMut()>) {
    let call: Closure<dyn FnMut()> = Closure::new(measure);
    let observe = || -> Result<(), JsValue> {
        let observer: Function = Reflect::get(&window(), &"ResizeObserver".into())?.dyn_into()?;
        let observer = Reflect::construct(&observer, &Array::of1(call.as_ref()))?;
        let observe: Function = Reflect::get(&observer, &"observe".into())?.dyn_into()?;
        observe.call1(&observer, element)?;
        Ok(())
    };
    if observe().is_ok() {
        call.forget();
    }
}

/// Into how many columns so many plots go: as many as have room, in rows of one length.
fn columns(room: f64, n: usize) -> usize {
    let fit = ((room + GAP) / (LEAST + GAP)).floor().max(1.0) as usize;
    let rows = n.max(1).div_ceil(fit);
    n.max(1).div_ceil(rows)
}

fn width(room: f64, columns: usize) -> f64 {
    let n = columns as f64;
    ((room - (n - 1.0) * GAP) / n).floor()
}

/// Plots beside each other, `n` of them.
#[component]
pub(super) fn PlotRow(
    sheet: Sheet,
    #[prop(into)] n: Signal<usize>,
    children: Children,
) -> impl IntoView {
    let columns = memo(move || columns(sheet.room.get(), n.get()).to_string());
    view! {
        <div class="plot-row" style=("--columns", live(move || columns.get()))>
            {children()}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_of_one_length_and_plots_never_too_narrow() {
        for (room, n, expected) in [
            (352.0, 3, 1),
            (1000.0, 3, 3),
            (1000.0, 4, 2),
            (1640.0, 4, 4),
            (760.0, 3, 2),
            (0.0, 0, 1),
        ] {
            assert_eq!(columns(room, n), expected, "{n} in {room}");
        }
        for room in [352.0, 640.0, 1000.0, 1640.0, 2400.0] {
            for n in 1..=6 {
                let columns = columns(room, n);
                assert!(width(room, columns) >= LEAST, "{n} in {room}: {columns}");
            }
        }
    }
}
