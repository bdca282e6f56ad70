//! What the page makes of what its worker says of the GPU: where a job goes, whether the check confirms it, and what
//! becomes of the figure if not.

use leptos::prelude::*;
use twinbeam_core::wire::Problem;
use twinbeam_core::wire::devices::{
    CheckReport, DeviceChoice, DeviceReport, GpuState, Placement, Speed,
};
use twinbeam_core::words::ComponentKind;

use super::{finished, run, run_first, run_neurons, with};
use crate::explain;
use crate::memory::Memory;
use crate::state::{AppState, Committed, Origin};

/// Where speeds of GPUs are remembered for the next visits.
const SPEEDS: &str = "twinbeam-gpu-speeds";
/// Most adapters, and widths of models on them, that are remembered.
const MOST_SPEEDS: usize = 12;

/// How fast GPUs were found to be on earlier visits.
pub(super) fn speeds() -> Vec<(String, Speed)> {
    let kept = Memory::Lasting.get(SPEEDS);
    kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Something new is known of the GPU.
pub(super) fn gpu(state: AppState, gpu: GpuState) {
    match &gpu {
        GpuState::Ready { report, speed: Some(speed), .. } => remember(state, report, *speed),
        GpuState::Unused { why } if state.device_choice.get_untracked() == DeviceChoice::Gpu => {
            state.notice.set(Some(explain::device::refused(why)));
        }
        _ => {}
    }
    state.gpu.set(gpu);
}

fn remember(state: AppState, report: &DeviceReport, speed: Speed) {
    let Some(shape) = state.loaded.with_untracked(|loaded| loaded.as_ref().map(|l| l.shape)) else {
        return;
    };
    let name = report.speed_name(&shape);
    let mut speeds = speeds();
    speeds.retain(|(known, _)| *known != name);
    speeds.insert(0, (name, speed));
    speeds.truncate(MOST_SPEEDS);
    if let Ok(text) = serde_json::to_string(&speeds) {
        Memory::Lasting.set(SPEEDS, &text);
    }
}

/// It is decided where a job runs.
pub(super) fn placed(state: AppState, job: u64, device: DeviceReport, placement: Placement) {
    if state.neuron_job.get_untracked() == Some(job) {
        let on = device.clone();
        state.committed.update(|committed| {
            if let Some(committed) = committed {
                committed.neurons_on = Some(on).filter(|on| *on != committed.model.device);
            }
        });
    }
    state.placed.set(Some((device, placement)));
}

/// The GPU has failed, and the CPU begins the same job anew.
pub(super) fn moved(state: AppState, job: u64, problem: &Problem) {
    if state.neuron_job.get_untracked() == Some(job) {
        state.committed.update(|committed| {
            if let Some(committed) = committed {
                committed.drop_neurons();
            }
        });
    }
    state.notice.set(Some(explain::device::moved(problem)));
}

/// A job of the figure on the screen is being checked from now on.
pub(super) fn checking(state: AppState, job: u64) {
    state.committed.update(|committed| {
        if let Some(committed) = committed {
            committed.checking.push(job);
        }
    });
}

/// The CPU agrees. Whether it was a job of the figure on the screen.
pub(super) fn checked(state: AppState, job: u64, report: CheckReport) -> bool {
    let mut is_of_figure = false;
    state.committed.update(|committed| {
        let Some(committed) = committed.as_mut().filter(|c| c.checking.contains(&job)) else {
            return;
        };
        is_of_figure = true;
        committed.checking.retain(|checking| *checking != job);
        if let Origin::Device { checked } = &mut committed.origin {
            // What one job's check says joins what the one before it said: the worst counts.
            let before = checked.unwrap_or_default();
            let (worst, values) = (before.worst.max(report.worst), before.values + report.values);
            // Nothing was compared where the CPU could not compute it.
            *checked = (values > 0).then_some(CheckReport { worst, values });
        }
    });
    is_of_figure
}

/// The CPU does not agree: what the job has drawn is taken back, and the CPU computes it.
pub(super) fn withdrawn(state: AppState, job: u64, problem: &Problem) {
    let of_heads = state.job.get_untracked() == Some(job);
    let of_neurons = state.neuron_job.get_untracked() == Some(job);
    let of_figure =
        state.committed.with_untracked(|c| c.as_ref().is_some_and(|c| c.checking.contains(&job)));
    if !(of_heads || of_neurons || of_figure) {
        return;
    }
    finished(state);
    let experiment = state.committed.with_untracked(|c| c.as_ref().map(|c| c.experiment.clone()));
    let only_neurons = |c: &Committed| !c.model.device.gpu && c.is_complete(ComponentKind::Heads);
    if state.committed.with_untracked(|c| c.as_ref().is_some_and(only_neurons)) {
        state.committed.update(|committed| {
            if let Some(committed) = committed {
                committed.drop_neurons();
                committed.checking.clear();
            }
        });
        run_neurons(state);
    } else {
        if !state.is_from_link() {
            state.committed.set(None);
        }
        if let Some(experiment) = experiment {
            run_first(experiment);
        }
        run(state, false);
    }
    state.notice.set(Some(explain::device::withdrawn(problem)));
    with(|bridge| bridge.previous.take());
}
