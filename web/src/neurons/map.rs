//! One map of neurons on a canvas: a row per layer, a column of pixels per neuron or for several.

use std::ops::Range;
use std::sync::Arc;

use gloo::events::EventListener;
use leptos::ev::{KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};
use leptos::html;
use leptos::prelude::*;
use twinbeam_core::scores::ScoreTable;
use twinbeam_core::words::{Component, ComponentKind};
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::overlay::{Chosen, Mark, marks_in_words};
use crate::components::has_moved;
use crate::heatmap::{Legend, MapKind, Shown};
use crate::lab::Found;
use crate::ports::screen;
use crate::reactive::{dynamic, effect, live, memo};
use crate::state::AppState;
use crate::values::{Row, Window};
use twinbeam_figure::colour::{DARK, LIGHT, Rgb, Theme};
use twinbeam_figure::scale::Scale;

const KIND: ComponentKind = ComponentKind::Neurons;
/// Columns of pixels that are drawn at most.
const MOST_COLUMNS: usize = 4096;
/// A drag of fewer pixels is a click.
const CLICK_PIXELS: f64 = 4.0;
/// Neurons in view after one step of the zoom, as a share of those before.
const ZOOM_STEP: f64 = 0.8;
/// Colours from zero to an end of the scale.
const SHADES: usize = 512;
/// Rows of pixels per layer: the lower one is of what is not exact, wherever that is the larger.
const HALVES: usize = 2;
/// What is left of a stand-in's distance from zero in its colour.
const FAINT: f32 = 0.4;
/// What was not computed: the style sheet's hatching shows through.
const BLANK: [u8; 4] = [0; 4];

/// One map: a row per layer, a column of pixels per neuron or for several.
#[component]
pub(super) fn NeuronMap(
    state: AppState,
    shown: Memo<Shown>,
    /// Who is found by each method.
    found: Memo<Option<Arc<Found>>>,
    map: MapKind,
) -> impl IntoView {
    let testid = match map {
        MapKind::Ig => "heatmap-ig-neurons",
        MapKind::Ap => "heatmap-ap-neurons",
        MapKind::Diff => "heatmap-diff-neurons",
    };
    let title = map.title();
    let canvas = NodeRef::<html::Canvas>::new();
    let n_layers = Memo::new(move |before: Option<&usize>| {
        let now = state.shown_shape().map(|shape| shape.n_layers);
        now.or(before.copied()).unwrap_or_default()
    });
    redraw_when_needed(state, shown, map, canvas, n_layers);

    // Where a drag began, and the window it began with.
    let drag = StoredValue::new(None::<(f64, Window)>);
    let component_at = move |event: &MouseEvent| -> Option<Component> {
        let (x, y) = share_of(event)?;
        let columns = columns(&canvas.get_untracked()?);
        let (view, n_layers) = (state.window.get_untracked(), n_layers.get_untracked());
        let layers_down = y * n_layers as f64;
        let layer = (layers_down as usize).min(n_layers.checked_sub(1)?);
        let index = shown.with_untracked(|shown| {
            let extremes = view.shown_at(Row::of(shown.table(map)?, layer)?, x, columns);
            extremes.at(layers_down - layer as f64)
        })?;
        Some(Component { kind: KIND, layer, index })
    };
    let pointer_down = move |event: PointerEvent| {
        drag.set_value(Some((f64::from(event.client_x()), state.window.get_untracked())));
        if let Some(canvas) = canvas.get_untracked() {
            canvas.set_pointer_capture(event.pointer_id()).ok();
        }
    };
    let pointer_move = move |event: PointerEvent| {
        let Some(canvas) = canvas.get_untracked() else { return };
        if let Some((begun, window)) = drag.get_value() {
            let width = f64::from(canvas.client_width()).max(1.0);
            let by = (f64::from(event.client_x()) - begun) / width;
            if by.abs() * width >= CLICK_PIXELS {
                state.window.set(window.moved(-by));
                return;
            }
        }
        if has_moved(&event) {
            state.cell.set(component_at(&event));
        }
    };
    let pointer_up = move |event: PointerEvent| {
        let Some((begun, _)) = drag.try_update_value(Option::take).flatten() else { return };
        if (f64::from(event.client_x()) - begun).abs() < CLICK_PIXELS
            && let Some(component) = component_at(&event)
        {
            // A tap moves nothing.
            state.cell.set(Some(component));
            state.toggle_pin(component);
        }
    };
    let keys = move |event: KeyboardEvent| {
        let from = at(state).unwrap_or(Component { kind: KIND, layer: 0, index: 0 });
        if press(state, &event.key(), from, n_layers.get_untracked(), shown, map, canvas) {
            event.prevent_default();
        }
    };
    let labels = move || (0..n_layers.get()).map(|layer| view! { <li>{layer}</li> }).collect_view();
    view! {
        <figure class="strip-map" style=("--layers", move || n_layers.get().max(1).to_string())>
            <figcaption>
                <strong class=map.id()>{title}</strong>
                " "
                <Legend shown map />
            </figcaption>
            <div class="strip-body">
                <ol class="strip-layers" aria-hidden="true">{dynamic(labels)}</ol>
                <div class="strip-canvas">
                    <canvas
                        node_ref=canvas
                        tabindex="0"
                        role="application"
                        aria-roledescription="map of neurons"
                        data-testid=testid
                        data-layers=live(move || computed_layers(shown, map).to_string())
                        data-screened=live(move || shown.with(|shown| shown.n_screened(map)).to_string())
                        aria-label=live(move || described(state, shown, found, map))
                        on:pointerdown=pointer_down
                        on:pointermove=pointer_move
                        on:pointerup=pointer_up
                        on:pointercancel=move |_event| drag.set_value(None)
                        on:pointerleave=move |event| {
                            // A finger that is lifted has not gone elsewhere.
                            if event.pointer_type() != "touch" && has_moved(&event) {
                                state.cell.set(None);
                            }
                        }
                        on:wheel=move |event| turn_wheel(state, &event)
                        on:keydown=keys
                    ></canvas>
                    <Chosen state n_layers found map />
                    <Mark state n_layers class="mark" of=Signal::derive(move || at_pointer(state)) />
                    <Mark state n_layers class="mark pinned" of=Signal::derive(move || at_pin(state)) />
                </div>
            </div>
            <Axis state shown map />
        </figure>
    }
}

