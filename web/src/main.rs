//! The page: two prompts, two methods, one figure. All computing is in the worker.
//!
//! Start with `app.rs`. `state.rs` holds the signals, `bridge/` talks to the worker, `explain.rs`
//! turns every cause of failure into words, `url_state.rs` is the only file that touches the address.

#![allow(unreachable_pub, reason = "the component macro writes `pub` itself")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "the state is a list of handles; only debug builds note more beside each"
)]

mod app;
mod bridge;
mod colour;
mod components;
mod draft;
mod examples;
mod explain;
mod export;
mod heatmap;
mod lab;
mod linked;
mod memory;
mod models;
mod neurons;
mod plot;
mod reactive;
mod state;
mod url_state;
mod writing;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

/// Version and commit. The worker must be of the same, and exports say it.
const BUILD: &str = match option_env!("TWINBEAM_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

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
