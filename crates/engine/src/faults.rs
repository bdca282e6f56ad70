//! Faults that a test asks for by name. Each strikes once, at its place, in this worker; a build
//! without the feature `faults` has none of this.

use std::cell::Cell;
use std::hint::black_box;

use twinbeam_attribution::{LayerIntegral, spoil_next_read};

use crate::watch::Step;

/// Bytes that [`Fault::OutOfMemory`] takes at a time.
const PIECE: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The program ends after its first strip, or the first share of somebody else's job.
    Trap,
    /// Memory runs out after the first strip.
    OutOfMemory,
    /// The program does not come back after its first strip.
    Hang,
    /// A number that is read back is not one.
    Nan,
    /// The GPU refuses a piece of work.
    Validation,
    /// A batch does not fit into the GPU's memory.
    Memory,
    /// The GPU goes away.
    Lost,
    /// The device's integrated gradients are off.
    Wrong,
    /// The device's answers to the self-test are off.
    SelfTest,
    /// The GPU binds no more than every GPU must.
    Limits,
    /// The worker says that it is of another build.
    Build,
    /// A software adapter counts as a real one.
    Hardware,
    /// Every model is too large to be held on the CPU beside a GPU.
    Alone,
    /// No fault: the GPU's kernels are compared with their definitions before it is taken.
    Kernels,
}

thread_local! {
    static ARMED: Cell<Option<Fault>> = const { Cell::new(None) };
    static ASKED: Cell<bool> = const { Cell::new(false) };
    static LIMITED: Cell<bool> = const { Cell::new(false) };
    static RAN_OUT: Cell<bool> = const { Cell::new(false) };
}

/// Takes the name of a fault. Only the first one counts, and a name that is none is none.
pub fn arm(name: &str) {
    if ASKED.replace(true) {
        return;
    }
    ARMED.set(match name.trim() {
        "trap" => Some(Fault::Trap),
        "oom" => Some(Fault::OutOfMemory),
        "hang" => Some(Fault::Hang),
        "nan" => Some(Fault::Nan),
        "validation" => Some(Fault::Validation),
        "memory" => Some(Fault::Memory),
        "lost" => Some(Fault::Lost),
        "wrong" => Some(Fault::Wrong),
        "self-test" => Some(Fault::SelfTest),
        "limits" => Some(Fault::Limits),
        "build" => Some(Fault::Build),
        "hardware" => Some(Fault::Hardware),
        "alone" => Some(Fault::Alone),
        "kernels" => Some(Fault::Kernels),
        _ => None,
    });
}

/// Whether the worker is to say that it is of another build.
pub fn is_of_another_build() -> bool {
    strikes(Fault::Build)
}

/// A GPU, with the limits that WebGPU guarantees where a test asks for them.
#[cfg(feature = "gpu")]
pub(crate) async fn setup()
-> Result<(burn::tensor::Device, burn::tensor::wgpu::WgpuSetup), burn::tensor::wgpu::WgpuInitError>
{
    use burn::tensor::Device;
    use burn::tensor::wgpu::WgpuSetup;
    use burn::tensor::wgpu::wgpu::{DeviceDescriptor, Instance, Limits, RequestAdapterOptions};

    if !strikes(Fault::Limits) {
        return Device::wgpu_options().init_with_setup_async().await;
    }
    let instance = Instance::default();
    // OK because a test that asks for this has an adapter.
    let adapter = instance.request_adapter(&RequestAdapterOptions::default()).await;
    let adapter = adapter.expect("an adapter");
    let most = adapter.limits();
    let required_limits = Limits {
        // How much work a group shares is taken from the adapter by cubecl, whatever the device says.
        max_compute_invocations_per_workgroup: most.max_compute_invocations_per_workgroup,
        max_compute_workgroup_size_x: most.max_compute_workgroup_size_x,
        max_compute_workgroup_size_y: most.max_compute_workgroup_size_y,
        max_compute_workgroup_size_z: most.max_compute_workgroup_size_z,
        max_compute_workgroups_per_dimension: most.max_compute_workgroups_per_dimension,
        ..Limits::default()
    };
    let required_features = adapter.features();
    let wanted = DeviceDescriptor { required_features, required_limits, ..Default::default() };
    let (device, queue) = adapter.request_device(&wanted).await.expect("a device");
    assert_eq!(device.limits().max_storage_buffer_binding_size, 128 << 20);
    let backend = adapter.get_info().backend;
    LIMITED.set(true);
    let setup = WgpuSetup { instance, adapter, device, queue, backend };
    let registered = Device::wgpu_options().setup(setup.clone()).init()?;
    Ok((registered, setup))
}

