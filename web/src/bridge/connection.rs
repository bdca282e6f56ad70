//! The life of a worker: started, told, listened to, replaced.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Reflect};
use twinbeam_core::wire::Request;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, File, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::program::Program;
use crate::explain::UNSAID;

/// A worker with what it must hear once it has started.
pub(super) struct Connection {
    /// Tells it apart from those before and beside it.
    pub(super) number: u64,
    line: Rc<Line>,
}

/// Why a worker is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Death {
    /// It was never started: its program did not come, or the browser forbids workers.
    Unstarted(String),
    /// It stopped.
    Stopped(String),
}

#[derive(Default)]
struct Line {
    worker: RefCell<Option<Worker>>,
    /// Nobody wants it any more.
    closed: Cell<bool>,
    /// What it is told before it listens; `None`: it does.
    waiting: RefCell<Option<Vec<JsValue>>>,
}

impl Connection {
    /// Starts a worker. `hear` gets its messages, `died` what is known of its death.
    pub(super) fn open(
        number: u64,
        hear: impl FnMut(&str) + 'static,
        died: impl FnMut(Death) + 'static,
    ) -> Self {
        let line = Rc::new(Line::default());
        line.waiting.replace(Some(Vec::new()));
        let opening = Rc::clone(&line);
        spawn_local(async move {
            let program = Program::get().await;
            if opening.closed.get() {
                return;
            }
            let died = Rc::new(RefCell::new(died));
            let start = |program: Program| opening.start(&program, hear, Rc::clone(&died));
            if let Err(error) = program.and_then(start) {
                (died.borrow_mut())(Death::Unstarted(words(&error)));
            }
        });
        Self { number, line }
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
        match self.line.waiting.borrow_mut().as_mut() {
            Some(waiting) => waiting.push(message),
            None => self.line.post(&message),
        }
    }

    /// The worker listens now.
    pub(super) fn started(&self) {
        for message in self.line.waiting.take().unwrap_or_default() {
            self.line.post(&message);
        }
    }
}

impl Line {
    fn start(
        &self,
        program: &Program,
        mut hear: impl FnMut(&str) + 'static,
        died: Rc<RefCell<impl FnMut(Death) + 'static>>,
    ) -> Result<(), JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&program.script, &options)?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hear(&text);
            }
        });
        // Out of memory does not run a panic hook: this event is the only sign of it. Not all of them have a
        // message.
        let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            (died.borrow_mut())(Death::Stopped(words(&event)));
        });
        // They live as long as the worker does.
        worker.set_onmessage(Some(&on_message.into_js_value().unchecked_into()));
        worker.set_onerror(Some(&on_error.into_js_value().unchecked_into()));
        worker.post_message(&program.module)?;
        self.worker.replace(Some(worker));
        Ok(())
    }

    fn post(&self, message: &JsValue) {
        if let Some(worker) = self.worker.borrow().as_ref() {
            worker.post_message(message).ok();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.line.closed.set(true);
        if let Some(worker) = self.line.worker.take() {
            worker.set_onmessage(None);
            worker.set_onerror(None);
            worker.terminate();
        }
    }
}

/// What an error, or the event of one, says.
fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsValue::from_str("message")).ok();
    let message = message.and_then(|message| message.as_string()).filter(|text| !text.is_empty());
    message.unwrap_or_else(|| UNSAID.to_owned())
}
