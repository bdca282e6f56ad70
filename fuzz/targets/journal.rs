//! What the browser's storage says it holds. What was taken of a journal reads as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_core::models::Journal;

fuzz_target!(|bytes: &[u8]| {
    let (journal, taken) = Journal::read(bytes);
    assert!(taken <= bytes.len(), "no more than there is");
    let _ = journal.bytes();
    for ((file, start), piece) in &journal.pieces {
        assert_eq!(journal.piece(file, *start, piece.end), Some(piece), "each piece is found");
    }
    let (again, taken_again) = Journal::read(&bytes[..taken]);
    assert_eq!((again, taken_again), (journal, taken), "what was taken is the same");
});
