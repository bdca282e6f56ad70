//! Where the numbers on the screen come from, as far as a link has to do with it.

use leptos::prelude::*;

use crate::explain::{self, AfterLink};
use crate::state::AppState;
use crate::values::{Job, LOCAL};

/// Where the numbers on the screen come from, as far as a link has to do with it.
#[component]
pub(crate) fn LinkMark(state: AppState) -> impl IntoView {
    let words = move || {
        let shown = state
            .committed
            .with(|c| c.as_ref().filter(|c| c.is_from_link()).map(|c| c.model.clone()));
        match shown {
            Some(of) => {
                let next = after(state, &of.identity.id);
                Some(("link", explain::from_link(&of.fingerprint, &next)))
            }
            None => state.link_check.get().map(|check| {
                let verdict = if check.agrees() { "agrees" } else { "differs" };
                (verdict, explain::link_check(&check))
            }),
        }
    };
    move || {
        words().map(|(verdict, words)| {
            view! {
                <p class="link-mark" data-testid="link-mark" data-verdict=verdict role="status">
                    {words}
                </p>
            }
        })
    }
}

/// What comes after a link's scores of a model.
fn after(state: AppState, of: &str) -> AfterLink {
    let title = |id: &str| match id {
        LOCAL => "the sender’s own files".to_owned(),
        id => state.models.title(id),
    };
    if state.job.get() == Some(Job::Heads) {
        AfterLink::Computing
    } else if state.is_of_changed_model() {
        AfterLink::Changed { title: title(of) }
    } else if let Some(waiting) = state.models.waiting.get() {
        AfterLink::WaitsFor { title: title(&waiting) }
    } else {
        AfterLink::Run
    }
}
