//! What the browser remembers for this page between two visits, or two loads. It may refuse: then nothing is
//! remembered, and nothing else changes.

use js_sys::{Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, JsValue};

/// How long something is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// For the next visits.
    Lasting,
    /// As long as this tab is open, reloads included.
    OfTab,
}

impl Memory {
    pub(crate) fn get(self, key: &str) -> Option<String> {
        let kept = Reflect::get(&self.storage()?, &key.into()).ok()?;
        kept.as_string()
    }

    pub(crate) fn set(self, key: &str, value: &str) {
        if let Some(storage) = self.storage() {
            Reflect::set(&storage, &key.into(), &value.into()).ok();
        }
    }

    pub(crate) fn forget(self, key: &str) {
        if let Some(storage) = self.storage() {
            Reflect::delete_property(storage.unchecked_ref::<Object>(), &key.into()).ok();
        }
    }

    /// Reading the property throws where it is forbidden.
    fn storage(self) -> Option<JsValue> {
        let name = match self {
            Self::Lasting => "localStorage",
            Self::OfTab => "sessionStorage",
        };
        Reflect::get(&window(), &name.into()).ok().filter(JsValue::is_object)
    }
}
