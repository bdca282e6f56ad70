//! Where the pairs come from: a field, a file, or a task.

use js_sys::Uint8Array;
use leptos::prelude::*;
use twinbeam_core::prompts::lists::{Limits, PairList, pairs_text};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DragEvent, File, HtmlInputElement, KeyboardEvent};

use crate::components::focus;
use crate::explain::lists;
use crate::plot::escape;
use crate::reactive::{dynamic, effect, live, memo};
use crate::session::OfPairs;
use crate::state::AppState;
use crate::values::count;

/// Tasks that pairs can be drawn from: their names in `twinbeam-tasks`, and for people.
pub(super) const TASKS: [(&str, &str); 8] = [
    ("ioi", "Indirect object identification"),
    ("ioi-long", "Indirect objects among several people"),
    ("greater-than", "Greater-than"),
    ("subject-verb", "Subject-verb agreement"),
    ("pronoun", "Gendered pronouns"),
    ("capital", "Capitals and countries"),
    ("hypernym", "Hypernyms"),
    ("induction", "Induction"),
];
/// Pairs that are drawn unless another number is asked for.
pub(super) const DRAWN: usize = 20;

/// Reads a file into the field. Its bytes, not its text: a browser's text of another encoding is other prompts.
fn read_file(state: AppState, file: File) {
    let (name, size) = (file.name(), file.size() as usize);
    if let Err(why) = Limits::PAGE.hold(size) {
        state.tell(OfPairs::Refuse { name, why: Some(why) });
        return;
    }
    spawn_local(async move {
        let Ok(buffer) = JsFuture::from(file.array_buffer()).await else {
            state.tell(OfPairs::Refuse { name, why: None });
            return;
        };
        state.tell(match pairs_text(&Uint8Array::new(&buffer).to_vec(), Limits::PAGE) {
            Ok(text) => OfPairs::Read { name, text: text.into_owned() },
            Err(why) => OfPairs::Refuse { name, why: Some(why) },
        });
    });
}

