//! How the numbers of the model in use compare with published ones.

use leptos::prelude::*;

use super::known;
use crate::state::AppState;
use twinbeam_figure::scale::signed;

/// Letters of a text in the headline; all of it is in the details.
const HEADLINE: usize = 24;

/// Whether the model gives the numbers that were published of it.
#[component]
pub(crate) fn SelfCheckResult(state: AppState) -> impl IntoView {
    move || {
        let check = state.models.self_check.get().filter(|check| !check.items.is_empty())?;
        let verdict = if check.first_difference().is_none() { "passed" } else { "failed" };
        let words = check.headline(HEADLINE);
        let lines = check.items.into_iter().map(|item| {
            let mark = if item.passed { "✓" } else { "✗" };
            view! {
                <li data-passed=item.passed.to_string()>
                    {format!("{mark} {}: expected {}, got {}", item.what, item.expected, item.got)}
                </li>
            }
        });
        Some(
            view! {
                <details class="self-check" data-testid="self-check" data-verdict=verdict>
                    <summary>{words}</summary>
                    <ul>{lines.collect_view()}</ul>
                </details>
            }
            .into_any(),
        )
    }
}

/// The published number beside the computed one, where the figure is of a published pair.
#[component]
pub(crate) fn PublishedNumber(state: AppState, clean: bool) -> impl IntoView {
    let testid = if clean { "published-clean" } else { "published-corrupted" };
    move || {
        known::published(state).map(|published| {
            let value =
                if clean { published.logit_diff_clean } else { published.logit_diff_corrupted };
            let words = format!("published: {}", signed(value as f32, 3));
            view! {
                " "
                <span
                    class="hint"
                    data-testid=testid
                    data-value=value.to_string()
                    title=published.source
                >
                    {words}
                </span>
            }
            .into_any()
        })
    }
}
