//! How far the model on its way has come, and the button that stops it.

use gloo::timers::callback::Interval;
use leptos::prelude::*;

use crate::explain;
use crate::reactive::{dynamic, live, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::Arriving;

/// How far the model on its way has come, and a way to stop it.
#[component]
pub(crate) fn LoadProgress(state: AppState) -> impl IntoView {
    let now = RwSignal::new(js_sys::Date::now());
    let every_second = Interval::new(1000, move || {
        // Only a countdown moves without news.
        if state.models.arriving.with_untracked(|a| a.as_ref().is_some_and(Arriving::is_waiting)) {
            now.set(js_sys::Date::now());
        }
    });
    every_second.forget();
    let is_there = memo(move || state.models.arriving.with(Option::is_some));
    let of = move |part: fn(&Arriving) -> u64| {
        state.models.arriving.with(|arriving| arriving.as_ref().map(part)).unwrap_or_default()
    };
    let words = move || {
        let now = now.get();
        state.models.arriving.with(|arriving| arriving.as_ref().map(|a| explain::arriving(a, now)))
    };
    let share = move || state.models.arriving.with(|arriving| arriving.as_ref()?.share());
    let meanwhile = move || {
        let another = state.models.arriving.with(|a| a.as_ref().is_some_and(|a| a.is_another));
        let in_use = state.loaded.with(|l| l.as_ref().map(|l| l.identity.title.clone()));
        in_use.filter(|_| another).map(|title| format!("{title} stays in use until then."))
    };
    move || {
        is_there.get().then(|| {
            view! {
                <div
                    class="load-progress"
                    data-testid="load-progress"
                    data-done=live(move || of(|arriving| arriving.done).to_string())
                    data-total=live(move || of(|arriving| arriving.total).to_string())
                >
                    <p>{dynamic(words)} " " <span class="hint">{dynamic(meanwhile)}</span></p>
                    <progress
                        aria-label="Progress of loading"
                        max="1"
                        prop:value=live(move || share().unwrap_or(0.0))
                    ></progress>
                    <button
                        type="button"
                        data-testid="load-cancel"
                        title=live(move || (of(|arriving| arriving.done) > 0 && state.models.keeps())
                            .then_some("What has arrived is kept, and the next time goes on from there"))
                        on:click=move |_event| state.tell(Visitor::CancelLoad)
                    >
                        "Cancel"
                    </button>
                </div>
            }
            .into_any()
        })
    }
}
