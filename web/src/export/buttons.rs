use leptos::prelude::*;
use twinbeam_core::Direction;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::save::{save_png, save_text};
use super::{Picture, Record, embed, svg};
use crate::heatmap::Shown;
use crate::state::AppState;
use crate::{explain, linked, url_state};

/// The result as numbers with their provenance, and the figure as a picture.
#[component]
pub(crate) fn ExportButtons(state: AppState, shown: Memo<Shown>) -> impl IntoView {
    // The experiment as it was run, whatever is being typed.
    let link = Memo::new(move |_| {
        let experiment = state.committed.with(|c| c.as_ref().map(|c| c.experiment.clone()));
        let snapshot = linked::snapshot(state);
        experiment
            .and_then(|experiment| url_state::share(&experiment, snapshot.as_ref()).ok())
            .unwrap_or_else(url_state::page)
    });
    let embedding = RwSignal::new(false);
    let frame = move || embed::frame(&url_state::embedding(&link.get()));
    let record = move || {
        let link = link.get_untracked();
        state.committed.with_untracked(|committed| {
            committed.as_ref().map(|committed| Record::new(link, committed))
        })
    };
    let name = move |extension: &str| file_name(&state.model_name(), state.direction(), extension);
    let said = move |result: Result<(), JsValue>| {
        if let Err(error) = result {
            state.notice.set(Some(explain::not_saved(&format!("{error:?}"))));
        }
    };
    let csv = move |_event| {
        if let Some(record) = record() {
            said(save_text(&name("csv"), "text/csv;charset=utf-8", &record.csv()));
        }
    };
    let json = move |_event| {
        if let Some(record) = record() {
            said(save_text(&name("json"), "application/json", &record.json()));
        }
    };
    let picture = move || -> Option<Picture> {
        record().map(|record| shown.with_untracked(|shown| svg::picture(&record, shown)))
    };
    let svg = move |_event| {
        if let Some(picture) = picture() {
            said(save_text(&name("svg"), "image/svg+xml", &picture.svg));
        }
    };
    let png = move |_event| {
        if let Some(picture) = picture() {
            spawn_local(async move { said(save_png(&name("png"), &picture).await) });
        }
    };
    // A figure in the making is not taken away.
    let nothing = move || state.job.get().is_some() || state.committed.with(Option::is_none);
    view! {
        <p class="take-away" role="group" aria-label="Take it away">
            <span class="hint">"Take it away: "</span>
            <button
                type="button"
                data-testid="export-csv"
                title="All scores, with model, device, options and link"
                disabled=nothing
                on:click=csv
            >
                "CSV"
            </button>
            <button
                type="button"
                data-testid="export-json"
                title="The same for programs, with every digit"
                disabled=nothing
                on:click=json
            >
                "JSON"
            </button>
            <button
                type="button"
                data-testid="export-svg"
                title="The head maps as a drawing"
                disabled=nothing
                on:click=svg
            >
                "SVG"
            </button>
            <button
                type="button"
                data-testid="export-png"
                title="The head maps as an image"
                disabled=nothing
                on:click=png
            >
                "PNG"
            </button>
            <a
                class="button"
                data-testid="permalink"
                title="Opens this experiment and shows this figure at once"
                href=move || link.get()
            >
                "Link"
            </a>
            <button
                type="button"
                data-testid="embed"
                title="A line of HTML that shows this figure in another page"
                aria-expanded=move || embedding.get().to_string()
                disabled=nothing
                on:click=move |_event| embedding.update(|open| *open = !*open)
            >
                "Embed"
            </button>
        </p>
        {move || {
            embedding.get().then(|| {
                view! {
                    <textarea
                        class="embed-line"
                        data-testid="embed-line"
                        aria-label="HTML that shows this figure in another page, to be copied"
                        rows="3"
                        readonly
                        prop:value=frame
                    ></textarea>
                }
            })
        }}
    }
}

fn file_name(model: &str, direction: Direction, extension: &str) -> String {
    format!("twinbeam-{model}-{direction}.{extension}")
}
