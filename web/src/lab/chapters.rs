//! The chapters of the lab: their list, and the one that is open. Nothing of the others is made, or asked.

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use twinbeam_core::link::Panel;

use super::ablate::Ablate;
use super::agreement::Agreement;
use super::batch::ManyPrompts;
use super::directions::Directions;
use super::names::names;
use super::paths::PathsOfModel;
use super::positions::Positions;
use super::sheet::Sheet;
use super::why::Why;
use crate::components::focus;
use crate::ports::address;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

/// Opens a chapter and leads there.
pub(crate) fn go_to_chapter(state: AppState, chapter: Panel) {
    state.step(|sight| sight.chapter = chapter);
    // Once it is there.
    request_animation_frame(move || {
        let place = format!("[data-testid=panel-{}]", chapter.id());
        if let Ok(Some(part)) = document().query_selector(&place) {
            part.scroll_into_view();
        }
        focus(&format!("[data-testid=chapter-{}]", chapter.id()));
    });
}

/// All of the lab.
#[component]
pub(crate) fn LabPanels(state: AppState) -> impl IntoView {
    let lab = NodeRef::<html::Section>::new();
    let body = NodeRef::<html::Div>::new();
    let sheet = Sheet::of(body);
    let chapter = memo(move || state.lab.chapter.get());
    let open = move || match chapter.get() {
        Panel::Why => view! { <Why state sheet /> }.into_any(),
        Panel::Agreement => view! { <Agreement state sheet /> }.into_any(),
        Panel::Directions => view! { <Directions state sheet /> }.into_any(),
        Panel::Positions => view! { <Positions state sheet /> }.into_any(),
        Panel::Ablate => view! { <Ablate state sheet /> }.into_any(),
        Panel::Paths => view! { <PathsOfModel state sheet /> }.into_any(),
        Panel::Batch => view! { <ManyPrompts state sheet /> }.into_any(),
    };
    let links = Panel::ALL.map(|chapter| view! { <li><ChapterLink state lab chapter /></li> });
    view! {
        <section node_ref=lab class="lab" aria-labelledby="lab">
            <h2 id="lab">"The lab"</h2>
            <nav class="chapters" aria-label="Chapters of the lab">
                <ol>{links}</ol>
            </nav>
            <div class="chapter" node_ref=body>
                {dynamic(move || {
                    (state.is_stale() == Some(true)).then_some(view! {
                        <p class="out-of-date" role="status">
                            "The inputs have changed: all of the lab is about the figure before, until you run again."
                        </p>
                    })
                })}
                {dynamic(open)}
            </div>
        </section>
    }
}

/// A link to a chapter. Its address is short until somebody may want it: the whole one holds the figure too.
#[component]
fn ChapterLink(state: AppState, lab: NodeRef<html::Section>, chapter: Panel) -> impl IntoView {
    let is_open = memo(move || state.lab.is_open(chapter));
    let [name, _] = names(chapter);
    let href = RwSignal::new(address::with(chapter.id()));
    let prepare = move || {
        if let Ok(link) = state.read(|session| session.link_to(chapter)) {
            href.set(address::with(&link));
        }
    };
    let go = move |event: MouseEvent| {
        // A new tab, or a window of its own, is the browser's.
        if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
            return;
        }
        event.prevent_default();
        if !is_open.get_untracked() {
            state.step(|sight| sight.chapter = chapter);
            begin_at_the_top(lab);
        }
    };
    view! {
        <a
            href=live(move || href.get())
            data-testid=["chapter-", chapter.id()].concat()
            aria-current=live(move || is_open.get().then_some("true"))
            on:pointerenter=move |_event| prepare()
            on:focus=move |_event| prepare()
            on:click=go
        >
            {name}
        </a>
    }
}

/// A chapter is read from its beginning: a page that was scrolled into another one goes up to it, and never down.
fn begin_at_the_top(lab: NodeRef<html::Section>) {
    if let Some(lab) = lab.get_untracked()
        && f64::from(lab.offset_top()) < window().scroll_y().unwrap_or_default()
    {
        lab.scroll_into_view();
    }
}
