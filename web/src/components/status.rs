//! The line that says what is happening, how long it will take, and where it is computed.

use leptos::prelude::*;
use twinbeam_core::wire::devices::GpuState;
use twinbeam_core::wire::{Kept, LoadPart};

use super::run::RunButtons;
use crate::explain;
use crate::explain::{in_progress, program};
use crate::reactive::{dynamic, live};
use crate::state::AppState;
use crate::values::{Job, Loaded, Status, bytes};

/// Run, and what is happening: how far it is and how long it will take.
#[component]
pub(crate) fn RunLine(state: AppState) -> impl IntoView {
    let now = move || {
        state
            .progress_of(Job::Heads)
            .or_else(|| state.loading.get())
            .or_else(|| state.program.get())
    };
    let fraction = move || {
        let progress = now().filter(|progress| progress.total > 0);
        progress.map(|progress| progress.done as f64 / progress.total as f64)
    };
    let words = move || match state.status() {
        Status::Loading => match (state.loading.get(), state.program.get()) {
            (Some(loading), _) => in_progress(loading),
            (None, Some(coming)) => program(coming),
            (None, None) => "Starting".to_owned(),
        },
        Status::Running => now().map_or_else(|| "Running".to_owned(), in_progress),
        Status::Done if state.models.waiting.with(Option::is_some) => "From the link".to_owned(),
        Status::Done => explain::done(state.seconds.get(), state.job.get(), state.progress.get()),
        Status::Stale if state.committed.with(Option::is_none) => "Ready to run".to_owned(),
        Status::Stale => of_another_model(state).unwrap_or_else(|| {
            "The inputs have changed: the maps are out of date until you run again".to_owned()
        }),
        Status::Error => "Stopped by an error".to_owned(),
    };
    view! {
        <div class="run-line">
            <div class="buttons"><RunButtons state /></div>
            <p
                class="status"
                data-testid="status"
                data-state=live(move || state.status().id())
                role="status"
                // Nobody wants to hear each percent.
                aria-live=live(move || if state.is_busy() { "off" } else { "polite" })
            >
                {dynamic(words)}
            </p>
            <progress
                aria-label="Progress"
                max="1"
                prop:value=live(move || fraction().unwrap_or(0.0))
                class:idle=live(move || fraction().is_none())
            ></progress>
        </div>
    }
}

/// Where the figure was computed, whether that was checked, and of which model it is.
#[component]
pub(super) fn Provenance(state: AppState) -> impl IntoView {
    let device = move || {
        let loaded = state.loaded.with(|loaded| loaded.as_ref().map(|l| l.device.clone()));
        let device = loaded?;
        let line = |gpu: &_| {
            state.placed.with(|placed| explain::device::line(&device, gpu, placed.as_ref()))
        };
        Some(state.gpu.with(line))
    };
    let checked = move || {
        let (report, is_checking) = state.checked.get()?;
        Some(explain::device::checked(report, is_checking))
    };
    let gpu_memory = move || match state.gpu.get() {
        GpuState::Ready { memory_bytes, .. } => Some(memory_bytes.to_string()),
        GpuState::Unwanted | GpuState::Warming | GpuState::Unused { .. } => None,
    };
    let model = move || state.loaded.with(|loaded| loaded.as_deref().map(model_words));
    let loading = move || state.loaded.with(|loaded| loaded.as_deref().map(loading_words));
    let memory = move || state.loaded.with(|l| l.as_ref().map(|l| l.memory_bytes.to_string()));
    view! {
        <p class="source">
            <span data-testid="device-report" data-gpu-memory-bytes=live(gpu_memory)>{dynamic(device)}</span>
            " "
            <span data-testid="gpu-check" aria-live="polite">{dynamic(checked)}</span>
            " "
            <span data-testid="model-report" data-memory-bytes=live(memory) title=live(loading)>{dynamic(model)}</span>
        </p>
    }
}

/// A sentence that the figure is of another model than the one in use, if it is.
fn of_another_model(state: AppState) -> Option<String> {
    state.committed.with(|committed| {
        let of = &committed.as_ref()?.model;
        state.loaded.with(|loaded| {
            let in_use = loaded.as_ref().filter(|in_use| is_another(of, in_use))?;
            // A link knows no more than the name in the list.
            let listed = state.models.find(&of.identity.id).map(|model| model.title);
            let title = listed.unwrap_or_else(|| of.identity.title.clone());
            Some(other_model_words(&title, &in_use.identity.title))
        })
    })
}

/// Whether two models differ in name or weights.
fn is_another(of: &Loaded, in_use: &Loaded) -> bool {
    of.identity.id != in_use.identity.id || !of.has_weights_of(in_use)
}

/// Whose figure it is, and whose the next one will be.
fn other_model_words(of: &str, in_use: &str) -> String {
    if of == in_use {
        format!("This figure is of other weights named {of}; Run computes those in use")
    } else {
        format!("This figure is of {of}; Run computes {in_use}’s")
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
    let of = loaded.shards.map_or_else(String::new, |n| format!(" of the digests of {n} files"));
    format!(
        "{}: {} layers, {} heads, {:.1} M parameters, sha256 {digest}…{of}{verdict}{kept}.",
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
        .map(|(part, seconds)| match part {
            LoadPart::Device => format!("Device: {seconds:.1} s"),
            LoadPart::Load => format!("Load: {seconds:.1} s"),
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Identity, committed};

    #[test]
    fn a_figure_of_another_model_is_told_by_name_and_by_weights() {
        let of = Loaded { fingerprint: "abcd".to_owned(), ..committed().model };
        let whole = Loaded { fingerprint: "abcdef".to_owned(), ..of.clone() };
        assert!(!is_another(&of, &whole), "a link carries the beginning");
        assert!(is_another(&whole, &of));
        let named = Loaded { identity: Identity::named("another"), ..of.clone() };
        assert!(is_another(&of, &named));
        assert_eq!(
            other_model_words("Bundled model", "GPT-2 small"),
            "This figure is of Bundled model; Run computes GPT-2 small’s"
        );
        assert!(other_model_words("mine", "mine").contains("other weights named mine"));
    }

    #[test]
    fn other_weights_are_said_for_as_long_as_they_are_in_use() {
        let stored = Kept::Stored { fetched: 498_000_000, healed: 1 };
        let loaded = Loaded { as_expected: Some(false), kept: stored, ..committed().model };
        let words = model_words(&loaded);
        assert!(words.contains("not the expected weights), kept in this browser"), "{words}");
        let sharded = Loaded { shards: Some(2), ..loaded.clone() };
        assert!(model_words(&sharded).contains("… of the digests of 2 files (not"), "{sharded:?}");
        let words = loading_words(&loaded);
        assert!(words.contains("498 MB") && words.contains("fetched again: 1"), "{words}");
    }
}
