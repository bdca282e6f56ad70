use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use twinbeam_core::{Method, ScoreTable, stats};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use super::scale::{Scale, signed};
use crate::state::AppState;

/// What is on the screen now: both tables of the direction, and their common scale.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    ig: Option<ScoreTable>,
    ap: Option<ScoreTable>,
    scale: Scale,
    unit: &'static str,
}

impl Shown {
    fn table(&self, method: Method) -> Option<&ScoreTable> {
        if method == Method::Ig { self.ig.as_ref() } else { self.ap.as_ref() }
    }

    fn score(&self, method: Method, layer: usize, head: usize) -> Option<f32> {
        self.table(method).and_then(|table| table.get(layer, head))
    }

    /// Both scores of a head in words.
    fn words(&self, layer: usize, head: usize) -> String {
        let decimals = self.scale.decimals();
        let [ig, ap] = [Method::Ig, Method::Ap].map(|method| {
            self.score(method, layer, head)
                .map_or_else(|| "not computed".to_owned(), |score| signed(score, decimals))
        });
        format!("layer {layer} head {head}: IG {ig}, AP {ap} {}", self.unit)
    }
}

/// Integrated gradients left, activation patching right, one scale for both.
#[component]
pub(crate) fn Figure(state: AppState) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let (ig, ap) = (state.table(Method::Ig), state.table(Method::Ap));
        let scores = [&ig, &ap].into_iter().flatten().flat_map(|table| &table.values);
        Shown { scale: Scale::of(scores), unit: state.unit(), ig, ap }
    });
    view! {
        <div class="figure-head">
            <h2>"Attention heads"</h2>
            <Legend shown />
        </div>
        <div class="maps">
            <Map state shown method=Method::Ig />
            <Map state shown method=Method::Ap />
        </div>
        <Readout state shown />
    }
}

#[component]
fn Legend(shown: Memo<Shown>) -> impl IntoView {
    // Nothing is measured yet: then there is nothing to say of the ends.
    let end = move |sign: f32| {
        let Shown { scale, ig, ap, .. } = shown.get();
        let measured = ig.is_some() || ap.is_some();
        measured.then(|| signed(sign * scale.limit(), scale.decimals()))
    };
    view! {
        <div class="legend" data-testid="legend">
            <span>{move || end(-1.0)}</span>
            <span class="ramp" aria-hidden="true"></span>
            <span>{move || end(1.0)} " " {move || shown.get().unit}</span>
            <span class="legend-words">"positive: supports the clean behaviour"</span>
        </div>
    }
}

#[component]
fn Map(state: AppState, shown: Memo<Shown>, method: Method) -> impl IntoView {
    let (title, sentence, testid) = if method == Method::Ig {
        ("Integrated gradients", "all heads of a layer move together", "heatmap-ig-heads")
    } else {
        ("Activation patching", "one head at a time, exact", "heatmap-ap-heads")
    };
    let shape = Memo::new(move |_| {
        state.loaded.with(|loaded| {
            loaded.as_ref().map(|loaded| (loaded.shape.n_layers, loaded.shape.n_heads))
        })
    });
    // The cells are made once per model and stay: a new result changes their colours and numbers only.
    let rows = move || {
        let (n_layers, n_heads) = shape.get().unwrap_or_default();
        (0..n_layers)
            .map(|layer| {
                let cells =
                    (0..n_heads).map(|head| cell(state, shown, method, layer, head)).collect_view();
                view! { <tr><th scope="row">{layer}</th>{cells}</tr> }
            })
            .collect_view()
    };
    let columns = move || {
        let n_heads = shape.get().map_or(0, |(_, n_heads)| n_heads);
        (0..n_heads).map(|head| view! { <th scope="col">{head}</th> }).collect_view()
    };
    let move_focus = move |event: KeyboardEvent| {
        let (Some((layer, head)), Some((n_layers, n_heads))) =
            (state.cell.get_untracked(), shape.get_untracked())
        else {
            return;
        };
        let (layer, head) = match event.key().as_str() {
            "ArrowLeft" => (layer, head.saturating_sub(1)),
            "ArrowRight" => (layer, (head + 1).min(n_heads - 1)),
            "ArrowUp" => (layer.saturating_sub(1), head),
            "ArrowDown" => ((layer + 1).min(n_layers - 1), head),
            "Home" => (layer, 0),
            "End" => (layer, n_heads - 1),
            _ => return,
        };
        event.prevent_default();
        let selector = format!("[data-testid={testid}] [data-layer='{layer}'][data-head='{head}']");
        if let Ok(Some(element)) = document().query_selector(&selector) {
            element.unchecked_into::<HtmlElement>().focus().ok();
        }
    };
    view! {
        <figure class="map">
            <figcaption>
                <strong>{title}</strong>
                " "
                <span class="hint">{sentence}</span>
            </figcaption>
            <div class="map-body">
                <table
                    class="heatmap"
                    role="grid"
                    data-testid=testid
                    aria-label=format!("{title}: scores by layer and head")
                    on:keydown=move_focus
                    on:mouseleave=move |_event| state.cell.set(None)
                >
                    <thead>
                        <tr>
                            <th class="corner"><span class="hint">"layer \\ head"</span></th>
                            {columns}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
                {(method == Method::Ig).then(|| view! { <Convergence shown /> })}
            </div>
        </figure>
    }
}

