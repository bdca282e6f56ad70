//! What a chapter says in a sentence, and what a click does to test it: plain values, and how they are shown.

use std::collections::BTreeSet;

use leptos::prelude::*;
use twinbeam_core::link::{Panel, SetChoice};
use twinbeam_core::prompts::Draw;
use twinbeam_core::words::{Component, ComponentKind, Direction, Experiment};

use crate::reactive::{dynamic, memo};
use crate::session::OfPairs;
use crate::state::AppState;
use crate::values::Sight;

/// A sentence made of a figure's numbers, and ways to test it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Claim {
    pub(super) words: String,
    /// What is on the button, and what it does; the first is the one that tests the sentence.
    pub(super) tests: Vec<(String, Test)>,
}

impl Claim {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), tests: Vec::new() }
    }

    /// The same with one more test.
    pub(super) fn with(mut self, words: impl Into<String>, test: Test) -> Self {
        self.tests.push((words.into(), test));
        self
    }
}

/// What a click does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// Replaces a set together by the other run's values, or what is chosen in its place, and shows what becomes of it.
    Replace(SetChoice),
    /// The same with these components, in a direction.
    Together(Vec<Component>, Direction),
    /// Keeps a circuit of so many edges and patches the rest.
    Keep(usize),
    /// Looks at a component in a chapter.
    See(Component, Panel),
    /// Looks at the other direction.
    Turn(Direction),
    /// Draws pairs of a task and runs them.
    Draw(Draw),
    /// Runs the pairs that there are.
    RunPairs,
}

impl Test {
    /// What is looked at then; `figure`: what is on the screen.
    pub(super) fn apply(&self, sight: &mut Sight, figure: Option<&Experiment>) {
        match self {
            Self::Replace(set) => {
                sight.set = *set;
                sight.ablated = figure.cloned();
                sight.chapter = Panel::Ablate;
            }
            Self::Together(components, direction) => {
                sight.selected = components.iter().copied().collect::<BTreeSet<_>>();
                sight.kind = components.first().map_or(ComponentKind::Heads, |first| first.kind);
                sight.direction = *direction;
                Self::Replace(SetChoice::Selected).apply(sight, figure);
            }
            Self::Keep(n) => {
                (sight.paths.n, sight.paths.connected) = (*n, true);
                sight.kept = figure.cloned();
                sight.chapter = Panel::Paths;
            }
            Self::See(component, chapter) => {
                sight.pinned = Some(*component);
                if component.kind == ComponentKind::Neurons {
                    sight.window = sight.window.about(component.index);
                }
                sight.chapter = *chapter;
            }
            Self::Turn(direction) => sight.direction = *direction,
            Self::Draw(_) | Self::RunPairs => sight.chapter = Panel::Batch,
        }
    }

    fn run(&self, state: AppState) {
        let figure = state.read(|session| session.committed.as_ref().map(|c| c.experiment.clone()));
        match self {
            Self::Draw(draw) => state.tell(OfPairs::DrawAndRun(draw.clone())),
            Self::RunPairs => state.tell(OfPairs::Run),
            look => state.step(|sight| look.apply(sight, figure.as_ref())),
        }
    }
}

/// The sentence and its buttons. Their room is there before they are.
#[component]
pub(super) fn ClaimView(state: AppState, claim: Memo<Claim>) -> impl IntoView {
    let words = memo(move || claim.with(|claim| claim.words.clone()));
    let buttons = move || {
        claim
            .get()
            .tests
            .into_iter()
            .enumerate()
            .map(|(place, (words, test))| {
                let (class, testid) =
                    if place == 0 { ("primary", "finding-test") } else { ("", "finding-more") };
                view! {
                    <button type="button" class=class data-testid=testid on:click=move |_event| test.run(state)>
                        {words}
                    </button>
                }
            })
            .collect_view()
    };
    view! {
        <div class="finding">
            <p data-testid="finding" role="status">{dynamic(move || words.get())}</p>
            <div class="finding-tests">{dynamic(buttons)}</div>
        </div>
    }
}

/// So many, as a word where it is one.
pub(super) fn spelled(n: usize) -> String {
    const WORDS: [&str; 10] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// Components by name where they are few, else how many there are: `L0H1 and L0H3`, `these 12 heads`.
pub(super) fn named(components: &[Component]) -> String {
    const MOST: usize = 5;
    let names: Vec<String> = components.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= MOST => format!("{} and {last}", first.join(", ")),
        _ => {
            let is_of = |kind| components.iter().all(|component| component.kind == kind);
            let kind = ComponentKind::ALL.into_iter().find(|kind| is_of(*kind));
            format!("these {} {}", names.len(), kind.map_or("components", ComponentKind::id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(index: usize) -> Component {
        Component { kind: ComponentKind::Heads, layer: 0, index }
    }

    #[test]
    fn a_test_looks_where_its_answer_is() {
        let figure = Experiment::default();
        let mut sight = Sight::default();
        Test::Together(vec![head(1), head(3)], Direction::Denoising)
            .apply(&mut sight, Some(&figure));
        assert_eq!((sight.chapter, sight.set), (Panel::Ablate, SetChoice::Selected));
        assert_eq!((sight.direction, sight.selected.len()), (Direction::Denoising, 2));
        assert_eq!(sight.ablated, Some(figure));
        Test::See(head(2), Panel::Why).apply(&mut sight, None);
        assert_eq!((sight.chapter, sight.pinned), (Panel::Why, Some(head(2))));
        Test::Keep(10).apply(&mut sight, Some(&Experiment::default()));
        assert_eq!((sight.paths.n, sight.paths.connected, sight.chapter), (10, true, Panel::Paths));
        assert!(sight.kept.is_some());
        Test::Turn(Direction::Noising).apply(&mut sight, None);
        assert_eq!((sight.chapter, sight.direction), (Panel::Paths, Direction::Noising));
    }

    #[test]
    fn few_are_named_and_many_are_counted() {
        let heads: Vec<Component> = (0..6).map(head).collect();
        assert_eq!(named(&heads[..1]), head(0).to_string());
        assert_eq!(named(&heads[..2]), format!("{} and {}", head(0), head(1)));
        assert_eq!(named(&heads), "these 6 heads");
        let mixed = Component { kind: ComponentKind::Neurons, ..head(6) };
        assert_eq!(named(&[heads, vec![mixed]].concat()), "these 7 components");
        assert_eq!([spelled(4), spelled(12)], ["four", "12"]);
    }
}
