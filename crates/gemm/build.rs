//! Assembles the tiles that only some browsers can run.

use std::path::PathBuf;

fn main() {
    const SOURCE: &str = "src/relaxed.wat";
    println!("cargo::rerun-if-changed={SOURCE}");
    let module = wat::parse_file(SOURCE).unwrap_or_else(|error| panic!("{error}"));
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    std::fs::write(out.join("relaxed.wasm"), module).unwrap_or_else(|error| panic!("{error}"));
}
