//! How high a frame's figure is, told to the page around it, which cannot see that by itself.

use std::cell::Cell;

use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

/// What the message calls itself.
const NAME: &str = "twinbeam-height";

/// Tells the page around this one how high it is, now and whenever that changes: `{type: "twinbeam-height", height}`, in
/// CSS pixels. It says nothing else, so that anybody may hear it.
pub(crate) fn tell() {
    let Some(host) = window().parent().ok().flatten().filter(|host| *host != window()) else {
        return;
    };
    let Some(body) = document().body() else { return };
    let told = Cell::new(0);
    let measured = body.clone();
    let tell = move || {
        let height = measured.offset_height();
        if height == told.replace(height) {
            return;
        }
        let message = Object::new();
        Reflect::set(&message, &"type".into(), &NAME.into()).ok();
        Reflect::set(&message, &"height".into(), &height.into()).ok();
        host.post_message(&message, "*").ok();
    };
    watch(&body, tell);
}

/// Calls whenever the size of an element has changed, and once at the beginning, for as long as the page lives.
fn watch(element: &JsValue, call: impl FnMut() + 'static) {
    let called = Closure::<dyn FnMut()>::new(call).into_js_value();
    let make = || {
        let of_browser: Function = Reflect::get(&window(), &"ResizeObserver".into())?.dyn_into()?;
        let observer = Reflect::construct(&of_browser, &Array::of1(&called))?;
        let observe: Function = Reflect::get(&observer, &"observe".into())?.dyn_into()?;
        observe.call1(&observer, element)
    };
    // A browser that cannot watch tells nothing, and the frame keeps the height that its host gave it.
    drop(make());
}
