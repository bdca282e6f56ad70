//! One map of heads: a row per layer, a cell per head.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use twinbeam_core::models::KnownHeads;
use twinbeam_core::words::{Component, ComponentKind};

use super::shown::term;
use super::shown::{MapKind, Shown};
use crate::components::{focus, has_moved};
use crate::lab::Found;
use crate::models;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::story::Term;

/// One map: a table with a row per layer and a column per head.
#[component]
pub(super) fn Map(
    state: AppState,
    shown: Memo<Shown>,
    /// Who is found by each method.
    found: Memo<Option<Arc<Found>>>,
    map: MapKind,
) -> impl IntoView {
    let title = map.title();
    let (sentence, testid) = match map {
        MapKind::Ig => ("move the layer together", "heatmap-ig-heads"),
        MapKind::Ap => ("swap one head", "heatmap-ap-heads"),
        MapKind::Diff => ("warm: IG is larger", "heatmap-diff-heads"),
    };
    // The sizes stay while a worker is replaced: what is on the screen is still true.
    let shape = Memo::new(move |before: Option<&Option<(usize, usize)>>| {
        let now = state.shown_shape().map(|shape| (shape.n_layers, shape.n_heads));
        now.or_else(|| before.copied().flatten())
    });
    // What a head is known for stands in its own two maps, not in their difference.
    let known = memo(move || if map == MapKind::Diff { None } else { models::heads(state) });
    // The cells are made once per model and stay: a new result changes their colours and numbers only.
    let rows = move || {
        let (n_layers, n_heads) = shape.get().unwrap_or_default();
        (0..n_layers)
            .map(|layer| {
                let said = Said { shown, known, found };
                let cells = (0..n_heads).map(|index| cell(state, said, map, head(layer, index)));
                view! { <tr><th scope="row">{layer}</th>{cells.collect_view()}</tr> }
            })
            .collect_view()
    };
    let columns = move || {
        let n_heads = shape.get().map_or(0, |(_, n_heads)| n_heads);
        (0..n_heads).map(|head| view! { <th scope="col">{head}</th> }).collect_view()
    };
    let keys = move |event: KeyboardEvent| {
        let (Some(cell), Some(shape)) = (visited(state), shape.get_untracked()) else {
            return;
        };
        match event.key().as_str() {
            "Enter" | " " => state.toggle_pin(cell),
            "Escape" => state.pinned.set(None),
            key => {
                let Some((layer, head)) = reached(key, (cell.layer, cell.index), shape) else {
                    return;
                };
                let selector =
                    format!("[data-testid={testid}] [data-layer='{layer}'][data-head='{head}']");
                focus(&selector);
            }
        }
        event.prevent_default();
    };
    let n_heads = move || shape.get().map_or(1, |(_, n_heads)| n_heads).to_string();
    let n_layers = move || shape.get().map_or(4, |(n_layers, _)| n_layers.max(1)).to_string();
    let characters = move || shown.with(|shown| shown.scale(map).characters()).to_string();
    view! {
        <figure class=format!("map {}", map.id()) style=("--heads", n_heads) style=("--layers", n_layers) style=("--characters", characters)>
            <figcaption>
                <strong class=map.id()><Term id=term(map) says=title /></strong>
                " "
                <span class="hint fresh">{sentence}</span>
                <span class="hint old" data-testid="out-of-date">"out of date"</span>
                <Legend shown map />
            </figcaption>
            <div class="map-body">
                <table
                    class="heatmap"
                    role="grid"
                    data-testid=testid
                    aria-label=format!("{title}: scores by layer and head")
                    on:keydown=keys
                    on:pointerleave=move |event| {
                        // A finger that is lifted has not gone elsewhere.
                        if event.pointer_type() != "touch" && has_moved(&event) {
                            state.cell.set(None);
                        }
                    }
                >
                    <thead>
                        <tr>
                            <th class="corner"><span class="unseen">"layer \\ head"</span></th>
                            {dynamic(columns)}
                        </tr>
                    </thead>
                    <tbody>{dynamic(rows)}</tbody>
                </table>
                {(map == MapKind::Diff).then(|| view! { <NoDifference shown /> })}
            </div>
        </figure>
    }
}

const fn head(layer: usize, index: usize) -> Component {
    Component { kind: ComponentKind::Heads, layer, index }
}

/// Whether a map marks a component as found: by its method, and in the map of the difference by one of the two
/// only.
pub(crate) fn is_found(found: &Found, map: MapKind, of: Component) -> bool {
    let [ig, ap] = found.of_component(of);
    match map {
        MapKind::Ig => ig,
        MapKind::Ap => ap,
        MapKind::Diff => ig != ap,
    }
}

/// The head under the pointer or the focus.
fn visited(state: AppState) -> Option<Component> {
    state.cell.get().filter(|cell| cell.kind == ComponentKind::Heads)
}

/// The cell that a key leads to.
fn reached(
    key: &str,
    (layer, head): (usize, usize),
    (n_layers, n_heads): (usize, usize),
) -> Option<(usize, usize)> {
    Some(match key {
        "ArrowLeft" => (layer, head.saturating_sub(1)),
        "ArrowRight" => (layer, (head + 1).min(n_heads - 1)),
        "ArrowUp" => (layer.saturating_sub(1), head),
        "ArrowDown" => ((layer + 1).min(n_layers - 1), head),
        "Home" => (layer, 0),
        "End" => (layer, n_heads - 1),
        "PageUp" => (0, head),
        "PageDown" => (n_layers - 1, head),
        _ => return None,
    })
}

