//! The only file that touches the address: links in, links out, and the query.

use leptos::prelude::window;
use twinbeam_core::link::{Link, LinkError, Snapshot, View, parse_link, print_link};
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::words::Experiment;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

/// The part of the address that links are in, with its mark.
pub(crate) fn fragment() -> String {
    window().location().hash().unwrap_or_default()
}

/// What the address holds; `None` if it holds nothing.
pub(crate) fn read() -> Option<Result<Link, LinkError>> {
    let fragment = fragment();
    if fragment.len() <= 1 {
        return None;
    }
    Some(parse_link(&fragment))
}

/// Puts an experiment, what is on the screen of it, and its result if there is one, into the address: as a new
/// step of the history, or in place of this one.
pub(crate) fn write(
    experiment: &Experiment,
    snapshot: Option<&Snapshot>,
    view: &View,
    new_step: bool,
) {
    // A result is not taken out of the address by an experiment that it belongs to.
    let here = read().and_then(Result::ok).filter(|here| here.experiment == *experiment);
    let kept = here.as_ref().and_then(|here| here.snapshot.as_ref());
    if snapshot.is_none() && here.as_ref().is_some_and(|here| here.view == *view) {
        return;
    }
    // Prompts that fit into no link leave the address as it is; Share says so.
    let Ok(link) = print_link(experiment, snapshot.or(kept), view) else {
        return;
    };
    let Ok(history) = window().history() else {
        return;
    };
    let (null, fragment) = (JsValue::NULL, format!("#{link}"));
    let address = Some(fragment.as_str());
    if new_step {
        history.push_state_with_url(&null, "", address).ok();
    } else {
        history.replace_state_with_url(&null, "", address).ok();
    }
}

/// The whole address with an experiment, its result and what is on the screen of it.
///
/// # Errors
/// Prompts that fit into no link.
pub(crate) fn share(
    experiment: &Experiment,
    snapshot: Option<&Snapshot>,
    view: &View,
) -> Result<String, LinkError> {
    Ok(format!("{}#{}", page(), print_link(experiment, snapshot, view)?))
}

/// `?embed`: the figure alone, for another page's frame.
pub(crate) fn is_embedded() -> bool {
    query().is_some_and(|query| query.has("embed"))
}

/// The page's own address, without what this visitor chose for this visit.
pub(crate) fn page() -> String {
    let href = window().location().href().unwrap_or_default();
    href.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// `?device=cpu|gpu`.
pub(crate) fn device() -> DeviceChoice {
    match query().and_then(|query| query.get("device")).as_deref() {
        Some("cpu") => DeviceChoice::Cpu,
        Some("gpu") => DeviceChoice::Gpu,
        _ => DeviceChoice::Auto,
    }
}

/// `?models=`: the absolute address of another list of models, if it is of this page's own site.
///
/// # Errors
/// The address as it was given, where it leads elsewhere.
pub(crate) fn catalog() -> Option<Result<String, String>> {
    let given = query()?.get("models")?;
    let own = window().location().origin().ok();
    let address = web_sys::Url::new_with_base(&given, &page()).ok();
    let address = address.filter(|address| Some(address.origin()) == own);
    Some(address.map(|address| address.href()).ok_or(given))
}

fn query() -> Option<UrlSearchParams> {
    let query = window().location().search().unwrap_or_default();
    UrlSearchParams::new_with_str(&query).ok()
}

/// Absolute address of a file beside the page, whatever the base path is.
pub(crate) fn beside_the_page(file: &str) -> String {
    let base = leptos::prelude::document().base_uri().ok().flatten().unwrap_or_default();
    resolve(file, &base)
}

/// An address as it is seen from another one.
pub(crate) fn resolve(address: &str, base: &str) -> String {
    web_sys::Url::new_with_base(address, base).map_or_else(|_| address.to_owned(), |url| url.href())
}
