//! Both runs in numbers: the metric, and the likely next tokens.

use leptos::prelude::*;
use twinbeam_core::scores::SideSummary;
use twinbeam_core::words::Metric;

use crate::models::PublishedNumber;
use crate::reactive::{dynamic, memo};
use crate::state::AppState;
use crate::values::visible;
use twinbeam_figure::scale::signed;

/// Next tokens shown per run.
const TOP: usize = 5;

/// What the model would say next after each prompt, for whoever wants to know more than how likely the answers are.
#[component]
pub(crate) fn Summary(state: AppState) -> impl IntoView {
    view! {
        <details class="next-tokens" open>
            <summary>"What the model says next"</summary>
            <div class="summary">
                <Side state clean=true />
                <Side state clean=false />
            </div>
        </details>
    }
}

#[component]
fn Side(state: AppState, clean: bool) -> impl IntoView {
    let side = memo(move || {
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let (clean_side, corrupted_side) = &committed.sides;
            let side = if clean { clean_side } else { corrupted_side };
            Some((committed.experiment.clone(), side.clone()))
        })
    });
    let metric = move || side.get().map_or(Metric::LogitDiff, |(experiment, _)| experiment.metric);
    let name = if clean { "After the clean prompt" } else { "After the corrupted prompt" };
    let top = move || {
        side.get().map(|(experiment, side)| {
            let SideSummary { top, .. } = side;
            top.into_iter()
                .take(TOP)
                .map(|token| {
                    let right = experiment.names(&experiment.answer, &token);
                    let wrong = experiment.names(&experiment.wrong, &token);
                    view! {
                        <li class:right=right class:wrong=wrong title=format!("id {}, logit {:.3}", token.id, token.logit)>
                            <span class="token">{visible(&token.text)}</span>
                            " "
                            <span class="prob">{likelihood(token.prob)}</span>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    let value = move || {
        let (experiment, side) = side.get()?;
        let metric = experiment.metric;
        Some(format!("{} {}", signed(side.metrics.get(metric), 3), metric.unit()))
    };
    view! {
        <div class="side">
            <h3>{name}</h3>
            <p class="hint">
                {dynamic(move || label(metric()))} ": " {dynamic(value)} " " <PublishedNumber state clean />
            </p>
            <ol class="top" aria-label="Most likely next tokens">{dynamic(top)}</ol>
        </div>
    }
}

const fn label(metric: Metric) -> &'static str {
    match metric {
        Metric::LogitDiff => "logit(answer) − logit(wrong)",
        Metric::ProbDiff => "P(answer) − P(wrong)",
        Metric::LogProb => "ln P(answer)",
        Metric::Kl => "KL(clean ‖ this run)",
    }
}

/// A probability with as many digits as say something.
pub(super) fn likelihood(probability: f32) -> String {
    let percent = 100.0 * probability;
    if percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent >= 0.095 {
        format!("{percent:.1} %")
    } else {
        "< 0.1 %".to_owned()
    }
}
