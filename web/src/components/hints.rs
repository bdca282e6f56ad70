//! What is said below a field before it is run, with a button that mends it.

use leptos::prelude::*;
use twinbeam_core::prompts::Hint;
use twinbeam_core::words::{Experiment, Field};

use super::focus;
use crate::explain;
use crate::reactive::{dynamic, memo};
use crate::state::AppState;

/// What is said below a field before it is run, each with a button that mends it.
#[component]
pub(crate) fn Hints(state: AppState, field: Field) -> impl IntoView {
    // What stays is not said anew whenever the draft is looked at.
    let hints = memo(move || {
        state.inspection.with(|inspection| {
            let of_field = inspection.hints.iter().filter(|hint| hint.field == field);
            of_field.cloned().collect::<Vec<_>>()
        })
    });
    let lines = move || hints.get().into_iter().map(|hint| line(state, hint)).collect_view();
    let id = id(field);
    view! { <div class="hints" id=id data-testid=id role="status">{dynamic(lines)}</div> }
}

/// The id of what is said below a field.
pub(super) const fn id(field: Field) -> &'static str {
    match field {
        Field::Clean => "hints-clean",
        Field::Corrupted => "hints-corrupted",
        Field::Answer => "hints-answer",
        Field::Wrong => "hints-wrong",
    }
}

fn line(state: AppState, hint: Hint) -> impl IntoView {
    let (words, label) = explain::hint(&hint);
    let button = label.map(|label| {
        let mend = move |_event| {
            // What has been typed since is not replaced by what was looked at.
            if state.inspected.get_untracked() {
                state.edit(true, |draft| apply(draft, &hint));
                focus(&format!("[aria-describedby={}]", id(hint.field)));
            }
        };
        view! { <button type="button" class="chip offer" on:click=mend>{label}</button> }
    });
    view! { <p>{words} " " {button}</p> }
}

/// Puts what mends a field into it.
fn apply(draft: &mut Experiment, hint: &Hint) {
    for (place, text) in &hint.mends {
        let entry = match hint.field {
            Field::Clean => Some(&mut draft.clean),
            Field::Corrupted => Some(&mut draft.corrupted),
            Field::Answer => draft.answer.get_mut(*place),
            Field::Wrong => draft.wrong.get_mut(*place),
        };
        if let Some(entry) = entry {
            entry.clone_from(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::prompts::About;

    #[test]
    fn answers_are_mended_where_they_stand() {
        let mut draft = Experiment {
            answer: ["a", " b", "c"].map(str::to_owned).to_vec(),
            ..Experiment::default()
        };
        let hint = Hint {
            field: Field::Answer,
            text: "a".to_owned(),
            about: About::NoLeadingSpace,
            mends: vec![(0, " a".to_owned()), (2, " c".to_owned()), (9, " x".to_owned())],
        };
        apply(&mut draft, &hint);
        assert_eq!(draft.answer, [" a", " b", " c"]);
    }
}
