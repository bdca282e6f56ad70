//! The list of models beside the page, or the one that the address names.

use leptos::prelude::window;
use twinbeam_core::models::{Catalog, CatalogModel};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::address;
use crate::values::{CatalogFault, Listed};

/// The list that is to be used, and why it is not another one.
pub(super) async fn read() -> (Listed, Option<CatalogFault>) {
    let beside = address::beside_the_page("models.json");
    let (from, is_beside, refused) = match address::catalog() {
        None => (beside, true, None),
        Some(Ok(other)) => (other, false, None),
        Some(Err(address)) => (beside, true, Some(CatalogFault::Foreign { address })),
    };
    match fetch(&from).await {
        Ok(catalog) => (listed(catalog, &from), refused),
        // A copy of the page does not need the list that it was built with.
        Err(fault) if is_beside && fault.is_absence() => (built_with(), refused),
        Err(fault) => (built_with(), Some(refused.unwrap_or(fault))),
    }
}

/// The list that the page was built with.
fn built_with() -> Listed {
    listed(Catalog::bundled(), &address::beside_the_page("models.json"))
}

/// A list that lies at an address, to which the addresses in it are relative.
fn listed(catalog: Catalog, from: &str) -> Listed {
    let folder = |model: &CatalogModel| address::resolve(&catalog.address(model), from);
    let folders = catalog.models.iter().map(folder).collect();
    Listed { catalog, folders }
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
