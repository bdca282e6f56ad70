use js_sys::Reflect;
use leptos::prelude::*;
use twinbeam_core::{CatalogModel, DeviceChoice};
use wasm_bindgen_futures::spawn_local;

use super::fit::{Fit, bytes, fetch_bytes};
use super::storage::FilesAndStorage;
use super::{LOCAL, Spec, Stock, ask_to_persist, refresh};
use crate::bridge;
use crate::state::AppState;

/// Which model is used, and what another one would take.
#[component]
pub(crate) fn ModelMenu(state: AppState) -> impl IntoView {
    let models = Memo::new(move |_| {
        let listed = state.models.listed.get();
        listed.map(|listed| listed.catalog.models).unwrap_or_default()
    });
    // What the visitor points at, else what is on its way, else what is in use.
    let chosen = Memo::new(move |_| {
        let arriving = || state.models.arriving.with(|a| a.as_ref().map(|a| a.identity.id.clone()));
        let in_use = || state.loaded.with(|l| l.as_ref().map(|l| l.identity.id.clone()));
        state.models.offered.get().or_else(arriving).or_else(in_use)
    });
    let is_chosen = move |id: &str| chosen.with(|chosen| chosen.as_deref() == Some(id));
    let own = Memo::new(move |_| {
        state.loaded.with(|loaded| {
            let model = loaded.as_ref().filter(|loaded| loaded.identity.id == LOCAL)?;
            Some(model.identity.title.clone())
        })
    });
    let options = move || {
        let options = models.get().into_iter().map(|model| {
            let fit = fit(state, &model);
            let (id, label) = (model.id.clone(), label(state, &model, fit));
            view! {
                <option value=model.id prop:selected=move || is_chosen(&id) disabled=!fit.can_run()>
                    {label}
                </option>
            }
        });
        options.collect_view()
    };
    let own_option = move || {
        let starting = (models.with(Vec::is_empty)).then_some("Starting");
        let own = own.get();
        own.or_else(|| starting.map(str::to_owned)).map(|title| {
            view! { <option value=LOCAL prop:selected=move || is_chosen(LOCAL)>{title}</option> }
        })
    };
    let choose = move |event| {
        let id = event_target_value(&event);
        let Some(model) = state.models.find(&id) else { return };
        let in_use = state.loaded.with_untracked(|l| l.as_ref().map(|l| l.identity.id.clone()));
        if in_use.as_ref() == Some(&id) || untrack(|| state.models.is_at_hand(&model)) {
            state.models.offered.set(None);
            bridge::choose(state, &id);
        } else {
            state.models.offered.set(Some(id));
            spawn_local(refresh(state));
        }
    };
    view! {
        <div class="field example">
            <label for="model-select">"Model"</label>
            <select id="model-select" data-testid="model-select" on:change=choose>
                {options}
                {own_option}
            </select>
        </div>
        <FilesAndStorage state />
        <Offer state />
    }
    .into_any()
}

/// What fetching a model would mean, before anything is fetched.
#[component]
fn Offer(state: AppState) -> impl IntoView {
    let offered = Memo::new(move |_| {
        let id = state.models.offered.get()?;
        state.models.listed.with(|listed| listed.as_ref()?.catalog.find(&id).cloned())
    });
    move || {
        let model = offered.get()?;
        let spec = state.models.spec(&model.id)?;
        let size = fetch_bytes(&model);
        let what = what_it_takes(state, &model, &spec);
        let room = move || {
            let space = state.models.space.get().filter(|space| space.free() < size)?;
            Some(format!(
                "The browser has room for {} more, so it may not keep it; deleting what is kept below makes room. ",
                bytes(space.free())
            ))
        };
        let load = format!("Load {} ({})", model.title, bytes(size));
        let id = model.id.clone();
        Some(
            view! {
                <div class="offer-model" data-testid="model-offer" role="status">
                    <p>
                        <strong>{what}</strong>
                        " "
                        {fit(state, &model).words()}
                        " "
                        {room}
                        <span class="hint">{model.note.clone()}</span>
                    </p>
                    <button
                        type="button"
                        class="primary"
                        data-testid="model-load"
                        on:click=move |_event| fetch(state, &id)
                    >
                        {load}
                    </button>
                    <button
                        type="button"
                        data-testid="model-not-now"
                        on:click=move |_event| state.models.offered.set(None)
                    >
                        "Not now"
                    </button>
                </div>
            }
            .into_any(),
        )
    }
}

/// Fetches a model: only a click leads here.
pub(crate) fn fetch(state: AppState, id: &str) {
    ask_to_persist();
    state.models.offered.set(None);
    bridge::choose(state, id);
}

fn what_it_takes(state: AppState, model: &CatalogModel, spec: &Spec) -> String {
    let (title, size, source) = (&model.title, bytes(fetch_bytes(model)), spec.source());
    match state.models.shelves.with(|shelves| shelves.stock(&model.shelf())) {
        Stock::InPart { bytes: kept } => format!(
            "{title}: {size} from {source}, of which {} are here already; kept in this browser.",
            bytes(kept)
        ),
        Stock::Whole | Stock::Not => {
            format!("{title}: {size} from {source}, once; kept in this browser.")
        }
    }
}

/// A model's line in the menu.
fn label(state: AppState, model: &CatalogModel, fit: Fit) -> String {
    let title = &model.title;
    if model.is_bundled() {
        return title.clone();
    }
    if let Fit::TooLarge { needs } = fit {
        return format!("{title}: too large here ({} of memory)", bytes(needs));
    }
    let size = bytes(fetch_bytes(model));
    match state.models.shelves.with(|shelves| shelves.stock(&model.shelf())) {
        Stock::Whole => format!("{title}: kept here"),
        Stock::InPart { .. } => format!("{title}: {size}, kept in part"),
        Stock::Not => format!("{title}: {size} to fetch"),
    }
}

fn fit(state: AppState, model: &CatalogModel) -> Fit {
    // The other models will run where this one does.
    let on_gpu = state.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.device.gpu));
    let on_gpu = on_gpu.unwrap_or_else(|| state.device_choice.get() == DeviceChoice::Gpu);
    let memory = Reflect::get(&window().navigator(), &"deviceMemory".into()).ok();
    Fit::of(model, on_gpu, memory.and_then(|memory| memory.as_f64()))
}
