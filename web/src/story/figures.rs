//! The third and the fourth step: an example where both methods agree, and one where they do not, told by their own
//! numbers.

use leptos::prelude::*;
use twinbeam_core::words::ComponentKind;

use super::term::Term;
use super::told::{Heads, Told};
use crate::examples::{self, Example};
use crate::explain;
use crate::reactive::{dynamic, effect, memo};
use crate::session::OfTour;
use crate::state::AppState;
use crate::values::{Job, Step};

/// The example of the third step.
const AGREES: &str = "Anna and David, a long sentence";

/// The example of a step; `None`: it is about what is on the screen.
pub(super) fn example_of(step: Step) -> Option<Example> {
    match step {
        Step::Inputs | Step::Methods | Step::Test => None,
        Step::Agree => examples::titled(AGREES),
        Step::Differ => examples::examples().into_iter().next(),
    }
}

/// Opens the example of a step.
fn open(state: AppState, step: Step) {
    if let Some(example) = example_of(step) {
        let experiment = example.experiment(state.draft.get_untracked());
        state.tell(OfTour::Open(Box::new(experiment)));
    }
}

/// Opens the example of each step as it comes, where it takes no time to run.
pub(super) fn follow(state: AppState) {
    effect(move || {
        let Some(step) = state.tour.get().filter(|step| example_of(*step).is_some()) else {
            return;
        };
        let is_quick = state.loaded.with(|loaded| {
            let shape = loaded.as_ref().map(|loaded| loaded.shape);
            shape.is_some_and(|shape| shape.is_quick(shape.n_layers * shape.n_heads))
        });
        if is_quick && state.reads_text() {
            open(state, step);
        }
    });
    // What a step is about is pinned once, as soon as it is known: the visitor may pin something else then.
    let pointed = memo(move || {
        let step = state.tour.get()?;
        Some((step, told(state, step)?.of))
    });
    effect(move || {
        if let Some((_, of)) = pointed.get() {
            state.go_to(of);
            show_maps();
        }
    });
}

/// Brings the maps to the upper end of the window: the lower one is the tour's.
fn show_maps() {
    if let Ok(Some(maps)) = document().query_selector(".maps") {
        maps.scroll_into_view();
    }
}

/// Whether the figure on the screen is of a step's example; of any, where the model cannot read it.
fn is_there(state: AppState, step: Step) -> bool {
    let Some(example) = example_of(step) else { return false };
    let is_complete = state.committed.with(|committed| {
        committed.as_ref().is_some_and(|c| {
            let is_it = example.experiment(c.experiment.clone()).has_inputs_of(&c.experiment);
            (is_it || !state.reads_text()) && c.is_complete(ComponentKind::Heads)
        })
    });
    is_complete && state.is_stale() != Some(true)
}

/// What a step says of the figure, once that is complete.
fn told(state: AppState, step: Step) -> Option<Told> {
    if !is_there(state, step) {
        return None;
    }
    let (direction, unit, highlight) =
        (state.direction(), state.unit.get(), state.lab.highlight.get());
    state.committed.with(|committed| {
        let heads = Heads::of(committed.as_deref()?, direction, unit, highlight)?;
        match step {
            Step::Agree => heads.strongest(),
            _ => heads.differing(),
        }
    })
}

/// A step that shows an example.
#[component]
pub(super) fn Figures(state: AppState, step: Step) -> impl IntoView {
    let told = memo(move || told(state, step));
    let prompts = move || {
        state.draft.with(|draft| {
            let pair = [&draft.clean, &draft.corrupted].map(|prompt| format!("“{prompt}”"));
            pair.join(" against ")
        })
    };
    let body = move || match told.get() {
        None => Waiting(WaitingProps { state, step }).into_any(),
        Some(told) => view! { <Shown state told /> }.into_any(),
    };
    let why = (step == Step::Differ).then(|| {
        view! {
            <p class="tour-why">
                {explain::why_apart(ComponentKind::Heads)} " Look it up: " <Term id="interaction" /> ", "
                <Term id="redundant" /> "."
            </p>
        }
    });
    view! {
        <p class="tour-prompts">{dynamic(prompts)}</p>
        <div class="tour-told">{dynamic(body)}</div>
        {why}
    }
    .into_any()
}

/// A head with its two numbers, and what follows.
#[component]
fn Shown(state: AppState, told: Told) -> impl IntoView {
    let Told { of, scores, written, unit, lead, then } = told;
    let [ig, ap] = written;
    let [ig_score, ap_score] = scores.map(|score| score.to_string());
    let sentences = then.into_iter().map(|sentence| view! { <p>{sentence}</p> }).collect_view();
    view! {
        <div class="tour-found">
        <p class="tour-head">
            {lead} " "
            <button
                type="button"
                class="link"
                data-testid="tour-head"
                data-layer=of.layer
                data-head=of.index
                title="Show it in the maps"
                on:click=move |_event| state.go_to(of)
            >
                {of.to_string()}
            </button>
        </p>
        <p class="tour-scores">
            <span class="by-ig">
                "IG " <strong data-testid="tour-ig" data-value=ig_score>{ig}</strong>
            </span>
            <span class="by-ap">
                "AP " <strong data-testid="tour-ap" data-value=ap_score>{ap}</strong>
            </span>
            <span>{unit}</span>
        </p>
        </div>
        <div class="tour-then">{sentences}</div>
    }
    .into_any()
}

/// What there is to say, or to do, before the example's figure is there.
#[component]
fn Waiting(state: AppState, step: Step) -> impl IntoView {
    let title = example_of(step).map(|example| example.title).unwrap_or_default();
    move || {
        let is_running = state.job.get() == Some(Job::Heads);
        if state.loaded.with(Option::is_none) {
            return view! { <p class="pending" role="status">"The model is on its way."</p> }
                .into_any();
        }
        if is_running {
            return view! { <p class="pending" role="status">"The example is being computed."</p> }
                .into_any();
        }
        let words = format!("The example here is “{title}”. With this model it takes a while.");
        view! {
            <p>
                {words} " "
                <button
                    type="button"
                    data-testid="tour-run"
                    on:click=move |_event| open(state, step)
                >
                    "Run it"
                </button>
            </p>
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_examples_are_among_those_of_the_page() {
        for step in [Step::Agree, Step::Differ] {
            assert!(example_of(step).is_some(), "{step:?}");
        }
        let [agree, differ] =
            [Step::Agree, Step::Differ].map(|step| example_of(step).expect("there"));
        assert_ne!(agree.title, differ.title);
        assert!(agree.shows.contains("agree"), "{}", agree.shows);
        assert!(example_of(Step::Test).is_none());
    }
}
