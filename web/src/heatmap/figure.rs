//! The figure of the heads: three maps with their units, scales and legend.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::ScaleChoice;
use twinbeam_core::scores::{GapRefused, Unit};
use twinbeam_core::words::{ComponentKind, Direction};

use super::checks::Checks;
use super::claim::Claim;
use super::map::Map;
use super::marks::{Marks, SwapAnswers};
use super::readout::{Agreement, Readout};
use super::shown::{MapKind, Shown};
use super::table::TableView;
use crate::components::chosen;
use crate::heatmap::shown_on_screen;
use crate::lab::Found;
use crate::models::KnownLegend;
use crate::pinned::PinnedPanel;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::{explain, lab};

/// The scores of the heads as the screen shows them, and who is found by each method.
pub(crate) fn shown_heads(state: AppState) -> (Memo<Shown>, Memo<Option<Arc<Found>>>) {
    let kind = ComponentKind::Heads;
    (memo(move || shown_on_screen(state, kind)), lab::found_in(state, kind))
}

/// Integrated gradients, activation patching and their difference, with the ways to look at them.
#[component]
pub(crate) fn Maps(
    state: AppState,
    shown: Memo<Shown>,
    found: Memo<Option<Arc<Found>>>,
) -> impl IntoView {
    let chosen = RwSignal::new(MapKind::Ig);
    let refusal = move || {
        let unit = state.unit.get();
        state.committed.with(|committed| unit.of_result(&committed.as_ref()?.basis).err())
    };
    view! {
        <div class="figure-head" id="figure">
            <h2>"Attention heads"</h2>
            <DirectionSelect state />
            <UnitSelect state />
            <ScaleSelect state />
        </div>
        {dynamic(move || {
            refusal().map(|why| {
                let unit = state.metric().unit();
                let swaps = matches!(why, GapRefused::Reversed { .. });
                view! {
                    <p class="refusal" role="status">
                        {explain::refused(&why)} " Shown in " {unit} ". "
                        {swaps.then(|| view! { <SwapAnswers state /> })}
                    </p>
                }
            })
        })}
        <MapChoice chosen />
        <div class="maps" data-map=live(move || chosen.get().id())>
            {MapKind::ALL.map(|map| view! { <Map state shown found map /> })}
        </div>
    }
}

/// What there is to say of the maps, and the ways to take them along.
#[component]
pub(crate) fn Said(
    state: AppState,
    shown: Memo<Shown>,
    found: Memo<Option<Arc<Found>>>,
) -> impl IntoView {
    view! {
        <Readout state shown kind=ComponentKind::Heads />
        <Claim state shown found />
        <p class="hint" data-testid="sign">{dynamic(move || explain::sign(shown.with(Shown::look)))}</p>
        <KnownLegend state />
        <Marks state />
        <Agreement state kind=ComponentKind::Heads />
        <Checks state shown />
        <PinnedPanel state below=ComponentKind::Heads />
        <TableView state shown kind=ComponentKind::Heads />
    }
}

/// Which of the maps is seen where there is room for one.
#[component]
fn MapChoice(chosen: RwSignal<MapKind>) -> impl IntoView {
    let buttons = MapKind::ALL.map(|map| {
        view! {
            <button
                type="button"
                data-testid=format!("show-{}", map.id())
                aria-pressed=live(move || (chosen.get() == map).to_string())
                on:click=move |_event| chosen.set(map)
            >
                {map.short()}
            </button>
        }
    });
    view! { <div class="map-choice" role="group" aria-label="Map">{buttons}</div> }
}

/// Which run is changed. Both are computed, so this is a change of view.
#[component]
fn DirectionSelect(state: AppState) -> impl IntoView {
    let choose = move |event| {
        if let Some(direction) = chosen(&event, &Direction::ALL, Direction::id) {
            state.direction.set(direction);
        }
    };
    view! {
        <label class="switch">
            "Direction "
            <select
                id="direction"
                data-testid="direction"
                title=live(move || explain::direction(state.direction()))
                prop:value=live(move || state.direction().id())
                on:change=choose
            >
                <option value="noising">"noising: is it necessary?"</option>
                <option value="denoising">"denoising: is it sufficient?"</option>
            </select>
        </label>
    }
}

#[component]
fn UnitSelect(state: AppState) -> impl IntoView {
    let choose = move |event| {
        if let Some(unit) = chosen(&event, &Unit::ALL, Unit::id) {
            state.unit.set(unit);
        }
    };
    view! {
        <label class="switch">
            "Unit "
            <select data-testid="unit" prop:value=live(move || state.unit.get().id()) on:change=choose>
                <option value="metric">{dynamic(move || state.metric().unit())}</option>
                <option value="share">"share of the gap"</option>
                <option value="notebook">"as in the notebook"</option>
            </select>
        </label>
    }
}

#[component]
fn ScaleSelect(state: AppState) -> impl IntoView {
    let choose = move |event| {
        let shared = event_target_value(&event) == ScaleChoice::Shared.id();
        state.scale.set(if shared { ScaleChoice::Shared } else { ScaleChoice::Own });
    };
    let chosen = move || state.scale.get().id();
    view! {
        <label class="switch">
            "Scale "
            <select
                data-testid="scale"
                prop:value=live(chosen)
                disabled=live(move || !state.unit.get().comparable())
                title="IG and AP as in the notebook are not in one unit, and so have a scale each"
                on:change=choose
            >
                <option value="shared">"one for all maps"</option>
                <option value="own">"one per map"</option>
            </select>
        </label>
    }
}