/// The map's scale with its unit.
#[component]
pub(crate) fn Legend(shown: Memo<Shown>, map: MapKind) -> impl IntoView {
    // Nothing is measured yet: then there is nothing to say of the ends.
    let end = move |sign: f32| {
        shown.with(|shown| {
            let scale = shown.scale(map);
            shown.table(map).map(|_| scale.written(sign * scale.limit()))
        })
    };
    view! {
        <span class="legend">
            <span>{dynamic(move || end(-1.0))}</span>
            <span class="ramp" aria-hidden="true"></span>
            <span>{dynamic(move || end(1.0))} " " {dynamic(move || shown.with(|shown| shown.unit(map)))}</span>
        </span>
    }
}

/// What there is to say of heads.
#[derive(Clone, Copy)]
struct Said {
    shown: Memo<Shown>,
    known: Memo<Option<KnownHeads>>,
    found: Memo<Option<Arc<Found>>>,
}

fn cell(state: AppState, said: Said, map: MapKind, place: Component) -> impl IntoView {
    let Said { shown, known, found } = said;
    let Component { layer, index, .. } = place;
    let score = memo(move || {
        shown.with(|shown| {
            let score = shown.score(map, place)?;
            Some((score, shown.scale(map).place(score), shown.written(map, place)))
        })
    });
    let class = memo(move || {
        known.with(|known| known.as_ref()?.of(layer, index).map(|head| head.class.clone()))
    });
    let share = move || score.with(|score| score.as_ref().map_or(0.0, |(_, share, _)| *share));
    let (positive, negative) = (move || share() > 0.0, move || share() < 0.0);
    let marked = memo(move || state.cell.get() == Some(place));
    let pinned = memo(move || state.pinned.get() == Some(place));
    let selected = memo(move || state.lab.selected.with(|selected| selected.contains(&place)));
    let found = memo(move || {
        found.with(|found| found.as_ref().is_some_and(|found| is_found(found, map, place)))
    });
    // One cell of the map can be reached with Tab: the one last visited, else the first.
    let tab_stop = move || visited(state).unwrap_or(head(0, 0)) == place;
    let visit = move || {
        if state.cell.get_untracked() != Some(place) {
            state.cell.set(Some(place));
        }
    };
    let label = move || {
        let mut words = shown.with(|shown| match (map, shown.written(map, place)) {
            (MapKind::Diff, Some(difference)) => {
                let unit = shown.unit(map);
                format!("{}: IG − AP {difference} {unit}", place.spoken())
            }
            _ => shown.spoken(place),
        });
        if let Some(class) = class.get() {
            words = format!("{words}; known: {class}");
        }
        if found.get() {
            words += if map == MapKind::Diff { "; found by one method only" } else { "; found" };
        }
        if selected.get() {
            words += "; selected";
        }
        words
    };
    view! {
        <td
            data-layer=layer
            data-head=index
            data-known=live(move || class.get())
            data-value=live(move || score.with(|score| score.as_ref().map(|(score, _, _)| score.to_string())))
            tabindex=live(move || if tab_stop() { "0" } else { "-1" })
            aria-label=live(label)
            aria-selected=live(move || pinned.get().to_string())
            class:positive=positive
            class:negative=negative
            class:waiting=live(move || score.with(Option::is_none))
            class:marked=live(move || marked.get())
            class:pinned=live(move || pinned.get())
            class:selected=live(move || selected.get())
            class:found=live(move || found.get())
            style=("--t", move || format!("{:.3}", share().abs()))
            on:pointermove=move |event| {
                if has_moved(&event) {
                    visit();
                }
            }
            on:focus=move |_event| visit()
            on:click=move |_event| {
                // A tap moves nothing.
                visit();
                state.toggle_pin(place);
            }
        >
            {dynamic(move || {
                class.get().map(|class| {
                    view! { <span class="known" aria-hidden="true">{models::code(&class)}</span> }
                })
            })}
            <span class="number">
                {dynamic(move || score.with(|score| score.as_ref().and_then(|(_, _, written)| written.clone())))}
            </span>
        </td>
    }
}

/// Why the third map is empty, where it is.
#[component]
fn NoDifference(shown: Memo<Shown>) -> impl IntoView {
    let why = move || {
        let has = |map| shown.with(|shown| shown.table(map).is_some());
        let both = has(MapKind::Ig) && has(MapKind::Ap);
        (both && !has(MapKind::Diff)).then_some("In this unit the two cannot be subtracted.")
    };
    view! { <p class="no-difference">{dynamic(why)}</p> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_on_the_map() {
        let from = |key| reached(key, (1, 3), (2, 4));
        assert_eq!(from("ArrowRight"), Some((1, 3)));
        assert_eq!(from("ArrowLeft"), Some((1, 2)));
        assert_eq!(from("ArrowDown"), Some((1, 3)));
        assert_eq!(from("PageUp"), Some((0, 3)));
        assert_eq!(from("Home"), Some((1, 0)));
        assert_eq!(from("Tab"), None);
    }
}