/// The map and the neuron that keys start from, in words.
fn described(
    state: AppState,
    shown: Memo<Shown>,
    found: Memo<Option<Arc<Found>>>,
    map: MapKind,
) -> String {
    let title = map.title();
    let Some(neuron) = at(state) else {
        return format!("{title} of neurons: scores by layer and neuron");
    };
    let words = shown.with(|shown| shown.spoken(neuron));
    format!("{title} of neurons: {words}{}", marks_in_words(state, found, map, neuron))
}

/// The first and the last neuron in view, and how to read what is not exact, while there is any.
#[component]
fn Axis(state: AppState, shown: Memo<Shown>, map: MapKind) -> impl IntoView {
    let ends = move || state.window.get().ends();
    let is_partial = memo(move || shown.with(|shown| shown.n_screened(map) > 0));
    let (testid, note) = match map {
        MapKind::Ig => ("note-ig-neurons", ""),
        MapKind::Ap => {
            ("note-ap-neurons", " · faint, half as high: not patched yet, IG’s score stands in")
        }
        MapKind::Diff => ("note-diff-neurons", " · hatched: not patched yet"),
    };
    // In the line of the axis, so that nothing moves when it goes.
    view! {
        <div class="strip-axis">
            <span aria-hidden="true">{dynamic(move || ends().0)}</span>
            <span>
                <span aria-hidden="true">"neuron"</span>
                <span data-testid=testid>
                    {dynamic(move || if is_partial.get() { note } else { "" })}
                </span>
            </span>
            <span aria-hidden="true">{dynamic(move || ends().1)}</span>
        </div>
    }
}

/// Zooms about the pointer.
fn turn_wheel(state: AppState, event: &WheelEvent) {
    // A wheel without Ctrl is for the page.
    if !(event.ctrl_key() || event.meta_key()) {
        return;
    }
    event.prevent_default();
    if let Some((x, _)) = share_of(event) {
        let factor = if event.delta_y() > 0.0 { 1.0 / ZOOM_STEP } else { ZOOM_STEP };
        state.window.update(|window| *window = window.zoomed(factor, x));
    }
}

fn at_pointer(state: AppState) -> Option<Component> {
    state.cell.get().filter(|cell| cell.kind == KIND)
}

