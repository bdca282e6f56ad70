use leptos::prelude::*;

use super::known;
use crate::heatmap::scale::signed;
use crate::state::AppState;

/// Letters of a text in the headline; all of it is in the details.
const HEADLINE: usize = 24;

/// Whether the model gives the numbers that were published of it.
#[component]
pub(crate) fn SelfCheckResult(state: AppState) -> impl IntoView {
    move || {
        let check = state.models.self_check.get().filter(|check| !check.items.is_empty())?;
        let (of, passed) =
            (check.items.len(), check.items.iter().filter(|item| item.passed).count());
        let (verdict, words) = match check.first_difference() {
            None => ("passed", format!("Self-check passed: {passed} of {of}")),
            Some(item) => (
                "failed",
                format!(
                    "Self-check: {passed} of {of} agree. First difference: {}, expected {}, got {}",
                    item.what,
                    cut(&item.expected),
                    cut(&item.got)
                ),
            ),
        };
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

/// A text that is cut where it is too long for a headline.
fn cut(text: &str) -> String {
    if text.chars().count() <= HEADLINE {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(HEADLINE).collect();
    format!("{}…", beginning.trim_end())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_texts_are_cut() {
        assert_eq!(cut("+4.276 logits"), "+4.276 logits");
        assert_eq!(cut(&"é".repeat(HEADLINE)), "é".repeat(HEADLINE));
        assert_eq!(cut(&"é".repeat(HEADLINE + 1)), format!("{}…", "é".repeat(HEADLINE)));
        assert_eq!(cut("50256, 3260, 1757, 290, 5335"), "50256, 3260, 1757, 290,…");
    }
}
