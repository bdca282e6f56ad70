//! The page from top to bottom, and the frame that shows its figure in another page.

use leptos::prelude::*;
use twinbeam_core::link::{Note, Snapshot};

use crate::components::{
    drawer, footer, link_mark, masthead, notice, prompts, status, summary, watch_pointer,
};
use crate::heatmap::{Maps, Said, Tooltip, shown_heads};
use crate::lab::LabPanels;
use crate::models::{DropTarget, LoadProgress, Offer, SelfCheckResult};
use crate::neurons::NeuronPanel;
use crate::pinned::PinnedPanel;
use crate::ports::address;
use crate::reactive::{dynamic, live};
use crate::state::AppState;
use crate::story::{Guide, Tour};
use crate::values::percent;
use crate::{explain, share};

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

/// From top to bottom: the question, the two prompts, the figure and what it says; then the rest.
#[component]
fn Page(state: AppState) -> impl IntoView {
    let drawer = drawer::Drawer::new();
    // Each part for itself: as one type they would take a third more of the program.
    let head = view! { <masthead::Masthead state drawer /> };
    let happening = view! {
        <LoadProgress state />
        <Offer state />
        <notice::Notices state />
        <SelfCheckResult state />
        <DropTarget state />
    };
    let inputs = view! {
        <section class="inputs" aria-label="Experiment">
            <prompts::Prompts state />
            <status::RunLine state />
        </section>
    };
    let (shown, found) = shown_heads(state);
    let results = view! {
        <section
            class="results"
            aria-label="Result"
            data-source=live(move || state.source())
            class:stale=live(move || state.is_stale() == Some(true))
        >
            <div class="figure-top">
                <link_mark::LinkMark state />
                <share::SenderNote state />
                <Maps state shown found />
            </div>
            <PinnedPanel state />
            <Said state shown found />
            <summary::Summary state />
            <NeuronPanel state />
            <LabPanels state />
        </section>
        <Guide state />
    };
    let stage = [happening.into_any(), inputs.into_any(), results.into_any()];
    [
        head.into_any(),
        view! {
            <div class="frame" class:drawn=live(move || drawer.is_open())>
                <div class="stage">{stage}</div>
                <drawer::Settings state drawer />
            </div>
        }
        .into_any(),
        view! { <footer::Footer state /> }.into_any(),
        view! { <Tour state /> <Tooltip state /> <share::Paper state /> }.into_any(),
    ]
}

/// The figure with its prompts, and the way to the page.
#[component]
fn Embedded(state: AppState) -> impl IntoView {
    share::tell_height();
    let address = move || state.address(Note::default()).unwrap_or_else(|_| address::page());
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
    let (shown, found) = shown_heads(state);
    view! {
        <section class="results embedded" aria-label="Result" data-source=live(move || state.source())>
            <div class="embedded-prompts">{dynamic(prompts)} <p class="hint">{dynamic(asked)}</p></div>
            <notice::Notices state />
            <Maps state shown found />
            <Said state shown found />
            <summary::Summary state />
            <Tooltip state />
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
