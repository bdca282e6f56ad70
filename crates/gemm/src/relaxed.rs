//! Tiles by relaxed multiply-add, where the browser has it.

use js_sys::{Function, Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::tile::{Number, ROWS, Tile, compute_tiles_by};

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
    let places = [place("f32")?, place("f64")?];
    // SAFETY: in WebAssembly a function's address is its place in this table, where these functions stand from now on. They
    // have the parameters of a tile, and do what one does: `relaxed.wat` is all of them.
    unsafe {
        let [singles, doubles] = places.map(std::ptr::with_exposed_provenance::<()>);
        let singles = std::mem::transmute::<*const (), Tile<f32>>(singles);
        let doubles = std::mem::transmute::<*const (), Tile<f64>>(doubles);
        if !agrees::<f32, 8>(singles) || !agrees::<f64, 4>(doubles) {
            return Err("a tile is not the product of its panels".into());
        }
        compute_tiles_by(singles, doubles);
    }
    Ok(())
}

/// Whether a function computes what a tile is defined by, of panels of whole numbers, whose sums are exact.
///
/// # Safety
/// It reads nothing but the panels, and writes nothing but the tile.
unsafe fn agrees<T: Number + From<u8>, const COLUMNS: usize>(by: Tile<T>) -> bool {
    const STEPS: usize = 3;
    let number = |place: usize| T::from((place * 7 % 11) as u8);
    let left: [[T; ROWS]; STEPS] =
        std::array::from_fn(|step| std::array::from_fn(|row| number(step * ROWS + row)));
    let right: [[T; COLUMNS]; STEPS] = std::array::from_fn(|step| {
        std::array::from_fn(|column| number(1 + step * COLUMNS + column))
    });
    let (mut tile, mut wanted) = ([[T::ZERO; COLUMNS]; ROWS], [[T::ZERO; COLUMNS]; ROWS]);
    T::tile(&left, &right, &mut wanted);
    // SAFETY: both panels have so many steps, of as many rows and columns as the tile.
    unsafe {
        let (left, right) = (left.as_ptr().cast(), right.as_ptr().cast());
        by(left, right, STEPS, tile.as_mut_ptr().cast());
    }
    tile == wanted
}
