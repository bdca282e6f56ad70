//! Where the pairs come from: a field, a file, or a task.

use leptos::prelude::*;
use twinbeam_core::{MAX_PAIRS, MAX_PAIRS_BYTES, PairsError, parse_pairs, print_pairs};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DragEvent, File, HtmlInputElement};

use crate::reactive::{dynamic, effect, live};
use crate::state::AppState;
use crate::{bridge, explain};

/// Tasks that pairs can be drawn from: their names in `twinbeam-tasks`, and for people.
const TASKS: [(&str, &str); 6] = [
    ("ioi", "Indirect object identification"),
    ("greater-than", "Greater-than"),
    ("subject-verb", "Subject-verb agreement"),
    ("pronoun", "Gendered pronouns"),
    ("capital", "Capitals and countries"),
    ("hypernym", "Hypernyms"),
];
/// Pairs that are drawn unless another number is asked for.
const DRAWN: usize = 20;

/// The field shows the pairs, wherever they have come from.
pub(super) fn keep_in_field(state: AppState) {
    let batch = state.lab.batch;
    effect(move || {
        batch.pairs.with(|pairs| {
            let is_shown = batch
                .text
                .with_untracked(|text| parse_pairs(text).is_ok_and(|shown| shown == *pairs));
            if !pairs.is_empty() && !is_shown {
                batch.text.set(print_pairs(pairs));
            }
        });
    });
}

/// Takes what is in the field; what cannot be read stays there, and it is said why.
fn take(state: AppState, text: String) {
    let batch = state.lab.batch;
    let (pairs, problem) = match parse_pairs(&text) {
        Ok(pairs) => (pairs, None),
        // An empty field is no mistake.
        Err(_) if text.trim().is_empty() => (Vec::new(), None),
        Err(source) => (Vec::new(), Some(sentence(&source))),
    };
    batch.draw.set(None);
    batch.text.set(text);
    // White space between two fields is no reason to lose what was found.
    if batch.pairs.with_untracked(|before| *before != pairs) {
        bridge::batch::take(state, pairs);
    }
    batch.problem.set(problem);
}

fn sentence(source: &PairsError) -> String {
    format!("{}.", explain::sentence(&source.to_string()))
}

/// Reads a file into the field.
fn read(state: AppState, file: File) {
    let size = file.size() as usize;
    if size > MAX_PAIRS_BYTES {
        let problem = sentence(&PairsError::TooLarge(size));
        state.lab.batch.problem.set(Some(problem));
        return;
    }
    spawn_local(async move {
        let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        if let Some(text) = text {
            take(state, text);
        } else {
            let words =
                "The browser could not read this file. Open it in an editor and paste its text.";
            state.lab.batch.problem.set(Some(words.to_owned()));
        }
    });
}

/// The field, a file, and a draw.
#[component]
pub(super) fn Entry(state: AppState) -> impl IntoView {
    let batch = state.lab.batch;
    let drop = move |event: DragEvent| {
        let file = event.data_transfer().and_then(|data| data.files()).and_then(|f| f.get(0));
        if let Some(file) = file {
            // Else the page would take it for a model, or the browser would open it.
            event.prevent_default();
            event.stop_propagation();
            read(state, file);
        }
    };
    let over = move |event: DragEvent| {
        let types = event.data_transfer().map(|data| data.types());
        if types.is_some_and(|types| types.includes(&"Files".into(), 0)) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    let choose = move |event| {
        let input: HtmlInputElement = event_target(&event);
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            read(state, file);
            // The same file can be chosen again once it was changed.
            input.set_value("");
        }
    };
    view! {
        <div class="field">
            <label for="batch-input">
                "Pairs "
                <span class="hint">
                    "CSV with a first line clean, corrupted, answer, wrong (and name), or JSON; several answers stand between |"
                </span>
            </label>
            <textarea
                id="batch-input"
                data-testid="batch-input"
                rows="6"
                spellcheck="false"
                autocomplete="off"
                aria-describedby="batch-problem"
                placeholder="clean,corrupted,answer,wrong"
                prop:value=live(move || batch.text.get())
                on:input=move |event| take(state, event_target_value(&event))
                on:drop=drop
                on:dragover=over
            ></textarea>
            <p id="batch-problem" class="batch-problem" data-testid="batch-problem" role="status">
                {dynamic(move || batch.problem.get())}
            </p>
        </div>
        <div class="panel-tools">
            <label class="switch">
                "or a file "
                <input
                    type="file"
                    data-testid="batch-file"
                    accept=".csv,.tsv,.json,.jsonl,.txt"
                    on:change=choose
                />
            </label>
            <Drawing state />
        </div>
    }
}

#[component]
fn Drawing(state: AppState) -> impl IntoView {
    let drawn = state.lab.batch.draw;
    let of = move || drawn.get().map(|draw| (draw.task, draw.n, draw.seed));
    // What is chosen here; a draw of a link takes its place.
    let wanted = RwSignal::new((TASKS[0].0.to_owned(), DRAWN, 0));
    effect(move || {
        if let Some(of) = of() {
            wanted.set(of);
        }
    });
    let options = TASKS.map(|(id, title)| view! { <option value=id>{title}</option> });
    let draw = move |_event| {
        let (task, n, seed) = wanted.get_untracked();
        bridge::batch::draw(state, &task, n, seed);
    };
    let impossible = move || {
        let n = wanted.get().1;
        let possible = (1..=MAX_PAIRS).contains(&n);
        !possible
    };
    let words = move || {
        let draw = drawn.get()?;
        let is_there = state.lab.batch.pairs.with(|pairs| !pairs.is_empty());
        Some(if is_there {
            format!("{} drawn with seed {}", explain::count(draw.n, "pair"), draw.seed)
        } else {
            "drawn as soon as a model is there".to_owned()
        })
    };
    view! {
        <label class="switch">
            "or drawn from "
            <select
                data-testid="batch-task"
                prop:value=live(move || wanted.get().0)
                on:change=move |event| wanted.update(|wanted| wanted.0 = event_target_value(&event))
            >
                {options}
            </select>
        </label>
        <label class="switch">
            "pairs "
            <input
                type="number"
                data-testid="batch-n"
                min="1"
                max=MAX_PAIRS
                value=DRAWN
                prop:value=live(move || wanted.get().1)
                on:change=move |event| wanted.update(|wanted| wanted.1 = number(&event).unwrap_or(0))
            />
        </label>
        <label class="switch">
            "seed "
            <input
                type="number"
                data-testid="batch-seed"
                min="0"
                value="0"
                prop:value=live(move || wanted.get().2)
                on:change=move |event| wanted.update(|wanted| wanted.2 = number(&event).unwrap_or(0))
            />
        </label>
        <button type="button" data-testid="batch-draw" disabled=live(impossible) on:click=draw>
            "Draw"
        </button>
        <span class="hint" data-testid="batch-drawn">{dynamic(words)}</span>
    }
}

fn number<T: std::str::FromStr>(event: &web_sys::Event) -> Option<T> {
    event_target_value(event).trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_a_sentence_with_its_line() {
        let source =
            parse_pairs("clean,corrupted,answer,wrong\na,b,c").expect_err("a field is missing");
        let words = sentence(&source);
        assert!(words.starts_with("Line 2 has 3 fields") && words.ends_with('.'), "{words}");
    }
}
