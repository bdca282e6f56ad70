//! `tokenizer.json`, or, with NULs between them, `vocab.json`, `merges.txt` and `tokenizer_config.json`; and short texts by
//! whatever they say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_gpt2::{Tokenizer, TokenizerFiles};

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let (first, merges, config) = (parts.next(), parts.next(), parts.next());
    let files = if merges.is_some() {
        TokenizerFiles { vocab: first, merges, config, ..TokenizerFiles::default() }
    } else {
        TokenizerFiles { tokenizer: first, ..TokenizerFiles::default() }
    };
    let Ok(Some(tokenizer)) = Tokenizer::from_files(&files) else { return };
    let _ = (tokenizer.len(), tokenizer.is_empty(), tokenizer.bos(), tokenizer.prefix_space());
    for text in ["", " ", "The keys, caf\u{e9} \u{1f642}\n<|endoftext|> a", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
        if let Ok(ids) = tokenizer.encode(text) {
            let _ = tokenizer.decode(&ids);
        }
    }
});
