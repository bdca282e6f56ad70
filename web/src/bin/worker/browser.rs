//! What the worker asks of the browser, in a few words.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel};

/// The worker's global object.
pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Whether the browser offers an adapter by WebGPU, real or not: who has none need not start a worker for it.
pub(crate) async fn has_adapter() -> bool {
    let asked = || {
        let gpu = Reflect::get(&scope().navigator(), &JsValue::from_str("gpu"))?;
        let ask: Function = Reflect::get(&gpu, &JsValue::from_str("requestAdapter"))?.dyn_into()?;
        ask.call0(&gpu)?.dyn_into::<Promise>()
    };
    match asked() {
        Ok(adapter) => JsFuture::from(adapter).await.is_ok_and(|adapter| adapter.is_object()),
        Err(_) => false,
    }
}

/// Milliseconds since some fixed moment.
pub(crate) fn millis() -> f64 {
    scope().performance().map_or_else(js_sys::Date::now, |clock| clock.now())
}

/// Waits for some seconds.
pub(crate) async fn sleep(seconds: f64) {
    let millis = (seconds * 1000.0).round() as i32;
    let promise = Promise::new(&mut |resolve, _reject| {
        let timer = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
        if timer.is_err() {
            // A wait that cannot be is no reason to wait for ever.
            resolve.call0(&JsValue::NULL).ok();
        }
    });
    JsFuture::from(promise).await.ok();
}

/// Lets the browser deliver what has arrived. A message to oneself is not slowed down as timers are.
pub(crate) async fn turn() {
    let Ok(channel) = MessageChannel::new() else {
        return;
    };
    let promise = Promise::new(&mut |resolve, _reject| {
        channel.port1().set_onmessage(Some(&resolve));
        channel.port2().post_message(&JsValue::NULL).ok();
    });
    JsFuture::from(promise).await.ok();
    channel.port1().set_onmessage(None);
    channel.port1().close();
}

/// Name of an error, for instance `SecurityError`.
pub(crate) fn name(error: &JsValue) -> String {
    text(error, "name").unwrap_or_default()
}

/// An error in the browser's words.
pub(crate) fn describe(error: &JsValue) -> String {
    let Some(message) = text(error, "message") else {
        return format!("{error:?}");
    };
    match name(error).as_str() {
        "" | "Error" | "TypeError" => message,
        name => format!("{name}: {message}"),
    }
}

fn text(object: &JsValue, field: &str) -> Option<String> {
    Reflect::get(object, &JsValue::from_str(field)).ok()?.as_string()
}
