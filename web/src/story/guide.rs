//! How to read the figure, with its own numbers, and every term.

use leptos::prelude::*;
use twinbeam_core::scores::{ScoreTable, SideSummary};
use twinbeam_core::words::{Component, ComponentKind, Direction};

use super::glossary::ENTRIES;
use super::papers::NOTEBOOK;
use super::term::Term;
use crate::examples;
use crate::explain;
use crate::heatmap::shown_on_screen;
use crate::heatmap::{MapKind, Shown};
use crate::reactive::{dynamic, memo};
use crate::state::AppState;
use twinbeam_figure::scale::signed;

const KIND: ComponentKind = ComponentKind::Heads;

/// What the example on the screen shows, in a line.
#[component]
pub(crate) fn ExampleShows(state: AppState) -> impl IntoView {
    let words = memo(move || {
        let (shows, model) = state.draft.with(|draft| {
            let shows = examples::example_of(draft).map(|example| example.shows);
            (shows, draft.model.clone())
        });
        let shows = shows?;
        // It is measured on the model that comes with the page, noising.
        let on = if model == examples::opening().model { "" } else { "With the bundled model: " };
        let by = if state.direction() == Direction::Noising { "" } else { "Noising: " };
        Some(format!("{on}{by}{shows}"))
    });
    view! {
        <p class="example-shows" data-testid="example-shows">{dynamic(move || words.get())}</p>
    }
    .into_any()
}

/// Three steps through the figure on the screen, and the terms.
#[component]
pub(crate) fn Guide(state: AppState) -> impl IntoView {
    let terms = ENTRIES.iter().map(|entry| {
        view! {
            <div>
                <dt>{entry.name}</dt>
                <dd>{entry.means}</dd>
            </div>
        }
    });
    view! {
        <section class="guide" aria-labelledby="guide" data-testid="guide">
            <h2 id="guide">"How to read this"</h2>
            <Reading state />
            <details data-testid="glossary">
                <summary>"All terms"</summary>
                <dl>{terms.collect_view()}</dl>
            </details>
        </section>
    }
    .into_any()
}

/// Three steps through the figure that is on the screen, with its own numbers.
#[component]
fn Reading(state: AppState) -> impl IntoView {
    // With the numbers of the maps above, in their unit.
    let shown = memo(move || shown_on_screen(state, KIND));
    let largest = move |map: MapKind| {
        shown.with(|shown| {
            let component = *shown.table(map).map(|t: &ScoreTable| t.strongest(1))?.first()?;
            Some((component, shown.words(component)))
        })
    };
    let values = move || {
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let metric = committed.experiment.metric;
            let value = |side: &SideSummary| signed(side.metrics.get(metric), 2);
            let (clean, corrupted) = (value(&committed.sides.0), value(&committed.sides.1));
            let unit = metric.unit();
            Some(format!(
                "Here: {clean} {unit} in the clean run, {corrupted} in the corrupted one. "
            ))
        })
    };
    let strongest =
        move || largest(MapKind::Ap).map(|found| pointer(state, "The largest by AP: ", found));
    let apart =
        move || largest(MapKind::Diff).map(|found| pointer(state, "They differ most at ", found));
    let third = move || {
        let is_there = shown.with(|shown| shown.look().unit.comparable());
        if is_there {
            "The third map shows it. "
        } else {
            "Another unit has a third map, which shows it. "
        }
    };
    let question = view! {
        <li>
            <strong>"The question. "</strong>
            "Of the two prompts, " <Term id="clean" /> ", the clean one shows a behaviour and the other does not. The "
            <Term id="metric" /> " says by how much. " {dynamic(values)} "The difference, the " <Term id="gap" />
            ", is what the heads are asked to explain."
        </li>
    };
    let answers = view! {
        <li>
            <strong>"Two answers. "</strong>
            <Term id="ap" says="Activation patching" /> " (AP) takes one " <Term id="head" />
            "’s output from the other run and measures what changes: exact, one head at a time. "
            <Term id="ig" says="Integrated gradients" />
            " (IG) moves all heads of a layer together, in small steps, and shares the effect out among them. "
            {dynamic(move || explain::sign(shown.with(Shown::look)))} " " {dynamic(strongest)}
        </li>
    };
    let where_apart = view! {
        <li>
            <strong>"Where they differ. "</strong>
            {explain::why_apart(KIND)} " " {dynamic(third)} {dynamic(apart)} " The " <Term id="delta" />
            " is what IG’s row fails to add up to: near zero, the row can be trusted."
        </li>
    };
    view! {
        <ol data-testid="reading">{question} {answers} {where_apart}</ol>
        <p>
            "Units and quotations that are called " <em>"the notebook’s"</em> " are those of "
            <a href=NOTEBOOK target="_blank" rel="noopener">
                "Integrated Gradients vs Activation Patching in GPT2-Small"
            </a>
            ", with which this comparison began."
        </p>
    }
    .into_any()
}

/// Names a head and leads to it.
fn pointer(
    state: AppState,
    before: &'static str,
    (component, words): (Component, String),
) -> impl IntoView {
    view! {
        {before}
        <button type="button" class="link" on:click=move |_event| state.go_to(component)>
            {words}
        </button>
        "."
    }
}