/// Whether every model is to count as too large for a second copy.
pub fn is_alone() -> bool {
    strikes(Fault::Alone)
}

/// Whether a software adapter is to count as a real one.
#[cfg(feature = "gpu")]
pub(crate) fn is_hardware() -> bool {
    ARMED.get() == Some(Fault::Hardware)
}

/// Whether the GPU has the limits that WebGPU guarantees, and no more.
#[cfg(feature = "gpu")]
pub(crate) fn is_limited() -> bool {
    LIMITED.get()
}

/// What a comparison of the GPU's kernels with their definitions says, where a test asks for it.
///
/// # Errors
/// A kernel that is off, or none that was compared.
#[cfg(feature = "gpu")]
pub(crate) async fn trial(device: &burn::tensor::Device) -> Result<Option<String>, String> {
    if !strikes(Fault::Kernels) {
        return Ok(None);
    }
    let found = twinbeam_gpt2::trial(device).await?;
    let worst = found.iter().max_by(|a, b| a.worst.total_cmp(&b.worst));
    let worst = worst.ok_or("no kernel was compared")?;
    let (n, off) = (found.len(), worst.worst);
    if off > twinbeam_gpt2::KERNEL_TOLERANCE {
        return Err(format!("has a kernel that is off by {off:.1e}: {}", worst.name));
    }
    Ok(Some(format!("{n} comparisons of kernels, the worst off by {off:.1e}")))
}

/// What the GPU says of memory that ran out within the step before.
#[cfg(feature = "gpu")]
pub(crate) fn memory_ran_out() -> Option<String> {
    RAN_OUT.take().then(|| "a fault: out of memory".to_owned())
}

/// Strikes within a step of a job. Whether something has happened to the device that it is to be asked about.
pub(crate) fn in_step(step: &Step) -> bool {
    if strikes(Fault::Nan) {
        spoil_next_read();
    }
    if strikes(Fault::Memory) {
        RAN_OUT.set(true);
    }
    #[cfg(feature = "gpu")]
    if let Some(device) = step.device() {
        use burn::tensor::wgpu::wgpu::{BufferDescriptor, BufferUsages};
        if strikes(Fault::Validation) {
            // What the host reads cannot be what a shader writes.
            let usage = BufferUsages::MAP_READ | BufferUsages::STORAGE;
            let (label, size, mapped_at_creation) = (Some("a fault"), 4, false);
            drop(device.create_buffer(&BufferDescriptor {
                label,
                size,
                usage,
                mapped_at_creation,
            }));
        }
        if strikes(Fault::Lost) {
            device.destroy();
            return true;
        }
    }
    #[cfg(not(feature = "gpu"))]
    let _: &Step = step;
    false
}

/// Strikes after a strip has been sent.
pub(crate) fn after_strip() {
    if strikes(Fault::Trap) {
        std::process::abort();
    }
    if strikes(Fault::OutOfMemory) {
        exhaust();
    }
    if strikes(Fault::Hang) {
        hang();
    }
}

/// Spoils what a device that is checked says of a layer.
pub(crate) fn spoil_integral(mut integral: LayerIntegral, is_checked: bool) -> LayerIntegral {
    if is_checked && ARMED.get() == Some(Fault::Wrong) {
        integral.ig.iter_mut().for_each(|score| *score *= 1.1);
    }
    integral
}

/// Strikes before the answers to the self-test are compared.
pub(crate) fn spoil_answers(answers: &mut [(&'static str, Vec<f32>)]) {
    if strikes(Fault::SelfTest) {
        for value in answers.iter_mut().flat_map(|(_, values)| values) {
            *value *= 1.1;
        }
    }
}

fn strikes(fault: Fault) -> bool {
    let here = ARMED.get() == Some(fault);
    if here {
        ARMED.set(None);
    }
    here
}

fn exhaust() -> ! {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(black_box(Vec::with_capacity(PIECE)));
    }
}

fn hang() -> ! {
    loop {
        std::hint::spin_loop();
    }
}
