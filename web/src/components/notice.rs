use leptos::prelude::*;

use crate::explain::{self, Notice};
use crate::state::AppState;

/// What a visitor should know now: what happened, and what keeps the draft from being run.
#[component]
pub(crate) fn Notices(state: AppState) -> impl IntoView {
    let happened = move || {
        state.notice.get().map(|notice| {
            view! {
                <div class="notice">
                    {words(notice)}
                    <button
                        type="button"
                        class="dismiss"
                        aria-label="Dismiss"
                        on:click=move |_event| state.notice.set(None)
                    >
                        "×"
                    </button>
                </div>
            }
        })
    };
    let hinders = move || {
        let problem = state.inspection.with(|inspection| inspection.problem.clone());
        problem.map(|error| {
            view! { <div class="notice" data-testid="problem">{words(explain::prompt(&error))}</div> }
        })
    };
    view! {
        <div class="notices" data-testid="notice" role="status">
            {happened} {hinders}
        </div>
    }
}

fn words(notice: Notice) -> impl IntoView {
    view! {
        <p>
            <strong>{notice.title} ". "</strong>
            {notice.what_to_do}
        </p>
    }
}
