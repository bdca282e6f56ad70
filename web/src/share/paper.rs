//! The figure on paper: what is asked, the maps, and where the numbers come from, in place of the page.

use gloo::events::EventListener;
use leptos::prelude::*;

use crate::export::{Sheet, on_screen};
use crate::reactive::dynamic;
use crate::state::AppState;

/// What is printed, made when somebody prints.
#[component]
pub(crate) fn Paper(state: AppState) -> impl IntoView {
    let printing = RwSignal::new(false);
    for (event, is) in [("beforeprint", true), ("afterprint", false)] {
        // The page listens as long as it lives.
        EventListener::new(&window(), event, move |_event| printing.set(is)).forget();
    }
    dynamic(move || {
        let made = || {
            // A path to the method would be of one lifetime only.
            #[expect(clippy::redundant_closure_for_method_calls, reason = "of every lifetime")]
            untrack(|| on_screen(state, |screen| screen.sheet()))
        };
        printing.get().then(made).flatten().map(|sheet| view! { <Printed sheet /> })
    })
}

#[component]
fn Printed(sheet: Sheet) -> impl IntoView {
    let Sheet { title, asked, sentence, maps, source, link } = sheet;
    let lines =
        |lines: Vec<String>| lines.into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    let maps: Vec<_> = maps
        .into_iter()
        .map(|map| view! { <div class="paper-map" inner_html=map.svg></div> })
        .collect();
    let page = link.split('#').next().unwrap_or_default().to_owned();
    view! {
        <section class="paper" data-testid="paper" aria-label="The figure for paper">
            <h2>{title}</h2>
            <div class="paper-asked">{lines(asked)}</div>
            <p class="paper-sentence">{sentence}</p>
            <div class="paper-maps">{maps}</div>
            <div class="paper-source">
                {lines(source)}
                <p>
                    "Computed by Twinbeam: " <a href=link>{page}</a>
                    ". In a PDF this address opens the figure itself, with all its numbers."
                </p>
            </div>
        </section>
    }
}
