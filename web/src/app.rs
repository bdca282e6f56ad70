//! The page from top to bottom, and the frame that shows its figure in another page.

use gloo::events::EventListener;
use leptos::prelude::*;
use twinbeam_core::link::{Link, Snapshot, View};
use twinbeam_core::words::Experiment;

use crate::components::{
    answers, controls, notice, prompts, reading, status, summary, watch_pointer,
};
use crate::explain::{self, Notice};
use crate::heatmap::Figure;
use crate::lab::LabPanels;
use crate::linked::{self, LinkMark};
use crate::models::{DropTarget, LoadProgress, ModelMenu, SelfCheckResult};
use crate::neurons::NeuronPanel;
use crate::reactive::{dynamic, live};
use crate::state::AppState;
use crate::{bridge, draft, url_state};

/// The page, or, in another page's frame, the figure alone.
#[component]
pub(crate) fn App() -> impl IntoView {
    watch_pointer();
    let Opened { experiment, snapshot, view, notice, is_named, is_readable } = from_address();
    let embedded = url_state::is_embedded();
    let edits = (is_readable && !embedded).then(|| draft::kept(&experiment)).flatten();
    let back = edits.as_ref().map(|_| explain::draft_is_back());
    let draft = edits.unwrap_or_else(|| experiment.clone());
    let state = AppState::new(draft, url_state::device());
    if back.is_some() {
        bridge::run_first(experiment.clone());
    }
    state.notice.set(notice.or(back));
    state.take_view(view, &experiment);
    let has_figure = snapshot.is_some();
    linked::show(state, &experiment, snapshot);
    // Back, Forward and a link pasted into the address change the fragment; our own writes do not fire this.
    let listener = EventListener::new(&window(), "hashchange", move |_event| {
        let Opened { experiment, snapshot, view, notice, .. } = from_address();
        state.notice.set(notice);
        state.take_view(view, &experiment);
        bridge::batch::draw_again(state);
        bridge::open(state, experiment, snapshot, false);
    });
    // The page listens as long as it lives.
    listener.forget();
    // A frame with a figure in it need not compute: its reader opens the page for that.
    if !(embedded && has_figure) {
        bridge::begin(state, is_named);
    }
    if embedded {
        view! { <Embedded state /> }.into_any()
    } else {
        draft::keep(state);
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
            <reading::ReadingSwitch state />
        </header>
    };
    let inputs = view! {
        <section class="inputs" aria-label="Experiment">
            <div class="chooser">
                <ModelMenu state />
                <controls::Examples state />
            </div>
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
            <LinkMark state />
            <Figure state />
            <reading::Reading state />
            <NeuronPanel state />
            <LabPanels state />
        </section>
    };
    [head.into_any(), inputs.into_any(), happening.into_any(), results.into_any()]
}

/// The figure with its prompts, and the way to the page.
#[component]
fn Embedded(state: AppState) -> impl IntoView {
    let address = move || linked::address(state).unwrap_or_else(|_| url_state::page());
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
        let percent = explain::percent(Snapshot::ROUNDING);
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

/// What the address asks for, and what there is to say about it.
struct Opened {
    experiment: Experiment,
    snapshot: Option<Snapshot>,
    /// What of it is on the screen.
    view: View,
    notice: Option<Notice>,
    /// Whether the address says which model it is for.
    is_named: bool,
    /// Whether the address holds nothing else than a link of ours, if that.
    is_readable: bool,
}

fn from_address() -> Opened {
    let plain = |notice| Opened {
        experiment: Experiment::default(),
        snapshot: None,
        view: View::default(),
        notice,
        is_named: false,
        is_readable: true,
    };
    match url_state::read() {
        None => plain(None),
        Some(Err(error)) => Opened { is_readable: false, ..plain(Some(explain::link(&error))) },
        Some(Ok(link)) => {
            let notice = explain::parts_of_link(&link);
            let Link { experiment, snapshot, view, .. } = link;
            Opened { experiment, snapshot, view, notice, is_named: true, is_readable: true }
        }
    }
}
