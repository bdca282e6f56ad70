use burn::tensor::TensorData;

/// Why scores could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller gave up.
    #[error("cancelled")]
    Cancelled,
    /// A result is infinite or not a number, so none of its table is used.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// Which result.
        what: String,
    },
    /// The device failed to give a result back.
    #[error("{device} did not give its results back: {message}")]
    Device {
        /// Which device.
        device: String,
        /// What it said.
        message: String,
    },
}

/// Numbers that were read back, if all of them are finite.
pub(crate) fn finite(data: &TensorData, what: impl Fn() -> String) -> Result<Vec<f64>, Error> {
    let values: Vec<f64> = data.iter::<f64>().collect();
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(Error::NotFinite { what: what() })
    }
}
