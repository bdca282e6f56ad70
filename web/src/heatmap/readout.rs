use leptos::prelude::*;
use twinbeam_core::{Component, ComponentKind, stats};

use super::scale::signed;
use super::shown::{MapKind, Shown};
use crate::models;
use crate::state::AppState;

/// The component under the pointer or the focus, else the pinned one.
#[component]
pub(crate) fn Readout(state: AppState, shown: Memo<Shown>, kind: ComponentKind) -> impl IntoView {
    let (testid, hint) = match kind {
        ComponentKind::Heads => (
            "readout",
            "Point at a head, or move through a map with the arrow keys; click or Enter pins it.",
        ),
        ComponentKind::Neurons => (
            "readout-neurons",
            "Point at a neuron, or move with the arrow keys; click or Enter pins it. Drag to move along, and zoom with + \
             and −, or the wheel with Ctrl.",
        ),
    };
    let known =
        Memo::new(move |_| if kind == ComponentKind::Heads { models::heads(state) } else { None });
    let words = move || {
        let of_kind = |cell: Option<_>| cell.filter(|cell: &Component| cell.kind == kind);
        let Some(cell) = of_kind(state.cell.get()).or_else(|| of_kind(state.pinned.get())) else {
            return hint.to_owned();
        };
        let role = known.with(|known| {
            let head = known.as_ref()?.of(cell.layer, cell.index)?;
            Some(format!("; known: {}", head.class))
        });
        shown.with(|shown| {
            let words = shown.words(cell);
            let words = match shown.score(MapKind::Diff, cell) {
                Some(difference) => {
                    let decimals = shown.scale(MapKind::Diff).decimals();
                    format!("{words}; IG − AP {}", signed(difference, decimals))
                }
                None => words,
            };
            words + &role.unwrap_or_default()
        })
    };
    view! { <p class="readout" data-testid=testid>{words}</p> }
}

/// How far IG and AP agree as a whole, whatever the unit.
#[component]
pub(crate) fn Agreement(state: AppState, kind: ComponentKind) -> impl IntoView {
    let testid = match kind {
        ComponentKind::Heads => "agreement",
        ComponentKind::Neurons => "agreement-neurons",
    };
    let words = move || {
        // Of the scores themselves: the notebook's unit would turn the sign.
        state.committed.with(|committed| {
            let tables = committed.as_ref()?.tables(kind, state.direction());
            let [ig, ap] = tables;
            let (ig, ap) = (ig?, ap?);
            // Heads' AP comes layer by layer after IG: before it is complete, this would not be of all.
            let all = ig.values.len();
            if all != ap.values.len() {
                return None;
            }
            let exact: Vec<usize> = (0..all).filter(|place| ap.is_exact(*place)).collect();
            let [ig, ap] = [ig, ap]
                .map(|table| exact.iter().map(|place| table.values[*place]).collect::<Vec<_>>());
            let of = |correlation: Option<f64>| {
                correlation.map_or_else(
                    || "undefined (all scores of a map are equal)".to_owned(),
                    |r| format!("{r:.3}"),
                )
            };
            let (pearson, spearman) = (of(stats::pearson(&ig, &ap)), of(stats::spearman(&ig, &ap)));
            let (n, kinds) = (exact.len(), kind.id());
            let over = if n == all {
                format!("Over all {all} {kinds}")
            } else {
                format!("Over the {n} of {all} {kinds} patched so far, most of them chosen by size")
            };
            Some(format!(
                "{over}: Pearson correlation {pearson}, rank correlation (Spearman) {spearman}."
            ))
        })
    };
    view! { <p class="agreement" data-testid=testid>{words}</p> }
}
