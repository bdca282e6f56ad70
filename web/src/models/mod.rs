//! Which models there are, where their files are, and what is known of them.
//!
//! `catalog.rs` reads the list, `spec.rs` says how one of them is loaded, `shelves.rs` what the browser
//! keeps. `fit.rs`, `pace.rs`, `local.rs` and `known.rs` are plain functions; the rest draws.

mod catalog;
mod check;
mod fit;
mod gather;
mod known;
mod local;
mod menu;
mod pace;
mod progress;
mod shelves;
mod spec;
mod storage;

use leptos::prelude::*;
use twinbeam_core::models::{CatalogModel, SelfCheck};

pub(crate) use catalog::{CatalogFault, Listed, read as read_catalog};
pub(crate) use check::{PublishedNumber, SelfCheckResult};
pub(crate) use fit::{bytes, fetch_bytes};
pub(crate) use gather::DropTarget;
pub(crate) use known::{KnownLegend, code, heads};
pub(crate) use local::LocalFault;
pub(crate) use menu::{ModelMenu, fetch};
pub(crate) use progress::{Arriving, LoadProgress};
use shelves::ask_to_persist;
pub(crate) use shelves::{Shelves, Space, Stock, refresh};
pub(crate) use spec::{Identity, LOCAL, Spec};

/// What changes of the models, as signals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Models {
    /// The list; `None` until it is read.
    pub(crate) listed: RwSignal<Option<Listed>>,
    /// What the browser keeps.
    pub(crate) shelves: RwSignal<Shelves>,
    /// Room in the browser's storage, as far as it says.
    pub(crate) space: RwSignal<Option<Space>>,
    /// Whether the browser has refused to keep a model in this visit.
    pub(crate) refused: RwSignal<bool>,
    /// The model that the visitor has pointed at, and that would have to be fetched.
    pub(crate) offered: RwSignal<Option<String>>,
    /// The model that is on its way.
    pub(crate) arriving: RwSignal<Option<Arriving>>,
    /// The model that the draft is meant for, where that is not the one in use.
    pub(crate) waiting: RwSignal<Option<String>>,
    /// The visitor's own files that were chosen last, in words.
    pub(crate) chosen: RwSignal<Option<String>>,
    /// How the numbers of the model in use compare with published ones.
    pub(crate) self_check: RwSignal<Option<SelfCheck>>,
}

impl Models {
    pub(crate) fn new() -> Self {
        Self {
            listed: RwSignal::new(None),
            shelves: RwSignal::new(Shelves::default()),
            space: RwSignal::new(None),
            refused: RwSignal::new(false),
            offered: RwSignal::new(None),
            arriving: RwSignal::new(None),
            waiting: RwSignal::new(None),
            chosen: RwSignal::new(None),
            self_check: RwSignal::new(None),
        }
    }

    /// A model of the list, without asking to be told of changes.
    pub(crate) fn find(&self, id: &str) -> Option<CatalogModel> {
        self.listed.with_untracked(|listed| listed.as_ref()?.catalog.find(id).cloned())
    }

    /// A model's name for people.
    pub(crate) fn title(&self, id: &str) -> String {
        self.find(id).map_or_else(|| id.to_owned(), |model| model.title)
    }

    /// The name of the model that has exactly these weights, if the list knows them.
    pub(crate) fn title_of(&self, sha256: &str) -> Option<String> {
        self.listed.with_untracked(|listed| {
            let mut models = listed.as_ref()?.catalog.models.iter();
            models.find(|model| model.sha256.as_deref() == Some(sha256)).map(|m| m.title.clone())
        })
    }

    /// How a model of the list is loaded.
    pub(crate) fn spec(&self, id: &str) -> Option<Spec> {
        self.listed.with_untracked(|listed| {
            let listed = listed.as_ref()?;
            listed.catalog.find(id).map(|model| Spec::listed(listed, model))
        })
    }

    /// Whether the browser keeps what is fetched, as far as it is known.
    pub(crate) fn keeps(&self) -> bool {
        !self.refused.get() && self.shelves.with(|shelves| *shelves != Shelves::Absent)
    }

    /// Whether a model is there without being fetched.
    pub(crate) fn is_at_hand(&self, model: &CatalogModel) -> bool {
        let kept = self.shelves.with(|shelves| shelves.stock(&model.shelf()));
        model.is_bundled() || kept == Stock::Whole
    }
}
