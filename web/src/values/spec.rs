//! How a model is loaded: who it is, where its files are, and what they should be.

use twinbeam_core::models::{CatalogModel, ModelFiles};
use twinbeam_core::wire::devices::{DeviceChoice, Speed};
use twinbeam_core::wire::{Expected, Request};

use super::{Identity, LOCAL};

/// Files of the visitor's own that were chosen together: the port to the worker holds them under this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Files(pub(crate) u64);

/// What it takes to load a model, again if need be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec {
    pub(crate) identity: Identity,
    files: ModelFiles,
    expected: Expected,
    local: Option<Files>,
}

impl Spec {
    /// A model of the list, whose files are in the folder at `address`.
    pub(crate) fn listed(model: &CatalogModel, address: &str) -> Self {
        let address = address.to_owned();
        let shelf = (!model.is_bundled()).then(|| model.shelf());
        Self {
            identity: Identity {
                id: model.id.clone(),
                title: model.title.clone(),
                commit: model.commit.clone(),
                address: Some(address.clone()),
            },
            files: ModelFiles::Address { base: address, shelf },
            expected: Expected {
                sha256: model.sha256.clone(),
                any_digest: false,
                published: model.published.clone(),
            },
            local: None,
        }
    }

    /// The visitor's own files, which by their size may be a model of the list.
    pub(crate) fn local(title: String, local: Files, claimed: Option<&CatalogModel>) -> Self {
        Self {
            identity: Identity { title, ..Identity::named(LOCAL) },
            files: ModelFiles::Local,
            // Whoever brings a file may have trained it further: another digest is said, not refused.
            expected: Expected {
                sha256: claimed.and_then(|model| model.sha256.clone()),
                any_digest: true,
                published: claimed.and_then(|model| model.published.clone()),
            },
            local: Some(local),
        }
    }

    /// How the same model is loaded with whatever weights are there.
    pub(crate) fn with_any_digest(self) -> Self {
        Self { expected: Expected { any_digest: true, ..self.expected }, ..self }
    }

    /// The visitor's own files, which travel beside the request.
    pub(crate) const fn files(&self) -> Option<Files> {
        self.local
    }

    pub(crate) fn is_local(&self) -> bool {
        matches!(self.files, ModelFiles::Local)
    }

    /// Whether its files come with the page.
    pub(crate) const fn is_bundled(&self) -> bool {
        matches!(self.files, ModelFiles::Address { shelf: None, .. })
    }

    pub(crate) const fn has_published(&self) -> bool {
        self.expected.published.is_some()
    }

    /// Where its files come from, in few words.
    pub(crate) fn source(&self) -> String {
        match &self.files {
            ModelFiles::Local => "your files".to_owned(),
            ModelFiles::Address { shelf: None, .. } => "this page".to_owned(),
            ModelFiles::Address { base, .. } => host(base).to_owned(),
        }
    }

    /// The request to load it. `speeds`: of GPUs on earlier visits; `workers`: how many compute at once, if not as many as
    /// pay.
    pub(crate) fn request(
        &self,
        device: DeviceChoice,
        speeds: Vec<(String, Speed)>,
        workers: Option<usize>,
    ) -> Request {
        Request::Load {
            model: self.identity.id.clone(),
            files: self.files.clone(),
            expected: Box::new(self.expected.clone()),
            device,
            speeds,
            workers,
        }
    }
}

/// The host in an address.
fn host(address: &str) -> &str {
    let behind = address.split_once("://").map_or(address, |(_, behind)| behind);
    behind.split(['/', '?', '#']).next().unwrap_or(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_stands_before_the_path() {
        let hosts = ["https://huggingface.co/a/b/", "http://127.0.0.1:80/x", "models/mini/"];
        assert_eq!(hosts.map(host), ["huggingface.co", "127.0.0.1:80", "models"]);
    }

    #[test]
    fn own_files_of_another_digest_are_not_refused() {
        let catalog = twinbeam_core::models::Catalog::bundled();
        let spec = Spec::local("folder".to_owned(), Files(1), catalog.find("gpt2"));
        let Request::Load { model, files, expected, .. } =
            spec.request(DeviceChoice::Auto, Vec::new(), None)
        else {
            panic!("it loads");
        };
        assert_eq!((model.as_str(), files), (LOCAL, ModelFiles::Local));
        assert!(expected.any_digest && expected.sha256.is_some() && expected.published.is_some());
    }
}
