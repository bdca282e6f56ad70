//! The head of the page: what it asks of which model, and the ways to everything that is not the figure.

use leptos::prelude::*;
use twinbeam_core::words::{Experiment, Metric};

use super::drawer::Drawer;
use super::focus;
use crate::models::ModelMenu;
use crate::reactive::{dynamic, live, memo};
use crate::share::ShareButton;
use crate::state::AppState;
use crate::story::TourButton;
use crate::values::visible;

/// The name, the model, the ways to settings and elsewhere, and the question as a title.
#[component]
pub(crate) fn Masthead(state: AppState, drawer: Drawer) -> impl IntoView {
    let question = memo(move || state.draft.with(question));
    let is_bundled = memo(move || {
        let in_use = state.loaded.with(|loaded| loaded.as_ref().map(|l| l.identity.id.clone()));
        in_use.is_none_or(|id| state.models.find(&id).is_some_and(|model| model.is_bundled()))
    });
    view! {
        <button type="button" class="skip" on:click=move |_event| focus("[data-testid=heatmap-ig-heads] [tabindex='0']")>
            "Skip to the figure"
        </button>
        <header class="masthead">
            <p class="brand">"Twinbeam"</p>
            <ModelMenu state />
            <div class="ways">
                <TourButton state />
                <ShareButton state />
                <button
                    type="button"
                    class="quiet"
                    id="settings-open"
                    data-testid="settings-open"
                    aria-expanded=live(move || drawer.is_open().to_string())
                    aria-controls="settings"
                    on:click=move |_event| drawer.toggle()
                >
                    "Settings"
                </button>
            </div>
            <h1>{dynamic(move || question.get())}</h1>
            <p class="lead">
                "Two prompts that differ in a word, and two methods that ask which attention heads carry the difference. "
                {dynamic(move || {
                    is_bundled.get().then_some("The bundled model is small and trained for this page: its heads are not GPT-2’s. ")
                })}
                <button type="button" class="link" on:click=move |_event| lead_to("#guide")>
                    "How to read this"
                </button>
            </p>
        </header>
    }
}

/// Brings a part of the page into view.
fn lead_to(selector: &str) {
    if let Ok(Some(part)) = document().query_selector(selector) {
        part.scroll_into_view();
    }
}

/// What the page asks, in plain words, of the draft as it is.
fn question(draft: &Experiment) -> String {
    let named = |answers: &[String]| {
        let first = answers.first().map(|answer| visible(answer.trim()))?;
        let first = format!("“{first}”");
        Some(match answers.len() {
            1 => first,
            _ => format!("{first} and the like"),
        })
    };
    let (answer, wrong) = (named(&draft.answer), named(&draft.wrong));
    match (draft.metric, answer, wrong) {
        (Metric::LogitDiff | Metric::ProbDiff, Some(answer), Some(wrong)) => {
            format!("Which parts of the model say {answer} and not {wrong}?")
        }
        (Metric::Kl, ..) => "Which parts of the model decide what comes next?".to_owned(),
        (_, Some(answer), _) => format!("Which parts of the model say {answer}?"),
        _ => "Which parts of the model say the answer?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_what_is_compared() {
        let draft = Experiment::default();
        assert_eq!(question(&draft), "Which parts of the model say “John” and not “Mary”?");
        let many = Experiment { answer: vec![" 55".to_owned(), " 56".to_owned()], ..draft.clone() };
        assert!(question(&many).contains("“55” and the like"), "{}", question(&many));
        let alone = Experiment { metric: Metric::LogProb, ..draft.clone() };
        assert_eq!(question(&alone), "Which parts of the model say “John”?");
        let none = Experiment { answer: Vec::new(), ..draft };
        assert_eq!(question(&none), "Which parts of the model say the answer?");
    }
}
