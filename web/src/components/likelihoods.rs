//! How likely each prompt makes the answers, at the ends of the token rows.

use leptos::prelude::*;

use super::summary::likelihood;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use twinbeam_figure::scale::signed;

/// How likely a prompt makes the two answers, and what that comes to in the metric.
#[component]
pub(super) fn Likelihoods(state: AppState, clean: bool) -> impl IntoView {
    let (name, testid) =
        if clean { ("clean", "metric-clean") } else { ("corrupted", "metric-corrupted") };
    let side = memo(move || {
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let (of_clean, of_corrupted) = &committed.sides;
            let side = if clean { of_clean } else { of_corrupted };
            let metric = committed.experiment.metric;
            Some((side.metrics.get(metric), metric, side.metrics))
        })
    });
    let is_old = move || state.is_stale() == Some(true) && !state.predicted.get();
    let pill = move |answer: bool| {
        let share = move || {
            // Of inputs that were not run it is what the model has said of them since.
            if state.is_stale() == Some(true) && state.predicted.get() {
                return state.inspection.with(|seen| {
                    let next = if clean { &seen.clean.next } else { &seen.corrupted.next };
                    if answer { next.p_answer } else { next.p_wrong }
                });
            }
            let (_, _, metrics) = side.get()?;
            Some(if answer { metrics.prob_answer } else { metrics.prob_wrong })
        };
        let words = move || share().map(likelihood);
        let label = if answer { "answer" } else { "wrong answer" };
        view! {
            <span
                class="pill"
                role="img"
                data-share=live(move || share().map(|share| share.to_string()))
                aria-label=live(move || words().map(|words| format!("{label} {words} after the {name} prompt")))
                style=("--share", move || format!("{:.4}", share().unwrap_or(0.0)))
            >
                {dynamic(words)}
            </span>
        }
    };
    // What was measured of other inputs is not said beside what is known of these.
    let value = move || {
        let is_of_these = state.is_stale() != Some(true);
        side.get().map(|(value, ..)| value).filter(|_| is_of_these)
    };
    let unit = move || side.get().map_or("", |(_, metric, _)| metric.unit());
    view! {
        <div class=format!("likelihoods {name}") class:waiting=live(is_old) data-name=name>
            {pill(true)} {pill(false)}
            <span class="metric">
                <strong data-testid=testid data-value=live(move || value().map(|value| value.to_string()))>
                    {dynamic(move || value().map_or_else(
                        || "…".to_owned(),
                        |value| format!("{} {}", signed(value, 2), unit()),
                    ))}
                </strong>
            </span>
        </div>
    }
}
