//! The neurons' part of the page: maps, lists, and how far the computing has come.

use leptos::prelude::*;
use twinbeam_core::words::{Component, ComponentKind};

use super::coverage::CoverageWords;
use super::listed::{Listed, strongest, strongest_of_link};
use super::map::NeuronMap;
use crate::explain::in_progress;
use crate::heatmap::shown_on_screen;
use crate::heatmap::{Agreement, MapKind, Readout, Shown, TableView};
use crate::lab;
use crate::pinned::PinnedPanel;
use crate::reactive::{dynamic, live, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::{Job, NeuronStatus};

const KIND: ComponentKind = ComponentKind::Neurons;
/// Entries of each list.
const LISTED: usize = 10;

/// MLP neurons by both methods: maps, what stands out, and how far the computing has come.
#[component]
pub(crate) fn NeuronPanel(state: AppState) -> impl IntoView {
    let shown = memo(move || shown_on_screen(state, KIND));
    let found = lab::found_in(state, KIND);
    view! {
        <section class="neurons" aria-labelledby="neurons">
            <div class="figure-head">
                <h2 id="neurons">"MLP neurons"</h2>
                <p class="hint">
                    "The same two methods for each neuron of each layer. Where several share a column of pixels, the one "
                    "with the largest absolute score is drawn."
                </p>
                <Zoom state />
            </div>
            <Progress state />
            <div class="strip-maps">
                {MapKind::ALL.map(|map| view! { <NeuronMap state shown found map /> })}
            </div>
            <Readout state shown kind=KIND />
            <Agreement state kind=KIND />
            <PinnedPanel state below=KIND />
            <div class="lists" data-testid="top-neurons">
                {MapKind::ALL.map(|map| view! { <List state shown map /> })}
            </div>
            <TableView state shown kind=KIND />
        </section>
    }
}

/// Buttons for what keys and wheel do as well.
#[component]
fn Zoom(state: AppState) -> impl IntoView {
    let range = move || {
        let window = state.window.get();
        let (first, last) = window.ends();
        if window.is_whole() {
            format!("all {}", window.total())
        } else {
            format!("{first} to {last} of {}", window.total())
        }
    };
    let zoom =
        move |factor: f64| state.window.update(|window| *window = window.zoomed(factor, 0.5));
    view! {
        <div class="zoom" role="group" aria-label="Neurons in view">
            <span class="hint" data-testid="neurons-in-view">{dynamic(range)}</span>
            <button type="button" aria-label="Zoom in" title="+" on:click=move |_event| zoom(0.5)>
                "+"
            </button>
            <button
                type="button"
                aria-label="Zoom out"
                title="−"
                disabled=live(move || state.window.get().is_whole())
                on:click=move |_event| zoom(2.0)
            >
                "−"
            </button>
            <button
                type="button"
                title="0"
                disabled=live(move || state.window.get().is_whole())
                on:click=move |_event| zoom(f64::INFINITY)
            >
                "All"
            </button>
        </div>
    }
}

/// Computing, done, stopped or offered, and how much of it is exact.
#[component]
fn Progress(state: AppState) -> impl IntoView {
    let status = move || state.neuron_status();
    let words = move || match status() {
        NeuronStatus::Waiting if state.is_of_changed_model() => {
            "The link’s model has changed since: Run computes them of the weights in use."
                .to_owned()
        }
        NeuronStatus::Waiting => "Computed after the heads.".to_owned(),
        NeuronStatus::Running => {
            let words = state.progress_of(Job::Neurons).map(in_progress);
            format!("{}.", words.unwrap_or_else(|| "Starting".to_owned()))
        }
        NeuronStatus::Stopped => match state.coverage() {
            None => "Stopped before any neuron was patched in this direction.".to_owned(),
            Some(coverage) if coverage.rest() == 0 => "Stopped in the other direction.".to_owned(),
            Some(_) => "Stopped.".to_owned(),
        },
        NeuronStatus::Done => {
            "Done: every neuron patched, one by one, and every layer integrated.".to_owned()
        }
        NeuronStatus::Offered => {
            let count = state.shape().map_or(0, |shape| shape.n_layers * shape.d_mlp);
            format!(
                "{count} neurons, each patched in a run of its own: this takes a while. The largest by IG and attribution \
                 patching come first."
            )
        }
    };
    view! {
        <p class="neuron-status" data-testid="neuron-status" data-state=live(move || status().id())>
            <span>{dynamic(words)}</span>
            " "
            <span><CoverageWords state /></span>
            " "
            <button
                type="button"
                data-testid="run-neurons"
                hidden=live(move || status() == NeuronStatus::Done || !state.can_score_neurons())
                on:click=move |_event| state.tell(Visitor::RunNeurons)
            >
                {dynamic(move || {
                    if status() == NeuronStatus::Stopped { "Start again" } else { "Compute neurons" }
                })}
            </button>
        </p>
    }
}

/// The strongest of a map; a click goes there.
#[component]
fn List(state: AppState, shown: Memo<Shown>, map: MapKind) -> impl IntoView {
    let (title, id) = match map {
        MapKind::Ig => ("Strongest by IG", "top-ig"),
        MapKind::Ap => ("Strongest by AP", "top-ap"),
        MapKind::Diff => ("Largest disagreement", "top-diff"),
    };
    let listed = move || {
        let computed = shown.with(|shown| strongest(shown, map, LISTED));
        if !computed.is_empty() {
            return computed;
        }
        let look = state.look();
        state.committed.with(|committed| {
            let committed = committed.as_ref().filter(|c| !c.is_complete(KIND));
            committed.map(|c| strongest_of_link(c, look, map, LISTED)).unwrap_or_default()
        })
    };
    let rows = move || {
        listed()
            .into_iter()
            .map(|Listed { component, score, ig, ap }| {
                let Component { layer, index, .. } = component;
                view! {
                    <tr>
                        <td>
                            <button
                                type="button"
                                class="link"
                                data-layer=layer
                                data-neuron=index
                                data-value=score.to_string()
                                data-component=component.to_string()
                                aria-label=format!("{component}: go to {}", component.spoken())
                                on:click=move |_event| state.go_to(component)
                            >
                                {component.to_string()}
                            </button>
                        </td>
                        <td>{ig}</td>
                        <td>{ap}</td>
                    </tr>
                }
            })
            .collect_view()
    };
    let unit = move || shown.with(|shown| shown.unit(map));
    // Whoever comes later may still be stronger.
    let so_far = move || {
        let n_layers = state.shown_shape().map_or(0, |shape| shape.n_layers);
        let is_partial =
            |shown: &Shown| shown.table(map).is_some() && !shown.is_final(map, n_layers);
        if shown.with(is_partial) { " so far" } else { "" }
    };
    view! {
        <table class="list" data-testid=id>
            <caption class=map.id()>{title} {dynamic(so_far)} <span class="hint">", " {dynamic(unit)}</span></caption>
            <thead>
                <tr>
                    <th scope="col">"neuron"</th>
                    <th scope="col">"IG"</th>
                    <th scope="col">"AP"</th>
                </tr>
            </thead>
            <tbody>{dynamic(rows)}</tbody>
        </table>
    }
}
