//! How far the model on its way has come, and the button that stops it.

use gloo::timers::callback::Interval;
use leptos::prelude::*;
use twinbeam_core::wire::Wait;
use twinbeam_core::words::Phase;

use super::pace::Pace;
use super::{Identity, Spec, bytes};
use crate::bridge;
use crate::components::status::duration;
use crate::explain::{self, sentence};
use crate::reactive::{dynamic, live, memo};
use crate::state::{AppState, Progress};

/// Seconds for which something that was fetched makes the whole a fetching.
const RECENT: f64 = 5.0;

/// A model on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arriving {
    pub(crate) identity: Identity,
    /// Where it comes from, in few words.
    pub(crate) source: String,
    /// Whether it is another one than the model in use, which stays usable meanwhile.
    pub(crate) is_another: bool,
    phase: Option<Phase>,
    done: u64,
    total: u64,
    pace: Pace,
    /// At which second something was fetched last: what comes next may have been read ahead.
    fetched_at: Option<f64>,
    /// What it waits for, and until when, in milliseconds since 1970.
    wait: Option<(Wait, f64)>,
}

impl Arriving {
    pub(crate) fn new(spec: &Spec, is_another: bool) -> Self {
        Self {
            identity: spec.identity.clone(),
            source: spec.source(),
            is_another,
            phase: None,
            done: 0,
            total: 0,
            pace: Pace::default(),
            fetched_at: None,
            wait: None,
        }
    }

    /// A step is done, so nothing is waited for.
    pub(crate) fn progress(&mut self, progress: Progress) {
        let Progress { done, total, seconds, .. } = progress;
        self.wait = None;
        let phase = self.steady(progress);
        if self.phase != Some(phase) {
            self.pace = Pace::default();
        }
        self.phase = Some(phase);
        if is_bytes(phase) {
            // What a server sends beyond what it promised is not progress.
            (self.done, self.total) = (done.min(total), total);
            self.pace.add(seconds, self.done);
        }
    }

    /// The phase without its flicker: what is read within seconds of a fetch is part of fetching.
    fn steady(&mut self, progress: Progress) -> Phase {
        let Progress { phase, seconds, .. } = progress;
        if phase == Phase::Fetching {
            self.fetched_at = Some(seconds);
        }
        let is_recent = self.fetched_at.is_some_and(|at| (0.0..RECENT).contains(&(seconds - at)));
        if phase == Phase::Loading && is_recent { Phase::Fetching } else { phase }
    }

    pub(crate) fn wait(&mut self, wait: Wait, now: f64) {
        let seconds = match wait {
            Wait::Retry { seconds, .. } => seconds,
            Wait::OtherTab => 0,
        };
        self.wait = Some((wait, now + 1000.0 * f64::from(seconds)));
        self.pace = Pace::default();
    }

    pub(crate) const fn is_waiting(&self) -> bool {
        self.wait.is_some()
    }

    fn share(&self) -> Option<f64> {
        (self.total > 0).then(|| self.done as f64 / self.total as f64)
    }

