//! What lies over a map's canvas, so that moving it draws no score anew: the neuron under the pointer, the pinned
//! one, those that are selected, and those that a method has found.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::words::{Component, ComponentKind};

use crate::heatmap::{MapKind, is_found};
use crate::lab::Found;
use crate::reactive::{live, memo};
use crate::state::AppState;
use crate::values::Window;

/// Width of the view box.
const WIDTH: f64 = 1000.0;
/// The narrowest frame: neurons that are closer than that share one.
const LEAST: f64 = 2.0;
/// More ticks than that in view tell nobody anything.
const MOST_TICKS: usize = 400;

/// A frame round a neuron. It is an element over the canvas, so that moving it draws nothing anew.
#[component]
pub(super) fn Mark(
    state: AppState,
    n_layers: Memo<usize>,
    class: &'static str,
    of: Signal<Option<Component>>,
) -> impl IntoView {
    let place = memo(move || {
        let component = of.get()?;
        let (left, width) = state.window.get().place(component.index);
        let height = 1.0 / n_layers.get().max(1) as f64;
        let visible = (0.0..1.0).contains(&(left + width / 2.0));
        visible.then_some((left, width, height * component.layer as f64, height))
    });
    let percent = |share: f64| format!("{:.3}%", 100.0 * share);
    let part = move |pick: fn((f64, f64, f64, f64)) -> f64| {
        move || place.get().map_or_else(String::new, |place| percent(pick(place)))
    };
    view! {
        <div
            class=class
            hidden=live(move || place.get().is_none())
            style:left=part(|place| place.0)
            style:width=part(|place| place.1)
            style:top=part(|place| place.2)
            style:height=part(|place| place.3)
        ></div>
    }
}

/// Frames round the selected neurons, ticks under those that are found: two paths, however many there are.
#[component]
pub(super) fn Chosen(
    state: AppState,
    n_layers: Memo<usize>,
    found: Memo<Option<Arc<Found>>>,
    map: MapKind,
) -> impl IntoView {
    let svg = memo(move || {
        let window = state.window.get();
        let frames = state.lab.selected.with(|selected| places(selected.iter().copied(), window));
        let ticks = found.with(|found| {
            let found = found.as_ref()?;
            let of_map = found.by_any().filter(|neuron| is_found(found, map, *neuron));
            Some(places(of_map, window)).filter(|ticks| ticks.len() <= MOST_TICKS)
        });
        drawn(&frames, &ticks.unwrap_or_default(), n_layers.get())
    });
    view! { <div class="chosen" aria-hidden="true" inner_html=live(move || svg.get())></div> }
}

/// What the marks of a neuron say.
pub(super) fn marks_in_words(
    state: AppState,
    found: Memo<Option<Arc<Found>>>,
    map: MapKind,
    neuron: Component,
) -> String {
    let is_found = found.with(|found| found.as_ref().is_some_and(|f| is_found(f, map, neuron)));
    let is_selected = state.lab.selected.with(|selected| selected.contains(&neuron));
    let found = match (is_found, map) {
        (false, _) => "",
        (true, MapKind::Diff) => "; found by one method only",
        (true, _) => "; found",
    };
    format!("{found}{}", if is_selected { "; selected" } else { "" })
}

/// Layers and left edges (in steps of the narrowest frame, or of a neuron where that is wider) of the neurons in
/// view, with the width of each.
#[derive(Debug, Default)]
struct Places {
    at: BTreeSet<(usize, usize)>,
    width: f64,
    left: f64,
}

impl Places {
    fn len(&self) -> usize {
        self.at.len()
    }

    /// Layer and left edge of each.
    fn edges(&self) -> impl Iterator<Item = (usize, f64)> {
        self.at.iter().map(|(layer, step)| (*layer, *step as f64 * self.width + self.left))
    }
}

fn places(neurons: impl Iterator<Item = Component>, window: Window) -> Places {
    let (left, width) = window.place(0);
    let (left, width) = (WIDTH * left, WIDTH * width);
    // A neuron's own width, and its own edge, once that can be seen.
    let (step, offset) = if width < LEAST { (LEAST, 0.0) } else { (width, left) };
    let at = neurons
        .filter(|neuron| neuron.kind == ComponentKind::Neurons && neuron.index < window.total())
        .filter_map(|neuron| {
            let edge = left + neuron.index as f64 * width;
            let middle = edge + width / 2.0;
            let visible = (0.0..WIDTH).contains(&middle);
            visible.then(|| (neuron.layer, ((middle - offset) / step) as usize))
        })
        .collect();
    Places { at, width: step, left: offset }
}

fn drawn(frames: &Places, ticks: &Places, n_layers: usize) -> String {
    let mut out = String::new();
    if frames.len() + ticks.len() == 0 {
        return out;
    }
    let mut frame = String::new();
    for (layer, left) in frames.edges() {
        let width = frames.width;
        write!(frame, "M{left:.1} {layer}h{width:.1}v1h-{width:.1}z").ok();
    }
    let mut tick = String::new();
    for (layer, left) in ticks.edges() {
        write!(tick, "M{left:.1} {}h{:.1}", layer + 1, ticks.width).ok();
    }
    // A frame twice, so that it is seen on any colour. Ticks are many, and must not be seen before the colours are.
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {}\" preserveAspectRatio=\"none\"><path class=\"tick\" d=\"{tick}\"/>\
         <path class=\"ground\" d=\"{frame}\"/><path class=\"frame\" d=\"{frame}\"/></svg>",
        n_layers.max(1)
    )
    .ok();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neuron(layer: usize, index: usize) -> Component {
        Component { kind: ComponentKind::Neurons, layer, index }
    }

    #[test]
    fn frames_are_where_their_neurons_are() {
        let whole = Window::whole(100);
        let head = Component { kind: ComponentKind::Heads, layer: 0, index: 1 };
        let frames = places([neuron(1, 25), neuron(0, 99), head].into_iter(), whole);
        let svg = drawn(&frames, &Places::default(), 2);
        assert!(svg.contains("viewBox=\"0 0 1000 2\""), "{svg}");
        assert!(svg.contains("M990.0 0h10.0v1h-10.0zM250.0 1h10.0v1h-10.0z"), "{svg}");
        // Neurons 25 to 74 in view: what is outside has no frame.
        let part = whole.zoomed(0.5, 0.5);
        let frames = places([neuron(0, 25), neuron(0, 74), neuron(0, 75)].into_iter(), part);
        assert_eq!(frames.edges().collect::<Vec<_>>(), [(0, 0.0), (0, 980.0)]);
    }

    #[test]
    fn neurons_that_are_too_close_share_a_frame() {
        let window = Window::whole(3072);
        let all = places((0..3072).map(|index| neuron(0, index)), window);
        assert_eq!(all.len(), 500);
        assert_eq!(places([neuron(0, 3071)].into_iter(), window).edges().next(), Some((0, 998.0)));
        assert_eq!(drawn(&Places::default(), &Places::default(), 4), "");
    }
}
