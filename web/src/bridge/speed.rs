//! How fast the device runs the methods: a job beside the others, which makes way for them.

use leptos::prelude::*;
use twinbeam_core::wire::Request;
use twinbeam_core::wire::devices::Bench;

use super::{finished, next_job, send, with};
use crate::state::AppState;

/// Times the methods on the draft.
pub(crate) fn measure_speed(state: AppState) {
    let job = next_job();
    state.bench.set(None);
    state.bench_progress.set(None);
    state.bench_job.set(Some(job));
    with(|bridge| bridge.silent_seconds.set(0));
    send(&Request::Bench { job, experiment: state.draft.get_untracked() });
}

/// Another job begins: what is timed beside it would say nothing.
pub(super) fn stop(state: AppState) {
    if let Some(job) = state.bench_job.get_untracked() {
        send(&Request::Cancel { job });
        state.bench_job.set(None);
    }
}

/// The device has been measured.
pub(super) fn measured(state: AppState, bench: Bench) {
    finished(state);
    state.bench.set(Some(bench));
}