fn cell(
    state: AppState,
    shown: Memo<Shown>,
    method: Method,
    layer: usize,
    head: usize,
) -> impl IntoView {
    let score = Memo::new(move |_| {
        shown.with(|shown| {
            let score = shown.score(method, layer, head)?;
            Some((score, shown.scale.place(score), shown.scale.decimals()))
        })
    });
    let place = move || score.get().map_or(0.0, |(_, place, _)| place);
    let (positive, negative) = (move || place() > 0.0, move || place() < 0.0);
    let marked = Memo::new(move |_| state.cell.get() == Some((layer, head)));
    // One cell of the map can be reached with Tab: the one last visited, else the first.
    let tab_stop = move || state.cell.get().unwrap_or_default() == (layer, head);
    let pick = move || state.cell.set(Some((layer, head)));
    view! {
        <td
            data-layer=layer
            data-head=head
            data-value=move || score.get().map(|(score, _, _)| score.to_string())
            tabindex=move || if tab_stop() { "0" } else { "-1" }
            aria-label=move || shown.with(|shown| shown.words(layer, head))
            class:positive=positive
            class:negative=negative
            class:waiting=move || score.get().is_none()
            class:marked=move || marked.get()
            style=("--t", move || format!("{:.3}", place().abs()))
            on:mouseenter=move |_event| pick()
            on:focus=move |_event| pick()
        >
            <span class="number">
                {move || score.get().map(|(score, _, decimals)| signed(score, decimals))}
            </span>
        </td>
    }
}

/// What the scores of each layer fail to add up to.
#[component]
fn Convergence(shown: Memo<Shown>) -> impl IntoView {
    let rows = move || {
        let shown = shown.get();
        let deltas = shown.ig.map(|table| table.convergence_delta).unwrap_or_default();
        deltas
            .into_iter()
            .enumerate()
            .map(|(layer, delta)| {
                let label = format!("layer {layer}: convergence delta {delta:.2e} {}", shown.unit);
                view! {
                    <tr>
                        <td data-layer=layer data-value=delta.to_string() aria-label=label>
                            {scientific(delta)}
                        </td>
                    </tr>
                }
            })
            .collect_view()
    };
    view! {
        <table class="convergence" data-testid="convergence" aria-label="Convergence delta of each layer">
            <thead>
                <tr>
                    <th scope="col" title="Convergence delta: sum of the layer’s IG scores minus the effect of patching all its heads together">
                        "delta, "
                        {move || shown.get().unit}
                    </th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// A small number as `−1.2e−6`.
fn scientific(number: f32) -> String {
    format!("{number:.1e}").replace('-', "−")
}

/// The head under the pointer or the focus, and how far the two maps agree as a whole.
#[component]
fn Readout(state: AppState, shown: Memo<Shown>) -> impl IntoView {
    let head = move || {
        let Some((layer, head)) = state.cell.get() else {
            return "Point at a head, or move through a map with the arrow keys.".to_owned();
        };
        shown.with(|shown| {
            let words = shown.words(layer, head);
            let scores = [Method::Ig, Method::Ap].map(|method| shown.score(method, layer, head));
            match scores {
                [Some(ig), Some(ap)] => {
                    let difference = signed(ig - ap, shown.scale.decimals());
                    format!("{words}; IG − AP {difference}")
                }
                _ => words,
            }
        })
    };
    let agreement = move || {
        shown.with(|shown| {
            let (ig, ap) = (&shown.ig.as_ref()?.values, &shown.ap.as_ref()?.values);
            let pearson = stats::pearson(ig, ap)?;
            let spearman = stats::spearman(ig, ap)?;
            Some(format!(
                "Over all {} heads: Pearson correlation {pearson:.3}, rank correlation (Spearman) {spearman:.3}.",
                ig.len()
            ))
        })
    };
    view! {
        <p class="readout" data-testid="readout">{head}</p>
        <p class="agreement" data-testid="agreement">{agreement}</p>
    }
}
