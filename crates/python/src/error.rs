//! Errors as exceptions, with the engine's own words.

use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use twinbeam_batch::Error;
use twinbeam_core::wire::Problem;
use twinbeam_engine::Error as EngineError;

create_exception!(twinbeam, TwinbeamError, PyException, "What went wrong, and the way out.");
create_exception!(
    twinbeam,
    InputError,
    TwinbeamError,
    "Prompts, answers or options that cannot be compared."
);
create_exception!(
    twinbeam,
    ModelError,
    TwinbeamError,
    "Files or objects that are no model that runs here."
);
create_exception!(
    twinbeam,
    DeviceError,
    TwinbeamError,
    "A device that cannot be used, or that failed."
);
create_exception!(
    twinbeam,
    PartError,
    TwinbeamError,
    "A part of a result that does not belong to it."
);

/// Puts the exceptions into the module.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("TwinbeamError", py.get_type::<TwinbeamError>())?;
    module.add("InputError", py.get_type::<InputError>())?;
    module.add("ModelError", py.get_type::<ModelError>())?;
    module.add("DeviceError", py.get_type::<DeviceError>())?;
    module.add("PartError", py.get_type::<PartError>())
}

/// The exception of an error.
pub(crate) fn raised(error: &Error) -> PyErr {
    let words = error.to_string();
    match error {
        Error::Engine(EngineError::Probe(_)) | Error::List { .. } => InputError::new_err(words),
        Error::Engine(engine) => match engine.problem() {
            Problem::Prompt { .. } => InputError::new_err(words),
            Problem::Device { .. }
            | Problem::DeviceLost { .. }
            | Problem::Untrusted { .. }
            | Problem::NotFinite { .. } => DeviceError::new_err(words),
            _ => ModelError::new_err(words),
        },
        Error::Part(_) => PartError::new_err(words),
        Error::File { .. } | Error::CheckPanicked => TwinbeamError::new_err(words),
    }
}

/// The exception of an option that there is not.
pub(crate) fn no_option(what: &str, got: &str, possible: &[&str]) -> PyErr {
    InputError::new_err(format!("{what}: {got} is none: choose one of {}", possible.join(", ")))
}
