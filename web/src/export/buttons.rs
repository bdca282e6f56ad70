use leptos::prelude::*;
use twinbeam_core::{ComponentKind, Direction};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::bundle::{self, Extras};
use super::notebook::Origin;
use super::record::Looked;
use super::save::{save_bytes, save_png, save_text};
use super::{Picture, Record, embed, svg, zip};
use crate::bridge::batch::Summary;
use crate::heatmap::Shown;
use crate::lab::Slot;
use crate::reactive::{dynamic, live, memo};
use crate::state::{AppState, Committed};
use crate::{explain, linked, models, url_state};

/// What a result can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
    Svg,
    Png,
    Bundle,
}

impl Format {
    const ALL: [Self; 5] = [Self::Csv, Self::Json, Self::Svg, Self::Png, Self::Bundle];

    /// Name, test id, and what is in it.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Csv => ("CSV", "export-csv", "All scores, with model, device, options and link"),
            Self::Json => ("JSON", "export-json", "The same for programs, with every digit"),
            Self::Svg => ("SVG", "export-svg", "The head maps as a drawing"),
            Self::Png => ("PNG", "export-png", "The head maps as an image"),
            Self::Bundle => (
                "Bundle",
                "export-bundle",
                "All of it in one zip, with a notebook that computes it again with TransformerLens and captum",
            ),
        }
    }
}

/// The result as numbers with their provenance, the figure as a picture, and both as a link.
#[component]
pub(crate) fn ExportButtons(state: AppState, shown: Memo<Shown>) -> impl IntoView {
    // The experiment as it was run, whatever is being typed.
    let link = memo(move || {
        let experiment = state.committed.with(|c| c.as_ref().map(|c| c.experiment.clone()));
        let snapshot = linked::snapshot(state);
        experiment
            .and_then(|experiment| {
                url_state::share(&experiment, snapshot.as_ref(), &state.view()).ok()
            })
            .unwrap_or_else(url_state::page)
    });
    // A figure in the making is not taken away.
    let nothing = memo(move || {
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
                aria-expanded=live(move || embedding.get().to_string())
                disabled=nothing
                on:click=move |_event| embedding.update(|open| *open = !*open)
            >
                "Embed"
            </button>
        </p>
        {dynamic(move || embedding.get().then(|| view! { <EmbedLine link /> }))}
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
            prop:value=live(move || embed::frame(&url_state::embedding(&link.get())))
        ></textarea>
    }
}

fn save(state: AppState, shown: Memo<Shown>, link: Memo<String>, format: Format) {
    let Some(record) = untrack(|| record(state, link)) else {
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
        Format::Bundle => {
            let bytes = packed(state, &record, picture())
                .map_err(|_source| JsValue::from_str("The archive could not be packed"));
            said(bytes.and_then(|bytes| save_bytes(&name("zip"), "application/zip", &bytes)));
        }
    }
}

/// The figure on the screen with everything that belongs to it.
fn record(state: AppState, link: Memo<String>) -> Option<Record> {
    let known = models::heads(state);
    let looked = |slot| {
        let answer = state.lab.answers(slot).get()?;
        if state.is_of_figure(&answer) { Looked::of(&answer) } else { None }
    };
    state.committed.with(|committed| {
        let record = Record::new(link.get(), committed.as_ref()?, known);
        Some(Record { lab: Slot::ALL.into_iter().filter_map(looked).collect(), ..record })
    })
}

fn packed(state: AppState, record: &Record, figure: Picture) -> Result<Vec<u8>, rawzip::Error> {
    // A link does not say where its model is, but the list of models may.
    let listed = || state.models.spec(&record.experiment.model)?.identity.address;
    let address = record.model_address.clone().or_else(listed);
    let batch = state.lab.batch;
    let entries = batch.pairs.with_untracked(|pairs| {
        let extras = Extras {
            figure,
            origin: Origin::of(address.as_deref()),
            batch: Summary::of(state),
            pairs,
        };
        bundle::entries(record, extras)
    });
    zip::archive(&entries, (js_sys::Date::now() / 1000.0) as i64)
}

fn file_name(model: &str, direction: Direction, extension: &str) -> String {
    format!("twinbeam-{model}-{direction}.{extension}")
}
