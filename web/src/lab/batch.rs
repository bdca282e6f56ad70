//! Many pairs of prompts: what goes in, how far it is, and what comes out.

mod csv;
mod entry;
mod found;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::prompts::Draw;
use twinbeam_core::prompts::lists::print_pairs;
use twinbeam_core::scores::many::Merged;
use twinbeam_core::words::{Direction, Experiment, Steps};
use wasm_bindgen::JsValue;

use self::entry::{DRAWN, Entry, TASKS};
use super::Chapter;
use super::claim::{Claim, Test};
use super::sheet::{PlotRow, Sheet};
use crate::explain;
use crate::export::save_text;
use crate::plot::PlotView;
use crate::reactive::{dynamic, live, memo};
use crate::session::{OfPairs, Session};
use crate::state::AppState;
use crate::values::{Job, Progress, count, duration};

/// Before this part of a pair is done, an estimate of its time is a guess.
const LEAST_SHARE: f64 = 0.05;

const DEFINITION: &str = "Every pair is run like the figure above, and read at its own last token: prompts of different lengths are \
    never padded. Mean and spread (standard deviation with n − 1) of each head are over pairs, in the metric’s \
    unit whatever unit is chosen above; positive supports the clean behaviour. The correlations of AP with IG \
    are taken for each pair over its heads; their mean has a 95 % interval by a percentile bootstrap over pairs \
    (2000 resamples, always the same seed). The slope is that of IG on AP, 1 where they agree in size. Pairs \
    that fail are listed and count nowhere.";

/// Many pairs of prompts.
#[component]
pub(super) fn ManyPrompts(state: AppState, sheet: Sheet) -> impl IntoView {
    let pairs = state.lab.pairs;
    let claim = memo(move || {
        let has_model = state.loaded.with(Option::is_some);
        let merged = pairs.merged.get().filter(|merged| merged.n() > 0);
        match merged {
            Some(merged) => {
                let draw = pairs.draw.get().filter(|_| !pairs.is_running.get());
                found::claim(&merged, state.direction(), draw)
            }
            None if pairs.is_running.get() => Claim::new("The first pair is being run."),
            None => before(pairs.all.with(|all| all.len()), has_model),
        }
    });
    view! {
        <Chapter state panel=Panel::Batch testid="panel-batch" claim definition=DEFINITION>
            <Entry state />
            <Controls state />
            <Results state sheet />
        </Chapter>
    }
}

/// What a click would find out.
fn before(n: usize, has_model: bool) -> Claim {
    let draw = Draw { task: TASKS[0].0.to_owned(), n: DRAWN, seed: 0 };
    match (n, has_model) {
        (_, false) => Claim::new("Pairs can be run as soon as a model is there."),
        (0, true) => Claim::new(format!(
            "One pair of prompts is one case. One click runs {DRAWN} pairs of another task, and says how far IG and AP agree \
             over all of them; pairs of your own go into the field."
        ))
        .with(format!("Test it: draw {DRAWN} pairs and run them"), Test::Draw(draw)),
        (n, true) => Claim::new(format!(
            "One click runs {}, one after the other, and says what holds over all of them.",
            match n {
                1 => "the pair in the field".to_owned(),
                n => format!("the {n} pairs in the field"),
            }
        ))
        .with("Test it: run them all", Test::RunPairs),
    }
}

