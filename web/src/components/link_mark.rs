//! Where the numbers on the screen come from, as far as a link has to do with it.

use leptos::prelude::*;

use crate::explain;
use crate::state::AppState;
use crate::values::{Job, LOCAL};

/// Where the numbers on the screen come from, as far as a link has to do with it.
#[component]
pub(crate) fn LinkMark(state: AppState) -> impl IntoView {
    let words = move || {
        let shown = state
            .committed
            .with(|c| c.as_ref().filter(|c| c.is_from_link()).map(|c| c.model.fingerprint.clone()));
        match shown {
            Some(sha256) => {
                let title = |id: String| match id.as_str() {
                    LOCAL => "the sender’s own files".to_owned(),
                    id => state.models.title(id),
                };
                let waits_for = state.models.waiting.get().map(title);
                let running = state.job.get() == Some(Job::Heads);
                Some(("link", explain::from_link(&sha256, running, waits_for.as_deref())))
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
