//! The model drawn as a graph: the strongest edges by EAP-IG, by path patching, and their difference.

use std::sync::Arc;

use leptos::ev::{MouseEvent, PointerEvent};
use leptos::prelude::*;
use twinbeam_core::link::Spot;

use super::ranked::Ranked;
use super::seen::{Lists, Seen, attribute_at, toggle};
use super::{csv, words};
use crate::components::has_moved;
use crate::explain;
use crate::export::save_text;
use crate::lab::sheet::{PlotRow, Sheet};
use crate::plot::{Arrow, Drawn, Network, beside, standalone};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

/// Numbers of edges that the slider goes through.
const STEPS: [usize; 15] = [3, 5, 10, 15, 20, 30, 40, 50, 64, 80, 100, 130, 170, 220, 300];

/// The three drawings, with their ids.
const KINDS: [(&str, &str); 3] =
    [("ig", "EAP-IG"), ("ap", "path patching"), ("diff", "EAP-IG − path patching")];

/// The graph with what is drawn of it.
#[component]
pub(super) fn Graphs(state: AppState, sheet: Sheet, seen: Seen) -> impl IntoView {
    let Seen { ranked, pointed, pinned } = seen;
    let paths = state.lab.paths;
    let lists = memo(move || -> Lists {
        let (n, connected) = paths.with(|paths| (paths.n, paths.connected));
        let drawn = ranked.with(|ranked| ranked.as_ref().map(|ranked| ranked.drawn(n, connected)));
        let numbers = |list: Vec<usize>| list.into_iter().map(|edge| edge as u32).collect();
        drawn.map(|lists| lists.map(numbers).to_vec()).unwrap_or_default()
    });
    let lit = memo(move || {
        Some(pointed.get()).filter(|at| !at.is_empty()).unwrap_or_else(|| pinned.get())
    });
    let draw = move |kind: usize, width: f64, lit: &str| -> Option<Drawn> {
        let (ranked, lit) = (ranked.get()?, lit.parse().ok());
        lists.with(|lists| Some(network(&ranked, kind, lists.get(kind)?, width, lit).draw()))
    };
    let drawings = [0, 1, 2]
        .map(|kind| memo(move || draw(kind, sheet.column(KINDS.len()), &lit.get()).map(Arc::new)));
    let chosen = RwSignal::new("ig");
    let hover = move |event: PointerEvent| {
        // A finger that scrolls points at nothing.
        if event.pointer_type() == "mouse" && has_moved(&event) {
            let spot = attribute_at(&event, "data-spot").unwrap_or_default();
            if pointed.get_untracked() != spot {
                pointed.set(spot);
            }
        }
    };
    let click = move |event: MouseEvent| {
        if let Some(spot) = attribute_at(&event, "data-spot").and_then(|name| name.parse().ok()) {
            toggle(state, spot);
        }
    };
    let figures = [0, 1, 2].map(|kind| {
        let drawn = drawings[kind];
        let (id, _) = KINDS[kind];
        view! {
            <div
                class=["net ", id].concat()
                data-testid=["paths-", id].concat()
                role="img"
                aria-label=live(move || drawn.with(|drawn| drawn.as_ref().map(|drawn| drawn.summary.clone())))
                inner_html=live(move || drawn.with(|drawn| drawn.as_ref().map(|drawn| drawn.svg.clone())))
            ></div>
        }
    });
    let choice = choice(chosen);
    let says = move || {
        let (ranked, lit) = (ranked.get(), lit.get());
        match ranked.zip(lit.parse().ok()) {
            Some((ranked, lit)) => words::spot(&ranked, lit),
            None => "Point at a node or an edge to see what it carries; a click pins it. Lines go upward, from what writes \
                     to what reads, and are as wide as the edge is strong. Those that enter a head end at its queries, keys \
                     or values, from left to right."
                .to_owned(),
        }
    };
    let save = move |name: String, kind: &str, text: String| {
        if let Err(error) = save_text(&name, kind, &text) {
            state.say(explain::not_saved(&format!("{error:?}")));
        }
    };
    let save_svg = move |_event| {
        let drawn: Vec<Drawn> =
            untrack(|| (0..3).filter_map(|kind| draw(kind, 400.0, &pinned.get())).collect());
        save("twinbeam-paths.svg".to_owned(), "image/svg+xml", standalone(&beside(&drawn)));
    };
    let save_csv = move |_event| {
        let direction = state.direction.get_untracked();
        if let Some(edges) = untrack(|| state.lab.edges(direction)) {
            let unit = untrack(|| state.metric()).unit();
            save(format!("twinbeam-edges-{direction}.csv"), "text/csv", csv::edges(&edges, unit));
        }
    };
    view! {
        <div hidden=live(move || ranked.with(Option::is_none))>
            <HowMany state lists />
            <div class="net-choice" role="group" aria-label="Graph">{choice}</div>
            <div
                class="nets"
                data-map=live(move || chosen.get())
                on:pointermove=hover
                on:pointerleave=move |_event| pointed.set(String::new())
                on:click=click
            >
                <PlotRow sheet n=KINDS.len()>{figures}</PlotRow>
            </div>
            <p class="plot-readout net-readout" aria-live="polite" data-testid="paths-readout">{dynamic(says)}</p>
            <p class="take-away">
                <span class="hint">"Take it away: "</span>
                <button type="button" data-testid="paths-save-csv" on:click=save_csv>"All edges (CSV)"</button>
                <button type="button" data-testid="paths-save-svg" on:click=save_svg>"These graphs (SVG)"</button>
            </p>
        </div>
    }
    .into_any()
}

