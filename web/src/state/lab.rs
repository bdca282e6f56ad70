//! What the views see of the lab: what is chosen, what is asked, and what has been answered.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use twinbeam_core::link::{Highlight, Panel, PartsBy, Paths, SetChoice, WithChoice};
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::{Component, ComponentKind, Direction, Experiment};

use super::pairs::Pairs;
use super::room::{Choice, Room, Shown};
use crate::session::Session;
use crate::values::{Answer, Edges, N_SLOTS, Slot};

/// Everything of the lab that changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lab {
    pub(crate) kind: Choice<ComponentKind>,
    pub(crate) selected: Choice<BTreeSet<Component>>,
    pub(crate) highlight: Choice<Highlight>,
    pub(crate) zero_baseline: Choice<bool>,
    pub(crate) split: Choice<bool>,
    pub(crate) directions_by_ig: Choice<bool>,
    /// The chapter that is open.
    pub(crate) chapter: Choice<Panel>,
    pub(crate) set: Choice<SetChoice>,
    pub(crate) with: Choice<WithChoice>,
    /// The experiment for which sets have been replaced.
    pub(crate) ablated: Choice<Option<Experiment>>,
    /// The experiment for which maps by token were asked for, where they are not drawn by themselves.
    pub(crate) streamed: Choice<Option<Experiment>>,
    /// By which method the parts of heads are shown.
    pub(crate) parts_by: Choice<PartsBy>,
    /// The experiment for which parts of heads were asked for, where they are not computed by themselves.
    pub(crate) parted: Choice<Option<Experiment>>,
    /// What is looked at of the model's graph.
    pub(crate) paths: Choice<Paths>,
    /// The experiment for which circuits have been run.
    pub(crate) kept: Choice<Option<Experiment>>,
    /// The experiment of which all edges are to be patched.
    pub(crate) patched: Choice<Option<Experiment>>,
    edges: [Shown<Option<Arc<Edges>>>; 2],
    pub(super) wants: Shown<[Option<Probe>; N_SLOTS]>,
    pub(super) answers: [Shown<Option<Arc<Answer>>>; N_SLOTS],
    pub(crate) pairs: Pairs,
}

impl Lab {
    pub(super) fn of(room: &Rc<Room>) -> Self {
        let answer: [Read; N_SLOTS] = [
            |s| s.last_answer(Slot::Integrand).cloned(),
            |s| s.last_answer(Slot::Pattern).cloned(),
            |s| s.last_answer(Slot::ZeroBaseline).cloned(),
            |s| s.last_answer(Slot::Positions).cloned(),
            |s| s.last_answer(Slot::Ablate).cloned(),
            |s| s.last_answer(Slot::Faithfulness).cloned(),
            |s| s.last_answer(Slot::Streams).cloned(),
            |s| s.last_answer(Slot::Pinned).cloned(),
            |s| s.last_answer(Slot::Pointed).cloned(),
            |s| s.last_answer(Slot::TourLine).cloned(),
            |s| s.last_answer(Slot::TourSet).cloned(),
            |s| s.last_answer(Slot::Parts).cloned(),
            |s| s.last_answer(Slot::Direct).cloned(),
            |s| s.last_answer(Slot::Lens).cloned(),
            |s| s.last_answer(Slot::Edges).cloned(),
            |s| s.last_answer(Slot::PatchEdges).cloned(),
            |s| s.last_answer(Slot::EdgePositions).cloned(),
            |s| s.last_answer(Slot::CircuitCurves).cloned(),
            |s| s.last_answer(Slot::Kept).cloned(),
            |s| s.last_answer(Slot::Minimal).cloned(),
        ];
        Self {
            kind: Choice::new(room, |s| &s.sight.kind, |s| &mut s.kind),
            selected: Choice::new(room, |s| &s.sight.selected, |s| &mut s.selected),
            highlight: Choice::new(room, |s| &s.sight.highlight, |s| &mut s.highlight),
            zero_baseline: Choice::new(room, |s| &s.sight.zero_baseline, |s| &mut s.zero_baseline),
            split: Choice::new(room, |s| &s.sight.split, |s| &mut s.split),
            directions_by_ig: Choice::new(
                room,
                |s| &s.sight.directions_by_ig,
                |s| &mut s.directions_by_ig,
            ),
            chapter: Choice::new(room, |s| &s.sight.chapter, |s| &mut s.chapter),
            set: Choice::new(room, |s| &s.sight.set, |s| &mut s.set),
            with: Choice::new(room, |s| &s.sight.with, |s| &mut s.with),
            ablated: Choice::new(room, |s| &s.sight.ablated, |s| &mut s.ablated),
            streamed: Choice::new(room, |s| &s.sight.streamed, |s| &mut s.streamed),
            parts_by: Choice::new(room, |s| &s.sight.parts_by, |s| &mut s.parts_by),
            parted: Choice::new(room, |s| &s.sight.parted, |s| &mut s.parted),
            paths: Choice::new(room, |s| &s.sight.paths, |s| &mut s.paths),
            kept: Choice::new(room, |s| &s.sight.kept, |s| &mut s.kept),
            patched: Choice::new(room, |s| &s.sight.patched, |s| &mut s.patched),
            edges: [
                room.shared(|s| s.edges(Direction::Noising).cloned()),
                room.shared(|s| s.edges(Direction::Denoising).cloned()),
            ],
            wants: room.signal(|s| &s.wants),
            answers: answer.map(|read| room.shared(read)),
            pairs: Pairs::of(room),
        }
    }

    /// What is known of the edges of the figure on the screen, in a direction.
    pub(crate) fn edges(&self, direction: Direction) -> Option<Arc<Edges>> {
        self.edges[direction as usize].get()
    }

    /// Whether a chapter is open.
    pub(crate) fn is_open(&self, panel: Panel) -> bool {
        self.chapter.get() == panel
    }
}

/// Reads an answer.
type Read = fn(&Session) -> Option<Arc<Answer>>;
