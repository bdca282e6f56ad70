//! A fragment of an address. What is read is printed, and reads as the same.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use miniz_oxide::deflate::compress_to_vec;
use twinbeam_core::link::{Link, parse_link, print_link};

fn printed(link: &Link) -> Option<String> {
    print_link(&link.experiment, link.snapshot.as_ref(), &link.view).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A fuzzer does not find its way through a compression: what is no fragment is the JSON of one.
    let fragment = if text.starts_with("#v") || text.starts_with('v') {
        text.to_owned()
    } else {
        format!("#v1={}", URL_SAFE_NO_PAD.encode(compress_to_vec(bytes, 1)))
    };
    let Ok(link) = parse_link(&fragment) else { return };
    let Some(once) = printed(&link) else { return };
    let again = parse_link(&once).expect("its own link can be read");
    assert_eq!(again.experiment, link.experiment, "the same experiment");
    assert!(!again.has_unknown, "it knows what it printed");
    assert!(again.refused.is_empty(), "it takes what it printed: {:?}", again.refused);
    assert_eq!(printed(&again), Some(once), "it prints the same again");
});
