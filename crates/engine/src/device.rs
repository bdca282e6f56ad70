//! The one place that creates devices.

use burn::tensor::{DType, Device, TensorCreationOptions};
use twinbeam_attribution::Budget;
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::devices::{DeviceChoice, DeviceReport};

use crate::Error;
#[cfg(feature = "gpu")]
use crate::self_test;
use crate::watch::Watch;

/// Which type of number the CPU computes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Double for small models, single for large ones; always single on a GPU.
    #[default]
    Auto,
    /// Single precision, f32.
    Single,
    /// Double precision, f64.
    Double,
}

/// A device that is ready to use.
#[derive(Debug, Clone)]
pub struct DeviceKind {
    device: Device,
    report: DeviceReport,
    precision: Precision,
    /// Whether the device says what it has computed, for a sample to be computed again elsewhere.
    checked: bool,
    is_software: bool,
    /// How much of the device a batch may take; `None`: what fits a CPU.
    budget: Option<Budget>,
    watch: Watch,
}

impl DeviceKind {
    /// The CPU as a device, with the reason why it computes.
    pub fn cpu(reason: impl Into<String>) -> Self {
        let name = if cfg!(target_family = "wasm") { "CPU (WebAssembly SIMD)" } else { "CPU" };
        let report = DeviceReport { gpu: false, name: name.to_owned(), reason: reason.into() };
        Self {
            device: Device::flex(),
            report,
            precision: Precision::Auto,
            checked: false,
            is_software: false,
            budget: None,
            watch: Watch::default(),
        }
    }

    /// This device with another precision; a GPU stays at single.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// This device, with or without saying what it has computed, for a [`Check`](crate::Check) to compute a sample of
    /// it again. A GPU says so unless told otherwise.
    #[must_use]
    pub fn checked(self, checked: bool) -> Self {
        Self { checked, ..self }
    }

    pub(crate) const fn is_checked(&self) -> bool {
        self.checked
    }

    /// The device that fits a choice, after its self-test.
    ///
    /// # Errors
    /// [`DeviceChoice::Gpu`] where no GPU passes; every other choice ends on the CPU with a reason.
    pub async fn choose(choice: DeviceChoice) -> Result<Self, Error> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu("As you chose.")),
            DeviceChoice::Auto => match gpu(Software::Refused).await {
                Ok(gpu) => Ok(gpu),
                Err(unusable) => Ok(Self::cpu(format!("No usable GPU: {}.", unusable.why))),
            },
            DeviceChoice::Gpu => gpu(Software::Taken).await.map_err(|unusable| {
                let Unusable { why, detail } = unusable;
                Error::Device(detail.map_or(why.clone(), |detail| format!("{why} ({detail})")))
            }),
        }
    }

    /// A GPU, after its self-test: a software adapter only where it was chosen.
    ///
    /// # Errors
    /// Why there is none, as the rest of a sentence.
    pub async fn gpu(choice: DeviceChoice) -> Result<Self, String> {
        let software =
            if choice == DeviceChoice::Gpu { Software::Taken } else { Software::Refused };
        gpu(software).await.map_err(|unusable| unusable.why)
    }

    /// What the device is, and why it was taken.
    pub fn report(&self) -> &DeviceReport {
        &self.report
    }

    /// How often jobs have waited for the device so far: for numbers, for what it has to say of its work, or for both
    /// at once. A CPU is never waited for.
    pub fn waits(&self) -> u64 {
        self.watch.waits()
    }

    /// How tensors of a model are made on the device.
    pub(crate) fn options(&self, shape: &ModelShape) -> TensorCreationOptions {
        let double = match self.precision {
            Precision::Auto => shape.fits_double(),
            Precision::Single => false,
            Precision::Double => true,
        };
        let dtype = if double && !self.report.gpu { DType::F64 } else { DType::F32 };
        TensorCreationOptions::new(self.device.clone()).with_dtype(dtype)
    }

    /// The device that tensors are made on.
    #[cfg(feature = "gpu")]
    pub(crate) const fn device(&self) -> &Device {
        &self.device
    }

    /// Whether the device is a GPU that is a program on the CPU, whose times mean nothing.
    pub fn is_software(&self) -> bool {
        self.is_software
    }

    pub(crate) const fn budget(&self) -> Option<Budget> {
        self.budget
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// Whether a GPU that is a program on the CPU counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Software {
    Taken,
    Refused,
}

