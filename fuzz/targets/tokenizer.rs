//! `tokenizer.json`, and a short text by whatever it says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_gpt2::Tokenizer;

fuzz_target!(|bytes: &[u8]| {
    let Ok(tokenizer) = Tokenizer::from_json(bytes) else { return };
    let _ = (tokenizer.len(), tokenizer.is_empty());
    for text in ["", " ", "The keys, caf\u{e9} \u{1f642}\n<|endoftext|> a", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
        if let Ok(ids) = tokenizer.encode(text) {
            let _ = tokenizer.decode(&ids);
        }
    }
});
