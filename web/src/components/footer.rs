//! The foot of the page: what computed the figure, of which model, and what the page is.

use leptos::prelude::*;

use super::status::Provenance;
use crate::explain;
use crate::reactive::dynamic;
use crate::state::AppState;
use crate::story::Papers;
use crate::values::BUILD;

/// Where the numbers come from, and which page this is.
#[component]
pub(crate) fn Footer(state: AppState) -> impl IntoView {
    view! {
        <footer class="foot">
            <Provenance state />
            <p>
                "Everything is computed on this device: prompts and files do not leave it. Twinbeam " {BUILD}
                ", MIT or Apache 2.0. "
                <span data-testid="page-kept">{dynamic(move || state.is_kept.get().map(explain::kept))}</span>
            </p>
            <details>
                <summary>"Papers, and where this is from"</summary>
                <Papers />
            </details>
        </footer>
    }
}