fn at_pin(state: AppState) -> Option<Component> {
    state.pinned.get().filter(|cell| cell.kind == KIND)
}

/// The neuron that keys start from.
fn at(state: AppState) -> Option<Component> {
    at_pointer(state).or_else(|| at_pin(state))
}

fn computed_layers(shown: Memo<Shown>, map: MapKind) -> usize {
    shown.with(|shown| shown.table(map).map_or(0, ScoreTable::n_layers))
}

/// Does what a key means; `false` if it means nothing here.
fn press(
    state: AppState,
    key: &str,
    from: Component,
    n_layers: usize,
    shown: Memo<Shown>,
    map: MapKind,
    canvas: NodeRef<html::Canvas>,
) -> bool {
    let window = state.window.get_untracked();
    let last = window.total().saturating_sub(1);
    let Component { layer, index, .. } = from;
    let to = match key {
        "Enter" | " " => {
            state.toggle_pin(from);
            return true;
        }
        "Escape" => {
            state.pinned.set(None);
            return true;
        }
        "+" | "=" => {
            state.window.set(window.zoomed(ZOOM_STEP, window.place(index).0.clamp(0.0, 1.0)));
            return true;
        }
        "-" | "−" => {
            state.window.set(window.zoomed(1.0 / ZOOM_STEP, 0.5));
            return true;
        }
        "0" => {
            state.window.set(Window::whole(window.total()));
            return true;
        }
        "ArrowLeft" => (layer, neighbour(window, shown, map, canvas, from, false)),
        "ArrowRight" => (layer, neighbour(window, shown, map, canvas, from, true).min(last)),
        "ArrowUp" => (layer.saturating_sub(1), index),
        "ArrowDown" => ((layer + 1).min(n_layers.saturating_sub(1)), index),
        "Home" => (layer, 0),
        "End" => (layer, last),
        "PageUp" => (0, index),
        "PageDown" => (n_layers.saturating_sub(1), index),
        _ => return false,
    };
    state.window.set(window.with(to.1));
    state.cell.set(Some(Component { kind: KIND, layer: to.0, index: to.1 }));
    true
}

/// What the next column shows, so that a press moves visibly however far the map is zoomed out.
fn neighbour(
    window: Window,
    shown: Memo<Shown>,
    map: MapKind,
    canvas: NodeRef<html::Canvas>,
    from: Component,
    right: bool,
) -> usize {
    let index = from.index;
    let next = if right { index + 1 } else { index.saturating_sub(1) };
    let Some(canvas) = canvas.get_untracked() else { return next };
    let per_column = 1.0 / (window.place(0).1 * columns(&canvas) as f64);
    if per_column <= 1.0 {
        return next;
    }
    let step = per_column.ceil() as usize;
    let range = if right {
        index + 1..(index + 1 + step).min(window.total())
    } else {
        index.saturating_sub(step)..index
    };
    shown.with_untracked(|shown| {
        let row = shown.table(map).and_then(|table| Row::of(table, from.layer));
        row.and_then(|row| row.extremes(range).largest()).unwrap_or(next)
    })
}

/// Draws after a change of scores, window, size or theme.
fn redraw_when_needed(
    state: AppState,
    shown: Memo<Shown>,
    map: MapKind,
    canvas: NodeRef<html::Canvas>,
    n_layers: Memo<usize>,
) {
    let resized = RwSignal::new(());
    let listener = EventListener::new(&window(), "resize", move |_event| resized.set(()));
    let theme = RwSignal::new(theme());
    let change = on_theme_change(move || theme.set(self::theme()));
    // Both live as long as the map, and the map as long as the page.
    listener.forget();
    if let Some(change) = change {
        change.forget();
    }
    effect(move || {
        resized.get();
        let (theme, view, n_layers) = (theme.get(), state.window.get(), n_layers.get());
        let Some(canvas) = canvas.get() else { return };
        shown.with(|shown| {
            draw(&canvas, shown, map, view, &theme, n_layers).ok();
        });
    });
}

/// Paper is light whatever the screen is.
const DARK_QUERY: &str = "screen and (prefers-color-scheme: dark)";

fn theme() -> Theme {
    if screen::matches(DARK_QUERY) == Some(true) { DARK } else { LIGHT }
}

fn on_theme_change(changed: impl Fn() + 'static) -> Option<EventListener> {
    screen::on_change(DARK_QUERY, move |_is_dark| changed())
}

