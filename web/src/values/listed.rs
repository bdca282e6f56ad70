//! The list of models that is in use, and why another one is not.

use twinbeam_core::models::{Catalog, CatalogError, CatalogModel};

use super::Spec;

/// The list of models, with where each one's files are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) catalog: Catalog,
    /// Absolute address of each model's folder, in the order of the list.
    pub(crate) folders: Vec<String>,
}

impl Listed {
    /// A model of the list by its name in links.
    pub(crate) fn find(&self, id: &str) -> Option<&CatalogModel> {
        self.catalog.find(id)
    }

    /// How a model of the list is loaded.
    pub(crate) fn spec(&self, id: &str) -> Option<Spec> {
        let place = self.catalog.models.iter().position(|model| model.id == id)?;
        Some(Spec::listed(&self.catalog.models[place], self.folders.get(place)?))
    }

    /// The name of the model that has exactly these weights, if the list knows them.
    pub(crate) fn title_of(&self, sha256: &str) -> Option<&str> {
        let is_it = |model: &&CatalogModel| model.sha256.as_deref() == Some(sha256);
        self.catalog.models.iter().find(is_it).map(|model| model.title.as_str())
    }

    /// The model that comes with the page; without one, the first of the list.
    pub(crate) fn bundled(&self) -> &CatalogModel {
        let bundled = self.catalog.models.iter().find(|model| model.is_bundled());
        bundled.unwrap_or_else(|| self.catalog.first())
    }
}

/// Why a list is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogFault {
    /// Another site's: it could name whatever it likes.
    Foreign { address: String },
    /// It did not come.
    Unreachable { address: String, message: String },
    /// The server has another answer.
    Status { address: String, status: u16 },
    /// A web page came in its place, as many servers do where they have no such file.
    WebPage { address: String },
    /// It came, and cannot be used.
    Broken { address: String, error: CatalogError },
}

impl CatalogFault {
    /// Whether there is no such list.
    pub(crate) const fn is_absence(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. } | Self::WebPage { .. })
    }
}
