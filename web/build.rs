//! What the linker of the worker is told.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_wasm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32");
    if is_wasm && std::env::var_os("CARGO_FEATURE_WORKER").is_some() {
        // Faster products are added to its functions where the browser has the instructions for them (crates/gemm).
        println!("cargo::rustc-link-arg-bin=worker=--growable-table");
    }
}
