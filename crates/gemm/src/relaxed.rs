//! Tiles by relaxed multiply-add, where the browser has it.

use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::tile::{Tile, compute_tiles_by};

/// A module of two tiles: it imports `program.memory` and exports `f32` and `f64`.
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed.wasm"));

/// Has this thread's tiles computed by relaxed multiply-add from now on, if the browser has that; whether it has.
///
/// Numbers come out slightly different, and closer to the exact sum: a product is not rounded before it is added.
#[expect(clippy::must_use_candidate, reason = "what it does is the point")]
pub fn relax() -> bool {
    let module = Uint8Array::from(MODULE);
    // A browser that lacks the instruction says so here; everything after this is the same everywhere.
    WebAssembly::validate(&module).unwrap_or(false) && load(&module).is_ok()
}

fn load(module: &Uint8Array) -> Result<(), JsValue> {
    let module = WebAssembly::Module::new(module)?;
    let program = Object::new();
    Reflect::set(&program, &"memory".into(), &wasm_bindgen::memory())?;
    let imports = Object::new();
    Reflect::set(&imports, &"program".into(), &program)?;
    let exports = WebAssembly::Instance::new(&module, &imports)?.exports();
    let table: WebAssembly::Table = wasm_bindgen::function_table().unchecked_into();
    let place = |name: &str| -> Result<usize, JsValue> {
        let tile: Function = Reflect::get(&exports, &name.into())?.unchecked_into();
        let place = table.grow(1)?;
        table.set(place, &tile)?;
        Ok(place as usize)
    };
    let [singles, doubles] = [place("f32")?, place("f64")?];
    // SAFETY: in WebAssembly a function's address is its place in this table, where these functions stand from now on. They
    // have the parameters of a tile, and do what one does: `relaxed.wat` is all of them.
    unsafe {
        compute_tiles_by(
            std::mem::transmute::<usize, Tile<f32>>(singles),
            std::mem::transmute::<usize, Tile<f64>>(doubles),
        );
    }
    Ok(())
}
