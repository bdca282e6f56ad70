//! How much of the neurons' AP is exact, and what the rest may hold, in words.

use leptos::prelude::*;
use twinbeam_core::scores::Coverage;

use crate::reactive::memo;
use crate::state::AppState;
use crate::values::percent;

/// The sentences for the direction on the screen; nothing before its first neuron is patched.
#[component]
pub(super) fn CoverageWords(state: AppState) -> impl IntoView {
    let coverage = memo(move || state.coverage());
    let words = |coverage: Coverage| {
        let Coverage { exact, total, .. } = coverage;
        let missed = coverage.most_missed().zip(sample(&coverage)).map(|(most, sample)| {
            view! {
                " "
                {sample}
                " at most "
                <span
                    data-testid="neurons-missed"
                    data-value=most.to_string()
                    title="Upper end of Clopper and Pearson’s interval"
                >
                    {most}
                </span>
                " of the rest do, with 95 % confidence."
            }
        });
        let share = coverage.missed_share.filter(|_| coverage.rest() > 0).map(|share| {
            view! {
                " By the same sample the rest holds about "
                <span data-testid="neurons-missed-share" data-value=share.to_string()>
                    {percent(share)}
                </span>
                " of all absolute effects."
            }
        });
        view! {
            "Patched exactly: "
            <span
                data-testid="neurons-exact"
                data-value=exact.to_string()
                data-total=total.to_string()
            >
                {exact}
            </span>
            {of_all(&coverage)}
            {missed}
            {share}
        }
    };
    move || coverage.get().filter(|_| state.neuron_status().is_partial()).map(words)
}

/// What follows the number of those that are patched.
fn of_all(coverage: &Coverage) -> String {
    let Coverage { exact, total, .. } = coverage;
    let share = percent(*exact as f32 / (*total).max(1) as f32);
    let order =
        if coverage.rest() == 0 { "" } else { ", largest by IG and attribution patching first" };
    format!(" of {total} ({share}){order}.")
}

/// What a random sample says of those that are not patched; `None` without one, or without any.
fn sample(coverage: &Coverage) -> Option<String> {
    let Coverage { exact, sampled, larger, .. } = coverage;
    if coverage.rest() == 0 || *sampled == 0 {
        return None;
    }
    let belong = if *larger == 1 { "belongs" } else { "belong" };
    let top = Coverage::TOP.min(*exact);
    Some(format!(
        "Of {sampled} drawn at random from the rest, {larger} {belong} to the {top} strongest so far:"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_spoken_of_as_long_as_there_is_one() {
        let partial = Coverage {
            exact: 4096,
            total: 36864,
            sampled: 412,
            larger: 1,
            missed_share: Some(0.1),
        };
        assert_eq!(
            of_all(&partial),
            " of 36864 (11 %), largest by IG and attribution patching first."
        );
        let words = "Of 412 drawn at random from the rest, 1 belongs to the 100 strongest so far:";
        assert_eq!(sample(&partial).as_deref(), Some(words));
        assert_eq!(sample(&Coverage { sampled: 0, ..partial }), None);
        let few = Coverage { exact: 40, larger: 0, ..partial };
        assert!(
            sample(&few)
                .is_some_and(|words| words.ends_with("0 belong to the 40 strongest so far:"))
        );
        let whole = Coverage { exact: 36864, ..partial };
        assert_eq!((of_all(&whole).as_str(), sample(&whole)), (" of 36864 (100 %).", None));
    }
}
