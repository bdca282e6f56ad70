//! The life of a worker: started, told, listened to, replaced.

use std::cell::RefCell;

use js_sys::Array;
use twinbeam_core::Request;
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, BlobPropertyBag, ErrorEvent, File, MessageEvent, Url, Worker, WorkerOptions, WorkerType,
};

use crate::url_state;

/// A worker with what it must hear once it has started, and the closures that hear it.
pub(super) struct Connection {
    /// Tells it apart from those before and beside it.
    pub(super) number: u64,
    worker: Worker,
    waiting: RefCell<Option<Vec<JsValue>>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Connection {
    /// Starts a worker. `hear` gets its messages, `died` what is known of its death.
    ///
    /// # Errors
    /// A browser that starts no worker.
    pub(super) fn open(
        number: u64,
        mut hear: impl FnMut(&str) + 'static,
        mut died: impl FnMut(String) + 'static,
    ) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&program()?, &options)?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hear(&text);
            }
        });
        // Out of memory does not run a panic hook: this event is the only sign of it.
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            event.prevent_default();
            died(event.message());
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self {
            number,
            worker,
            waiting: RefCell::new(Some(Vec::new())),
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Sends now, or as soon as the worker has started: what it is told earlier would be lost. Files travel
    /// beside the request, which is then the first of a list.
    pub(super) fn send(&self, request: &Request, files: &[File]) {
        // OK because requests hold strings, numbers and lists.
        let Ok(text) = serde_json::to_string(request) else {
            return;
        };
        let mut message = JsValue::from_str(&text);
        if !files.is_empty() {
            let mut list = Array::of1(&message);
            list.extend(files.iter().cloned());
            message = list.into();
        }
        match self.waiting.borrow_mut().as_mut() {
            Some(waiting) => waiting.push(message),
            None => self.post(&message),
        }
    }

    /// The worker listens now.
    pub(super) fn started(&self) {
        for message in self.waiting.take().unwrap_or_default() {
            self.post(&message);
        }
    }

    fn post(&self, message: &JsValue) {
        self.worker.post_message(message).ok();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Address of the worker's first line. It is a blob, since a worker from the network would not be bound
/// by the page's content security policy.
fn program() -> Result<String, JsValue> {
    let loader = url_state::beside_the_page("worker_loader.js");
    let line = format!("import {};", serde_json::Value::from(loader));
    let options = BlobPropertyBag::new();
    options.set_type("text/javascript");
    let parts = Array::of1(&JsValue::from_str(&line));
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options)?;
    // Kept for good: a few bytes, and the browser reads it when it likes.
    Url::create_object_url_with_blob(&blob)
}
