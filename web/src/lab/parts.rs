//! What several panels have in common: small pieces of a page as strings, which take less of the program than views do.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use twinbeam_core::words::{Component, ComponentKind, Direction};
use wasm_bindgen::JsCast as _;
use web_sys::Element;

use crate::components::chosen;
use crate::plot::escape;
use crate::reactive::live;
use crate::state::AppState;
use crate::values::Committed;
use twinbeam_figure::scale::signed;

/// A name with its number, for a `dl`: the number in full, and as it is written.
pub(super) fn number(testid: &str, name: &str, value: Option<f64>, written: &str) -> String {
    let value = value.map_or_else(String::new, |value| format!(" data-value=\"{value}\""));
    let (name, written) = (escape(name), escape(written));
    format!("<div><dt>{name}</dt><dd data-testid=\"{testid}\"{value}>{written}</dd></div>")
}

/// A correlation or a slope as it is written.
pub(super) fn ratio(value: Option<f64>) -> String {
    let written = value.map(|value| signed(value as f32, 3));
    written.unwrap_or_else(|| "undefined: all scores of a method are equal".to_owned())
}

/// A line of a list: a button that leads to a component, and what there is to say of it. Clicks are for [`go`].
pub(super) fn entry(of: Component, value: f32, words: &str) -> String {
    let (spoken, words) = (of.spoken(), escape(words));
    format!(
        "<li><button type=\"button\" class=\"link\" data-component=\"{of}\" data-value=\"{value}\" \
         aria-label=\"{of}: go to {spoken}\">{of}</button> {words}</li>"
    )
}

/// Goes to the component of the entry that was clicked.
pub(super) fn go(state: AppState, event: &MouseEvent) {
    let entry = event.target().and_then(|target| {
        target.dyn_into::<Element>().ok()?.closest("[data-component]").ok().flatten()
    });
    let name = entry.and_then(|entry| entry.get_attribute("data-component"));
    if let Some(component) = name.and_then(|name| name.parse().ok()) {
        state.go_to(component);
    }
}

/// Whether a kind of component has scores by both methods in a direction, if only in part.
pub(super) fn has_scores(committed: &Committed, kind: ComponentKind, direction: Direction) -> bool {
    let [ig, ap] = committed.tables(kind, direction);
    ig.is_some() && ap.is_some_and(|ap| ap.n_exact() > 0)
}

/// Why there is nothing to compare, where there is not.
pub(super) fn missing(state: AppState) -> &'static str {
    match state.lab.kind.get() {
        _ if state.job.get().is_some() => "This follows when the figure is complete.",
        ComponentKind::Heads => "There is no complete figure yet.",
        ComponentKind::Neurons => {
            "No neuron of this figure has been patched yet: compute the neurons, or choose heads."
        }
    }
}

/// Heads or neurons.
#[component]
pub(super) fn KindSelect(state: AppState, testid: &'static str) -> impl IntoView {
    let choose = move |event| {
        if let Some(kind) = chosen(&event, &ComponentKind::ALL, ComponentKind::id) {
            state.lab.kind.set(kind);
        }
    };
    let no_neurons = move || {
        let direction = state.direction();
        !state.committed.with(|committed| {
            let of = |c: &Committed| has_scores(c, ComponentKind::Neurons, direction);
            committed.as_deref().is_some_and(of)
        })
    };
    view! {
        <label class="switch">
            "Of "
            <select data-testid=testid prop:value=live(move || state.lab.kind.get().id()) on:change=choose>
                <option value="heads">"heads"</option>
                <option value="neurons" disabled=live(no_neurons)>"neurons"</option>
            </select>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_leads_to_its_component() {
        let neuron = Component { kind: ComponentKind::Neurons, layer: 3, index: 1457 };
        let html = entry(neuron, -0.25, "<b>");
        assert!(html.contains("data-component=\"L3N1457\" data-value=\"-0.25\""), "{html}");
        assert!(
            html.contains("L3N1457: go to layer 3, neuron 1457")
                && html.ends_with("&lt;b&gt;</li>")
        );
    }

    #[test]
    fn numbers_are_there_in_full() {
        assert_eq!(
            number("pearson", "Pearson", Some(0.5), &ratio(Some(0.5))),
            "<div><dt>Pearson</dt><dd data-testid=\"pearson\" data-value=\"0.5\">+0.500</dd></div>"
        );
        assert!(!number("slope", "slope", None, &ratio(None)).contains("data-value"));
    }
}
