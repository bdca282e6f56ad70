//! The page from top to bottom, and the frame that shows its figure in another page.

use leptos::prelude::*;
use twinbeam_core::link::Snapshot;

use crate::components::{
    answers, controls, link_mark, notice, prompts, status, summary, watch_pointer,
};
use crate::explain;
use crate::heatmap::Figure;
use crate::lab::LabPanels;
use crate::models::{DropTarget, LoadProgress, ModelMenu, SelfCheckResult};
use crate::neurons::NeuronPanel;
use crate::ports::address;
use crate::reactive::{dynamic, live};
use crate::session::Session;
use crate::state::AppState;
use crate::story::{ExampleShows, Guide, Tour, TourButton};
use crate::values::percent;

/// The page, or, in another page's frame, the figure alone.
#[component]
pub(crate) fn App() -> impl IntoView {
    watch_pointer();
    let state = AppState::open();
    if address::is_embedded() {
        view! { <Embedded state /> }.into_any()
    } else {
        view! { <Page state /> }.into_any()
    }
}

/// From top to bottom: what is asked, what is happening, the figure, how to read it.
#[component]
fn Page(state: AppState) -> impl IntoView {
    // Each part for itself: as one type they would take a third more of the program.
    let head = view! {
        <header class="masthead">
            <h1>"Twinbeam"</h1>
            <p>
                "Which heads and neurons matter for a behaviour, by integrated gradients and by activation patching, "
                "side by side, on your own device."
            </p>
            <TourButton state />
        </header>
    };
    let inputs = view! {
        <section class="inputs" aria-label="Experiment">
            <div class="chooser">
                <ModelMenu state />
                <controls::Examples state />
            </div>
            <ExampleShows state />
            <LoadProgress state />
            <prompts::Prompts state />
            <div class="ask">
                <answers::AnswerFields state />
                <controls::Controls state />
            </div>
            <controls::Explanation state />
        </section>
    };
    let happening = view! {
        <notice::Notices state />
        <status::StatusLine state />
        <SelfCheckResult state />
        <DropTarget state />
    };
    let results = view! {
        <section
            class="results"
            aria-label="Result"
            data-source=live(move || state.source())
            class:stale=live(move || state.is_stale() == Some(true))
        >
            <summary::Summary state />
            <link_mark::LinkMark state />
            <Figure state />
            <NeuronPanel state />
            <LabPanels state />
        </section>
        <Guide state />
        <Tour state />
    };
    [head.into_any(), inputs.into_any(), happening.into_any(), results.into_any()]
}

/// The figure with its prompts, and the way to the page.
#[component]
fn Embedded(state: AppState) -> impl IntoView {
    let address = move || {
        // The link is of what is on the screen: whatever that is made of.
        state.view.track();
        state.committed.track();
        state.draft.track();
        state.read(Session::link).map_or_else(|_| address::page(), |link| address::with(&link))
    };
    let prompts = move || {
        state.draft.with(|draft| {
            [("Clean", &draft.clean), ("Corrupted", &draft.corrupted)].map(|(name, prompt)| {
                view! { <p><strong>{name} ": "</strong> {prompt.clone()}</p> }
            })
        })
    };
    let asked = move || {
        state.draft.with(|draft| {
            let list = |answers: &[String]| answers.join(" | ");
            format!(
                "Answer “{}”, wrong answer “{}”{}; {}; IG by {}; model {}.",
                list(&draft.answer),
                list(&draft.wrong),
                explain::written(draft.written),
                state.direction(),
                explain::steps(draft.n_steps, &[]),
                state.models.title(&draft.model)
            )
        })
    };
    let rounding = move || {
        let percent = percent(Snapshot::ROUNDING);
        let words =
            format!("The scores came with the link, rounded to {percent} of a map’s largest.");
        state.is_from_link().then_some(words)
    };
    view! {
        <section class="results embedded" aria-label="Result" data-source=live(move || state.source())>
            <div class="embedded-prompts">{dynamic(prompts)} <p class="hint">{dynamic(asked)}</p></div>
            <notice::Notices state />
            <summary::Summary state />
            <Figure state />
            <p class="hint">
                <a href=live(address) target="_blank" rel="noopener" data-testid="open-page">
                    "Open in Twinbeam"
                </a>
                " to change the prompts and compute it yourself. "
                {dynamic(rounding)}
            </p>
        </section>
    }
}