/// Which drawing a phone shows.
fn choice(chosen: RwSignal<&'static str>) -> impl IntoView {
    KINDS.map(|(id, name)| {
        view! {
            <button
                type="button"
                data-testid=["paths-show-", id].concat()
                aria-pressed=live(move || (chosen.get() == id).to_string())
                on:click=move |_event| chosen.set(id)
            >
                {name}
            </button>
        }
    })
}

/// The edges of one drawing.
fn network(ranked: &Ranked, kind: usize, edges: &[u32], width: f64, lit: Option<Spot>) -> Network {
    let value = |edge: usize| match kind {
        0 => Some(ranked.ig[edge]),
        1 => ranked.exact(edge),
        _ => ranked.difference(edge),
    };
    let arrow = |edge: &u32| {
        let edge = *edge as usize;
        Some(Arrow { edge: ranked.edge(edge), value: value(edge)? })
    };
    Network {
        title: KINDS[kind].1.to_owned(),
        unit: ranked.unit,
        graph: ranked.graph,
        arrows: edges.iter().filter_map(arrow).collect(),
        scale: ranked.scale,
        width,
        lit,
    }
}

/// How many edges are drawn, and whether only those that form paths.
#[component]
fn HowMany(state: AppState, lists: Memo<Lists>) -> impl IntoView {
    let paths = state.lab.paths;
    let n = memo(move || paths.with(|paths| paths.n));
    let step = move || STEPS.iter().position(|step| *step >= n.get()).unwrap_or(STEPS.len() - 1);
    let slide = move |event| {
        let step: Option<usize> = event_target_value(&event).parse().ok();
        if let Some(n) = step.and_then(|step| STEPS.get(step)) {
            paths.update(|paths| paths.n = *n);
        }
    };
    let says = move || {
        let n = n.get();
        lists.with(|lists| {
            let [ig, exact, _] = lists.as_slice() else { return None };
            Some(match (paths.with(|paths| paths.connected), exact.len()) {
                (false, _) => format!("{n} by each"),
                (true, 0) => format!("{} by EAP-IG", ig.len()),
                (true, exact) => format!("{} by EAP-IG, {exact} by patching", ig.len()),
            })
        })
    };
    view! {
        <div class="panel-tools">
            <label class="switch">
                "Strongest edges "
                <input
                    type="range"
                    data-testid="paths-n"
                    min="0"
                    max=(STEPS.len() - 1).to_string()
                    prop:value=live(move || step().to_string())
                    aria-valuetext=live(move || words::edges(n.get()))
                    on:input=slide
                />
                <output data-testid="paths-drawn">{dynamic(says)}</output>
            </label>
            <label class="switch">
                <input
                    type="checkbox"
                    data-testid="paths-connected"
                    prop:checked=live(move || paths.with(|paths| paths.connected))
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        paths.update(|paths| paths.connected = on);
                    }
                />
                " as a circuit: only what is on a path from embed to logits"
            </label>
        </div>
    }
    .into_any()
}
