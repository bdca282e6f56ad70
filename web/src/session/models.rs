//! Which models there are, and which of them the browser keeps.

use std::sync::Arc;

use twinbeam_core::models::{CatalogModel, SelfCheck};

use crate::values::{Arriving, Listed, Shelves, Space, Spec, Stock};

/// What is known of models besides the one in use.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Models {
    /// The list; `None` until it is read.
    pub(crate) listed: Option<Arc<Listed>>,
    /// What the browser keeps.
    pub(crate) shelves: Shelves,
    /// Room in the browser's storage, as far as it says.
    pub(crate) space: Option<Space>,
    /// Whether the browser has refused to keep a model in this visit.
    pub(crate) refused: bool,
    /// The model that is on its way.
    pub(crate) arriving: Option<Arriving>,
    /// The model that the draft is meant for, where that is not the one in use.
    pub(crate) waiting: Option<String>,
    /// Whether it is still to be found out if the browser keeps that one.
    pub(crate) is_undecided: bool,
    /// The visitor's own files that were chosen last, in words.
    pub(crate) chosen: Option<String>,
    /// How the numbers of the model in use compare with published ones.
    pub(crate) self_check: Option<SelfCheck>,
}

impl Models {
    /// A model of the list.
    pub(crate) fn find(&self, id: &str) -> Option<&CatalogModel> {
        self.listed.as_ref()?.find(id)
    }

    /// How a model of the list is loaded.
    pub(crate) fn spec(&self, id: &str) -> Option<Spec> {
        self.listed.as_ref()?.spec(id)
    }

    /// Whether a model is there without being fetched.
    pub(crate) fn is_at_hand(&self, model: &CatalogModel) -> bool {
        model.is_bundled() || self.shelves.stock(&model.shelf()) == Stock::Whole
    }
}
