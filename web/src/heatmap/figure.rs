use leptos::prelude::*;
use twinbeam_core::{GapTooSmall, Method, Unit, stats};

use super::card::Card;
use super::map::Map;
use super::scale::signed;
use super::shown::{MapKind, ScaleChoice, Shown};
use crate::export::ExportButtons;
use crate::state::AppState;

/// Integrated gradients, activation patching and their difference, and what there is to say of them.
#[component]
pub(crate) fn Figure(state: AppState) -> impl IntoView {
    let wanted = Memo::new(move |_| shown(state, state.unit.get()));
    // Where the unit is refused, the metric's own takes its place, and a sentence says why.
    let shown = Memo::new(move |_| {
        wanted.get().or_else(|_| shown(state, Unit::Metric)).unwrap_or_default()
    });
    let refusal = move || wanted.with(|wanted| wanted.as_ref().err().map(GapTooSmall::to_string));
    view! {
        <div class="figure-head">
            <h2>"Attention heads"</h2>
            <p class="hint">"Positive, drawn warm: the head supports the clean behaviour"</p>
            <UnitSelect state />
            <ScaleSelect state />
        </div>
        {move || {
            refusal().map(|why| {
                view! { <p class="refusal" role="status">"Shown in the metric’s unit: " {why} "."</p> }
            })
        }}
        <div class="maps">
            {MapKind::ALL.map(|map| view! { <Map state shown map /> })}
        </div>
        <Readout state shown />
        <ExportButtons state shown />
        <Card state />
    }
}

/// The tables on the screen in a unit.
fn shown(state: AppState, unit: Unit) -> Result<Shown, GapTooSmall> {
    let direction = state.direction();
    let choice = state.scale.get();
    state.committed.with(|committed| match committed {
        Some(committed) => {
            let tables = [Method::Ig, Method::Ap].map(|method| committed.table(method, direction));
            Shown::new(tables, &committed.basis, unit, choice)
        }
        None => Ok(Shown::empty(state.draft.with(|draft| draft.metric))),
    })
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
            <select data-testid="unit" prop:value=move || state.unit.get().id() on:change=choose>
                <option value="metric">{move || state.metric().unit()}</option>
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
                prop:value=chosen
                disabled=move || !state.unit.get().comparable()
                title="IG and AP as in the notebook are not in one unit, and so have a scale each"
                on:change=choose
            >
                <option value="shared">"one for all maps"</option>
                <option value="own">"one per map"</option>
            </select>
        </label>
    }
}

/// The head under the pointer or the focus, else the pinned one, and how far the maps agree as a whole.
#[component]
fn Readout(state: AppState, shown: Memo<Shown>) -> impl IntoView {
    let head = move || {
        let Some(cell) = state.cell.get().or_else(|| state.pinned.get()) else {
            return "Point at a head, or move through a map with the arrow keys; click or Enter pins it."
                .to_owned();
        };
        shown.with(|shown| {
            let words = shown.words(cell);
            match shown.score(MapKind::Diff, cell) {
                Some(difference) => {
                    let decimals = shown.scale(MapKind::Diff).decimals();
                    format!("{words}; IG − AP {}", signed(difference, decimals))
                }
                None => words,
            }
        })
    };
    let agreement = move || {
        shown.with(|shown| {
            let values = |map| shown.table(map).map(|table| &table.values);
            let (ig, ap) = (values(MapKind::Ig)?, values(MapKind::Ap)?);
            let pearson = stats::pearson(ig, ap)?;
            let spearman = stats::spearman(ig, ap)?;
            Some(format!(
                "Over all {} heads: Pearson correlation {pearson:.3}, rank correlation (Spearman) {spearman:.3}.",
                ig.len()
            ))
        })
    };
    view! {
        <p class="readout" data-testid="readout">{head}</p>
        <p class="agreement" data-testid="agreement">{agreement}</p>
    }
}
