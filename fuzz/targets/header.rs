//! The beginning of a file of weights: how long its header is, and what the header says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_gpt2::{Gpt2Config, WeightPlan};

/// Of the fixture whose header is a seed.
const CONFIG: &[u8] = include_bytes!("../../tests/fixtures/tiny-gpt2/config.json");

fuzz_target!(|bytes: &[u8]| {
    let config = Gpt2Config::from_json(CONFIG).expect("a configuration");
    // The header and as many bytes of data as the first two bytes say, in eights, which are not there.
    let Some((length, file)) = bytes.split_first_chunk::<2>() else { return };
    let file_len = file.len() as u64 + 8 * u64::from(u16::from_le_bytes(*length));
    let Ok(length) = WeightPlan::header_len(file, file_len) else { return };
    let Some(header) = file.get(8..8 + length as usize) else { return };
    let _ = WeightPlan::new(header, file_len, &config);
    // A shard need not hold everything.
    let Ok(plan) = WeightPlan::of_shard(header, file_len, &config) else { return };
    let _ = plan.has_masks();
    let mut end = 8 + length;
    for part in plan.parts(1 << 12) {
        let range = part.range();
        assert!(range.start >= end && range.end <= file_len, "{range:?} of {file_len}");
        end = range.end;
    }
});
