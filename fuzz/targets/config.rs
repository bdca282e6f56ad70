//! `config.json`. What is read is printed, and reads as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_gpt2::Gpt2Config;

fuzz_target!(|bytes: &[u8]| {
    let Ok(config) = Gpt2Config::from_json(bytes) else { return };
    let printed = config.to_json();
    let again = Gpt2Config::from_json(printed.as_bytes()).expect("its own configuration");
    assert_eq!(again.shape, config.shape, "the same shape");
});
