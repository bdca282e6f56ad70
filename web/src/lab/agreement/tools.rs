//! What a visitor chooses: who counts as found, and who is selected.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::{Highlight, SetChoice};
use twinbeam_core::statistics;
use twinbeam_core::words::Component;

use super::compared::Compared;
use super::words;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

/// Components that the button for outliers selects.
const OUTLIERS: usize = 5;

/// A quantile in percent, as it is typed.
fn percent_of(q: f32) -> f32 {
    (q * 1e5).round() / 1e3
}

/// What a threshold becomes when its kind is changed: about as many are found as before.
fn changed(to: &str, from: Highlight, compared: Option<&Compared>, factor: f32) -> Highlight {
    match (to, from) {
        ("score", Highlight::Quantile(q)) => {
            let sizes: Vec<f32> = compared
                .map(|compared| compared.pairs.ig.iter().map(|score| score.abs()).collect())
                .unwrap_or_default();
            let least =
                statistics::quantile(&sizes, f64::from(q)).unwrap_or_default() as f32 / factor;
            // Rounded down to two digits, so that whoever is at it stays.
            let digit = 10_f32.powf(least.abs().log10().floor() - 1.0);
            let rounded = (least.abs() / digit).floor() * digit;
            // Through its digits, or it would be written as 0.83999997.
            let rounded = format!("{rounded:.1e}").parse().ok().filter(|r: &f32| r.is_finite());
            Highlight::AtLeast(rounded.unwrap_or_default())
        }
        ("quantile", Highlight::AtLeast(_)) => Highlight::default(),
        _ => from,
    }
}

/// Which components count as found.
#[component]
pub(super) fn Threshold(state: AppState, compared: Memo<Option<Arc<Compared>>>) -> impl IntoView {
    let highlight = state.lab.highlight;
    let is_quantile = memo(move || matches!(highlight.get(), Highlight::Quantile(_)));
    let choose = move |event| {
        let to = event_target_value(&event);
        let factor = state.committed.with_untracked(|committed| {
            let basis = committed.as_ref().map(|committed| committed.basis);
            let unit = state.unit.get_untracked();
            basis.map_or(1.0, |basis| unit.common(&basis).0)
        });
        let compared = compared.get_untracked();
        highlight.update(|now| *now = changed(&to, *now, compared.as_deref(), factor));
    };
    let enter = move |event| {
        let Ok(number) = event_target_value(&event).trim().parse::<f32>() else { return };
        if !number.is_finite() {
            return;
        }
        highlight.update(|now| match now {
            Highlight::Quantile(q) => *q = (number / 100.0).clamp(0.0, 1.0),
            Highlight::AtLeast(least) => *least = number.max(0.0),
        });
    };
    let value = move || match highlight.get() {
        Highlight::Quantile(q) => percent_of(q).to_string(),
        Highlight::AtLeast(least) => least.to_string(),
    };
    view! {
        <label class="switch">
            "Found: absolute score at or above "
            <select
                data-testid="threshold-kind"
                prop:value=live(move || if is_quantile.get() { "quantile" } else { "score" })
                on:change=choose
            >
                <option value="quantile">"the percentile"</option>
                <option value="score">"the score, in " {dynamic(move || state.metric().unit())}</option>
            </select>
        </label>
        <input
            class="threshold"
            type="number"
            min="0"
            max=live(move || is_quantile.get().then_some("100"))
            step="any"
            aria-label="Threshold"
            data-testid="threshold"
            prop:value=live(value)
            on:change=enter
        />
    }
}

/// Whom a button selects.
type Pick = fn(&Compared) -> Vec<Component>;

fn set_of(compared: &Compared, choice: SetChoice) -> Vec<Component> {
    compared.found.set(choice, &BTreeSet::new())
}

/// Selecting without a pointer, and who is selected.
#[component]
pub(super) fn Selection(state: AppState, compared: Memo<Option<Arc<Compared>>>) -> impl IntoView {
    let selected = state.lab.selected;
    let select = move |pick: Pick| {
        let picked = compared.get_untracked().map(|compared| pick(&compared));
        selected.set(picked.unwrap_or_default().into_iter().collect());
    };
    let buttons: [(&str, &str, Pick); 5] = [
        ("outliers", "5 outliers", |compared| compared.outliers(OUTLIERS)),
        ("ig-only", "IG only", |compared| set_of(compared, SetChoice::IgOnly)),
        ("ap-only", "AP only", |compared| set_of(compared, SetChoice::ApOnly)),
        ("both", "both", |compared| set_of(compared, SetChoice::Both)),
        ("none", "none", |_compared| Vec::new()),
    ];
    let buttons = buttons.map(|(id, label, pick)| {
        view! {
            <button
                type="button"
                class="way-on"
                data-testid=format!("select-{id}")
                on:click=move |_event| select(pick)
            >
                {label}
            </button>
        }
    });
    let count = move || selected.with(|selected| selected.len().to_string());
    view! {
        <div class="panel-tools" role="group" aria-label="Select components">"Select " {buttons}</div>
        <p role="status">
            <strong data-testid="selected-count" data-value=live(count)>{dynamic(count)}</strong>
            " selected: "
            <span data-testid="selected-words">{dynamic(move || selected.with(words::selection))}</span>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::Unit;

    use super::super::compared::tests::compared;
    use super::*;

    #[test]
    fn a_threshold_keeps_about_its_size_when_its_kind_changes() {
        let shares = compared(Unit::ShareOfGap);
        // Absolute IG: 0, 0.25, 0.5 and 1 logits; the quantile 0.9 lies at 0.85.
        let to = changed("score", Highlight::Quantile(0.9), Some(&shares), 0.25);
        let Highlight::AtLeast(least) = to else { panic!("{to:?}") };
        assert!(["0.84", "0.85"].contains(&least.to_string().as_str()), "{least}");
        assert_eq!(changed("score", Highlight::Quantile(0.9), None, 1.0), Highlight::AtLeast(0.0));
        assert_eq!(changed("quantile", to, None, 1.0), Highlight::Quantile(0.9));
        assert_eq!(changed("score", to, None, 1.0), to);
    }

    #[test]
    fn percent_is_written_as_it_was_typed() {
        for percent in [90.0_f32, 99.9, 95.0, 0.0, 100.0, 97.5] {
            assert_eq!(percent_of(percent / 100.0), percent);
        }
    }
}
