//! Files out of the page. The only part of the export that touches the DOM.

use gloo::timers::callback::Timeout;
use leptos::prelude::document;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement,
    HtmlImageElement, Url,
};

use super::Picture;

/// Pixels of a PNG for paper for one of the SVG, enough for print.
pub(super) const FOR_PRINT: usize = 3;
/// Pixels of a side that every browser's canvas has.
const CANVAS_SIDE: usize = 8192;

/// By when every browser has read what it saves.
const READ_MILLIS: u32 = 40_000;

/// Offers text as a file.
///
/// # Errors
/// A browser that makes no blob or no address of it.
pub(crate) fn save_text(name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let blob = blob(text, media_type)?;
    save(name, &blob)
}

/// Offers bytes as a file.
///
/// # Errors
/// A browser that makes no blob or no address of it.
pub(super) fn save_bytes(name: &str, media_type: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
    save(name, &blob)
}

/// Draws a picture and offers it as a PNG of so many times its size, as far as canvases go.
///
/// # Errors
/// A browser that does not draw it.
pub(super) async fn save_png(name: &str, picture: &Picture, scale: usize) -> Result<(), JsValue> {
    let scale = scale.min(CANVAS_SIDE / picture.width.max(picture.height)).max(1);
    let (width, height) = (scale * picture.width, scale * picture.height);
    let address = Address::of(&blob(&picture.svg, "image/svg+xml")?)?;
    let image = HtmlImageElement::new()?;
    image.set_src(&address.0);
    JsFuture::from(image.decode()).await?;
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let context: CanvasRenderingContext2d =
        canvas.get_context("2d")?.ok_or("no canvas context")?.unchecked_into();
    context.draw_image_with_html_image_element_and_dw_and_dh(
        &image,
        0.0,
        0.0,
        width as f64,
        height as f64,
    )?;
    let drawn = js_sys::Promise::new(&mut |keep, refuse| {
        if let Err(error) = canvas.to_blob(&keep) {
            refuse.call1(&JsValue::NULL, &error).ok();
        }
    });
    save(name, &JsFuture::from(drawn).await?.dyn_into::<Blob>()?)
}

fn blob(text: &str, media_type: &str) -> Result<Blob, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    Blob::new_with_str_sequence_and_options(&parts, &options)
}

fn save(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let address = Address::of(blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&address.0);
    link.set_download(name);
    link.click();
    // Some browsers read the blob only after the click has returned.
    Timeout::new(READ_MILLIS, move || drop(address)).forget();
    Ok(())
}

/// An address of a blob, given back when it is dropped.
struct Address(String);

impl Address {
    fn of(blob: &Blob) -> Result<Self, JsValue> {
        Url::create_object_url_with_blob(blob).map(Self)
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        Url::revoke_object_url(&self.0).ok();
    }
}
