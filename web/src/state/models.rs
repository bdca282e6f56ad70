//! What the views see of models besides the one in use.

use std::rc::Rc;
use std::sync::Arc;

use twinbeam_core::models::{CatalogModel, SelfCheck};

use super::room::{Choice, Room, Shown};
use crate::values::{Arriving, Listed, Shelves, Space, Spec};

/// What changes of the models, as signals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Models {
    /// The list; `None` until it is read.
    pub(crate) listed: Shown<Option<Arc<Listed>>>,
    /// What the browser keeps.
    pub(crate) shelves: Shown<Shelves>,
    /// Room in the browser's storage, as far as it says.
    pub(crate) space: Shown<Option<Space>>,
    /// Whether the browser has refused to keep a model in this visit.
    refused: Shown<bool>,
    /// The model that the visitor has pointed at, and that would have to be fetched.
    pub(crate) offered: Choice<Option<String>>,
    /// The model that is on its way.
    pub(crate) arriving: Shown<Option<Arriving>>,
    /// The model that the draft is meant for, where that is not the one in use.
    pub(crate) waiting: Shown<Option<String>>,
    /// The visitor's own files that were chosen last, in words.
    pub(crate) chosen: Shown<Option<String>>,
    /// How the numbers of the model in use compare with published ones.
    pub(crate) self_check: Shown<Option<SelfCheck>>,
}

impl Models {
    pub(super) fn of(room: &Rc<Room>) -> Self {
        Self {
            listed: room.shared(|s| s.models.listed.clone()),
            shelves: room.signal(|s| &s.models.shelves),
            space: room.signal(|s| &s.models.space),
            refused: room.signal(|s| &s.models.refused),
            offered: Choice::new(room, |s| &s.sight.offered, |s| &mut s.offered),
            arriving: room.signal(|s| &s.models.arriving),
            waiting: room.signal(|s| &s.models.waiting),
            chosen: room.signal(|s| &s.models.chosen),
            self_check: room.signal(|s| &s.models.self_check),
        }
    }

    /// A model of the list.
    pub(crate) fn find(&self, id: &str) -> Option<CatalogModel> {
        self.listed.with_untracked(|listed| listed.as_ref()?.find(id).cloned())
    }

    /// A model's name for people.
    pub(crate) fn title(&self, id: &str) -> String {
        self.find(id).map_or_else(|| id.to_owned(), |model| model.title)
    }

    /// How a model of the list is loaded.
    pub(crate) fn spec(&self, id: &str) -> Option<Spec> {
        self.listed.with_untracked(|listed| listed.as_ref()?.spec(id))
    }

    /// Whether the browser keeps what is fetched, as far as it is known.
    pub(crate) fn keeps(&self) -> bool {
        !self.refused.get() && self.shelves.with(|shelves| *shelves != Shelves::Absent)
    }
}
