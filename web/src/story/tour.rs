//! The tour: a panel that does not hold anybody up, and leads through five steps by pointer, touch or keyboard.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use super::figures::{self, Figures};
use super::inputs::Inputs;
use super::methods::{self, Methods};
use super::replaced::{self, Test};
use super::term::Term;
use crate::components::focus;
use crate::ports::address;
use crate::reactive::{dynamic, effect, live, memo};
use crate::session::OfTour;
use crate::state::AppState;
use crate::values::Step;

/// What a step is called.
const fn title(step: Step) -> &'static str {
    match step {
        Step::Inputs => "Two inputs, two questions",
        Step::Methods => "The same, inside the model",
        Step::Agree => "Where both agree",
        Step::Differ => "Where they do not",
        Step::Test => "Does it matter? Test it",
    }
}

/// What a step begins with.
fn opening(step: Step) -> AnyView {
    match step {
        Step::Inputs => view! {
            "A network with two inputs. In the " <Term id="clean" says="clean" />
            " run both are 1, in the corrupted run both are 0. Which input made the difference?"
        }
        .into_any(),
        Step::Methods => view! {
            <Term id="ap" says="Activation patching" /> " asks each " <Term id="head" />
            " alone. " <Term id="ig" says="Integrated gradients" />
            " moves a layer as one, and watches each head’s gradient on the way."
        }
        .into_any(),
        Step::Agree => view! {
            "Heads that hardly depend on each other get the same from both. Each number is a cell of the maps."
        }
        .into_any(),
        Step::Differ => view! { "Here the heads of a layer do depend on each other, and the methods part." }.into_any(),
        Step::Test => view! { "A score is a claim about the model. Claims can be tested." }.into_any(),
    }
}

/// Starts the tour.
#[component]
pub(crate) fn TourButton(state: AppState) -> impl IntoView {
    view! {
        <button
            type="button"
            class="tour-start"
            data-testid="tour-start"
            aria-expanded=live(move || state.tour.get().is_some().to_string())
            on:click=move |_event| state.tell(OfTour::Start)
        >
            "Tour" <span class="roomy">", 60 seconds"</span>
        </button>
    }
    .into_any()
}

/// The tour, while there is one. `?tour` in the address starts it.
#[component]
pub(crate) fn Tour(state: AppState) -> impl IntoView {
    let asked = RwSignal::new(None);
    methods::ask(state);
    replaced::ask(state, asked);
    figures::follow(state);
    let is_open = memo(move || state.tour.get().is_some());
    // Whoever started it has the focus back when it ends.
    let before = StoredValue::new_local(None::<HtmlElement>);
    let mut was_open = false;
    effect(move || {
        let is_open = is_open.get();
        if is_open && !was_open {
            let active = document().active_element();
            before.set_value(active.and_then(|active| active.dyn_into().ok()));
            request_animation_frame(|| focus("[data-testid=tour-next]"));
        } else if !is_open && was_open {
            address::leave_tour();
            let had = before.with_value(Clone::clone);
            let button = had.filter(|had| had.is_connected() && had.tag_name() != "BODY");
            match button {
                Some(button) => drop(button.focus()),
                None => focus("[data-testid=tour-start]"),
            }
        }
        was_open = is_open;
    });
    if address::wants_tour() {
        state.tell(OfTour::Start);
    }
    dynamic(move || is_open.get().then(|| view! { <Panel state asked /> }))
}

/// The step at hand; the first, where there is none any more.
fn step(state: AppState) -> Memo<Step> {
    memo(move || state.tour.get().unwrap_or(Step::Inputs))
}

#[component]
fn Panel(state: AppState, asked: replaced::Asked) -> impl IntoView {
    let step = step(state);
    let go = move |to: Option<Step>| {
        if let Some(to) = to {
            state.tell(OfTour::Go(to));
        }
    };
    let end = move || state.tell(OfTour::End);
    let forth = move || match step.get_untracked().next() {
        Some(next) => go(Some(next)),
        None => end(),
    };
    let keys = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let slides = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|target| target.tag_name() == "INPUT");
        match event.key().as_str() {
            "ArrowRight" if !slides => go(step.get_untracked().next()),
            "ArrowLeft" if !slides => go(step.get_untracked().back()),
            "Escape" => end(),
            _ => return,
        }
        event.prevent_default();
    };
    let dots = Step::ALL.map(|of| {
        let label = format!("Step {}: {}", of.number(), title(of));
        view! {
            <li>
                <button
                    type="button"
                    data-testid="tour-dot"
                    title=title(of)
                    aria-label=label
                    aria-current=live(move || (step.get() == of).then_some("step"))
                    class:past=live(move || step.get().number() > of.number())
                    on:click=move |_event| go(Some(of))
                ></button>
            </li>
        }
    });
    let body = move || match step.get() {
        Step::Inputs => view! { <Inputs /> }.into_any(),
        Step::Methods => view! { <Methods state /> }.into_any(),
        of @ (Step::Agree | Step::Differ) => view! { <Figures state step=of /> }.into_any(),
        Step::Test => view! { <Test state asked /> }.into_any(),
    };
    // What had the focus may have gone with its step.
    effect(move || {
        step.track();
        request_animation_frame(|| {
            let active = document().active_element();
            if active.is_none_or(|active| active.tag_name() == "BODY") {
                focus("[data-testid=tour-next]");
            }
        });
    });
    let is_first = move || step.get().back().is_none();
    let next = move || match (step.get().next(), state.tour_leads_back.get()) {
        (Some(_), _) => "Next",
        (None, true) => "Back to your prompts",
        (None, false) => "Done",
    };
    let ends = move || {
        if state.tour_leads_back.get() {
            "End the tour, back to your prompts"
        } else {
            "End the tour"
        }
    };
    view! {
        <section
            class="tour"
            data-testid="tour"
            data-step=live(move || step.get().number().to_string())
            aria-labelledby="tour-title"
            on:keydown=keys
        >
            <header>
                <div aria-live="polite">
                    <h2 id="tour-title">
                        <span class="tour-number">{dynamic(move || format!("{} of {}", step.get().number(), Step::ALL.len()))}</span>
                        " "
                        {dynamic(move || title(step.get()))}
                    </h2>
                    <p>{dynamic(move || opening(step.get()))}</p>
                </div>
                <button
                    type="button"
                    class="dismiss"
                    data-testid="tour-end"
                    aria-label=live(ends)
                    title=live(ends)
                    on:click=move |_event| end()
                >
                    "×"
                </button>
            </header>
            <div class="tour-body" tabindex="-1">{dynamic(body)}</div>
            <footer>
                <button
                    type="button"
                    data-testid="tour-back"
                    aria-disabled=live(move || is_first().to_string())
                    on:click=move |_event| go(step.get_untracked().back())
                >
                    "Back"
                </button>
                <ol aria-label="Steps">{dots}</ol>
                <button type="button" class="primary" data-testid="tour-next" on:click=move |_event| forth()>
                    {dynamic(next)}
                </button>
            </footer>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_title_of_its_own() {
        for (place, step) in Step::ALL.into_iter().enumerate() {
            assert!(Step::ALL[..place].iter().all(|other| title(*other) != title(step)));
        }
    }
}
