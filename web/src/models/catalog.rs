//! The list of models beside the page, or the one that the address names.

use leptos::prelude::window;
use twinbeam_core::models::{Catalog, CatalogError, CatalogModel};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::url_state;

/// The list of models and its own address, to which the addresses in it are relative.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) catalog: Catalog,
    address: String,
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
    const fn is_absence(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. } | Self::WebPage { .. })
    }
}

impl Listed {
    /// The list that the page was built with.
    fn bundled() -> Self {
        Self { catalog: Catalog::bundled(), address: url_state::beside_the_page("models.json") }
    }

    /// Absolute address of a model's folder.
    pub(crate) fn folder(&self, model: &CatalogModel) -> String {
        url_state::resolve(&self.catalog.address(model), &self.address)
    }
}

/// The list that is to be used, and why it is not another one.
pub(crate) async fn read() -> (Listed, Option<CatalogFault>) {
    let beside = url_state::beside_the_page("models.json");
    let (address, is_beside, refused) = match url_state::catalog() {
        None => (beside, true, None),
        Some(Ok(address)) => (address, false, None),
        Some(Err(address)) => (beside, true, Some(CatalogFault::Foreign { address })),
    };
    match fetch(&address).await {
        Ok(catalog) => (Listed { catalog, address }, refused),
        // A copy of the page does not need the list that it was built with.
        Err(fault) if is_beside && fault.is_absence() => (Listed::bundled(), refused),
        Err(fault) => (Listed::bundled(), Some(refused.unwrap_or(fault))),
    }
}

async fn fetch(address: &str) -> Result<Catalog, CatalogFault> {
    let unreachable = |error: JsValue| {
        let error: Option<&js_sys::Error> = error.dyn_ref();
        let message = error.map_or_else(String::new, |error| String::from(error.message()));
        CatalogFault::Unreachable { address: address.to_owned(), message }
    };
    let answer = JsFuture::from(window().fetch_with_str(address)).await.map_err(unreachable)?;
    let answer: Response = answer.unchecked_into();
    if !answer.ok() {
        return Err(CatalogFault::Status { address: address.to_owned(), status: answer.status() });
    }
    let text = answer.text().map_err(unreachable)?;
    let text = JsFuture::from(text).await.map_err(unreachable)?.as_string().unwrap_or_default();
    if text.trim_start().starts_with('<') {
        return Err(CatalogFault::WebPage { address: address.to_owned() });
    }
    Catalog::parse(&text)
        .map_err(|error| CatalogFault::Broken { address: address.to_owned(), error })
}
