//! The page's way to the world: workers, the address, the browser's storage, the clock. A port does what an [`Effect`]
//! says and gives back messages; it decides nothing.
//!
//! `worker.rs` is the life of a worker and `program.rs` what it runs; `files.rs` holds the visitor's own files;
//! `address.rs` is the only file that touches the address, `clipboard.rs` the only one that fills the clipboard,
//! `memory.rs` the only one that has the browser remember something of the page, `screen.rs` asks what it is shown on; `shelves.rs` and `catalog.rs` read what
//! there is of models, `start.rs` speaks with the start script.

pub(crate) mod address;
mod catalog;
mod clipboard;
mod files;
mod memory;
mod program;
pub(crate) mod screen;
mod shelves;
mod start;
mod worker;

use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::{Interval, Timeout};
use leptos::prelude::window;
use twinbeam_core::wire::Request;
use wasm_bindgen_futures::spawn_local;

pub(crate) use self::clipboard::copy;
pub(crate) use self::files::keep as keep_files;
pub(crate) use self::memory::{forget, recall, remember};
pub(crate) use self::shelves::{ask_to_persist, delete, look as look_at_shelves};
use self::worker::Connection;
use crate::session::{Effect, Moment, Msg, Timer};

/// Where messages go.
pub(crate) type Tell = Rc<dyn Fn(Msg)>;

/// What is open at the moment: workers by their numbers, and timers that have not run out.
pub(crate) struct Ports {
    tell: Tell,
    /// At most three: the one in use, one in which a model arrives, and one that reads what is typed.
    workers: Vec<(u64, Connection)>,
    timers: [Option<Timeout>; Timer::COUNT],
}

impl Ports {
    pub(crate) fn new(tell: Tell) -> Self {
        Self { tell, workers: Vec::new(), timers: [const { None }; Timer::COUNT] }
    }

    /// Hears of seconds and of the address for as long as the page lives.
    pub(crate) fn listen(&self) {
        let tell = Rc::clone(&self.tell);
        Interval::new(1000, move || tell(Msg::Second)).forget();
        // Back, Forward and a link pasted into the address change the fragment; our own writes do not fire this.
        let tell = Rc::clone(&self.tell);
        let listener = EventListener::new(&window(), "hashchange", move |_event| {
            tell(Msg::Address(address::read().map(Box::new)));
        });
        listener.forget();
        start::listen(Rc::clone(&self.tell));
    }

    fn worker(&self, number: u64) -> Option<&Connection> {
        let is_it = |(other, _): &&(u64, Connection)| *other == number;
        self.workers.iter().find(is_it).map(|(_, connection)| connection)
    }

    /// Does what is to be done.
    pub(crate) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Open { worker } => {
                let connection = Connection::open(worker, &self.tell);
                self.workers.push((worker, connection));
            }
            // Dropping it ends the worker.
            Effect::Close { worker } => self.workers.retain(|(number, _)| *number != worker),
            Effect::Listens { worker } => {
                if let Some(connection) = self.worker(worker) {
                    connection.listens();
                }
            }
            Effect::Tell { worker, request, files } => {
                if let Some(connection) = self.worker(worker) {
                    connection.send(&request, files.map(files::of).unwrap_or_default());
                }
            }
            Effect::HandOn { from, to } => {
                let files = self.worker(from).map(Connection::handed).unwrap_or_default();
                if let Some(connection) = self.worker(to) {
                    connection.send(&Request::Words, files);
                }
            }
            Effect::After { timer, millis } => {
                let tell = Rc::clone(&self.tell);
                let timeout = Timeout::new(millis, move || tell(Msg::Timer(timer)));
                // Dropping the one before stops it.
                self.timers[timer as usize] = Some(timeout);
            }
            Effect::Stop(timer) => self.timers[timer as usize] = None,
            Effect::Address { link, new_step } => address::write(&link, new_step),
            Effect::Remember { memory, key, text: Some(text) } => remember(memory, key, &text),
            Effect::Remember { memory, key, text: None } => forget(memory, key),
            Effect::Service(order) => start::give(order),
            Effect::ReadCatalog => {
                let tell = Rc::clone(&self.tell);
                spawn_local(async move {
                    let (listed, fault) = catalog::read().await;
                    tell(Msg::Listed { listed, fault });
                });
            }
            Effect::LookAtShelves => {
                let tell = Rc::clone(&self.tell);
                spawn_local(async move { tell(look_at_shelves().await) });
            }
        }
    }
}

/// What the world is like now.
pub(crate) fn moment() -> Moment {
    Moment { millis: js_sys::Date::now(), is_online: window().navigator().on_line() }
}
