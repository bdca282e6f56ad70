use gloo::events::EventListener;
use leptos::prelude::*;
use twinbeam_core::Experiment;

use crate::components::{answers, controls, notice, prompts, status, summary};
use crate::explain::{self, Notice};
use crate::heatmap::Figure;
use crate::state::AppState;
use crate::{bridge, url_state};

/// The page from top to bottom: what is asked, what is happening, the figure, how to read it.
#[component]
pub(crate) fn App() -> impl IntoView {
    let (experiment, notice) = from_address();
    let state = AppState::new(experiment, url_state::device());
    state.notice.set(notice);
    // Back, Forward and a link pasted into the address change the fragment; our own writes do not fire this.
    let listener = EventListener::new(&window(), "hashchange", move |_event| {
        let (experiment, notice) = from_address();
        bridge::open(state, experiment, false);
        state.notice.set(notice);
    });
    // The page listens as long as it lives.
    listener.forget();
    bridge::start(state);

    view! {
        <header class="masthead">
            <h1>"Twinbeam"</h1>
            <p>
                "Which attention heads matter for a behaviour, by integrated gradients and by "
                "activation patching, side by side, on your own device."
            </p>
        </header>
        <section class="inputs" aria-label="Experiment">
            <controls::Examples state />
            <prompts::Prompts state />
            <div class="ask">
                <answers::AnswerFields state />
                <controls::Controls state />
            </div>
            <controls::Explanation state />
        </section>
        <notice::Notices state />
        <status::StatusLine state />
        <section class="results" aria-label="Result" class:stale=move || state.is_stale() == Some(true)>
            <summary::Summary state />
            <Figure state />
        </section>
        <HowToRead />
    }
}

/// What the address asks for, and what there is to say about it.
fn from_address() -> (Experiment, Option<Notice>) {
    match url_state::read() {
        None => (Experiment::default(), None),
        Some(Err(error)) => (Experiment::default(), Some(explain::link(&error))),
        Some(Ok(experiment)) => {
            let bundled = Experiment::default().model;
            if experiment.model == bundled {
                (experiment, None)
            } else {
                let notice = explain::other_model(&experiment.model, &bundled);
                (Experiment { model: bundled, ..experiment }, Some(notice))
            }
        }
    }
}

#[component]
fn HowToRead() -> impl IntoView {
    view! {
        <section class="reading" aria-labelledby="reading">
            <h2 id="reading">"How to read this"</h2>
            <ol>
                <li>
                    <strong>"The question. "</strong>
                    "The clean prompt shows a behaviour, the corrupted one does not. The metric says by how much, "
                    "for each; their difference is what the heads are asked to explain."
                </li>
                <li>
                    <strong>"The two answers. "</strong>
                    "Activation patching puts one head’s output from the other run in and measures what "
                    "changes: exact, one head at a time. Integrated gradients moves all heads of a layer together, in "
                    "small steps, and shares the effect out among them. Positive, drawn warm, means in both that "
                    "the head supports the clean behaviour."
                </li>
                <li>
                    <strong>"Where they differ, "</strong>
                    "heads of a layer work together or stand in for each other. The convergence delta beside the left map is "
                    "what its row fails to add up to: near zero, the row can be trusted."
                </li>
            </ol>
        </section>
    }
}