    /// What is happening, at a time in milliseconds since 1970.
    fn words(&self, now: f64) -> String {
        if let Some((wait, until)) = &self.wait {
            let left = ((until - now) / 1000.0).ceil().max(0.0);
            return explain::waiting(wait, left as u32, &self.source);
        }
        let title = &self.identity.title;
        let doing = match self.phase {
            None => return format!("{title} from {}: starting", self.source),
            Some(Phase::Fetching) => format!("Fetching {title} from {}", self.source),
            Some(Phase::Loading) => format!("Reading {title}"),
            Some(other) => return format!("{title}: {}", sentence(other.label()).to_lowercase()),
        };
        let Some(share) = self.share() else { return doing };
        let share = (100.0 * share).floor();
        let done = format!("{doing}: {} of {} ({share} %)", bytes(self.done), bytes(self.total));
        let rate = self.pace.rate().map(|rate| format!("{}/s", bytes(rate as u64)));
        let left = self.pace.left(self.total).filter(|_| self.done < self.total);
        let left = left.map(|left| format!("about {} left", duration(left)));
        [Some(done), rate, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

const fn is_bytes(phase: Phase) -> bool {
    matches!(phase, Phase::Fetching | Phase::Loading)
}

/// How far the model on its way has come, and a way to stop it.
#[component]
pub(crate) fn LoadProgress(state: AppState) -> impl IntoView {
    let now = RwSignal::new(js_sys::Date::now());
    let every_second = Interval::new(1000, move || {
        // Only a countdown moves without news.
        if state.models.arriving.with_untracked(|a| a.as_ref().is_some_and(Arriving::is_waiting)) {
            now.set(js_sys::Date::now());
        }
    });
    every_second.forget();
    let is_there = memo(move || state.models.arriving.with(Option::is_some));
    let of = move |part: fn(&Arriving) -> u64| {
        state.models.arriving.with(|arriving| arriving.as_ref().map(part)).unwrap_or_default()
    };
    let words = move || {
        let now = now.get();
        state.models.arriving.with(|arriving| arriving.as_ref().map(|a| a.words(now)))
    };
    let share = move || state.models.arriving.with(|arriving| arriving.as_ref()?.share());
    let meanwhile = move || {
        let another = state.models.arriving.with(|a| a.as_ref().is_some_and(|a| a.is_another));
        let in_use = state.loaded.with(|l| l.as_ref().map(|l| l.identity.title.clone()));
        in_use.filter(|_| another).map(|title| format!("{title} stays in use until then."))
    };
    move || {
        is_there.get().then(|| {
            view! {
                <div
                    class="load-progress"
                    data-testid="load-progress"
                    data-done=live(move || of(|arriving| arriving.done).to_string())
                    data-total=live(move || of(|arriving| arriving.total).to_string())
                >
                    <p>{dynamic(words)} " " <span class="hint">{dynamic(meanwhile)}</span></p>
                    <progress
                        aria-label="Progress of loading"
                        max="1"
                        prop:value=live(move || share().unwrap_or(0.0))
                    ></progress>
                    <button
                        type="button"
                        data-testid="load-cancel"
                        title=live(move || (of(|arriving| arriving.done) > 0 && state.models.keeps())
                            .then_some("What has arrived is kept, and the next time goes on from there"))
                        on:click=move |_event| bridge::cancel_load(state)
                    >
                        "Cancel"
                    </button>
                </div>
            }
            .into_any()
        })
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::Catalog;
    use twinbeam_core::wire::FetchFault;

    use super::*;

    fn arriving() -> Arriving {
        let catalog = Catalog::bundled();
        let spec = Spec::local("GPT-2".to_owned(), Vec::new(), catalog.find("gpt2"));
        Arriving::new(&spec, true)
    }

    fn at(seconds: f64, done: u64) -> Progress {
        Progress { phase: Phase::Fetching, done, total: 500_000_000, seconds }
    }

    #[test]
    fn bytes_rate_and_time_are_said_and_never_more_than_all() {
        let mut arriving = arriving();
        assert_eq!(arriving.words(0.0), "GPT-2 from your files: starting");
        arriving.progress(at(0.0, 0));
        arriving.progress(at(2.0, 50_000_000));
        assert_eq!(
            arriving.words(0.0),
            "Fetching GPT-2 from your files: 50 MB of 500 MB (10 %), 25 MB/s, about 18 s left"
        );
        arriving.progress(at(3.0, 500_000_001));
        assert_eq!((arriving.share(), arriving.done), (Some(1.0), 500_000_000));
    }

    #[test]
    fn reading_between_fetches_changes_neither_label_nor_rate() {
        let mut arriving = arriving();
        for step in 0..20 {
            let phase = if step % 4 == 0 { Phase::Fetching } else { Phase::Loading };
            arriving.progress(Progress {
                phase,
                ..at(f64::from(step) * 0.25, step as u64 * 10_000_000)
            });
        }
        let words = arriving.words(0.0);
        assert!(
            words.starts_with("Fetching") && words.contains("40 MB/s, about 8 s left"),
            "{words}"
        );
        arriving.progress(Progress { phase: Phase::Loading, ..at(30.0, 200_000_000) });
        assert!(
            arriving.words(0.0).starts_with("Reading GPT-2: 200 MB"),
            "nothing is fetched any more"
        );
    }

    #[test]
    fn a_wait_counts_down_and_ends_with_the_next_step() {
        let mut arriving = arriving();
        let fault = FetchFault::Server { status: 503 };
        arriving.wait(Wait::Retry { seconds: 8, left: 2, fault }, 1000.0);
        assert!(arriving.words(6500.0).contains("in 3 s"), "{}", arriving.words(6500.0));
        assert!(arriving.words(60_000.0).contains("now"), "{}", arriving.words(60_000.0));
        arriving.progress(at(9.0, 1));
        assert!(!arriving.is_waiting());
    }
}
