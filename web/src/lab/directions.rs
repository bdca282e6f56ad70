//! What noising and denoising find, side by side, and which components act like AND or like OR.

mod two_ways;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::{Highlight, Panel};
use twinbeam_core::words::{Component, Method};

use self::two_ways::TwoWays;
use super::Chapter;
use super::claim::Claim;
use super::gates::Gates;
use super::parts::{self, KindSelect};
use super::sheet::{PlotRow, Sheet};
use crate::heatmap::threshold;
use crate::plot::{Pick, PlotView};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

const DEFINITION: &str = "Noising puts a component’s corrupted activation into the clean run: is it necessary? Denoising puts its \
    clean activation into the corrupted run: is it sufficient? Both in one unit (a share of the gap only where \
    the gap is at least 0.1, or 0.01 of probability), positive supports the clean behaviour. A component is \
    found in a direction if its absolute score there is at or above a threshold that is the same in both, chosen \
    under Agreement, but never under 1 % of the gap (where that is too small to divide by, of the largest \
    score); a percentile is that of the absolute scores of both directions together. AND-like candidates: found \
    by noising only, as the inputs of an AND. OR-like candidates: found by denoising only, as the inputs of an \
    OR; other circuits can look the same. Asymmetry is (noising − denoising) / max |noising − denoising|, from \
    −1 to 1; the largest ABSOLUTE difference divides, so that the sign cannot flip. The kinds go by size, \
    whatever the sign; the asymmetry of a component with negative scores reads the other way round.";

/// What each direction finds, and what that says.
#[component]
pub(super) fn Directions(state: AppState, sheet: Sheet) -> impl IntoView {
    let by_ig = state.lab.directions_by_ig;
    let ways = memo(move || {
        let method = if by_ig.get() { Method::Ig } else { Method::Ap };
        let (kind, unit) = (state.lab.kind.get(), state.unit.get());
        let highlight = state.lab.highlight.get();
        state.committed.with(|committed| {
            TwoWays::of(committed.as_ref()?, kind, method, unit, highlight).map(Arc::new)
        })
    });
    let claim = memo(move || match ways.get() {
        Some(ways) => ways.claim(state.direction()),
        None => Claim::new(parts::missing(state)),
    });
    view! {
        <Chapter state panel=Panel::Directions testid="panel-directions" claim definition=DEFINITION>
            <Parts state sheet ways />
        </Chapter>
    }
}

/// What the sentence rests on.
#[component]
fn Parts(state: AppState, sheet: Sheet, ways: Memo<Option<Arc<TwoWays>>>) -> impl IntoView {
    let by_ig = state.lab.directions_by_ig;
    let selected = state.lab.selected;
    let scatter = memo(move || {
        let ways = ways.get()?;
        Some(Arc::new(selected.with(|selected| ways.scatter(selected, sheet.column(3)))))
    });
    let kinds = memo(move || ways.get()?.kind_map(sheet.column(3)).map(Arc::new));
    let asymmetry = memo(move || ways.get()?.asymmetry_map(sheet.column(3)).map(Arc::new));
    let brush = Callback::new(move |(picked, how): (Vec<Component>, Pick)| {
        selected.update(|selected| how.apply(selected, &picked));
    });
    let of = move |text: fn(&TwoWays) -> String| {
        move || ways.with(|ways| ways.as_deref().map(text).unwrap_or_default())
    };
    let says = move || match ways.get() {
        Some(ways) => {
            let highlight = state.lab.highlight.get();
            let least = threshold(highlight, state.metric().unit());
            let both = match highlight {
                Highlight::Quantile(_) => ", those of both directions together",
                Highlight::AtLeast(_) => " in that direction",
            };
            format!("Found: {least}{both}, as chosen under Agreement. {}", ways.coverage())
        }
        None => parts::missing(state).to_owned(),
    };
    view! {
        <div class="panel-tools">
            <KindSelect state testid="directions-kind" />
            <label class="switch">
                "By "
                <select
                    data-testid="directions-method"
                    prop:value=live(move || if by_ig.get() { "ig" } else { "ap" })
                    on:change=move |event| by_ig.set(event_target_value(&event) == "ig")
                >
                    <option value="ap">"activation patching"</option>
                    <option value="ig">"integrated gradients"</option>
                </select>
            </label>
        </div>
        <p class="hint" role="status">{dynamic(says)}</p>
        <dl class="panel-numbers" inner_html=of(TwoWays::counts)></dl>
        <p data-testid="directions-says">{of(TwoWays::words)}</p>
        <PlotRow sheet n=3_usize>
            <PlotView
                pointer=state
                testid="directions-scatter"
                label="Denoising against noising"
                drawn=scatter
                brush=Some(brush)
            />
            <PlotView pointer=state testid="gate-map" label="Kinds" drawn=kinds />
            <PlotView pointer=state testid="asymmetry" label="Asymmetry" drawn=asymmetry />
        </PlotRow>
        <div class="signed-lists" on:click=move |event| parts::go(state, &event)>
            <div>
                <h3>
                    "Most asymmetric " <span class="hint">"+1: noising is larger, by the largest difference there is; −1: denoising is, by as much"</span>
                </h3>
                <ol data-testid="asymmetric" inner_html=of(TwoWays::list)></ol>
                <p class="hint">{of(TwoWays::turned)}</p>
            </div>
        </div>
        <Gates state sheet />
    }
}
