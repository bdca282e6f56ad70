//! Runs a WebAssembly program's static constructors once.
//!
//! Libraries register things before `main` by static constructors; the GPU's shader compiler registers thousands. A
//! linker that finds nobody calling them takes the program for a command, which is called once and ends: it wraps every
//! export, so that each call into the program, each callback and each object that crosses the border runs all
//! constructors anew. On a GPU that cost 4.6 ms for every dispatch, fifty times what the dispatch itself takes.
//!
//! Whoever calls them by hand, once and first, gets exports without wrappers. A test of the shipped program
//! (`tests/browser/suite/budget.test.mjs`) fails if there are wrappers again.
//!
//! # Example
//! ```
//! // The first statement of `main`; on other systems it does nothing.
//! twinbeam_constructors::run();
//! ```

/// Runs the static constructors: the first statement of a WebAssembly program's `main`. Elsewhere it does nothing, since
/// the system has run them.
pub fn run() {
    #[cfg(target_arch = "wasm32")]
    {
        #[expect(unsafe_code, reason = "the linker's own function, which has no other name")]
        // SAFETY: the linker makes this function, with this type, in every program. It may run once, before anything
        // that it registers is looked for: `main` calls it first, and runs once.
        unsafe {
            unsafe extern "C" {
                fn __wasm_call_ctors();
            }
            __wasm_call_ctors();
        }
    }
}
