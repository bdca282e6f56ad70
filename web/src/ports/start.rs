//! The way to the start script in `web/index.html`: it speaks with what keeps the page in the browser, and counts what
//! comes of programs, since that takes a tenth of what the bindings would add to this one. It answers in attributes of the
//! document, and says when they are new.

use gloo::events::EventListener;
use leptos::prelude::{document, window};
use twinbeam_core::words::Phase;
use web_sys::Event;

use super::Tell;
use crate::session::Msg;
use crate::values::{Order, Progress, Service};

const SERVICE: &str = "data-service";
const PROGRAM: &str = "data-program";
const ANSWERED: &str = "twinbeam-answered";

/// Hears what is said, and what was said before the page had started.
pub(super) fn listen(tell: Tell) {
    let mut last = [None, None];
    let mut read = move || {
        let Some(root) = document().document_element() else { return };
        let now = [SERVICE, PROGRAM].map(|name| root.get_attribute(name));
        let is_new = [0, 1].map(|place| now[place] != last[place]);
        last = now;
        let [service, program] = &last;
        if let Some(service) = service.as_deref().filter(|_| is_new[0]).and_then(Service::of) {
            tell(Msg::Service(service));
        }
        if let Some(program) = program.as_deref().filter(|_| is_new[1]).and_then(progress) {
            tell(Msg::Program(program));
        }
    };
    read();
    EventListener::new(&window(), ANSWERED, move |_event| read()).forget();
}

/// Bytes that have come, all bytes, and milliseconds since the first.
fn progress(said: &str) -> Option<Progress> {
    let mut numbers = said.split(' ').map_while(|number| number.parse().ok());
    let (done, total, millis): (u64, u64, u64) =
        (numbers.next()?, numbers.next()?, numbers.next()?);
    Some(Progress { phase: Phase::Fetching, done, total, seconds: millis as f64 / 1000.0 })
}

pub(super) fn give(order: Order) {
    let name = match order {
        Order::Keep => "twinbeam-keep",
        Order::Load => "twinbeam-load",
        Order::Leave => "twinbeam-leave",
    };
    if let Ok(event) = Event::new(name) {
        window().dispatch_event(&event).ok();
    }
}
