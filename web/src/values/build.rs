//! Which build of the page this is.

/// Version and commit. The worker must be of the same, and exports say it.
pub(crate) const BUILD: &str = match option_env!("TWINBEAM_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};
