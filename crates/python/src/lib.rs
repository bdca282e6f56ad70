//! The engine from Python: the native module `twinbeam._engine`, on which the package's pleasant side stands.
//!
//! It is small and plain: `model.rs` loads and compares without holding Python's lock, `host.rs` reports progress and
//! notices Ctrl-C, `source.rs` reads models that are in Python's memory, `found.rs` hands tables out as NumPy arrays,
//! `lists.rs` has lists of cases and their shards, and `error.rs` makes exceptions of errors. Units, signs and shapes are
//! documented where users meet them, in `python/twinbeam`.

mod error;
mod found;
mod host;
mod lists;
mod model;
mod source;

use pyo3::prelude::*;

/// The native part of the package `twinbeam`.
#[pymodule(name = "_engine")]
mod module {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::found::Found;
    #[pymodule_export]
    use crate::lists::{Cases, check_options, draw, merge, read_cases, task_names};
    #[pymodule_export]
    use crate::model::Model;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::error::add(module)
    }
}
