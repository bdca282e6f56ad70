//! Which device a job goes to: the visitor's choice, else where it is expected to be done sooner.

use serde::{Deserialize, Serialize};

use crate::models::ModelShape;
use crate::wire::devices::{DeviceChoice, DeviceReport};

/// What a job asks of a device, counted and not measured.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Work {
    /// Floating-point operations.
    pub operations: f64,
    /// Programs that a GPU is told to run; a CPU needs none.
    pub dispatches: f64,
}

/// How fast a device was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Floating-point operations per second within large products.
    pub operations_per_second: f64,
    /// Seconds that each dispatch takes, however small; 0 on a CPU.
    pub seconds_per_dispatch: f64,
}

impl Speed {
    /// Most that one job changes what is expected of the next: it may have been interrupted.
    const MOST_LEARNT: f64 = 4.0;

    /// The speed that a CPU in a browser reaches, about, before anything was measured on this one.
    pub const BROWSER_CPU: Self = Self { operations_per_second: 1.5e10, seconds_per_dispatch: 0.0 };

    /// The speed of a CPU that took so many seconds for some work.
    fn of_cpu(work: Work, seconds: f64) -> Option<Self> {
        let operations_per_second = work.operations / seconds;
        let found = Self { operations_per_second, seconds_per_dispatch: 0.0 };
        found.is_possible().then_some(found)
    }

    /// Seconds that some work is expected to take.
    pub fn seconds(&self, work: Work) -> f64 {
        let Self { operations_per_second, seconds_per_dispatch } = self;
        work.operations / operations_per_second.max(1.0) + work.dispatches * seconds_per_dispatch
    }

    /// The speed of the device after a job that took so many seconds: halfway from what was expected to what was found.
    #[must_use]
    pub fn after(self, work: Work, seconds: f64) -> Self {
        let expected = self.seconds(work);
        if !(expected > 0.0 && seconds > 0.0) {
            return self;
        }
        let slower = (seconds / expected).clamp(1.0 / Self::MOST_LEARNT, Self::MOST_LEARNT).sqrt();
        Self {
            operations_per_second: self.operations_per_second / slower,
            seconds_per_dispatch: self.seconds_per_dispatch * slower,
        }
    }

    /// The speed of a CPU of which something may be known, after some work. The first run of a program is its slowest, and
    /// others may want the processor too: a faster run is believed, a slower one counts half. `None`: nothing was known, and
    /// the work says nothing.
    #[must_use]
    pub fn learn_cpu(known: Option<Self>, work: Work, seconds: f64) -> Option<Self> {
        let found = Self::of_cpu(work, seconds);
        let is_faster =
            |found: &Self, known: &Self| found.operations_per_second > known.operations_per_second;
        match (known, found) {
            (Some(known), Some(found)) if !is_faster(&found, &known) => {
                Some(known.after(work, seconds))
            }
            (known, found) => found.or(known),
        }
    }

    /// Whether the numbers can be a device's: they may come from a browser's storage.
    pub fn is_possible(&self) -> bool {
        let Self { operations_per_second, seconds_per_dispatch } = *self;
        (1e3..1e18).contains(&operations_per_second) && (0.0..10.0).contains(&seconds_per_dispatch)
    }
}

/// What is known of the visitor's GPU.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuState {
    /// Nobody has asked for it: the visitor wants the CPU.
    #[default]
    Unwanted,
    /// The GPU is being made ready beside the work: its self-test, its copy of the model, its speed.
    Warming,
    /// The GPU has passed its self-test and holds the model.
    Ready {
        /// Name of the GPU, and what the self-test said.
        report: DeviceReport,
        /// Speed of the GPU; `None`: it was chosen, so nobody has measured it yet.
        speed: Option<Speed>,
        /// Seconds until it was ready.
        seconds: f64,
        /// Most memory that its worker has had while loading, in bytes; its own is not counted.
        memory_bytes: u64,
    },
    /// The GPU is not used.
    Unused {
        /// Why, as the rest of a sentence.
        why: String,
    },
}

/// Why a job runs where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The visitor has chosen the device.
    Chosen,
    /// The job is expected to be done sooner there.
    Sooner,
    /// The GPU is not ready yet, and nobody waits for it.
    FirstReady,
    /// There is no other device.
    Only,
}

/// Where a job runs, with what is expected of both devices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// On the GPU, or on the CPU.
    pub gpu: bool,
    /// Why.
    pub because: Because,
    /// Seconds that the CPU is expected to take, where it holds the model.
    pub cpu_seconds: Option<f64>,
    /// Seconds that the GPU is expected to take, where it is ready.
    pub gpu_seconds: Option<f64>,
    /// Workers that compute at once, each on a core of its own.
    pub workers: usize,
}

