//! `models.json`. What is read is printed, and reads as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinbeam_core::models::Catalog;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(catalog) = Catalog::parse(text) else { return };
    for model in &catalog.models {
        let found = catalog.find(&model.id).expect("each model is found");
        assert_eq!(found.id, model.id);
        let _ = (catalog.address(model), model.shelf(), model.weight_bytes(), model.is_bundled());
    }
    let _ = catalog.first();
    let printed = serde_json::to_string(&catalog).expect("it can be printed");
    assert_eq!(Catalog::parse(&printed), Ok(catalog), "the same list");
});
