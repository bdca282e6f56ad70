//! The menu of models, and what fetching one of them would mean.

use js_sys::Reflect;
use leptos::prelude::*;
use twinbeam_core::models::CatalogModel;
use twinbeam_core::wire::Kept;
use twinbeam_core::wire::devices::{DeviceChoice, GpuState};
use wasm_bindgen_futures::spawn_local;

use super::fit::Fit;
use crate::ports::{ask_to_persist, look_at_shelves};
use crate::reactive::{dynamic, live, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::{LOCAL, Loaded, Stock, bytes, fetch_bytes};

/// Which model is used, and what another one would take.
#[component]
pub(crate) fn ModelMenu(state: AppState) -> impl IntoView {
    let models = memo(move || {
        let listed = state.models.listed.get();
        listed.map(|listed| listed.catalog.models.clone()).unwrap_or_default()
    });
    // What the visitor points at, else what is on its way, else what is in use.
    let chosen = memo(move || {
        let arriving = || state.models.arriving.with(|a| a.as_ref().map(|a| a.identity.id.clone()));
        let in_use = || state.loaded.with(|l| l.as_ref().map(|l| l.identity.id.clone()));
        state.models.offered.get().or_else(arriving).or_else(in_use)
    });
    let is_chosen = move |id: &str| chosen.with(|chosen| chosen.as_deref() == Some(id));
    let own = memo(move || {
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
                <option value=model.id prop:selected=live(move || is_chosen(&id)) disabled=!fit.can_run()>
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
            view! { <option value=LOCAL prop:selected=live(move || is_chosen(LOCAL))>{title}</option> }
        })
    };
    let choose = move |event| {
        let id = event_target_value(&event);
        let Some(model) = state.models.find(&id) else { return };
        let in_use = state.loaded.with_untracked(|l| l.as_ref().map(|l| l.identity.id.clone()));
        if in_use.as_ref() == Some(&id) || state.read(|session| session.models.is_at_hand(&model)) {
            state.tell(Visitor::ChooseModel(id));
        } else {
            state.models.offered.set(Some(id));
            spawn_local(refresh(state));
        }
    };
    view! {
        <div class="field model">
            <label for="model-select">"Model"</label>
            <select id="model-select" data-testid="model-select" on:change=choose>
                {dynamic(options)}
                {dynamic(own_option)}
            </select>
        </div>
        <p class="hint local-chosen" data-testid="local-chosen" role="status">
            {dynamic(move || state.models.chosen.get())}
        </p>
    }
    .into_any()
}

/// What fetching a model would mean, before anything is fetched.
#[component]
pub(crate) fn Offer(state: AppState) -> impl IntoView {
    let offered = memo(move || {
        let id = state.models.offered.get()?;
        state.models.listed.with(|listed| listed.as_ref()?.catalog.find(&id).cloned())
    });
    move || {
        let model = offered.get()?;
        let spec = state.models.spec(&model.id)?;
        let stock = state.models.shelves.with(|shelves| shelves.stock(&model.shelf()));
        let size = fetch_bytes(&model);
        let rest = size.saturating_sub(stock.in_part());
        let keeps = state.models.keeps();
        let what = what_it_takes(&model, &spec.source(), stock, keeps);
        let room = move || {
            let space = state.models.space.get().filter(|space| keeps && space.free() < rest)?;
            Some(format!(
                "The browser has room for {} more, so it may not keep it; deleting what is kept below makes room. ",
                bytes(space.free())
            ))
        };
        let load = load_words(&model.title, size, rest);
        let id = model.id.clone();
        Some(
            view! {
                <div class="offer-model" data-testid="model-offer" role="status">
                    <p>
                        <strong>{what}</strong>
                        " "
                        {fit(state, &model).words()}
                        " "
                        {dynamic(room)}
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
    state.tell(Visitor::ChooseModel(id.to_owned()));
}

/// Looks again at what the browser keeps.
pub(super) async fn refresh(state: AppState) {
    state.tell(look_at_shelves().await);
}

/// What is fetched from where, and how long it stays.
fn what_it_takes(model: &CatalogModel, source: &str, stock: Stock, keeps: bool) -> String {
    let (title, size) = (&model.title, bytes(fetch_bytes(model)));
    let stays = if keeps {
        "kept in this browser"
    } else {
        "the browser refuses to keep it: it will be in memory until another model is chosen or the page is closed"
    };
    match stock {
        Stock::InPart { bytes: kept } => format!(
            "{title}: {size} from {source}, of which {} are here already; {stays}.",
            bytes(kept)
        ),
        Stock::Whole | Stock::Not if keeps => {
            format!("{title}: {size} from {source}, once; {stays}.")
        }
        Stock::Whole | Stock::Not => format!("{title}: {size} from {source}; {stays}."),
    }
}

/// What the button says: how much is to be fetched, and of how much where a part is here.
fn load_words(title: &str, size: u64, rest: u64) -> String {
    if rest == size {
        format!("Load {title} ({})", bytes(size))
    } else {
        format!("Load {title} ({} of {})", bytes(rest), bytes(size))
    }
}

/// Whether a model is in use without being kept.
fn is_in_memory(state: AppState, id: &str) -> bool {
    let is_it =
        |loaded: &Loaded| loaded.identity.id == id && !matches!(loaded.kept, Kept::Stored { .. });
    state.loaded.with(|loaded| loaded.as_deref().is_some_and(is_it))
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
    if is_in_memory(state, &model.id) {
        return format!("{title}: in memory");
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
    let on_gpu = state.gpu.with(|gpu| matches!(gpu, GpuState::Ready { .. }));
    let on_gpu = on_gpu || state.device_choice.get() == DeviceChoice::Gpu;
    let memory = Reflect::get(&window().navigator(), &"deviceMemory".into()).ok();
    Fit::of(model, on_gpu, memory.and_then(|memory| memory.as_f64()))
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::Catalog;

    use super::*;

    #[test]
    fn an_offer_promises_no_more_than_the_browser_gives() {
        let catalog = Catalog::bundled();
        let small = catalog.find("gpt2").unwrap();
        let words = |stock, keeps| what_it_takes(small, "hub.example", stock, keeps);
        assert_eq!(
            words(Stock::Not, true),
            "GPT-2 small: 498 MB from hub.example, once; kept in this browser."
        );
        let refused = words(Stock::Not, false);
        assert!(refused.contains("refuses to keep it") && !refused.contains("once"), "{refused}");
        let in_part = words(Stock::InPart { bytes: 198_000_000 }, true);
        assert!(in_part.contains("of which 198 MB are here already"), "{in_part}");
    }

    #[test]
    fn the_button_says_what_is_left_to_fetch() {
        assert_eq!(load_words("GPT-2", 498_000_000, 498_000_000), "Load GPT-2 (498 MB)");
        assert_eq!(load_words("GPT-2", 498_000_000, 300_000_000), "Load GPT-2 (300 MB of 498 MB)");
    }
}
