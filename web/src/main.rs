//! The page: two prompts, two methods, one figure. All computing is in the worker.
//!
//! Start with `session/mod.rs`, which says how everything that happens goes through the page, and `app.rs`, the page
//! from top to bottom. From the ground up: `values/` are plain values; `explain/` turns causes into words; `session/` is
//! the page as a machine without a browser; `ports/` are its way to workers, address, storage and clock; `state/` shows
//! the session as signals; the other folders draw.

#![allow(unreachable_pub, reason = "the component macro writes `pub` itself")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "the state is a list of handles; only debug builds note more beside each"
)]

mod app;
mod components;
mod examples;
mod explain;
mod export;
mod heatmap;
mod lab;
mod models;
mod neurons;
mod pinned;
mod plot;
mod ports;
mod reactive;
mod session;
mod share;
mod state;
mod story;
mod values;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

fn main() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show_panic(&info.to_string());
    }));
    let Some(root) = document().get_element_by_id("app") else {
        return;
    };
    root.set_text_content(None);
    mount_to(root.unchecked_into(), app::App).forget();
}

/// A bug of ours is said, not hidden: the page may no longer answer.
fn show_panic(text: &str) {
    let Some(root) = document().get_element_by_id("app") else {
        return;
    };
    let Ok(panic_box) = document().create_element("pre") else {
        return;
    };
    panic_box.set_class_name("panic");
    panic_box.set_text_content(Some(&format!(
        "The page has met a bug of its own and may not answer any more. Your prompts are still in the \
         fields: copy them before you reload.\n\n{text}"
    )));
    root.prepend_with_node_1(&panic_box).ok();
}
