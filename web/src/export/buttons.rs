//! The buttons that save what is on the screen as files: numbers, pictures, a bundle.

use leptos::prelude::*;
use twinbeam_core::link::{Note, View};
use twinbeam_core::words::ComponentKind;
use twinbeam_record::{Batch, Extras, Origin, PackError, bundle};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::Screen;
use super::record::looked;
use super::save::{FOR_PRINT, save_bytes, save_png, save_text};
use crate::ports::address;
use crate::reactive::memo;
use crate::session::Session;
use crate::state::AppState;
use crate::values::{Committed, Job, Notice, Slot};
use crate::{explain, models};

/// What a result can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Slide,
    Png,
    Svg,
    Csv,
    Json,
    Bundle,
}

impl Format {
    const ALL: [Self; 6] = [Self::Slide, Self::Png, Self::Svg, Self::Csv, Self::Json, Self::Bundle];

    /// Name, test id, and what is in it.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Slide => {
                ("PNG for a slide", "export-slide", "1920 by 1080 pixels, in type for a room")
            }
            Self::Png => ("PNG", "export-png", "The head maps as an image for print"),
            Self::Svg => ("SVG", "export-svg", "The head maps as a drawing"),
            Self::Csv => ("CSV", "export-csv", "All scores, with model, device, options and link"),
            Self::Json => ("JSON", "export-json", "The same for programs, with every digit"),
            Self::Bundle => (
                "Bundle",
                "export-bundle",
                "All of it in one zip, with a notebook that computes it again with TransformerLens and captum",
            ),
        }
    }
}

/// The result as files. What goes wrong is said where `trouble` is shown.
#[component]
pub(crate) fn FileButtons(state: AppState, trouble: RwSignal<Option<Notice>>) -> impl IntoView {
    // A figure in the making is not taken away.
    let nothing = memo(move || {
        let whole = |c: &Committed| c.is_complete(ComponentKind::Heads);
        state.job.get() == Some(Job::Heads)
            || !state.committed.with(|c| c.as_deref().is_some_and(whole))
    });
    Format::ALL
        .map(|format| {
            let (label, testid, title) = format.words();
            let save = move |_event| save(state, format, trouble);
            view! {
                <button type="button" data-testid=testid title=title disabled=nothing on:click=save>
                    {label}
                </button>
            }
        })
        .collect_view()
}

/// Makes something of what is on the screen, once there is a result: of the experiment as it was run, whatever is
/// being typed.
pub(crate) fn on_screen<T>(state: AppState, make: impl FnOnce(&Screen<'_>) -> T) -> Option<T> {
    let of_slot = |slot| match slot {
        // All that is known of the edges, not what was asked last.
        Slot::PatchEdges => looked(&state.lab.edges(state.direction())?.answer()),
        slot => looked(&*state.last_answer(slot)?),
    };
    let lab = Slot::ALL.into_iter().filter_map(of_slot).collect();
    // Words that came with a link are its sender's, who did not write them of what is made here.
    let view = View { note: Note::default(), ..(*state.view.get()).clone() };
    let known = models::heads(state);
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

fn save(state: AppState, format: Format, trouble: RwSignal<Option<Notice>>) {
    let said = move |result: Result<(), JsValue>| {
        // Where that is shown may be closed by now.
        trouble.try_set(result.err().map(|error| explain::not_saved(&format!("{error:?}"))));
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
            spawn_local(async move { said(save_png(&name, &picture, FOR_PRINT).await) });
        }
        Format::Slide => {
            let (name, picture) = (screen.file_name("slide.png"), screen.slide());
            spawn_local(async move { said(save_png(&name, &picture, 1).await) });
        }
        Format::Bundle => {
            let bytes =
                packed(state, screen).map_err(|error| JsValue::from_str(&error.to_string()));
            let name = screen.file_name("zip");
            said(bytes.and_then(|bytes| save_bytes(&name, "application/zip", &bytes)));
        }
    };
    untrack(|| on_screen(state, save));
}

fn packed(state: AppState, screen: &Screen<'_>) -> Result<Vec<u8>, PackError> {
    // A link does not say where its model is, but the list of models may.
    let listed = || state.models.spec(&screen.experiment().model)?.identity.address;
    let address = screen.committed.model.identity.address.clone().or_else(listed);
    let origin = Origin::of(address.as_deref());
    let pairs = state.lab.pairs.all.get_untracked();
    let summary = state.read(Session::summary);
    let batch =
        summary.as_ref().map(|of| Batch { json: &of.json, n: of.n, settings: &of.settings });
    let (figure, figure_is) = (screen.picture(), "the maps as they were on the screen");
    let extras = Extras { figure, figure_is, origin, batch, pairs: &pairs };
    bundle(&screen.record(), &extras, (js_sys::Date::now() / 1000.0) as i64)
}
