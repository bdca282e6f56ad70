//! All panels of the lab, in the order of the argument.

use leptos::prelude::*;

use super::ablate::Ablate;
use super::agreement::Agreement;
use super::batch::ManyPrompts;
use super::directions::Directions;
use super::positions::Positions;
use super::why::Why;
use crate::reactive::dynamic;
use crate::state::AppState;

/// All panels, in the order of the argument.
#[component]
pub(crate) fn LabPanels(state: AppState) -> impl IntoView {
    // Each for itself: as one type they would take more of the program.
    let panels = [
        view! { <Agreement state /> }.into_any(),
        view! { <Why state /> }.into_any(),
        view! { <Directions state /> }.into_any(),
        view! { <Positions state /> }.into_any(),
        view! { <Ablate state /> }.into_any(),
        view! { <ManyPrompts state /> }.into_any(),
    ];
    view! {
        <section class="lab" aria-label="Where the methods differ, and why">
            <p class="hint">
                "Below: how far the two methods agree, why they do not, and whether it matters. In every plot, arrow keys step from                  point to point, click or Enter pins; in a scatter, dragging or b selects, with Shift more."
            </p>
            {dynamic(move || {
                (state.is_stale() == Some(true)).then_some(
                    "The inputs have changed: all that follows is of the figure before, until you run again.",
                )
            })}
            {panels}
        </section>
    }
}
