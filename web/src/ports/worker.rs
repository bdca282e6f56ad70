//! The life of a worker: started, told, listened to, replaced.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Reflect, Uint8Array};
use twinbeam_core::wire::{self, PAGE, Request, unpack};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, File, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::Tell;
use super::program::Program;
use crate::explain::UNSAID;
use crate::session::{Death, Msg};

/// A worker with what it must hear once it has started.
pub(super) struct Connection {
    line: Rc<Line>,
}

#[derive(Default)]
struct Line {
    worker: RefCell<Option<Worker>>,
    /// Nobody wants it any more.
    closed: Cell<bool>,
    /// What it is told before it listens; `None`: it does.
    waiting: RefCell<Option<Vec<JsValue>>>,
    /// Files that it has handed out for another worker.
    handed: RefCell<Vec<File>>,
}

impl Connection {
    /// Starts a worker. What it says, and what is known of its death, are messages with its number.
    pub(super) fn open(number: u64, tell: &Tell) -> Self {
        let line = Rc::new(Line::default());
        line.waiting.replace(Some(Vec::new()));
        let (opening, tell) = (Rc::clone(&line), Rc::clone(tell));
        spawn_local(async move {
            let program = Program::get().await;
            if opening.closed.get() {
                return;
            }
            let start = |program: Program| opening.start(&program, number, &tell);
            if let Err(error) = program.and_then(start) {
                tell(Msg::Died { from: number, death: Death::Unstarted(words(&error)) });
            }
        });
        Self { line }
    }

    /// Sends now, or as soon as the worker has started: what it is told earlier would be lost. Files travel
    /// beside the request, which is then the first of a list.
    pub(super) fn send(&self, request: &Request, files: Vec<File>) {
        // OK because requests hold strings, numbers and lists.
        let Ok(text) = serde_json::to_string(request) else {
            return;
        };
        let mut message = JsValue::from_str(&text);
        if !files.is_empty() {
            let mut list = Array::of1(&message);
            list.extend(files);
            message = list.into();
        }
        match self.line.waiting.borrow_mut().as_mut() {
            Some(waiting) => waiting.push(message),
            None => self.line.post(&message),
        }
    }

    /// The files that the worker has handed out for another one: once.
    pub(super) fn handed(&self) -> Vec<File> {
        self.line.handed.take()
    }

    /// The worker listens now.
    pub(super) fn listens(&self) {
        for message in self.line.waiting.take().unwrap_or_default() {
            self.line.post(&message);
        }
    }
}

/// The build of a worker whose words cannot be read.
const UNREAD: &str = "another";

impl Line {
    fn start(self: &Rc<Self>, program: &Program, from: u64, tell: &Tell) -> Result<(), JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(PAGE);
        let worker = Worker::new_with_options(&program.script, &options)?;
        let (hear, line) = (Rc::clone(tell), Rc::downgrade(self));
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            // A list is of files that it hands out.
            if let Some((files, line)) = data.dyn_ref::<Array>().zip(line.upgrade()) {
                line.handed.replace(files.iter().map(JsCast::unchecked_into).collect());
                hear(Msg::Worker { from, event: Box::new(wire::Event::Words) });
                return;
            }
            // What cannot be read was said by a worker of another build, whatever it is.
            let other = || wire::Event::Started { build: UNREAD.to_owned() };
            let event = unpack(&Uint8Array::new(&data).to_vec()).unwrap_or_else(other);
            hear(Msg::Worker { from, event: Box::new(event) });
        });
        let tell = Rc::clone(tell);
        // Out of memory does not run a panic hook: this event is the only sign of it. Not all of them have a
        // message.
        let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            tell(Msg::Died { from, death: Death::Stopped(words(&event)) });
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
