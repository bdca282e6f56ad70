//! The drawer of settings: how it is measured, where it is computed, what is kept, and how large the figure is.

use leptos::prelude::*;

use super::controls::{AutoSteps, DeviceSelect, Explanation, MetricSelect, StepsField};
use super::focus;
use super::run::AutoRun;
use super::speed::Speed;
use super::typed_as::TypedAs;
use crate::models::FilesAndStorage;
use crate::ports::{forget, recall, remember, screen};
use crate::reactive::{effect, live};
use crate::session::Memory;
use crate::state::AppState;

/// Where the browser remembers that the drawer was left open.
const OPEN: &str = "twinbeam-settings";
/// Where it remembers that the figure is for a projector.
const PROJECTOR: &str = "twinbeam-projector";
const YES: &str = "yes";

/// Whether a switch was on when it was turned last.
fn was_on(key: &str) -> bool {
    recall(Memory::Lasting, key).as_deref() == Some(YES)
}

/// Turns a switch, which the browser remembers.
fn turn(switch: RwSignal<bool>, key: &str, on: bool) {
    switch.set(on);
    if on {
        remember(Memory::Lasting, key, YES);
    } else {
        forget(Memory::Lasting, key);
    }
}

/// Whether the drawer is open, and whether the figure is drawn large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawer {
    open: RwSignal<bool>,
    projector: RwSignal<bool>,
}

impl Drawer {
    /// As they were left; only, where the drawer would lie over the figure, it begins closed.
    pub(crate) fn new() -> Self {
        let open = RwSignal::new(was_on(OPEN) && has_room());
        let projector = RwSignal::new(was_on(PROJECTOR));
        effect(move || {
            if let Some(root) = document().document_element() {
                root.class_list().toggle_with_force("projector", projector.get()).ok();
            }
        });
        Self { open, projector }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.get()
    }

    /// Opens the drawer and goes to its first control, or closes it and goes back to the button.
    pub(crate) fn toggle(&self) {
        let opens = !self.open.get_untracked();
        turn(self.open, OPEN, opens);
        let place = if opens { "#settings" } else { "#settings-open" };
        // Once it is there.
        request_animation_frame(move || focus(place));
    }
}

/// Whether the drawer stands beside the figure, as `styles/layout.css` has it.
fn has_room() -> bool {
    screen::matches("(min-width: 64rem)") != Some(false)
}

/// All that is set once and seldom changed.
#[component]
pub(crate) fn Settings(state: AppState, drawer: Drawer) -> impl IntoView {
    let close_on_escape = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" && !event.default_prevented() {
            drawer.toggle();
        }
    };
    let measured = view! {
        <section>
            <h3>"What is measured"</h3>
            <MetricSelect state />
            <StepsField state />
            <AutoSteps state />
            <Explanation state />
            <AutoRun state />
        </section>
        <section>
            <h3>"How prompts are read"</h3>
            <TypedAs state />
        </section>
    };
    let computed = view! {
        <section>
            <h3>"Where it is computed"</h3>
            <DeviceSelect state />
            <Speed state />
        </section>
        <section>
            <h3>"Models and storage"</h3>
            <FilesAndStorage state />
        </section>
        <section>
            <h3>"Looks"</h3>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="projector"
                    prop:checked=live(move || drawer.projector.get())
                    on:change=move |event| turn(drawer.projector, PROJECTOR, event_target_checked(&event))
                />
                " Large maps, for a projector"
            </label>
        </section>
    };
    view! {
        <aside
            class="drawer"
            id="settings"
            data-testid="settings"
            aria-label="Settings"
            tabindex="-1"
            hidden=live(move || !drawer.is_open())
            on:keydown=close_on_escape
        >
            <header>
                <h2>"Settings"</h2>
                <button
                    type="button"
                    class="dismiss"
                    aria-label="Close the settings"
                    on:click=move |_event| drawer.toggle()
                >
                    "×"
                </button>
            </header>
            {measured.into_any()}
            {computed.into_any()}
        </aside>
    }
}
