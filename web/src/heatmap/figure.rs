//! The figure of the heads: three maps with their units, scales and legend.

use leptos::prelude::*;
use twinbeam_core::link::ScaleChoice;
use twinbeam_core::scores::{GapRefused, Unit};
use twinbeam_core::words::ComponentKind;

use super::card::Card;
use super::map::Map;
use super::marks::{Marks, SwapAnswers};
use super::readout::{Agreement, Readout};
use super::shown::{MapKind, Shown};
use super::table::TableView;
use crate::components::chosen;
use crate::models::KnownLegend;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::{explain, lab};

/// Integrated gradients, activation patching and their difference, and what there is to say of them.
#[component]
pub(crate) fn Figure(state: AppState) -> impl IntoView {
    let shown = memo(move || Shown::of(state, ComponentKind::Heads));
    let found = lab::found_in(state, ComponentKind::Heads);
    let refusal = move || {
        let unit = state.unit.get();
        state.committed.with(|committed| unit.of_result(&committed.as_ref()?.basis).err())
    };
    view! {
        <div class="figure-head">
            <h2>"Attention heads, " {dynamic(move || state.direction().id())}</h2>
            <p class="hint" data-testid="sign">{dynamic(move || explain::sign(shown.with(Shown::look)))}</p>
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
        <Marks state />
        <div class="maps">
            {MapKind::ALL.map(|map| view! { <Map state shown found map /> })}
        </div>
        <KnownLegend state />
        <Readout state shown kind=ComponentKind::Heads />
        <Agreement state kind=ComponentKind::Heads />
        <Card state kind=ComponentKind::Heads />
        <TableView state shown kind=ComponentKind::Heads />
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