/// Columns of pixels on the device.
fn columns(canvas: &HtmlCanvasElement) -> usize {
    let wanted = f64::from(canvas.client_width()) * window().device_pixel_ratio();
    (wanted.round() as usize).clamp(1, MOST_COLUMNS)
}

/// Two rows of pixels per layer; the style sheet stretches them to their height.
fn draw(
    canvas: &HtmlCanvasElement,
    shown: &Shown,
    map: MapKind,
    view: Window,
    theme: &Theme,
    n_layers: usize,
) -> Result<(), JsValue> {
    let columns = columns(canvas);
    canvas.set_width(columns as u32);
    canvas.set_height((HALVES * n_layers.max(1)) as u32);
    let context: CanvasRenderingContext2d =
        canvas.get_context("2d")?.ok_or("no canvas context")?.unchecked_into();
    let shades: Vec<Rgb> = (0..=2 * SHADES)
        .map(|shade| theme.of((shade as f32 - SHADES as f32) / SHADES as f32))
        .collect();
    let scale = shown.scale(map);
    let shade = |place: f32| {
        let [red, green, blue] = shades[(SHADES as f32 * (1.0 + place)).round() as usize];
        [red, green, blue, 255]
    };
    let mut pixels = Vec::with_capacity(4 * HALVES * columns * n_layers);
    let rows = (0..n_layers).map_while(|layer| Row::of(shown.table(map)?, layer));
    for row in rows {
        let drawn: Vec<[Option<f32>; HALVES]> = (0..columns)
            .map(|column| halves(row, view.column(column, columns), scale, map))
            .collect();
        for half in 0..HALVES {
            pixels.extend(drawn.iter().flat_map(|halves| halves[half].map_or(BLANK, shade)));
        }
    }
    if pixels.is_empty() {
        return Ok(());
    }
    let image = ImageData::new_with_u8_clamped_array(Clamped(&pixels), columns as u32)?;
    context.put_image_data(&image, 0.0, 0.0)
}

/// What the upper and the lower half of a column show, as places on the scale; `None`: nothing. An exact
/// score has both, unless a larger one that is not exact has the lower.
fn halves(row: Row<'_>, range: Range<usize>, scale: Scale, map: MapKind) -> [Option<f32>; HALVES] {
    let extremes = row.extremes(range);
    let place = |index: usize| scale.place(row.scores[index]);
    let exact = extremes.exact.map(place);
    match extremes.screened {
        None => [exact; HALVES],
        // There is no difference from what is not known.
        Some(_) if map == MapKind::Diff => [exact, None],
        Some(screened) => [exact, Some(FAINT * place(screened))],
    }
}

/// Where the pointer is on its canvas, as shares of width and height.
fn share_of(event: &MouseEvent) -> Option<(f64, f64)> {
    let canvas: HtmlCanvasElement = event.current_target()?.dyn_into().ok()?;
    let (width, height) = (canvas.client_width(), canvas.client_height());
    let share = |at: i32, of: i32| (f64::from(at) / f64::from(of.max(1))).clamp(0.0, 1.0);
    Some((share(event.offset_x(), width), share(event.offset_y(), height)))
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::{Direction, Method};

    use super::*;

    #[test]
    fn an_exact_extreme_and_a_larger_stand_in_share_a_column() {
        let table = ScoreTable::new(
            TableKey { kind: KIND, method: Method::Ap, direction: Direction::Noising },
            4,
            vec![0.5, -1.0, -0.25, 0.0],
        )
        .with_exact(vec![true, false, false, true]);
        let row = Row::of(&table, 0).expect("a layer");
        let of = |range, map| halves(row, range, Scale::of(table.values()), map);
        assert_eq!(of(0..2, MapKind::Ap), [Some(0.5), Some(-FAINT)]);
        assert_eq!(of(0..1, MapKind::Ap), [Some(0.5); 2], "exact: all of the height");
        assert_eq!(of(2..3, MapKind::Ap), [None, Some(-0.25 * FAINT)]);
        assert_eq!(of(3..4, MapKind::Ap), [Some(0.0); 2]);
        assert_eq!(of(1..2, MapKind::Diff), [None; 2], "no difference from what is not known");
        assert_eq!(of(3..6, MapKind::Diff), [Some(0.0); 2]);
    }
}
