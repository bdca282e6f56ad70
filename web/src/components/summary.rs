//! Both runs in numbers: the metric, and the likely next tokens.

use leptos::prelude::*;
use twinbeam_core::scores::SideSummary;
use twinbeam_core::words::Metric;

use crate::heatmap::scale::signed;
use crate::models::PublishedNumber;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::visible;

/// Next tokens shown per run.
const TOP: usize = 5;

/// Both runs in numbers: the metric, and what the model would say next.
#[component]
pub(crate) fn Summary(state: AppState) -> impl IntoView {
    view! {
        <div class="summary">
            <Side state clean=true />
            <Side state clean=false />
        </div>
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
    let value = move || side.get().map(|(experiment, side)| side.metrics.get(experiment.metric));
    let (name, testid) =
        if clean { ("Clean run", "metric-clean") } else { ("Corrupted run", "metric-corrupted") };
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
                            <span class="prob">{percent(token.prob)}</span>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <div class="side">
            <h2>{name}</h2>
            <p class="metric">
                <span class="metric-name">{dynamic(move || label(metric()))}</span>
                " "
                <strong data-testid=testid data-value=live(move || value().map(|value| value.to_string()))>
                    {dynamic(move || value().map_or_else(
                        || "…".to_owned(),
                        |value| format!("{} {}", signed(value, 3), metric().unit()),
                    ))}
                </strong>
                <PublishedNumber state clean />
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
fn percent(probability: f32) -> String {
    let percent = 100.0 * probability;
    if percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent >= 0.095 {
        format!("{percent:.1} %")
    } else {
        "< 0.1 %".to_owned()
    }
}
