//! The one place that creates devices.

use burn::tensor::{DType, Device, TensorCreationOptions};
use twinbeam_core::{DeviceChoice, DeviceReport, ModelShape};

use crate::Error;
#[cfg(feature = "gpu")]
use crate::self_test;

/// Models up to this size are computed in double precision on the CPU: scores are small differences
/// of large numbers, and for a small model the digits cost little. Above it, f32.
const DOUBLE_PRECISION_PARAMS: usize = 20_000_000;

/// Which type of number the CPU computes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Double for small models, single for large ones; always single on a GPU.
    #[default]
    Auto,
    /// f32.
    Single,
    /// f64.
    Double,
}

/// A device that is ready to use.
#[derive(Debug, Clone)]
pub struct DeviceKind {
    device: Device,
    report: DeviceReport,
    precision: Precision,
}

impl DeviceKind {
    /// The CPU, and why.
    pub fn cpu(reason: impl Into<String>) -> Self {
        let name = if cfg!(target_family = "wasm") { "CPU (WebAssembly SIMD)" } else { "CPU" };
        let report = DeviceReport { gpu: false, name: name.to_owned(), reason: reason.into() };
        Self { device: Device::flex(), report, precision: Precision::Auto }
    }

    /// The same with another precision; a GPU stays at single.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The device that fits a choice, after its self-test.
    ///
    /// # Errors
    /// [`DeviceChoice::Gpu`] where no GPU passes; every other choice ends on the CPU with a reason.
    pub async fn choose(choice: DeviceChoice) -> Result<Self, Error> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu("chosen")),
            DeviceChoice::Auto => match gpu().await {
                Ok((gpu, false)) => Ok(gpu),
                Ok((gpu, true)) => Ok(Self::cpu(format!(
                    "{} is a software adapter, slower than the CPU path; it can be chosen",
                    gpu.report.name
                ))),
                Err(error) => Ok(Self::cpu(format!("no usable GPU: {error}"))),
            },
            DeviceChoice::Gpu => Ok(gpu().await?.0),
        }
    }

    /// Where it is, and why there.
    pub fn report(&self) -> &DeviceReport {
        &self.report
    }

    /// How tensors of a model are made on it.
    pub(crate) fn options(&self, shape: &ModelShape) -> TensorCreationOptions {
        let double = match self.precision {
            Precision::Auto => shape.n_params() <= DOUBLE_PRECISION_PARAMS,
            Precision::Single => false,
            Precision::Double => true,
        };
        let dtype = if double && !self.report.gpu { DType::F64 } else { DType::F32 };
        TensorCreationOptions::new(self.device.clone()).with_dtype(dtype)
    }
}

#[cfg(not(feature = "gpu"))]
#[expect(clippy::unused_async, reason = "the same signature as with a GPU")]
async fn gpu() -> Result<(DeviceKind, bool), Error> {
    Err(Error::Device("this build has no GPU support".to_owned()))
}

/// The GPU after its self-test, and whether it is software.
#[cfg(feature = "gpu")]
async fn gpu() -> Result<(DeviceKind, bool), Error> {
    use std::cell::RefCell;

    // A runtime that was initialised once cannot be initialised again.
    thread_local! {
        static READY: RefCell<Option<(DeviceKind, bool)>> = const { RefCell::new(None) };
    }
    if let Some(ready) = READY.with_borrow(Clone::clone) {
        return Ok(ready);
    }
    let (device, setup) = Device::wgpu_options()
        .init_with_setup_async()
        .await
        .map_err(|source| Error::Device(source.to_string()))?;
    let info = setup.adapter.get_info();
    // A browser may keep the name to itself.
    let name = if info.name.is_empty() { "GPU".to_owned() } else { info.name.clone() };
    let software = info.device_type == burn::tensor::wgpu::wgpu::DeviceType::Cpu;
    let worst = self_test(&TensorCreationOptions::new(device.clone()).with_dtype(DType::F32)).await?;
    let report = DeviceReport {
        gpu: true,
        name,
        reason: format!("passed its self-test: {worst:.0e} from the known answers"),
    };
    let ready = (DeviceKind { device, report, precision: Precision::Single }, software);
    READY.set(Some(ready.clone()));
    Ok(ready)
}
