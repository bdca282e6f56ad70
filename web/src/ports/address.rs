//! The only file that touches the address: links in, links out, and the query.

use leptos::prelude::window;
use twinbeam_core::link::{Link, LinkError, parse_link};
use twinbeam_core::wire::devices::DeviceChoice;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

/// The part of the address that links are in, with its mark.
fn fragment() -> String {
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

/// Puts a link into the address: as a new step of the history, or in place of this one.
pub(super) fn write(link: &str, new_step: bool) {
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

/// The whole address of this page with a link.
pub(crate) fn with(link: &str) -> String {
    format!("{}#{link}", page())
}

/// `?embed`: the figure alone, for another page's frame.
pub(crate) fn is_embedded() -> bool {
    query().is_some_and(|query| query.has("embed"))
}

/// `?tour`: the tour begins by itself.
pub(crate) fn wants_tour() -> bool {
    query().is_some_and(|query| query.has("tour"))
}

/// Takes `?tour` out of the address: a reload does not begin it anew.
pub(crate) fn leave_tour() {
    let Some(query) = query().filter(|query| query.has("tour")) else { return };
    query.delete("tour");
    let rest = query.to_string().as_string().unwrap_or_default();
    let mark = if rest.is_empty() { "" } else { "?" };
    let address = format!("{}{mark}{rest}{}", page(), fragment());
    if let Ok(history) = window().history() {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&address)).ok();
    }
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

/// `?workers=`: how many compute at once on the CPU.
pub(crate) fn workers() -> Option<usize> {
    query()?.get("workers")?.parse().ok().filter(|workers| *workers > 0)
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
