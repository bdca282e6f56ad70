//! The sentence under the maps, whose names are buttons.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;

use super::shown::{MapKind, Shown};
use crate::explain::claim::{Piece, claim};
use crate::lab::{self, Found};
use crate::reactive::{dynamic, memo};
use crate::state::AppState;

/// What maps say together, in the unit that they are shown in; `None`: one is missing, or they cannot be held against
/// each other, being in units of their own.
pub(crate) fn pieces_of(shown: &Shown, found: &Found) -> Option<Vec<Piece>> {
    let [ig, ap] = [MapKind::Ig, MapKind::Ap].map(|map| shown.table(map));
    let (ig, ap, unit) = (ig?, ap?, shown.unit(MapKind::Ig));
    let scale = shown.scale(MapKind::Ig);
    let number = |score| scale.written(score);
    (unit == shown.unit(MapKind::Ap))
        .then(|| claim(ig, ap, |of| found.of_component(of), number, unit))
}

/// What the figure of the heads says, in one sentence made from its numbers; empty until it is complete.
#[component]
pub(super) fn Claim(
    state: AppState,
    shown: Memo<Shown>,
    found: Memo<Option<Arc<Found>>>,
) -> impl IntoView {
    let pieces = memo(move || {
        let found = found.get()?;
        shown.with(|shown| pieces_of(shown, &found))
    });
    // The sentence ends with where the two part most.
    let apart = memo(move || {
        pieces.with(|pieces| {
            pieces.as_ref()?.iter().rev().find_map(|piece| match piece {
                Piece::Name(of) => Some(*of),
                Piece::Text(_) => None,
            })
        })
    });
    let words = move || {
        let pieces = pieces.get().unwrap_or_default().into_iter();
        let pieces = pieces.map(|piece| match piece {
            Piece::Text(text) => text.into_any(),
            Piece::Name(of) => {
                let go = move |_event| state.go_to(of);
                view! {
                    <button type="button" class="link" data-component=of.to_string() on:click=go>
                        {of.to_string()}
                    </button>
                }
                .into_any()
            }
        });
        let pieces = pieces.collect_view();
        let why = move |_event| {
            if let Some(of) = apart.get_untracked() {
                state.go_to(of);
            }
            lab::go_to_chapter(state, Panel::Why);
        };
        let why = apart.with(Option::is_some).then(|| {
            view! {
                " "
                <button type="button" class="link" data-testid="show-why" on:click=why>
                    "Show me why →"
                </button>
            }
        });
        view! { {pieces} {why} }
    };
    view! { <p class="figure-claim" data-testid="figure-claim">{dynamic(words)}</p> }
}
