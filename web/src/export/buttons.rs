use leptos::prelude::*;
use twinbeam_core::{ComponentKind, Direction};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::save::{save_png, save_text};
use super::{Picture, Record, embed, svg};
use crate::heatmap::Shown;
use crate::state::{AppState, Committed};
use crate::{explain, linked, models, url_state};

/// What a result can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
    Svg,
    Png,
}

impl Format {
    const ALL: [Self; 4] = [Self::Csv, Self::Json, Self::Svg, Self::Png];

    /// Name, test id, and what is in it.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Csv => ("CSV", "export-csv", "All scores, with model, device, options and link"),
            Self::Json => ("JSON", "export-json", "The same for programs, with every digit"),
            Self::Svg => ("SVG", "export-svg", "The head maps as a drawing"),
            Self::Png => ("PNG", "export-png", "The head maps as an image"),
        }
    }
}

/// The result as numbers with their provenance, the figure as a picture, and both as a link.
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
    // A figure in the making is not taken away.
    let nothing = Memo::new(move |_| {
        let whole = |c: &Committed| c.is_complete(ComponentKind::Heads);
        state.job.get().is_some() || !state.committed.with(|c| c.as_ref().is_some_and(whole))
    });
    let embedding = RwSignal::new(false);
    let files = Format::ALL.map(|format| {
        let (label, testid, title) = format.words();
        let save = move |_event| save(state, shown, link, format);
        view! {
            <button type="button" data-testid=testid title=title disabled=nothing on:click=save>
                {label}
            </button>
        }
    });
    view! {
        <p class="take-away" role="group" aria-label="Take it away">
            <span class="hint">"Take it away: "</span>
            {files}
            <a
                class="button"
                data-testid="permalink"
                title="Opens this experiment and shows this figure at once"
                href=link
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
        {move || embedding.get().then(|| view! { <EmbedLine link /> })}
    }
}

#[component]
fn EmbedLine(link: Memo<String>) -> impl IntoView {
    view! {
        <textarea
            class="embed-line"
            data-testid="embed-line"
            aria-label="HTML that shows this figure in another page, to be copied"
            rows="3"
            readonly
            prop:value=move || embed::frame(&url_state::embedding(&link.get()))
        ></textarea>
    }
}

fn save(state: AppState, shown: Memo<Shown>, link: Memo<String>, format: Format) {
    let record = state.committed.with_untracked(|committed| {
        let known = untrack(|| models::heads(state));
        committed.as_ref().map(|committed| Record::new(link.get_untracked(), committed, known))
    });
    let Some(record) = record else {
        return;
    };
    let name = |extension| file_name(&record.experiment.model, state.direction(), extension);
    let picture = || -> Picture { shown.with_untracked(|shown| svg::picture(&record, shown)) };
    let said = move |result: Result<(), JsValue>| {
        if let Err(error) = result {
            state.notice.set(Some(explain::not_saved(&format!("{error:?}"))));
        }
    };
    match format {
        Format::Csv => said(save_text(&name("csv"), "text/csv;charset=utf-8", &record.csv())),
        Format::Json => said(save_text(&name("json"), "application/json", &record.json())),
        Format::Svg => said(save_text(&name("svg"), "image/svg+xml", &picture().svg)),
        Format::Png => {
            let (name, picture) = (name("png"), picture());
            spawn_local(async move { said(save_png(&name, &picture).await) });
        }
    }
}

fn file_name(model: &str, direction: Direction, extension: &str) -> String {
    format!("twinbeam-{model}-{direction}.{extension}")
}