/// Settings, buttons and how far it is.
#[component]
fn Controls(state: AppState) -> impl IntoView {
    let pairs = state.lab.pairs;
    let n = memo(move || pairs.all.with(|all| all.len()));
    let running = pairs.is_running;
    let settings = move || {
        let title = |id: &str| state.models.title(id);
        state.draft.with(|draft| {
            pairs.of.with(|of| match of {
                None => format!(
                    "Each pair is read at its own last token, with {}.",
                    settings_words(draft, title)
                ),
                Some(of) => {
                    let changed = if is_like(of, draft) {
                        ""
                    } else {
                        " The controls above have been changed since: Run all takes them."
                    };
                    let words = settings_words(of, title);
                    format!("Each pair is read at its own last token. Begun with {words}.{changed}")
                }
            })
        })
    };
    let cannot_begin = memo(move || {
        let possible = state.draft.with(|draft| draft.n_steps.is_possible());
        running.get() || n.get() == 0 || !possible || state.loaded.with(Option::is_none)
    });
    let cannot_resume = memo(move || {
        let is_done = pairs.next.get() >= n.get();
        running.get() || is_done || pairs.of.with(Option::is_none)
    });
    // Between two pairs there is no progress to go by.
    let seconds_per_pair = Memo::new(move |before: Option<&Option<f64>>| {
        state.progress_of(Job::Pair).and_then(seconds_of).or_else(|| before.copied().flatten())
    });
    let progress = move || {
        let (done, n) = (pairs.next.get(), n.get());
        if pairs.of.with(Option::is_none) {
            return match (n, state.loaded.with(Option::is_none)) {
                (0, _) => String::new(),
                (_, true) => "They can be run as soon as a model is there.".to_owned(),
                (n, false) => format!("{} to run.", count(n, "pair")),
            };
        }
        let waits = running.get() && state.job.get() != Some(Job::Pair);
        let left = seconds_per_pair.get().filter(|_| running.get());
        progress_words(done, n, running.get(), waits, left)
    };
    view! {
        <p data-testid="batch-settings" class="hint">{dynamic(settings)}</p>
        <div class="panel-tools">
            <label>
                <input
                    type="checkbox"
                    data-testid="batch-neurons"
                    prop:checked=live(move || pairs.neurons.get())
                    disabled=live(move || running.get())
                    on:change=move |event| pairs.neurons.set(event_target_checked(&event))
                />
                " neurons too (many times slower)"
            </label>
            <button
                type="button"
                data-testid="batch-run"
                disabled=cannot_begin
                on:click=move |_event| state.tell(OfPairs::Run)
            >
                "Run all"
            </button>
            <button
                type="button"
                data-testid="batch-stop"
                disabled=live(move || !running.get())
                on:click=move |_event| state.tell(OfPairs::Stop)
            >
                "Stop"
            </button>
            <button
                type="button"
                data-testid="batch-resume"
                disabled=cannot_resume
                on:click=move |_event| state.tell(OfPairs::GoOn)
            >
                "Go on"
            </button>
            <progress
                aria-label="Pairs that are done"
                max=n
                prop:value=live(move || pairs.next.get() as f64)
            ></progress>
            <span data-testid="batch-progress" role="status">{dynamic(progress)}</span>
        </div>
    }
}

/// What the pairs have in common, in the direction on the screen.
#[component]
fn Results(state: AppState, sheet: Sheet) -> impl IntoView {
    let merged = state.lab.pairs.merged;
    let some = memo(move || merged.with(|m| m.as_deref().is_some_and(|m| m.n() > 0)));
    let any = memo(move || merged.with(Option::is_some));
    let html = move |of: fn(&Merged, Direction) -> String| {
        move || merged.with(|m| m.as_deref().map(|m| of(m, state.direction())).unwrap_or_default())
    };
    let maps = move || {
        found::MAPS.map(|map| {
            let drawn = memo(move || {
                let width = sheet.column(3);
                merged.with(|m| found::map(m.as_deref()?, map, state.direction(), width))
            });
            view! { <PlotView pointer=state testid=map.testid() label=map.title() drawn /> }
                .into_any()
        })
    };
    let save = move |name: &'static str, text: String| {
        let kind = if name.ends_with("csv") { "text/csv" } else { "application/json" };
        let saved: Result<(), JsValue> = save_text(name, kind, &text);
        if let Err(error) = saved {
            state.say(explain::not_saved(&format!("{error:?}")));
        }
    };
    let save_summary = move |_event| {
        if let Some(summary) = state.read(Session::summary) {
            save("twinbeam-batch.json", summary.json);
        }
    };
    let save_means = move |_event| {
        if let Some(merged) = merged.get_untracked() {
            save("twinbeam-means.csv", csv::means(&merged));
        }
    };
    let save_pairs = move |_event| {
        save("twinbeam-pairs.json", print_pairs(&state.lab.pairs.all.get_untracked()));
    };
    view! {
        <div data-testid="batch-failures" inner_html=html(|merged, _| found::failures(merged))></div>
        {dynamic(move || {
            some.get().then(|| view! {
                <dl class="panel-numbers" inner_html=html(found::numbers)></dl>
                <p class="caution" data-testid="batch-caution" role="status">{html(|merged, _| found::caution(merged))}</p>
                <PlotRow sheet n=found::MAPS.len()>{maps()}</PlotRow>
                <details>
                    <summary>"Values of each pair"</summary>
                    <div
                        class="batch-cases"
                        data-testid="batch-cases"
                        tabindex="0"
                        role="region"
                        aria-label="Values of each pair"
                        inner_html=html(found::cases)
                    ></div>
                </details>
            })
        })}
        {dynamic(move || {
            any.get().then(|| view! {
                <p class="take-away">
                    <span class="hint">"Take it away: "</span>
                    <button type="button" data-testid="batch-save" on:click=save_summary>
                        "Summary (JSON)"
                    </button>
                    <button type="button" data-testid="batch-save-means" on:click=save_means>
                        "Means (CSV)"
                    </button>
                    <button type="button" data-testid="batch-save-pairs" on:click=save_pairs>
                        "Pairs (JSON)"
                    </button>
                </p>
            })
        })}
    }
}

