//! The only file that touches the address: links in, links out, and the query.

use leptos::prelude::window;
use twinbeam_core::{DeviceChoice, Experiment, LinkError, parse_link, print_link};
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

/// The experiment that the address holds; `None` if it holds none.
pub(crate) fn read() -> Option<Result<Experiment, LinkError>> {
    let fragment = window().location().hash().unwrap_or_default();
    if fragment.len() <= 1 {
        return None;
    }
    Some(parse_link(&fragment))
}

/// Puts an experiment into the address: as a new step of the history, or in place of this one.
pub(crate) fn write(experiment: &Experiment, new_step: bool) {
    let fragment = format!("#{}", print_link(experiment));
    if window().location().hash().unwrap_or_default() == fragment {
        return;
    }
    let Ok(history) = window().history() else {
        return;
    };
    let (null, address) = (JsValue::NULL, Some(fragment.as_str()));
    if new_step {
        history.push_state_with_url(&null, "", address).ok();
    } else {
        history.replace_state_with_url(&null, "", address).ok();
    }
}

/// The whole address with an experiment in it.
pub(crate) fn share(experiment: &Experiment) -> String {
    format!("{}#{}", page(), print_link(experiment))
}

/// The page's own address, without a fragment.
pub(crate) fn page() -> String {
    let href = window().location().href().unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

/// `?device=cpu|gpu`.
pub(crate) fn device() -> DeviceChoice {
    let query = window().location().search().unwrap_or_default();
    let value = UrlSearchParams::new_with_str(&query).ok().and_then(|query| query.get("device"));
    match value.as_deref() {
        Some("cpu") => DeviceChoice::Cpu,
        Some("gpu") => DeviceChoice::Gpu,
        _ => DeviceChoice::Auto,
    }
}

/// Absolute address of a file beside the page, whatever the base path is.
pub(crate) fn beside_the_page(file: &str) -> String {
    let base = leptos::prelude::document().base_uri().ok().flatten().unwrap_or_default();
    web_sys::Url::new_with_base(file, &base).map_or_else(|_| file.to_owned(), |url| url.href())
}
