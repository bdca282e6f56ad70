//! The clipboard, which a browser may refuse or not have.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::Clipboard;

/// Copies a text. Whether it worked: the browser may refuse it, and it has no clipboard for a page that is not
/// served safely.
pub(crate) async fn copy(text: &str) -> bool {
    match clipboard() {
        Some(clipboard) => JsFuture::from(clipboard.write_text(text)).await.is_ok(),
        None => false,
    }
}

/// The clipboard, where the browser has one for this page.
fn clipboard() -> Option<Clipboard> {
    let clipboard = Reflect::get(&window().navigator(), &"clipboard".into()).ok()?;
    clipboard.is_object().then(|| clipboard.unchecked_into())
}
