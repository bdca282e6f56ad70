//! The sentence under the maps, whose names are buttons.

use leptos::prelude::*;
use twinbeam_core::words::ComponentKind;

use super::shown::{MapKind, Shown};
use crate::explain::claim::{Piece, claim};
use crate::lab;
use crate::reactive::{dynamic, memo};
use crate::state::AppState;

/// What the figure of the heads says, in one sentence made from its numbers; empty until it is complete.
#[component]
pub(super) fn Claim(state: AppState, shown: Memo<Shown>) -> impl IntoView {
    let found = lab::found_in(state, ComponentKind::Heads);
    let pieces = memo(move || {
        let found = found.get()?;
        shown.with(|shown| {
            let [ig, ap] = [MapKind::Ig, MapKind::Ap].map(|map| shown.table(map));
            let (ig, ap) = (ig?, ap?);
            // In units of their own the two cannot be held against each other.
            (shown.unit(MapKind::Ig) == shown.unit(MapKind::Ap))
                .then(|| claim(ig, ap, |of| found.of_component(of), shown.unit(MapKind::Ig)))
        })
    });
    let words = move || {
        let pieces = pieces.get().unwrap_or_default().into_iter();
        let pieces = pieces.map(|piece| match piece {
            Piece::Text(text) => text.into_any(),
            Piece::Name(of) => {
                let go = move |_event| state.go_to(of);
                view! { <button type="button" class="link" on:click=go>{of.to_string()}</button> }
                    .into_any()
            }
        });
        pieces.collect_view()
    };
    view! { <p class="claim" data-testid="claim">{dynamic(words)}</p> }
}
