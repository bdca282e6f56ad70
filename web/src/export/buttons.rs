//! The buttons that take a result away: numbers, pictures, a link, a bundle.

use leptos::prelude::*;
use twinbeam_core::words::ComponentKind;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::bundle::{self, Extras};
use super::notebook::Origin;
use super::record::Looked;
use super::save::{save_bytes, save_png, save_text};
use super::{Screen, embed, zip};
use crate::ports::address;
use crate::reactive::{dynamic, live, memo};
use crate::session::Session;
use crate::state::AppState;
use crate::values::{Committed, Job, Slot};
use crate::{explain, models};

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
pub(crate) fn ExportButtons(state: AppState) -> impl IntoView {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone would be of one lifetime"
    )]
    let link = memo(move || on_screen(state, |screen| screen.link()).unwrap_or_else(address::page));
    let line = memo(move || embed::frame(&link.get()));
    // A figure in the making is not taken away.
    let nothing = memo(move || {
        let whole = |c: &Committed| c.is_complete(ComponentKind::Heads);
        state.job.get() == Some(Job::Heads)
            || !state.committed.with(|c| c.as_deref().is_some_and(whole))
    });
    let embedding = RwSignal::new(false);
    let files = Format::ALL.map(|format| {
        let (label, testid, title) = format.words();
        let save = move |_event| save(state, format);
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
        {dynamic(move || embedding.get().then(|| view! { <EmbedLine line /> }))}
    }
}

#[component]
fn EmbedLine(line: Memo<String>) -> impl IntoView {
    view! {
        <textarea
            class="embed-line"
            data-testid="embed-line"
            aria-label="HTML that shows this figure in another page, to be copied"
            rows="3"
            readonly
            prop:value=line
        ></textarea>
    }
}

/// Makes something of what is on the screen, once there is a result: of the experiment as it was run, whatever is
/// being typed.
fn on_screen<T>(state: AppState, make: impl FnOnce(&Screen<'_>) -> T) -> Option<T> {
    let looked = |slot| Looked::of(&*state.last_answer(slot)?);
    let lab = Slot::ALL.into_iter().filter_map(looked).collect();
    let (view, known) = ((*state.view.get()).clone(), models::heads(state));
    state.committed.with(|committed| {
        state.linked.with(|linked| {
            Some(make(&Screen {
                committed: committed.as_deref()?,
                view,
                linked: linked.as_deref().map(|(_, snapshot)| snapshot),
                known,
                lab,
                page: address::page(),
            }))
        })
    })
}

fn save(state: AppState, format: Format) {
    let said = move |result: Result<(), JsValue>| {
        if let Err(error) = result {
            state.say(explain::not_saved(&format!("{error:?}")));
        }
    };
    let save = |screen: &Screen<'_>| match format {
        Format::Csv => {
            let (name, text) = (screen.file_name("csv"), screen.record().csv());
            said(save_text(&name, "text/csv;charset=utf-8", &text));
        }
        Format::Json => {
            let (name, text) = (screen.file_name("json"), screen.record().json());
            said(save_text(&name, "application/json", &text));
        }
        Format::Svg => {
            said(save_text(&screen.file_name("svg"), "image/svg+xml", &screen.picture().svg));
        }
        Format::Png => {
            let (name, picture) = (screen.file_name("png"), screen.picture());
            spawn_local(async move { said(save_png(&name, &picture).await) });
        }
        Format::Bundle => {
            let bytes = packed(state, screen)
                .map_err(|_source| JsValue::from_str("The archive could not be packed"));
            let name = screen.file_name("zip");
            said(bytes.and_then(|bytes| save_bytes(&name, "application/zip", &bytes)));
        }
    };
    untrack(|| on_screen(state, save));
}

fn packed(state: AppState, screen: &Screen<'_>) -> Result<Vec<u8>, rawzip::Error> {
    // A link does not say where its model is, but the list of models may.
    let listed = || state.models.spec(&screen.experiment().model)?.identity.address;
    let address = screen.committed.model.identity.address.clone().or_else(listed);
    let origin = Origin::of(address.as_deref());
    let pairs = state.lab.pairs.all.get_untracked();
    let batch = state.read(Session::summary);
    let entries = bundle::entries(screen, Extras { origin, batch, pairs: &pairs });
    zip::archive(&entries, (js_sys::Date::now() / 1000.0) as i64)
}
