//! The way to what keeps the page in the browser. The start script in `web/index.html` speaks with it, since that takes
//! a tenth of what its bindings would add to the program: it answers in an attribute, and says when that is new.

use gloo::events::EventListener;
use leptos::prelude::{document, window};
use web_sys::Event;

use super::Tell;
use crate::session::Msg;
use crate::values::{Order, Service};

const ANSWER: &str = "data-service";
const ANSWERED: &str = "twinbeam-service";

/// Hears what is said, and what was said before the page had started.
pub(super) fn listen(tell: Tell) {
    let read = move || {
        let root = document().document_element();
        let said = root.and_then(|root| root.get_attribute(ANSWER));
        if let Some(service) = said.as_deref().and_then(Service::of) {
            tell(Msg::Service(service));
        }
    };
    read();
    EventListener::new(&window(), ANSWERED, move |_event| read()).forget();
}

pub(super) fn give(order: Order) {
    let name = match order {
        Order::Keep => "twinbeam-keep",
        Order::Load => "twinbeam-load",
    };
    if let Ok(event) = Event::new(name) {
        window().dispatch_event(&event).ok();
    }
}
