//! What is computed and where: examples, metric, steps, device, and the buttons.

use leptos::prelude::*;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::words::{Experiment, MAX_STEPS, Metric, Steps};

use super::chosen;
use crate::examples::{Example, examples};
use crate::explain;
use crate::reactive::{dynamic, live};
use crate::session::Visitor;
use crate::state::AppState;
use crate::story::ExampleShows;

/// Prompt pairs that the bundled model solves, by task.
#[component]
pub(super) fn Examples(state: AppState) -> impl IntoView {
    let all = StoredValue::new(examples());
    let mut groups: Vec<(String, Vec<(usize, Example)>)> = Vec::new();
    for (index, example) in all.get_value().into_iter().enumerate() {
        match groups.last_mut() {
            Some((task, entries)) if *task == example.task => entries.push((index, example)),
            _ => groups.push((example.task.clone(), vec![(index, example)])),
        }
    }
    let chosen_again = Trigger::new();
    let chosen = move || {
        chosen_again.track();
        let draft = state.draft.get();
        let is_draft = |example: &Example| example.experiment(draft.clone()) == draft;
        let place = all.with_value(|all| all.iter().position(is_draft));
        place.map_or_else(String::new, |place| place.to_string())
    };
    let choose = move |event| {
        let place = event_target_value(&event).parse::<usize>().ok();
        let example = all.with_value(|all| place.and_then(|place| all.get(place).cloned()));
        if !untrack(|| state.reads_text()) {
            // What is chosen shows again as it was.
            chosen_again.notify();
            state.say(explain::example_is_text());
        } else if let Some(example) = example {
            let experiment = example.experiment(state.draft.get_untracked());
            state.tell(Visitor::Open(Box::new(experiment)));
        }
    };
    let options = |entries: Vec<(usize, Example)>| {
        entries
            .into_iter()
            .map(|(index, Example { title, shows, .. })| {
                view! { <option value=index.to_string() title=shows>{title}</option> }
            })
            .collect_view()
    };
    view! {
        <div class="field example">
            <label for="example-select">"Example"</label>
            <select id="example-select" data-testid="example-select" prop:value=live(chosen) on:change=choose>
                <option value="">"Your own prompts"</option>
                {groups
                    .into_iter()
                    .map(|(task, entries)| {
                        view! { <optgroup label=task>{options(entries)}</optgroup> }
                    })
                    .collect_view()}
            </select>
            <ExampleShows state />
        </div>
    }
}

/// What the chosen metric measures.
#[component]
pub(super) fn Explanation(state: AppState) -> impl IntoView {
    view! {
        <p class="explanation">
            {dynamic(move || metric_sentence(state.draft.with(|draft| draft.metric)))}
        </p>
    }
}

#[component]
pub(super) fn MetricSelect(state: AppState) -> impl IntoView {
    let choose = move |event| {
        if let Some(metric) = chosen(&event, &Metric::ALL, Metric::id) {
            state.edit(true, |draft| draft.metric = metric);
        }
    };
    view! {
        <div class="field">
            <label for="metric">"Metric"</label>
            <select
                id="metric"
                data-testid="metric"
                prop:value=live(move || state.draft.with(|draft| draft.metric.id()))
                on:change=choose
            >
                {Metric::ALL
                    .into_iter()
                    .map(|metric| view! { <option value=metric.id()>{metric.label()}</option> })
                    .collect_view()}
            </select>
        </div>
    }
}

