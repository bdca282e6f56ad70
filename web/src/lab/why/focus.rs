//! Which component is looked at, and what its prompts' tokens are.

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::words::{Component, ComponentKind, Direction};

use crate::lab::parts::entry;
use crate::plot::Labels;
use crate::reactive::memo;
use crate::state::AppState;
use crate::values::{Committed, Slot};
use twinbeam_figure::scale::small;

/// How many are offered of each kind.
const OFFERED: usize = 5;
/// Characters of a label on both axes of a map.
const LABEL: usize = 6;

/// The component that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::lab) struct Focus {
    pub(in crate::lab) component: Component,
    /// Or taken because it differs most.
    pub(in crate::lab) is_pinned: bool,
}

/// What a panel looks at while it is open and the figure is complete.
pub(in crate::lab) fn focus(state: AppState, panel: Panel) -> Memo<Option<Focus>> {
    memo(move || {
        let is_complete = state.committed.with(|committed| {
            committed.as_ref().is_some_and(|c| c.is_complete(ComponentKind::Heads))
        });
        if !state.lab.is_open(panel) || !is_complete {
            return None;
        }
        let component = state.focus()?;
        let shape = state.shown_shape()?;
        // A link may pin what the model does not have.
        let is_there =
            component.layer < shape.n_layers && component.index < component.kind.width(&shape);
        let is_pinned = state.pinned.get() == Some(component);
        is_there.then_some(Focus { component, is_pinned })
    })
}

/// Which component that is, and how to look at another.
pub(in crate::lab) fn about(state: AppState, focus: Memo<Option<Focus>>) -> String {
    match focus.get() {
        Some(Focus { component, is_pinned: true }) => {
            format!(
                "About {component}, which is pinned. Pin another in a map or a plot to look at that."
            )
        }
        Some(Focus { component, .. }) => format!(
            "About {component}, the head whose IG and AP differ most. Pin another in a map or a plot to look at \
             that."
        ),
        None if state.job.with(Option::is_some) => {
            "This follows when the figure is complete.".to_owned()
        }
        None if state.pinned.with(Option::is_some) && state.committed.with(Option::is_some) => {
            "What is pinned is not in this model. Pin another in a map.".to_owned()
        }
        None => "There is no complete figure yet.".to_owned(),
    }
}

/// Those that differ most, as entries that pin them.
pub(in crate::lab) fn lists(state: AppState) -> String {
    let (direction, wanted) = (state.direction(), state.unit.get());
    state.committed.with(|committed| {
        let Some(committed) = committed.as_ref().filter(|c| c.is_complete(ComponentKind::Heads))
        else {
            return String::new();
        };
        let (factor, unit) = wanted.common(&committed.basis);
        let written = |(of, difference): (Component, f32)| {
            let difference = factor * difference;
            entry(of, difference, &format!("IG − AP {} {unit}", small(difference)))
        };
        differing(committed, direction).into_iter().map(written).collect()
    })
}

/// The components whose IG and AP differ most, heads first.
fn differing(committed: &Committed, direction: Direction) -> Vec<(Component, f32)> {
    let mut all = Vec::new();
    for kind in ComponentKind::ALL {
        if let [Some(ig), Some(ap)] = committed.tables(kind, direction)
            && ig.values().len() == ap.values().len()
        {
            let difference = ig.minus(ap);
            let strongest = difference.strongest(OFFERED).into_iter();
            all.extend(strongest.filter_map(|of| Some((of, difference.get(of.layer, of.index)?))));
        }
    }
    all
}

/// The tokens of both prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) clean: Vec<String>,
    pub(crate) corrupted: Vec<String>,
}

impl Tokens {
    /// One text per position: both prompts' where they differ.
    pub(in crate::lab) fn both(&self) -> Vec<String> {
        let pairs = self.clean.iter().zip(&self.corrupted);
        pairs.map(|(a, b)| if a == b { a.clone() } else { format!("{a}/{b}") }).collect()
    }

    /// The same, no longer than a token of one prompt is, so that maps of one and of both are of one size.
    pub(in crate::lab) fn both_short(&self) -> Vec<String> {
        let pairs = self.clean.iter().zip(&self.corrupted);
        let short = |(a, b): (&String, &String)| {
            if a == b { a.clone() } else { a.chars().take(LABEL).chain("/…".chars()).collect() }
        };
        pairs.map(short).collect()
    }

    /// The first position at which the prompts differ.
    pub(in crate::lab) fn first_difference(&self) -> Option<usize> {
        self.clean.iter().zip(&self.corrupted).position(|(a, b)| a != b)
    }
}

/// Tokens as labels, or the positions' numbers where they are not known.
pub(in crate::lab) fn labels(title: &str, tokens: Option<Vec<String>>, n_pos: usize) -> Labels {
    match tokens {
        Some(tokens) => Labels::tokens(title, tokens),
        None => Labels::numbers(title, n_pos),
    }
}

/// The tokens of the figure's prompts, while those are what is on the screen.
pub(crate) fn tokens(state: AppState) -> Memo<Option<Tokens>> {
    memo(move || {
        let n_pos = state.committed.with(|c| c.as_ref().map(|c| c.basis.n_pos))?;
        if !state.inspected.get() || state.is_stale() != Some(false) {
            return None;
        }
        let [clean, corrupted] = state.inspection.with(|inspection| {
            [&inspection.clean, &inspection.corrupted].map(|side| {
                let text = |token: &twinbeam_core::wire::inspection::TokenView| {
                    if token.bos { "BOS".to_owned() } else { token.text.clone() }
                };
                side.tokens.iter().map(text).collect::<Vec<_>>()
            })
        });
        (clean.len() == n_pos && corrupted.len() == n_pos).then_some(Tokens { clean, corrupted })
    })
}

/// That an answer is a GPU's and nothing has checked it.
pub(crate) fn unchecked(state: AppState, slot: Slot) -> Option<&'static str> {
    let is = state.answer(slot).is_some_and(|answer| answer.unchecked && answer.found.is_ok());
    is.then_some("The GPU computed this, and nothing has checked it.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::committed;

    #[test]
    fn those_that_differ_most_are_offered() {
        let differing = differing(&committed(), Direction::Noising);
        let names: Vec<_> = differing.iter().map(|(of, d)| (of.layer, of.index, *d)).collect();
        assert_eq!(names, [(1, 1, -1.0), (0, 0, 0.25)]);
    }

    #[test]
    fn both_tokens_stand_where_they_differ() {
        let texts = |texts: [&str; 3]| texts.map(ToOwned::to_owned).to_vec();
        let tokens =
            Tokens { clean: texts(["BOS", " a", " b"]), corrupted: texts(["BOS", " a", " c"]) };
        assert_eq!(tokens.both(), ["BOS", " a", " b/ c"]);
        assert_eq!(tokens.first_difference(), Some(2));
        let long =
            Tokens { clean: vec![" Margaret".to_owned()], corrupted: vec![" Jonathan".to_owned()] };
        assert_eq!(long.both_short(), [" Marga/…"]);
    }
}
