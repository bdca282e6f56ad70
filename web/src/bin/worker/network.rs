//! Files on a server, by the browser's `fetch`.

use gloo::timers::callback::Timeout;
use js_sys::{Math, Promise, Reflect, Uint8Array};
use std::ops::Range;
use twinbeam_core::wire::{Event, FetchFault, Wait};
use twinbeam_engine::{Answer, Body, Transport};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect, Response, ResponseType,
};

use crate::browser::{describe, scope, sleep};
use crate::send;

/// Seconds without a byte after which a connection counts as broken; a test does not wait that long.
const SILENCE: u32 = if cfg!(feature = "faults") { 4 } else { 30 };

/// The browser's way to a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    /// Whether the browser may keep answers itself: what is kept elsewhere would be there twice.
    pub(crate) cache: bool,
}

impl Transport for Network {
    type Body = Download;

    async fn get(
        &self,
        address: &str,
        range: Option<Range<u64>>,
    ) -> Result<Answer<Download>, FetchFault> {
        let transfer = Transfer::new()?;
        let init = RequestInit::new();
        init.set_credentials(RequestCredentials::Omit);
        init.set_redirect(RequestRedirect::Follow);
        init.set_cache(if self.cache { RequestCache::Default } else { RequestCache::NoStore });
        init.set_signal(Some(&transfer.0.signal()));
        if let Some(range) = range {
            // One range, and nothing else: a server of another origin is not asked for permission first.
            let headers = Headers::new().map_err(broken)?;
            let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            headers.set("Range", &bytes).map_err(broken)?;
            init.set_headers_headers(&headers);
        }
        let response = transfer.wait(scope().fetch_with_str_and_init(address, &init)).await?;
        let response: Response = response.unchecked_into();
        let headers = response.headers();
        let header = |name: &str| headers.get(name).ok().flatten();
        let content_encoding = header("content-encoding");
        // Of another origin's answer the length is seen, and mostly not whether it is that of packed bytes.
        let is_clear = response.type_() == ResponseType::Basic || content_encoding.is_some();
        let content_length = header("content-length").filter(|_| is_clear);
        let reader = match response.body() {
            Some(stream) => Some(ReadableStreamDefaultReader::new(&stream).map_err(broken)?),
            None => None,
        };
        Ok(Answer {
            status: response.status(),
            content_range: header("content-range"),
            content_encoding,
            content_length: content_length.and_then(|text| text.trim().parse().ok()),
            retry_after: header("retry-after").and_then(|text| patience(&text)),
            body: Download { transfer, reader },
        })
    }

    async fn sleep(&self, seconds: f64) {
        sleep(seconds).await;
    }

    fn random(&self) -> f64 {
        Math::random()
    }

    fn waiting(&self, wait: Wait) {
        send(&Event::Waiting { wait });
    }
}

/// A body on its way.
#[derive(Debug)]
pub(crate) struct Download {
    transfer: Transfer,
    reader: Option<ReadableStreamDefaultReader>,
}

impl Body for Download {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, FetchFault> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let piece = self.transfer.wait(reader.read()).await?;
        let field = |name: &str| Reflect::get(&piece, &JsValue::from_str(name)).map_err(broken);
        if field("done")?.is_truthy() {
            return Ok(None);
        }
        Ok(Some(Uint8Array::new(&field("value")?).to_vec()))
    }
}

/// A request with its answer; dropped, it ends wherever it is.
#[derive(Debug)]
struct Transfer(AbortController);

impl Transfer {
    fn new() -> Result<Self, FetchFault> {
        Ok(Self(AbortController::new().map_err(broken)?))
    }

    /// Waits for the transfer's next step, but not for ever.
    async fn wait(&self, step: Promise) -> Result<JsValue, FetchFault> {
        let controller = self.0.clone();
        let timer = Timeout::new(SILENCE * 1000, move || controller.abort());
        let outcome = JsFuture::from(step).await;
        drop(timer);
        outcome.map_err(|error| {
            if self.0.signal().aborted() {
                unreachable(format!("nothing came for {SILENCE} seconds"))
            } else {
                broken(error)
            }
        })
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn broken(error: JsValue) -> FetchFault {
    unreachable(describe(&error))
}

fn unreachable(message: String) -> FetchFault {
    let message = if scope().navigator().on_line() {
        message
    } else {
        format!("{message}; this device is offline")
    };
    FetchFault::Unreachable { message }
}

/// Seconds of a `Retry-After`, which is a number or a date.
fn patience(text: &str) -> Option<u32> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let millis = js_sys::Date::parse(text) - js_sys::Date::now();
    millis.is_finite().then(|| (millis / 1000.0).ceil().max(0.0) as u32)
}
