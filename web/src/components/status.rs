use leptos::prelude::*;
use twinbeam_core::CheckReport;

use crate::explain::{percent, sentence};
use crate::state::{AppState, Origin, Progress, Status};

/// What is happening, how long it will take, and where it is computed.
#[component]
pub(crate) fn StatusLine(state: AppState) -> impl IntoView {
    let fraction = move || {
        let progress = state.progress.get().filter(|progress| progress.total > 0);
        progress.map(|progress| progress.done as f64 / progress.total as f64)
    };
    let words = move || match state.status() {
        Status::Loading => state.progress.get().map_or_else(|| "Starting".to_owned(), in_progress),
        Status::Running => state.progress.get().map_or_else(|| "Running".to_owned(), in_progress),
        Status::Done => match state.seconds.get() {
            Some(seconds) => format!("Done in {seconds:.1} s"),
            None => "Done".to_owned(),
        },
        Status::Stale if state.committed.with(Option::is_none) => "Ready to run".to_owned(),
        Status::Stale => {
            "The inputs have changed: the maps are out of date until you run again".to_owned()
        }
        Status::Error => "Stopped by an error".to_owned(),
    };
    let device = move || {
        state.loaded.with(|loaded| {
            loaded
                .as_ref()
                .map(|loaded| format!("{}. {}", loaded.device.name, loaded.device.reason))
        })
    };
    let checked = move || {
        state.committed.with(|committed| {
            let committed = committed.as_ref().filter(|c| c.model.device.gpu)?;
            match committed.origin {
                Origin::Link => None,
                Origin::Device { checked: Some(CheckReport { worst, values }) } => {
                    let worst = percent(worst);
                    Some(format!(
                        "A sample of {values} numbers was computed again on the CPU: the worst is off by {worst} of the largest."
                    ))
                }
                Origin::Device { checked: None } if state.job.get().is_some() => None,
                Origin::Device { checked: None } => {
                    Some("This result was not checked against the CPU.".to_owned())
                }
            }
        })
    };
    let model = move || {
        state.loaded.with(|loaded| {
            loaded.as_ref().map(|loaded| {
                let digest: String = loaded.fingerprint.chars().take(12).collect();
                let shape = loaded.shape;
                format!(
                    "Model mini: {} layers, {} heads, {:.1} M parameters, sha256 {digest}…",
                    shape.n_layers,
                    shape.n_heads,
                    shape.n_params() as f64 / 1e6
                )
            })
        })
    };
    view! {
        <div class="status-line">
            <p
                class="status"
                data-testid="status"
                data-state=move || state.status().id()
                role="status"
            >
                {words}
            </p>
            <progress
                aria-label="Progress"
                max="1"
                prop:value=move || fraction().unwrap_or(0.0)
                class:idle=move || fraction().is_none()
            ></progress>
            <p class="source">
                <span data-testid="device-report">{device}</span>
                " "
                <span data-testid="gpu-check">{checked}</span>
                " "
                <span>{model}</span>
            </p>
        </div>
    }
}

/// Phase, share and the time that is left at the speed so far.
pub(crate) fn in_progress(progress: Progress) -> String {
    let Progress { phase, done, total, seconds } = progress;
    let phase = sentence(phase.label());
    if total == 0 {
        return phase;
    }
    let share = 100.0 * done as f64 / total as f64;
    // Before a twentieth is done the estimate is a guess.
    if done == 0 || share < 5.0 {
        return format!("{phase}: {share:.0} %");
    }
    let left = seconds * (total - done) as f64 / done as f64;
    format!("{phase}: {share:.0} %, about {} left", duration(left))
}

fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{} s", seconds.ceil().max(1.0))
    } else {
        format!("{} min", (seconds / 60.0).ceil())
    }
}
