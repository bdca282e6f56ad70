//! A model that the worker has ready, and who it is.

use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::devices::DeviceReport;
use twinbeam_core::wire::inspection::TokenizerReport;
use twinbeam_core::wire::{Kept, LoadPart};

/// The name of whatever comes from the visitor's own disk.
pub(crate) const LOCAL: &str = "local";

/// Who a model is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    /// Name in links.
    pub(crate) id: String,
    /// Name for people.
    pub(crate) title: String,
    /// Commit of its repository.
    pub(crate) commit: Option<String>,
    /// Folder of its files.
    pub(crate) address: Option<String>,
}

impl Identity {
    /// A model of which nothing but the name is known.
    pub(crate) fn named(id: &str) -> Self {
        Self { id: id.to_owned(), title: id.to_owned(), ..Self::default() }
    }
}

/// A model that the worker has ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) identity: Identity,
    pub(crate) shape: ModelShape,
    pub(crate) device: DeviceReport,
    /// SHA-256 of its weights; a link carries the beginning of it.
    pub(crate) fingerprint: String,
    /// In how many files its weights are, if not in one: the fingerprint is then that of their digests.
    pub(crate) shards: Option<usize>,
    /// Whether that is the expected one; `None`: none is known.
    pub(crate) as_expected: Option<bool>,
    /// What reads text for it; `None`: nothing, or it is a link's.
    pub(crate) tokenizer: Option<TokenizerReport>,
    pub(crate) kept: Kept,
    /// Seconds per part of loading.
    pub(crate) seconds: Vec<(LoadPart, f64)>,
    /// Most memory that the worker had while loading, in bytes.
    pub(crate) memory_bytes: u64,
}

impl Loaded {
    /// Whether another one has the same weights. This one may be a link's, which carries the beginning of the digest only.
    pub(crate) fn has_weights_of(&self, other: &Self) -> bool {
        other.fingerprint.starts_with(&self.fingerprint)
    }

    /// Whether this one, a link's, goes by the name of the one in use and has other weights: a model of the list that
    /// has changed since. Files of a visitor's own all go by one name.
    pub(crate) fn has_changed_to(&self, in_use: &Self) -> bool {
        self.identity.id == in_use.identity.id
            && self.identity.id != LOCAL
            && !self.has_weights_of(in_use)
    }
}
