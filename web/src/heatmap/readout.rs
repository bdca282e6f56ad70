//! The line below the maps that follows the pointer.

use leptos::prelude::*;
use twinbeam_core::link::Highlight;
use twinbeam_core::scores::ExactPairs;
use twinbeam_core::statistics;
use twinbeam_core::words::{Component, ComponentKind};

use super::shown::{MapKind, Shown};
use crate::models;
use crate::reactive::{dynamic, memo};
use crate::state::AppState;
use crate::values::Job;

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
        memo(move || if kind == ComponentKind::Heads { models::heads(state) } else { None });
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
                    let scale = shown.scale(MapKind::Diff);
                    format!("{words}; IG − AP {}", scale.written(difference))
                }
                None => words,
            };
            let is_selected = state.lab.selected.with(|selected| selected.contains(&cell));
            words + &role.unwrap_or_default() + if is_selected { "; selected" } else { "" }
        })
    };
    view! { <p class="readout" data-testid=testid>{dynamic(words)}</p> }
}

/// How far IG and AP agree as a whole, whatever the unit.
#[component]
pub(crate) fn Agreement(state: AppState, kind: ComponentKind) -> impl IntoView {
    let testid = match kind {
        ComponentKind::Heads => "agreement",
        ComponentKind::Neurons => "agreement-neurons",
    };
    // As long as more scores come, nobody is ticked.
    let job = if kind == ComponentKind::Heads { Job::Heads } else { Job::Neurons };
    let ticks = memo(move || {
        if state.job.get() == Some(job) {
            return String::new();
        }
        tick(state.lab.highlight.get(), kind, state.metric().unit())
    });
    let words = move || {
        // Of the scores themselves: the notebook's unit would turn the sign.
        state.committed.with(|committed| {
            let tables = committed.as_ref()?.tables(kind, state.direction());
            let [ig, ap] = tables;
            let (ig, ap) = (ig?, ap?);
            // Heads' AP comes layer by layer after IG: before it is complete, this would not be of all.
            let all = ig.values().len();
            if all != ap.values().len() {
                return None;
            }
            let ExactPairs { places, ig, ap } = ExactPairs::of(ig, ap);
            let of = |correlation: Option<f64>| {
                correlation.map_or_else(
                    || "undefined (all scores of a map are equal)".to_owned(),
                    |r| format!("{r:.3}"),
                )
            };
            let (pearson, spearman) =
                (of(statistics::pearson(&ig, &ap)), of(statistics::spearman(&ig, &ap)));
            let (n, kinds) = (places.len(), kind.id());
            let over = if n == all {
                format!("Over all {all} {kinds}")
            } else {
                format!("Over the {n} of {all} {kinds} patched so far, most of them chosen by size")
            };
            Some(format!(
                "{over}: Pearson correlation {pearson}, rank correlation (Spearman) {spearman}.{}",
                ticks.get()
            ))
        })
    };
    view! { <p class="agreement" data-testid=testid>{dynamic(words)}</p> }
}

/// What it takes to be found, in words.
pub(crate) fn threshold(highlight: Highlight, unit: &str) -> String {
    match highlight {
        Highlight::Quantile(q) => {
            let percent = ((1.0 - q) * 1e5).round() / 1e3;
            format!("in the top {percent} % by absolute score")
        }
        Highlight::AtLeast(least) => format!("an absolute score of at least {least} {unit}"),
    }
}

/// What a tick in the maps means.
fn tick(highlight: Highlight, kind: ComponentKind, unit: &str) -> String {
    let least = threshold(highlight, unit);
    let where_few = match kind {
        ComponentKind::Heads => "",
        ComponentKind::Neurons => ", drawn where few are in view",
    };
    format!(
        " Ticked{where_few}: among the strongest by the map’s method, that is {least}; in the map of the difference, by one method only."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_say_their_threshold() {
        let of = |highlight| tick(highlight, ComponentKind::Heads, "logits");
        let words = of(Highlight::Quantile(0.9));
        assert!(words.contains("in the top 10 % by absolute score"), "{words}");
        let words = of(Highlight::AtLeast(0.25));
        assert!(words.contains("an absolute score of at least 0.25 logits"), "{words}");
    }
}
