//! `model.safetensors.index.json`: which shard holds which tensor.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_gpt2::ShardIndex;

fuzz_target!(|bytes: &[u8]| {
    let Ok(index) = ShardIndex::from_json(bytes) else { return };
    for shard in index.shards() {
        assert!(!shard.contains(['/', '\\']), "a shard lies beside its index");
        let _ = index.missing(shard).to_string();
    }
});
