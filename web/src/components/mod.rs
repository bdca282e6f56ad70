//! The parts of the page that are not maps, from top to bottom.

pub(crate) mod answers;
pub(crate) mod controls;
mod hints;
pub(crate) mod notice;
pub(crate) mod prompts;
pub(crate) mod reading;
mod speed;
pub(crate) mod status;
pub(crate) mod summary;

use twinbeam_core::Experiment;
pub(crate) use twinbeam_core::hides;

use crate::bridge;
use crate::state::AppState;
use leptos::ev::MouseEvent;
use leptos::prelude::*;

/// Changes the draft and has it looked at: at once for a choice, after a pause for typing.
fn edit(state: AppState, at_once: bool, change: impl FnOnce(&mut Experiment)) {
    state.draft.update(change);
    state.failed.set(false);
    bridge::inspect(state, at_once);
}

/// Whether a pointer has come or gone by itself: a page that scrolls under one that rests has not been pointed at.
pub(crate) fn has_moved(event: &MouseEvent) -> bool {
    event.movement_x() != 0 || event.movement_y() != 0
}

/// A token's text with its spaces visible.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            ' ' => '·',
            '\n' => '↵',
            '\r' => '␍',
            '\t' => '⇥',
            '\u{a0}' => '⍽',
            other if hides(other) => '▯',
            other => other,
        })
        .collect()
}