/// The field, a file, and a draw.
#[component]
pub(super) fn Entry(state: AppState) -> impl IntoView {
    let pairs = state.lab.pairs;
    let drop = move |event: DragEvent| {
        let file = event.data_transfer().and_then(|data| data.files()).and_then(|f| f.get(0));
        if let Some(file) = file {
            // Else the page would take it for a model, or the browser would open it.
            event.prevent_default();
            event.stop_propagation();
            read_file(state, file);
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
            read_file(state, file);
            // The same file can be chosen again once it was changed.
            input.set_value("");
        }
    };
    let keys = move |event: KeyboardEvent| {
        let is_undo = (event.ctrl_key() || event.meta_key())
            && !event.shift_key()
            && !event.alt_key()
            && event.key().eq_ignore_ascii_case("z");
        // The field itself knows of what was typed only.
        let is_ours =
            pairs.before.with_untracked(|before| before.as_ref().is_some_and(|b| b.is_last));
        if is_undo && is_ours {
            event.prevent_default();
            state.tell(OfPairs::Undo);
        }
    };
    view! {
        <div class="field">
            <label for="batch-input">
                "Pairs "
                <span class="hint">
                    "CSV with a first line clean, corrupted, answer, wrong (and name), or JSON, also as published with correct_idx and \
                     incorrect_idx, or with prompts in it; several answers stand between |"
                </span>
            </label>
            <textarea
                id="batch-input"
                data-testid="batch-input"
                rows="6"
                spellcheck="false"
                autocomplete="off"
                aria-describedby="batch-problem batch-read"
                placeholder="clean,corrupted,answer,wrong"
                prop:value=live(move || pairs.text.get().to_string())
                on:input=move |event| state.tell(OfPairs::Type(event_target_value(&event)))
                on:keydown=keys
                on:drop=drop
                on:dragover=over
            ></textarea>
            <p id="batch-problem" class="batch-problem" data-testid="batch-problem" role="status">
                {dynamic(move || pairs.problem.get())}
            </p>
            <Listed state />
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

/// How many pairs were read, the rows that are none, and a way back to the list before.
#[component]
fn Listed(state: AppState) -> impl IntoView {
    let pairs = state.lab.pairs;
    let read = move || pairs.with_list(lists::read);
    let bad = memo(move || pairs.with_list(bad_rows).unwrap_or_default());
    let has_bad = memo(move || bad.with(|bad| !bad.is_empty()));
    let summary = move || pairs.with_list(lists::left_out);
    let done = move || pairs.before.with(|before| before.as_ref().map(|b| b.done.clone()));
    let can_undo = memo(move || pairs.before.with(Option::is_some));
    view! {
        <p class="hint">
            <span id="batch-read" data-testid="batch-read" role="status">{dynamic(read)}</span>
            " "
            <span data-testid="batch-done" role="status">{dynamic(done)}</span>
            " "
            {dynamic(move || {
                can_undo.get().then(|| view! {
                    <button
                        type="button"
                        class="way-on"
                        data-testid="batch-undo"
                        title="Bring back the list as it was before"
                        on:click=move |_event| {
                            state.tell(OfPairs::Undo);
                            // Of an empty field there is nothing to undo, and no button.
                            if pairs.before.with_untracked(Option::is_none) {
                                focus("#batch-input");
                            }
                        }
                    >
                        "Undo"
                    </button>
                })
            })}
        </p>
        {dynamic(move || {
            has_bad.get().then(|| view! {
                <details data-testid="batch-bad" open>
                    <summary>{dynamic(summary)}</summary>
                    <div
                        class="batch-cases"
                        tabindex="0"
                        role="region"
                        aria-label="Rows that cannot be read"
                        inner_html=live(move || bad.get())
                    ></div>
                </details>
            })
        })}
    }
}

/// The rows that are no pairs, each with its reason.
fn bad_rows(list: &PairList) -> String {
    let line = |bad: &twinbeam_core::prompts::lists::BadRow| {
        let name = if bad.name.is_empty() { String::new() } else { format!(" ({})", bad.name) };
        format!("<li>{}{}: {}</li>", bad.place, escape(&name), escape(&bad.problem.to_string()))
    };
    let lines: String = list.bad().map(line).collect();
    if lines.is_empty() { lines } else { format!("<ul>{lines}</ul>") }
}

#[component]
fn Drawing(state: AppState) -> impl IntoView {
    let drawn = state.lab.pairs.draw;
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
        state.tell(OfPairs::Draw { task, n, seed });
    };
    let impossible = move || {
        let n = wanted.get().1;
        let possible = (1..=Limits::PAGE.pairs).contains(&n);
        !possible
    };
    let adding = state.lab.pairs.adding;
    let words = move || {
        if adding.with(Option::is_some) {
            return Some("drawn as soon as a model is there".to_owned());
        }
        let draw = drawn.get()?;
        let is_there = state.lab.pairs.with(|pairs| !pairs.is_empty());
        Some(if is_there {
            format!("{} drawn with seed {}", count(draw.n, "pair"), draw.seed)
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
                max=Limits::PAGE.pairs
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
    use twinbeam_core::prompts::lists::read_pairs;

    use super::*;

    #[test]
    fn bad_rows_are_listed_with_place_name_and_reason() {
        let list = read_pairs(
            b"name,clean,corrupted,answer,wrong\n,a,b,c,d\nodd <1>,a,b,|,d\n,a,b,c\n,a,b,c,d",
            Limits::PAGE,
        )
        .expect("two of four");
        let html = bad_rows(&list);
        assert!(html.contains("<li>line 3 (odd &lt;1&gt;): answer is empty</li>"), "{html}");
        assert!(html.contains("<li>line 4: 4 fields, where the first line names 5"), "{html}");
        assert_eq!(bad_rows(&PairList::default()), "");
    }
}
