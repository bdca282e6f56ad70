//! What the browser says of the screen, and of what its visitor prefers.

use gloo::events::EventListener;
use leptos::prelude::window;
use web_sys::MediaQueryList;

/// Whether a media query holds now; `None`: the browser does not say.
pub(crate) fn matches(query: &str) -> Option<bool> {
    list(query).map(|list| list.matches())
}

/// Says whether a media query holds whenever that changes, as long as the listener lives.
pub(crate) fn on_change(
    query: &str,
    mut changed: impl FnMut(bool) + 'static,
) -> Option<EventListener> {
    let list = list(query)?;
    let now = list.clone();
    Some(EventListener::new(&list, "change", move |_event| changed(now.matches())))
}

fn list(query: &str) -> Option<MediaQueryList> {
    window().match_media(query).ok().flatten()
}