impl Placement {
    /// Where some work goes. `cpu`: how fast the CPU is, where it holds the model.
    pub fn of(work: Work, choice: DeviceChoice, cpu: Option<Speed>, gpu: &GpuState) -> Self {
        let cpu_seconds = cpu.map(|speed| speed.seconds(work));
        let gpu_seconds = match gpu {
            GpuState::Ready { speed, .. } => speed.map(|speed| speed.seconds(work)),
            GpuState::Unwanted | GpuState::Warming | GpuState::Unused { .. } => None,
        };
        let is_ready = matches!(gpu, GpuState::Ready { .. });
        let (gpu, because) = match (choice, cpu_seconds, gpu_seconds) {
            (DeviceChoice::Cpu, Some(_), _) => (false, Because::Chosen),
            (DeviceChoice::Gpu, Some(_), _) if is_ready => (true, Because::Chosen),
            (DeviceChoice::Auto, Some(cpu), Some(gpu)) => (gpu < cpu, Because::Sooner),
            (_, Some(_), _) if *gpu == GpuState::Warming => (false, Because::FirstReady),
            (_, Some(_), _) => (false, Because::Only),
            (_, None, _) => (true, Because::Only),
        };
        Self { gpu, because, cpu_seconds, gpu_seconds, workers: 1 }
    }
}

impl DeviceReport {
    /// What a speed is remembered by: how fast a device is depends on how wide a model's products are.
    pub fn speed_name(&self, shape: &ModelShape) -> String {
        format!("{}, d_model {}", self.name, shape.d_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: Speed = Speed { operations_per_second: 1e10, seconds_per_dispatch: 0.0 };
    const GPU: Speed = Speed { operations_per_second: 1e13, seconds_per_dispatch: 1e-4 };

    fn ready() -> GpuState {
        let report = DeviceReport { gpu: true, name: "a GPU".into(), reason: String::new() };
        GpuState::Ready { report, speed: Some(GPU), seconds: 1.0, memory_bytes: 0 }
    }

    fn placed(work: Work, choice: DeviceChoice, gpu: &GpuState) -> (bool, Because) {
        let Placement { gpu, because, .. } = Placement::of(work, choice, Some(CPU), gpu);
        (gpu, because)
    }

    #[test]
    fn a_small_job_stays_on_the_cpu_and_a_large_one_goes_to_the_gpu() {
        let small = Work { operations: 1e9, dispatches: 4000.0 };
        let large = Work { operations: 1e13, dispatches: 4000.0 };
        assert_eq!(placed(small, DeviceChoice::Auto, &ready()), (false, Because::Sooner));
        assert_eq!(placed(large, DeviceChoice::Auto, &ready()), (true, Because::Sooner));
        let Placement { cpu_seconds, gpu_seconds, .. } =
            Placement::of(large, DeviceChoice::Auto, Some(CPU), &ready());
        assert_eq!((cpu_seconds, gpu_seconds), (Some(1000.0), Some(1.4)));
    }

    #[test]
    fn a_choice_wins_and_nobody_waits_for_a_gpu() {
        let small = Work { operations: 1e9, dispatches: 4000.0 };
        let large = Work { operations: 1e13, dispatches: 0.0 };
        assert_eq!(placed(small, DeviceChoice::Gpu, &ready()), (true, Because::Chosen));
        assert_eq!(placed(large, DeviceChoice::Cpu, &ready()), (false, Because::Chosen));
        let warming = placed(large, DeviceChoice::Auto, &GpuState::Warming);
        assert_eq!(warming, (false, Because::FirstReady));
        let unused = GpuState::Unused { why: "none".into() };
        assert_eq!(placed(large, DeviceChoice::Gpu, &unused), (false, Because::Only));
        let alone = Placement::of(small, DeviceChoice::Auto, None, &ready());
        assert_eq!((alone.gpu, alone.because), (true, Because::Only));
    }

    #[test]
    fn a_device_is_known_better_after_each_job() {
        let work = Work { operations: 1e10, dispatches: 100.0 };
        let mut speed = GPU;
        for _ in 0..20 {
            speed = speed.after(work, 3.0);
        }
        assert!((speed.seconds(work) - 3.0).abs() < 1e-3, "{}", speed.seconds(work));
        let once = GPU.after(work, 1e6);
        assert!(once.seconds(work) <= 2.001 * GPU.seconds(work), "a job that was held up");
        assert_eq!(GPU.after(work, f64::NAN), GPU);
        assert!(GPU.is_possible() && speed.is_possible());
        // The first run is believed, and so is a faster one; a slower one may have been held up.
        let learn = |known, seconds| Speed::learn_cpu(known, work, seconds);
        let (first, faster) = (learn(None, 4.0), learn(learn(None, 4.0), 1.0));
        assert_eq!(first.map(|speed| speed.seconds(work)), Some(4.0));
        assert_eq!(faster.map(|speed| speed.seconds(work)), Some(1.0));
        assert_eq!(learn(faster, 4.0).map(|speed| speed.seconds(work)), Some(2.0));
        assert_eq!((learn(None, 0.0), learn(faster, f64::NAN)), (None, faster));
        assert!(!Speed { operations_per_second: f64::NAN, ..GPU }.is_possible());
    }
}
