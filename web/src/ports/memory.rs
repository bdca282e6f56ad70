//! What the browser remembers for this page between two visits, or two loads. It may refuse: then nothing is
//! remembered, and nothing else changes.

use js_sys::{Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::session::Memory;

/// What is remembered under a key.
pub(crate) fn recall(memory: Memory, key: &str) -> Option<String> {
    let kept = Reflect::get(&storage(memory)?, &key.into()).ok()?;
    kept.as_string()
}

pub(crate) fn remember(memory: Memory, key: &str, value: &str) {
    if let Some(storage) = storage(memory) {
        Reflect::set(&storage, &key.into(), &value.into()).ok();
    }
}

pub(crate) fn forget(memory: Memory, key: &str) {
    if let Some(storage) = storage(memory) {
        Reflect::delete_property(storage.unchecked_ref::<Object>(), &key.into()).ok();
    }
}

/// Reading the property throws where it is forbidden.
fn storage(memory: Memory) -> Option<JsValue> {
    let name = match memory {
        Memory::Lasting => "localStorage",
        Memory::OfTab => "sessionStorage",
    };
    Reflect::get(&window(), &name.into()).ok().filter(JsValue::is_object)
}