/// Why there is no GPU, in words for everyone, and what the driver said of it.
struct Unusable {
    why: String,
    detail: Option<String>,
}

#[cfg(not(feature = "gpu"))]
#[expect(clippy::unused_async, reason = "the same signature as with a GPU")]
async fn gpu(_software: Software) -> Result<DeviceKind, Unusable> {
    Err(Unusable {
        why: "this build does without one: the feature `gpu` builds it in".to_owned(),
        detail: None,
    })
}

/// The GPU, after its self-test.
#[cfg(feature = "gpu")]
async fn gpu(software: Software) -> Result<DeviceKind, Unusable> {
    use burn::tensor::wgpu::wgpu::DeviceType;
    use std::cell::RefCell;

    // Otherwise what is awaited natively is a promise that is kept when the numbers are first looked at: nothing could be
    // timed, and a device that fails then ends the program.
    #[cfg(not(target_family = "wasm"))]
    burn_std::set_runtime_kind(burn_std::RuntimeKind::Async);

    #[derive(Clone)]
    struct Found {
        device: Device,
        watch: Watch,
        name: String,
        device_type: DeviceType,
        budget: Option<Budget>,
    }

    // A runtime that was initialised once cannot be initialised again.
    thread_local! {
        static FOUND: RefCell<Option<Found>> = const { RefCell::new(None) };
    }
    let found = FOUND.with_borrow(Clone::clone);
    let Found { device, watch, name, device_type, budget } = if let Some(found) = found {
        found
    } else {
        #[cfg(feature = "faults")]
        let setup = crate::faults::setup().await;
        #[cfg(not(feature = "faults"))]
        let setup = Device::wgpu_options().init_with_setup_async().await;
        let (device, setup) = setup.map_err(|source| {
            let why = if cfg!(target_family = "wasm") {
                "this browser offers none by WebGPU"
            } else {
                "none was found"
            };
            Unusable { why: why.to_owned(), detail: Some(source.to_string()) }
        })?;
        let info = setup.adapter.get_info();
        // A browser may keep the name to itself.
        let name = if info.name.is_empty() { "GPU".to_owned() } else { info.name };
        let limits = setup.device.limits();
        let buffer = usize::try_from(limits.max_storage_buffer_binding_size);
        let budget = Some(Budget::gpu(buffer.unwrap_or(usize::MAX)));
        let (watch, device_type) = (Watch::gpu(setup.device), info.device_type);
        let found = Found { device, watch, name, device_type, budget };
        FOUND.set(Some(found.clone()));
        found
    };
    let is_software = device_type == DeviceType::Cpu;
    #[cfg(feature = "faults")]
    let is_software = is_software && !crate::faults::is_hardware();
    if is_software && software == Software::Refused {
        let why = format!(
            "{name} is a software adapter, slower than the CPU path; choose GPU to use it all the same"
        );
        return Err(Unusable { why, detail: None });
    }
    let options = TensorCreationOptions::new(device.clone()).with_dtype(DType::F32);
    let mut step = watch.begin();
    let worst = self_test(&options)
        .await
        .map_err(|error| Unusable { why: format!("{name} {error}"), detail: None });
    step.next().await.map_err(|error| {
        let why = format!("{name} failed its self-test");
        Unusable { why, detail: Some(error.to_string()) }
    })?;
    let worst = worst?;
    let name = if is_software { format!("{name} (software adapter)") } else { name };
    #[cfg(feature = "faults")]
    let name = if crate::faults::is_limited() { format!("{name}, limited") } else { name };
    let reason = format!("Passed its self-test: {worst:.0e} from the known answers.");
    #[cfg(feature = "faults")]
    let reason = match Box::pin(crate::faults::trial(&device)).await {
        Ok(said) => said.map_or(reason.clone(), |said| format!("{reason} {said}.")),
        Err(why) => return Err(Unusable { why: format!("{name} {why}"), detail: None }),
    };
    let report = DeviceReport { gpu: true, name, reason };
    let precision = Precision::Single;
    Ok(DeviceKind { device, report, precision, checked: true, is_software, budget, watch })
}
