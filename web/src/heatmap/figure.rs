use leptos::prelude::*;
use twinbeam_core::{ComponentKind, Direction, GapTooSmall, Unit};

use super::card::Card;
use super::map::Map;
use super::marks::Marks;
use super::readout::{Agreement, Readout};
use super::shown::{MapKind, ScaleChoice, Shown};
use super::table::TableView;
use crate::export::ExportButtons;
use crate::lab;
use crate::models::KnownLegend;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

/// Integrated gradients, activation patching and their difference, and what there is to say of them.
#[component]
pub(crate) fn Figure(state: AppState) -> impl IntoView {
    let wanted = memo(move || Shown::of(state, ComponentKind::Heads, state.unit.get()));
    let shown = Shown::or_in_the_metrics_unit(state, ComponentKind::Heads, wanted);
    let found = lab::found_in(state, ComponentKind::Heads);
    let refusal = move || wanted.with(|wanted| wanted.as_ref().err().map(GapTooSmall::to_string));
    view! {
        <div class="figure-head">
            <h2>"Attention heads"</h2>
            <p class="hint">{dynamic(move || sign_sentence(state))}</p>
            <UnitSelect state />
            <ScaleSelect state />
        </div>
        {dynamic(move || {
            refusal().map(|why| {
                view! { <p class="refusal" role="status">"Shown in the metric’s unit: " {why} "."</p> }
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
        <ExportButtons state shown />
        <TableView state shown kind=ComponentKind::Heads />
    }
}

/// What the colours mean in the unit on the screen.
fn sign_sentence(state: AppState) -> &'static str {
    match (state.unit.get(), state.direction()) {
        (Unit::Notebook, Direction::Noising) => {
            "As the notebook writes them: IG positive, and AP negative, where the head supports the clean behaviour"
        }
        _ => "Positive, drawn warm: the head supports the clean behaviour",
    }
}

#[component]
fn UnitSelect(state: AppState) -> impl IntoView {
    let choose = move |event| {
        let wanted = event_target_value(&event);
        if let Some(unit) = Unit::ALL.into_iter().find(|unit| unit.id() == wanted) {
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
        let shared = event_target_value(&event) == "shared";
        state.scale.set(if shared { ScaleChoice::Shared } else { ScaleChoice::PerMap });
    };
    let chosen = move || if state.scale.get() == ScaleChoice::Shared { "shared" } else { "own" };
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
