use leptos::prelude::*;
use twinbeam_core::{CheckReport, Kept};

use crate::explain::{percent, sentence};
use crate::models::bytes;
use crate::state::{AppState, Loaded, Origin, Progress, Status};

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
        Status::Done if state.models.waiting.with(Option::is_some) => "From the link".to_owned(),
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
    let model = move || state.loaded.with(|loaded| loaded.as_ref().map(model_words));
    let loading = move || state.loaded.with(|loaded| loaded.as_ref().map(loading_words));
    let memory = move || state.loaded.with(|l| l.as_ref().map(|l| l.memory_bytes.to_string()));
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
                <span data-testid="model-report" data-memory-bytes=memory title=loading>{model}</span>
            </p>
        </div>
    }
}

/// Which model it is, whether it is the real one, and where it is kept.
fn model_words(loaded: &Loaded) -> String {
    let digest: String = loaded.fingerprint.chars().take(12).collect();
    let shape = loaded.shape;
    let verdict = match loaded.as_expected {
        Some(true) => " (verified)",
        Some(false) => " (not the expected weights)",
        None => "",
    };
    let kept = match &loaded.kept {
        Kept::Elsewhere => "",
        Kept::Stored { .. } => ", kept in this browser",
        Kept::Memory { .. } => ", in memory only",
    };
    format!(
        "{}: {} layers, {} heads, {:.1} M parameters, sha256 {digest}…{verdict}{kept}.",
        loaded.identity.title,
        shape.n_layers,
        shape.n_heads,
        shape.n_params() as f64 / 1e6
    )
}

/// What loading it took.
fn loading_words(loaded: &Loaded) -> String {
    let mut words: Vec<String> = loaded
        .seconds
        .iter()
        .map(|(phase, seconds)| format!("{}: {seconds:.1} s", sentence(phase)))
        .collect();
    if let Kept::Stored { fetched, healed } = loaded.kept {
        words.push(format!("Over the network: {}", bytes(fetched)));
        if healed > 0 {
            words.push(format!("Damaged pieces fetched again: {healed}"));
        }
    }
    words.push(format!("Most memory of the worker: {}", bytes(loaded.memory_bytes)));
    words.join("\n")
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

pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{} s", seconds.ceil().max(1.0))
    } else {
        format!("{} min", (seconds / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::committed;

    #[test]
    fn other_weights_are_said_for_as_long_as_they_are_in_use() {
        let stored = Kept::Stored { fetched: 498_000_000, healed: 1 };
        let loaded = Loaded { as_expected: Some(false), kept: stored, ..committed().model };
        let words = model_words(&loaded);
        assert!(words.contains("not the expected weights), kept in this browser"), "{words}");
        let words = loading_words(&loaded);
        assert!(words.contains("498 MB") && words.contains("fetched again: 1"), "{words}");
    }
}