#[component]
pub(super) fn StepsField(state: AppState) -> impl IntoView {
    let type_number = move |event| {
        // What is not a number counts as none: the notice then says what is offered.
        let n_steps = event_target_value(&event).trim().parse().unwrap_or(0);
        state.edit(false, |draft| draft.n_steps = Steps::Fixed(n_steps));
    };
    let number = move || match state.draft.with(|draft| draft.n_steps) {
        Steps::Fixed(0) | Steps::Auto { .. } => String::new(),
        Steps::Fixed(n_steps) => n_steps.to_string(),
    };
    view! {
        <div class="field steps">
            <label for="steps">"IG steps"</label>
            <input
                id="steps"
                data-testid="steps"
                type="number"
                min="1"
                max=MAX_STEPS.to_string()
                inputmode="numeric"
                title="Gauss-Legendre nodes on the line between the two runs"
                placeholder=live(move || is_auto(state).then_some("auto"))
                disabled=live(move || is_auto(state))
                value=untrack(number)
                prop:value=live(number)
                on:input=type_number
            />
        </div>
    }
}

/// Whether the number of steps is found by itself, and how close that must come.
#[component]
pub(super) fn AutoSteps(state: AppState) -> impl IntoView {
    // What is typed comes back when the choice is taken back.
    let typed = StoredValue::new(Experiment::default().n_steps);
    let choose = move |event| {
        let n_steps = if event_target_checked(&event) {
            let before = state.draft.with_untracked(|draft| draft.n_steps);
            if matches!(before, Steps::Fixed(_)) && before.is_possible() {
                typed.set_value(before);
            }
            Steps::AUTO
        } else {
            typed.get_value()
        };
        state.edit(true, |draft| draft.n_steps = n_steps);
    };
    let words = move || {
        // A link may bring another tolerance than is offered here.
        let steps = state.draft.with(|draft| draft.n_steps);
        let tolerance = explain::tolerance(steps).or_else(|| explain::tolerance(Steps::AUTO));
        tolerance.map(|tolerance| {
            format!("IG steps auto: as many as it takes for {tolerance} of the gap")
        })
    };
    view! {
        <label
            class="auto-steps"
            title="The line of each layer is cut finer until its convergence delta, and what the last doubling has changed of any score, are below this share of the gap between the two runs"
        >
            <input
                type="checkbox"
                data-testid="steps-auto"
                prop:checked=live(move || is_auto(state))
                on:change=choose
            />
            " "
            {dynamic(words)}
        </label>
    }
}

fn is_auto(state: AppState) -> bool {
    state.draft.with(|draft| matches!(draft.n_steps, Steps::Auto { .. }))
}

#[component]
pub(super) fn DeviceSelect(state: AppState) -> impl IntoView {
    let choose = move |event| {
        let (choice, workers) = match event_target_value(&event).as_str() {
            "one" => (DeviceChoice::Cpu, Some(1)),
            "cpu" => (DeviceChoice::Cpu, None),
            "gpu" => (DeviceChoice::Gpu, None),
            _ => (DeviceChoice::Auto, None),
        };
        state.tell(Visitor::ChooseDevice(choice, workers));
    };
    let chosen = move || match state.device_choice.get() {
        DeviceChoice::Auto => "auto",
        DeviceChoice::Cpu if state.workers.get() == Some(1) => "one",
        DeviceChoice::Cpu => "cpu",
        DeviceChoice::Gpu => "gpu",
    };
    view! {
        <div class="field">
            <label for="device">"Device"</label>
            <select id="device" data-testid="device" prop:value=live(chosen) on:change=choose>
                <option value="auto">"automatic"</option>
                <option value="gpu">"GPU (WebGPU)"</option>
                <option value="cpu">"CPU"</option>
                <option value="one">"CPU, one core"</option>
            </select>
        </div>
    }
}

fn metric_sentence(metric: Metric) -> &'static str {
    match metric {
        Metric::LogitDiff => {
            "Measured: logit of the answer minus logit of the wrong answer, at the last token."
        }
        Metric::ProbDiff => {
            "Measured: probability of the answer minus that of the wrong answer, at the last token."
        }
        Metric::LogProb => {
            "Measured: natural logarithm of the answer’s probability, at the last token."
        }
        Metric::Kl => {
            "Measured: divergence of the next-token distribution from the clean run’s. Its scores are of the \
             negative divergence, so that positive supports the clean behaviour here too."
        }
    }
}