/// Whether two drafts have the same settings, whatever their prompts.
fn is_like(of: &Experiment, draft: &Experiment) -> bool {
    let settings = |e: &Experiment| (e.model.clone(), e.metric, e.n_steps, e.prepend_bos);
    settings(of) == settings(draft)
}

fn settings_words(of: &Experiment, title: impl Fn(&str) -> String) -> String {
    let bos = if of.prepend_bos { "BOS in front of text" } else { "no BOS in front" };
    let steps = match of.n_steps {
        Steps::Fixed(0) => "no number of steps".to_owned(),
        steps => explain::steps(steps, &[]),
    };
    let (metric, model) = (of.metric.label(), title(&of.model));
    format!("the {metric}, {steps}, {bos}, on {model}, in both directions")
}

/// Seconds that a pair takes, by the one that is running.
fn seconds_of(progress: Progress) -> Option<f64> {
    let Progress { done, total, seconds, .. } = progress;
    let share = done as f64 / total.max(1) as f64;
    (share >= LEAST_SHARE).then(|| seconds / share)
}

fn progress_words(
    done: usize,
    n: usize,
    running: bool,
    waits: bool,
    seconds_per_pair: Option<f64>,
) -> String {
    if done >= n {
        return format!("All {n} done.");
    }
    if !running {
        return format!("Stopped after {done} of {n}.");
    }
    let left = seconds_per_pair.map_or_else(String::new, |seconds| {
        format!(", about {} left", duration(seconds * (n - done) as f64))
    });
    let waits = if waits { ", waiting for the worker" } else { "" };
    format!("{done} of {n}{left}{waits}")
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::{Metric, Phase};

    use super::*;

    #[test]
    fn before_anything_was_run_a_click_is_offered_that_runs() {
        assert!(matches!(before(0, true).tests[0].1, Test::Draw(_)));
        let some = before(3, true);
        assert!(some.words.contains("runs the 3 pairs in the field"), "{}", some.words);
        assert_eq!(some.tests[0].1, Test::RunPairs);
        assert!(before(3, false).tests.is_empty());
    }

    #[test]
    fn settings_are_those_that_decide_the_numbers() {
        let of = Experiment::default();
        let other_prompt = Experiment { clean: "another".to_owned(), ..of.clone() };
        assert!(is_like(&of, &other_prompt));
        assert!(!is_like(&of, &Experiment { metric: Metric::Kl, ..of.clone() }));
        assert_eq!(
            settings_words(&of, str::to_owned),
            "the logit difference, 50 Gauss-Legendre steps, BOS in front of text, on mini, in both directions"
        );
    }

    #[test]
    fn what_is_left_is_told_by_the_pair_that_is_running() {
        let at = |done| Progress { phase: Phase::ApHeads, done, total: 100, seconds: 2.0 };
        assert_eq!([seconds_of(at(50)), seconds_of(at(4))], [Some(4.0), None]);
        assert_eq!(progress_words(3, 20, true, false, Some(2.0)), "3 of 20, about 34 s left");
        assert_eq!(progress_words(3, 20, true, true, None), "3 of 20, waiting for the worker");
        assert_eq!(progress_words(3, 20, false, false, Some(2.0)), "Stopped after 3 of 20.");
        assert_eq!(progress_words(20, 20, false, false, None), "All 20 done.");
    }
}
