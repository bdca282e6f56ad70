//! How fast the device runs each part of a job.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::wire::devices::{Bench, BenchRow};
use wasm_bindgen_futures::spawn_local;

use crate::explain::in_progress;
use crate::explain::steps;
use crate::ports::copy;
use crate::reactive::{dynamic, live};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::BUILD;
use crate::values::{Job, percent};

/// How fast the device runs each part of a job, once the visitor wants to know.
#[component]
pub(super) fn Speed(state: AppState) -> impl IntoView {
    let words = move || {
        if state.job.get() != Some(Job::Speed) {
            return "Measure this device".to_owned();
        }
        let progress = state.progress.get();
        progress.map_or_else(|| "Measuring the speed".to_owned(), in_progress)
    };
    view! {
        <details class="speed" data-testid="speed">
            <summary>"How fast is this device?"</summary>
            <p>
                <button
                    type="button"
                    data-testid="bench"
                    disabled=live(move || state.is_busy() || state.loaded.with(Option::is_none))
                    on:click=move |_event| state.tell(Visitor::MeasureSpeed)
                >
                    {dynamic(words)}
                </button>
                " Times a part of each method on the prompts above, or, where those cannot be run, on as many tokens as the model \
                 reads, at most 17, for some seconds. Cancel stops it."
            </p>
            {dynamic(move || {
                let bench = state.bench.get()?;
                let model = state.loaded.with(|l| l.as_ref().map(|l| l.identity.title.clone()))?;
                Some(view! { <Measured bench model /> })
            })}
        </details>
    }
}

#[component]
fn Measured(bench: Arc<Bench>, model: String) -> impl IntoView {
    let text = StoredValue::new(in_text(&bench, &model));
    // What the clipboard did not take is shown, to be copied by hand.
    let copied = RwSignal::new(None);
    let take = move |_event| {
        spawn_local(async move { copied.set(Some(copy(&text.get_value()).await)) });
    };
    let rows = bench.rows.iter().map(|row| {
        let rate = finite(gflops(row.flops_per_second()));
        let share = rate.map(|_| bench.share_of_peak(row));
        let seconds = rate.map(|_| row.all_seconds());
        view! {
            <tr data-part=row.part.id()>
                <th scope="row">{row.part.label()}</th>
                <td data-value=rate.map(|rate| rate.to_string())>
                    {rate.map_or_else(|| TOO_SHORT.to_owned(), three_digits)}
                </td>
                <td data-value=share.map(|share| share.to_string())>
                    {share.map(|share| percent(share as f32))}
                </td>
                <td data-value=seconds.map(|seconds| seconds.to_string())>{seconds.map(time)}</td>
            </tr>
        }
    });
    let all = finite(bench.all_seconds());
    view! {
        <div class="measured" data-testid="bench-result">
            <p>
                {format!("{} reaches ", bench.device.name)}
                <strong data-testid="bench-peak" data-value=gflops(bench.peak).to_string()>
                    {three_digits(gflops(bench.peak))} " GFLOP/s"
                </strong>
                {format!(" in a product of {0} × {0} matrices: the peak.", bench.product)}
            </p>
            <div class="tokens-scroll" tabindex="0" role="region" aria-label="Speed of each part">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"part"</th>
                            <th scope="col">"GFLOP/s"</th>
                            <th scope="col">"share of the peak"</th>
                            <th scope="col">"all of it, one direction"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row">"a run together"</th>
                            <td></td>
                            <td></td>
                            <td data-value=all.map(|all| all.to_string())>{all.map(time)}</td>
                        </tr>
                    </tfoot>
                </table>
            </div>
            <p class="hint">{conditions(&bench, &model)} " " {HOW_TO_READ}</p>
            <p>
                <button type="button" data-testid="bench-copy" on:click=take>
                    {dynamic(move || if copied.get() == Some(true) { "Copied" } else { "Copy as text" })}
                </button>
            </p>
            {dynamic(move || {
                (copied.get() == Some(false)).then(|| {
                    view! {
                        <textarea
                            aria-label="Speed of this device, to be copied"
                            rows="8"
                            readonly
                            prop:value=text.get_value()
                        ></textarea>
                    }
                })
            })}
        </div>
    }
}

const HOW_TO_READ: &str = "GFLOP/s are needed operations per second, by the cost model; 100 % would be as fast as the large \
                           matrix product. The last column is for all heads, or all neurons, at this speed.";

/// In place of a speed where the clock did not move.
const TOO_SHORT: &str = "too short to time";

/// On what it was measured.
fn conditions(bench: &Bench, model: &str) -> String {
    format!(
        "{model}, prompts of {} tokens, the first {} of them the same; IG by {}.",
        bench.n_pos,
        bench.first_difference,
        steps(bench.n_steps, &[])
    )
}

fn in_text(bench: &Bench, model: &str) -> String {
    let mut lines = vec![
        format!("Twinbeam {BUILD} on {}", bench.device.name),
        conditions(bench, model),
        format!(
            "peak: {} GFLOP/s ({1} x {1} product)",
            three_digits(gflops(bench.peak)),
            bench.product
        ),
    ];
    lines.extend(bench.rows.iter().map(|row: &BenchRow| {
        let label = row.part.label();
        match finite(gflops(row.flops_per_second())) {
            Some(rate) => format!(
                "{label}: {} GFLOP/s, {} of the peak, {} for all in one direction",
                three_digits(rate),
                percent(bench.share_of_peak(row) as f32),
                time(row.all_seconds())
            ),
            None => format!("{label}: {TOO_SHORT}"),
        }
    }));
    lines.push(HOW_TO_READ.to_owned());
    lines.join("\n")
}

fn gflops(flops_per_second: f64) -> f64 {
    flops_per_second / 1e9
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// A number with three digits that count, or all before the point.
fn three_digits(number: f64) -> String {
    let decimals = (2.0 - number.log10().floor()).clamp(0.0, 4.0) as usize;
    format!("{number:.decimals$}")
}

fn time(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{} s", three_digits(seconds))
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::wire::devices::BenchPart;
    use twinbeam_core::words::{ComponentKind, Steps};

    use crate::values::committed;

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(
            [0.01234, 1.0, 45.67, 1234.0].map(three_digits),
            ["0.0123", "1.00", "45.7", "1234"]
        );
        assert_eq!([0.25, 12.0, 90.0].map(time), ["0.250 s", "12.0 s", "1.5 min"]);
    }

    #[test]
    fn the_text_says_what_the_table_does_and_nothing_of_what_was_too_short() {
        let loaded = committed().model;
        let row = |part, seconds| BenchRow {
            part,
            seconds,
            flops: 2_000_000_000,
            all_flops: 8_000_000_000,
        };
        let bench = Bench {
            device: loaded.device,
            shape: loaded.shape,
            n_pos: 17,
            first_difference: 11,
            n_steps: Steps::AUTO,
            product: 512,
            peak: 4e9,
            rows: vec![
                row(BenchPart::Ap(ComponentKind::Heads), 1.0),
                row(BenchPart::Ig(ComponentKind::Heads), 0.0),
            ],
        };
        let text = in_text(&bench, "GPT-2 small");
        for words in [
            "CPU",
            "GPT-2 small, prompts of 17 tokens, the first 11 of them the same",
            "peak: 4.00 GFLOP/s",
            "activation patching, heads: 2.00 GFLOP/s, 50 % of the peak, 4.00 s for all in one direction",
            "integrated gradients, heads: too short to time",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("inf") && !text.contains("NaN"), "{text}");
    }
}
