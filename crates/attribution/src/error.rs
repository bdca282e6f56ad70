//! Why scores could not be computed, and the one look at numbers that were read back: are they finite?

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
    /// Not even the smallest batch fits into the device's memory.
    #[error("the GPU ran out of memory: {message}")]
    OutOfMemory {
        /// What it said.
        message: String,
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
    #[cfg(feature = "faults")]
    let values = spoil(values);
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(Error::NotFinite { what: what() })
    }
}

#[cfg(feature = "faults")]
thread_local! {
    static SPOIL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Makes the next numbers that are read back begin with one that is not a number.
#[cfg(feature = "faults")]
pub fn spoil_next_read() {
    SPOIL.set(true);
}

#[cfg(feature = "faults")]
fn spoil(mut values: Vec<f64>) -> Vec<f64> {
    if SPOIL.replace(false)
        && let Some(first) = values.first_mut()
    {
        *first = f64::NAN;
    }
    values
}
