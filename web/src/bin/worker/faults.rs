//! Faults of the browser's storage that a test asks for by name; a build without the feature `faults` has
//! none of this. Those of the engine are its own.

use std::cell::Cell;

use wasm_bindgen::prelude::*;

/// Bytes that can be written before space has run out.
const SPACE: u64 = 1_000_000;
/// What Chrome's `write` returns when space has run out.
const NO_SPACE: u64 = 4_294_967_288;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Space runs out, and `write` returns a number that cannot be.
    Quota,
    /// Space runs out, and `write` throws.
    QuotaThrown,
    /// Space runs out, and `write` returns less than it was given.
    ShortWrite,
    /// The browser has no storage, as in some private windows.
    NoStorage,
}

thread_local! {
    static ARMED: Cell<Option<Fault>> = const { Cell::new(None) };
    static WRITTEN: Cell<u64> = const { Cell::new(0) };
}

/// What is to become of a write.
#[derive(Debug)]
pub(crate) enum Write<'bytes> {
    All,
    Part(&'bytes [u8]),
    None(Result<u64, String>),
}

/// Takes the name of a fault; a name that is none of these changes nothing.
pub(crate) fn arm(name: &str) {
    let fault = match name.trim() {
        "quota" => Fault::Quota,
        "quota-thrown" => Fault::QuotaThrown,
        "short-write" => Fault::ShortWrite,
        "no-opfs" => Fault::NoStorage,
        _ => return,
    };
    ARMED.set(Some(fault));
}

/// Strikes before the storage is opened.
pub(crate) fn on_open() -> Result<(), JsValue> {
    if ARMED.get() != Some(Fault::NoStorage) {
        return Ok(());
    }
    let error = js_sys::Error::new("Security error when calling GetDirectory");
    error.set_name("SecurityError");
    Err(error.into())
}

/// Strikes before bytes are written.
pub(crate) fn on_write(bytes: &[u8]) -> Write<'_> {
    let written = WRITTEN.get() + bytes.len() as u64;
    WRITTEN.set(written);
    match ARMED.get() {
        Some(fault) if written > SPACE => match fault {
            Fault::Quota => Write::None(Ok(NO_SPACE)),
            Fault::QuotaThrown => {
                Write::None(Err("QuotaExceededError: No space is left".to_owned()))
            }
            Fault::ShortWrite => Write::Part(&bytes[..bytes.len() / 2]),
            Fault::NoStorage => Write::All,
        },
        _ => Write::All,
    }
}
