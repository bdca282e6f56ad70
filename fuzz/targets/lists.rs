//! A list of prompt pairs. The pairs of what is read are printed, and read as the same in each encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_core::prompts::lists::{MAX_PAIRS_BYTES, pairs_text, print_pairs, read_pairs};

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = read_pairs(bytes) else { return };
    assert!(!list.rows.is_empty(), "a list has rows");
    let text = pairs_text(bytes).expect("what is read is text");
    let by_text = read_pairs(text.as_bytes()).expect("its text is the same list");
    assert_eq!(by_text, list, "whatever the encoding");
    for bad in list.bad() {
        assert!(!bad.to_string().is_empty() && !bad.title().is_empty());
    }
    let pairs = list.pairs();
    for pair in &pairs {
        assert!(!pair.clean.trim().is_empty() && !pair.corrupted.trim().is_empty());
        assert!(!pair.answer.is_empty() && !pair.wrong.is_empty());
    }
    let printed = print_pairs(&pairs);
    if pairs.is_empty() || printed.len() > MAX_PAIRS_BYTES {
        return;
    }
    let again = read_pairs(printed.as_bytes()).expect("its own list can be read");
    assert_eq!(again.pairs(), pairs, "the same pairs");
    let wide: Vec<u8> = printed.encode_utf16().flat_map(u16::to_le_bytes).collect();
    if wide.len() <= MAX_PAIRS_BYTES {
        let again = read_pairs(&wide).expect("in UTF-16 too");
        assert_eq!(again.pairs(), pairs, "the same pairs in UTF-16");
    }
});
