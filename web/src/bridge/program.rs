//! The worker's program, fetched and compiled once: whatever happens to the network afterwards, a worker can be
//! replaced, and another one started beside it.

use std::cell::RefCell;

use js_sys::{Array, Error, Promise, WebAssembly};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{Blob, BlobPropertyBag, Response, Url};

use crate::url_state;

/// The bindings that wasm-bindgen made, and what they are told to start with: the compiled program, which
/// comes as the first message. An error goes on as one of the worker's own.
const FIRST_LINES: &str = "
self.onmessage = ({ data }) => {
  self.onmessage = null;
  __wbg_init({ module_or_path: data }).catch((error) => setTimeout(() => { throw error; }));
};
";

/// What a worker is made of.
pub(super) struct Program {
    /// Address of its script. It is a blob, since a worker from the network would not be bound by the page's
    /// content security policy.
    pub(super) script: String,
    /// Its compiled code.
    pub(super) module: JsValue,
}

thread_local! {
    /// On its way, or there: workers that start at the same moment wait for the same one.
    static PROGRAM: RefCell<Option<Promise>> = const { RefCell::new(None) };
}

impl Program {
    /// The program, from the network the first time.
    ///
    /// # Errors
    /// What the browser or the server said; the next one who asks tries again.
    pub(super) async fn get() -> Result<Self, JsValue> {
        let fetched = PROGRAM.with_borrow_mut(|program| {
            program.get_or_insert_with(|| future_to_promise(Self::fetch())).clone()
        });
        let parts = JsFuture::from(fetched).await.inspect_err(|_| PROGRAM.set(None))?;
        let parts: Array = parts.unchecked_into();
        Ok(Self { script: parts.get(0).as_string().unwrap_or_default(), module: parts.get(1) })
    }

    /// Script and module, in a list.
    async fn fetch() -> Result<JsValue, JsValue> {
        let code = window().fetch_with_str(&url_state::beside_the_page("worker_bg.wasm"));
        let script = fetch("worker.js").await?.text()?;
        let script = JsFuture::from(script).await?.as_string().unwrap_or_default() + FIRST_LINES;
        let options = BlobPropertyBag::new();
        options.set_type("text/javascript");
        let parts = Array::of1(&JsValue::from_str(&script));
        let blob = Blob::new_with_str_sequence_and_options(&parts, &options)?;
        let streamed = JsFuture::from(WebAssembly::compile_streaming(&code)).await;
        let module = if let Ok(module) = streamed {
            module
        } else {
            // A server that does not say what kind of file it is.
            let bytes = fetch("worker_bg.wasm").await?.array_buffer()?;
            JsFuture::from(WebAssembly::compile(&JsFuture::from(bytes).await?)).await?
        };
        // The address is kept for good: every worker begins there.
        let script = Url::create_object_url_with_blob(&blob)?;
        Ok(Array::of2(&JsValue::from_str(&script), &module).into())
    }
}

async fn fetch(file: &str) -> Result<Response, JsValue> {
    let address = url_state::beside_the_page(file);
    let answer = JsFuture::from(window().fetch_with_str(&address)).await?;
    let answer: Response = answer.unchecked_into();
    if answer.ok() {
        Ok(answer)
    } else {
        Err(Error::new(&format!("the server answered {} for {file}", answer.status())).into())
    }
}
