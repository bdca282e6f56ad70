//! The worker's program, fetched and compiled once: whatever happens to the network afterwards, a worker can be
//! replaced, and another one started beside it.

use std::cell::RefCell;

use js_sys::{Array, Error, Promise, Uint8Array, WebAssembly};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{Blob, BlobPropertyBag, Response, Url};

use super::address;

/// The bindings that wasm-bindgen made, and what they are told to start with: the compiled program, which
/// comes as the first message. An error goes on as one of the worker's own.
const FIRST_LINES: &str = "
self.onmessage = ({ data }) => {
  self.onmessage = null;
  __wbg_init({ module_or_path: data }).catch((error) => setTimeout(() => { throw error; }));
};
";

const SCRIPT: &str = "worker.js";
const CODE: &str = "worker_bg.wasm";

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
        let code = window().fetch_with_str(&address::beside_the_page(CODE));
        let text = text_of(fetch(SCRIPT).await?.text()?).await?;
        // A script begins with words; a server without this file may send a page of its own.
        if text.trim_start().starts_with('<') {
            return Err(in_its_place(SCRIPT));
        }
        let script = text + FIRST_LINES;
        let options = BlobPropertyBag::new();
        options.set_type("text/javascript");
        let parts = Array::of1(&JsValue::from_str(&script));
        let blob = Blob::new_with_str_sequence_and_options(&parts, &options)?;
        let module = compile(answered(CODE, &JsFuture::from(code).await?)?).await?;
        // The address is kept for good: every worker begins there.
        let script = Url::create_object_url_with_blob(&blob)?;
        Ok(Array::of2(&JsValue::from_str(&script), &module).into())
    }
}

/// A program, compiled while it comes where the server says that it is one. Browsers believe that only; of other
/// servers it is taken whole.
async fn compile(code: Response) -> Result<JsValue, JsValue> {
    let kind = code.headers().get("content-type")?.unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/wasm") {
        let code = Promise::resolve(&JsValue::from(code));
        return JsFuture::from(WebAssembly::compile_streaming(&code)).await;
    }
    let bytes = JsFuture::from(code.array_buffer()?).await?;
    if Uint8Array::new(&bytes).at(0) == Some(b'<') {
        return Err(in_its_place(CODE));
    }
    JsFuture::from(WebAssembly::compile(&bytes)).await
}

async fn fetch(file: &str) -> Result<Response, JsValue> {
    let file_at = address::beside_the_page(file);
    answered(file, &JsFuture::from(window().fetch_with_str(&file_at)).await?)
}

/// An answer that is a success.
fn answered(file: &str, answer: &JsValue) -> Result<Response, JsValue> {
    let answer: Response = answer.clone().unchecked_into();
    if answer.ok() {
        Ok(answer)
    } else {
        Err(Error::new(&format!("the server answers {} for {file}", answer.status())).into())
    }
}

async fn text_of(text: Promise) -> Result<String, JsValue> {
    Ok(JsFuture::from(text).await?.as_string().unwrap_or_default())
}

fn in_its_place(file: &str) -> JsValue {
    Error::new(&format!("the server sends a web page in place of {file}")).into()
}
