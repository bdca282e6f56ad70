//! What the views see of many prompts.

use std::rc::Rc;
use std::sync::Arc;

use twinbeam_core::prompts::lists::{PairList, PairsError};
use twinbeam_core::prompts::{Draw, PromptPair};
use twinbeam_core::scores::many::Merged;
use twinbeam_core::words::Experiment;

use super::room::{Choice, Room, Shown};
use crate::values::Before;

/// Many prompts, as signals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pairs {
    /// What is in the field.
    pub(crate) text: Shown<Arc<str>>,
    /// What that says.
    pub(crate) list: Shown<Arc<Result<PairList, PairsError>>>,
    /// What is wrong with it.
    pub(crate) problem: Shown<Option<String>>,
    pub(crate) all: Shown<Arc<Vec<PromptPair>>>,
    /// Where they were drawn from, if they were.
    pub(crate) draw: Shown<Option<Draw>>,
    /// What is to be drawn and added to them.
    pub(crate) adding: Shown<Option<Draw>>,
    /// The list before something else than a person's typing has changed it.
    pub(crate) before: Shown<Option<Before>>,
    /// Whether neurons are scored too.
    pub(crate) neurons: Choice<bool>,
    pub(crate) is_running: Shown<bool>,
    /// The pair that comes next: as many have been run.
    pub(crate) next: Shown<usize>,
    /// With which settings it was begun.
    pub(crate) of: Shown<Option<Experiment>>,
    pub(crate) merged: Shown<Option<Arc<Merged>>>,
}

impl Pairs {
    pub(super) fn of(room: &Rc<Room>) -> Self {
        Self {
            text: room.shared(|s| Arc::clone(&s.many.text)),
            list: room.shared(|s| Arc::clone(&s.many.list)),
            problem: room.signal(|s| &s.many.problem),
            all: room.shared(|s| Arc::clone(&s.many.pairs)),
            draw: room.signal(|s| &s.many.draw),
            adding: room.signal(|s| &s.many.adding),
            before: room.signal(|s| &s.many.before),
            neurons: Choice::new(
                room,
                |s| &s.sight.pairs_with_neurons,
                |s| &mut s.pairs_with_neurons,
            ),
            is_running: room.signal(|s| &s.many.is_running),
            next: room.signal(|s| &s.many.next),
            of: room.signal(|s| &s.many.of),
            merged: room.shared(|s| s.many.merged.clone()),
        }
    }

    /// Reads the pairs that are run.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&[PromptPair]) -> T) -> T {
        self.all.with(|all| read(all))
    }

    /// Reads the list in the field, if it can be read.
    pub(crate) fn with_list<T>(&self, read: impl FnOnce(&PairList) -> T) -> Option<T> {
        self.list.with(|list| (**list).as_ref().ok().map(read))
    }
}
