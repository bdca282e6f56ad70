//! The life of another worker with the same program as this one: one that has a GPU, checks one, or computes shares of a job.

use std::cell::RefCell;

use js_sys::{Array, Reflect, Uint8Array};
use twinbeam_core::wire::devices::Claim;
use twinbeam_core::wire::{Event, Request};
use wasm_bindgen::prelude::*;
use web_sys::{File, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::{describe, scope};
use crate::message;

/// The other worker; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Beside {
    worker: Worker,
    /// Messages that wait until the worker listens; `None`: it does.
    waiting: RefCell<Option<Vec<JsValue>>>,
}

/// What comes from the other worker.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An event.
    Event(Event),
    /// A part of a job's result, for the check.
    Claim(u64, Claim),
    /// The files by which text is read.
    Words(Array),
    /// What a member of a team says.
    Bytes(Vec<u8>),
    /// The worker is no more; what the browser said.
    Ended(String),
}

impl Beside {
    /// Starts the worker, from the script and the compiled program of this one.
    ///
    /// # Errors
    /// What the browser said; it may not let a worker start another one.
    pub(crate) fn start(hear: impl Fn(Heard) + Clone + 'static) -> Result<Self, String> {
        let start = || {
            let options = WorkerOptions::new();
            options.set_type(WorkerType::Module);
            let worker = Worker::new_with_options(&scope().location().href(), &options)?;
            let ended = hear.clone();
            let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(heard) = read(event.data()) {
                    hear(heard);
                }
            });
            let on_error = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
                event.prevent_default();
                let message = Reflect::get(&event, &JsValue::from_str("message")).ok();
                let message = message.and_then(|message| message.as_string());
                ended(Heard::Ended(message.unwrap_or_else(|| "it stopped".to_owned())));
            });
            // They live as long as this worker does.
            worker.set_onmessage(Some(&on_message.into_js_value().unchecked_into()));
            worker.set_onerror(Some(&on_error.into_js_value().unchecked_into()));
            worker.post_message(&wasm_bindgen::module())?;
            Ok(Self { worker, waiting: RefCell::new(Some(Vec::new())) })
        };
        start().map_err(|error: JsValue| describe(&error))
    }

    /// Tells the worker something, as soon as it listens.
    pub(crate) fn send(&self, request: &Request, files: &[File]) {
        if let Some(message) = message(request, files) {
            self.send_value(message);
        }
    }

    /// Tells the worker something that is no request, as soon as it listens.
    pub(crate) fn send_value(&self, message: JsValue) {
        match self.waiting.borrow_mut().as_mut() {
            Some(waiting) => waiting.push(message),
            None => self.post(&message),
        }
    }

    /// The worker listens now: what has waited is sent.
    pub(crate) fn started(&self) {
        for message in self.waiting.take().unwrap_or_default() {
            self.post(&message);
        }
    }

    fn post(&self, message: &JsValue) {
        self.worker.post_message(message).ok();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// A claim as a message: the job's number and the claim, in a list, which tells it from an event.
pub(crate) fn send_claim(job: u64, claim: &Claim) {
    // OK because claims hold finite numbers and lists.
    let Ok(text) = serde_json::to_string(claim) else {
        return;
    };
    let message = Array::of2(&JsValue::from_f64(job as f64), &JsValue::from_str(&text));
    scope().post_message(&message).ok();
}

fn read(message: JsValue) -> Option<Heard> {
    if let Some(text) = message.as_string() {
        return serde_json::from_str(&text).ok().map(Heard::Event);
    }
    if let Some(bytes) = message.dyn_ref::<Uint8Array>() {
        return Some(Heard::Bytes(bytes.to_vec()));
    }
    let parts: Array = message.dyn_into().ok()?;
    if parts.get(0).is_object() {
        return Some(Heard::Words(parts));
    }
    let claim = serde_json::from_str(&parts.get(1).as_string()?).ok()?;
    Some(Heard::Claim(parts.get(0).as_f64()? as u64, claim))
}
