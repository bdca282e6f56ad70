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
    /// The program ends after its first strip.
    Trap,
    /// Memory runs out after the first strip.
    OutOfMemory,
    /// The program does not come back after its first strip.
    Hang,
    /// A number that is read back is not one.
    Nan,
    /// The GPU refuses a piece of work.
    Validation,
    /// The GPU goes away.
    Lost,
    /// The device's integrated gradients are off.
    Wrong,
    /// The device's answers to the self-test are off.
    SelfTest,
    /// The worker says that it is of another build.
    Build,
}

thread_local! {
    static ARMED: Cell<Option<Fault>> = const { Cell::new(None) };
    static ASKED: Cell<bool> = const { Cell::new(false) };
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
        "lost" => Some(Fault::Lost),
        "wrong" => Some(Fault::Wrong),
        "self-test" => Some(Fault::SelfTest),
        "build" => Some(Fault::Build),
        _ => None,
    });
}

/// Whether the worker is to say that it is of another build.
pub fn is_of_another_build() -> bool {
    strikes(Fault::Build)
}

/// Within a step of a job.
pub(crate) fn in_step(step: &Step) {
    if strikes(Fault::Nan) {
        spoil_next_read();
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
        }
    }
    #[cfg(not(feature = "gpu"))]
    let _: &Step = step;
}

/// After a strip has been sent.
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

/// Before what the device computed is checked.
pub(crate) fn spoil_integrals(table: &mut [LayerIntegral]) {
    if strikes(Fault::Wrong) {
        for score in table.iter_mut().flat_map(|integral| &mut integral.ig) {
            *score *= 1.1;
        }
    }
}

/// Before the answers to the self-test are compared.
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
