//! The fields of the right and the wrong next tokens, and how each entry reads.

use leptos::prelude::*;
use twinbeam_core::wire::inspection::{AnswerCheck, AnswerReading, Inspection};
use twinbeam_core::words::{Experiment, Field, TopToken};

use super::focus;
use super::hints::{self, Hints};
use crate::reactive::{dynamic, live};
use crate::state::AppState;
use crate::values::visible;

/// Entries of an answer field that are shown one by one.
const MOST_READINGS: usize = 4;

/// The right and the wrong next token, with the model's own guesses as suggestions.
#[component]
pub(crate) fn AnswerFields(state: AppState) -> impl IntoView {
    view! {
        <div class="answers">
            <AnswerField
                state id="answer" field=Field::Answer label="Answer" hint="What the clean prompt makes likely"
                get=|draft| &mut draft.answer
                check=|inspection| &inspection.answer
                suggestions=|inspection| &inspection.clean.next.top
            />
            <AnswerField
                state id="wrong" field=Field::Wrong label="Wrong answer" hint="What the answer is compared with"
                get=|draft| &mut draft.wrong
                check=|inspection| &inspection.wrong
                suggestions=|inspection| &inspection.corrupted.next.top
            />
        </div>
    }
}

#[component]
fn AnswerField(
    state: AppState,
    id: &'static str,
    field: Field,
    label: &'static str,
    hint: &'static str,
    get: fn(&mut Experiment) -> &mut Vec<String>,
    check: fn(&Inspection) -> &AnswerCheck,
    suggestions: fn(&Inspection) -> &Vec<TopToken>,
) -> impl IntoView {
    let list = format!("{id}-suggestions");
    let value = move || {
        let mut draft = state.draft.get();
        get(&mut draft).join("|")
    };
    let type_text = move |text: String| {
        state.edit(false, |draft| *get(draft) = split(&text));
    };
    let in_ids = move || state.draft.with(|draft| draft.written.answers_are_ids());
    let title = move || {
        if in_ids() {
            format!("{hint}: one token id; several with | between them")
        } else {
            format!("{hint}: one token, with its leading space; several with | between them")
        }
    };
    let options = move || {
        let top = state.inspection.with(|inspection| suggestions(inspection).clone());
        let in_ids = in_ids();
        top.into_iter()
            .map(|token| {
                let label = format!("{}  {:.1} %", visible(&token.text), 100.0 * token.prob);
                let value = if in_ids { token.id.to_string() } else { token.text };
                view! { <option value=value>{label}</option> }
            })
            .collect_view()
    };
    let readings = move || {
        let all = state.inspection.with(|inspection| check(inspection).readings.clone());
        let n = all.len();
        // Of a long list only its ends and what is wrong with it.
        let long = n > MOST_READINGS;
        let shown = all.into_iter().enumerate().filter(move |(place, reading)| {
            !long || *place == 0 || *place + 1 == n || reading.pieces.len() != 1
        });
        let readings =
            shown.map(|(place, found)| reading(state, field, get, place, found)).collect_view();
        view! {
            {readings}
            {long.then(|| view! { <span class="count">{format!("{n} answers")}</span> })}
        }
    };
    view! {
        <div class="field">
            <label for=id>
                {label} <span class="hint">{dynamic(move || in_ids().then_some(" token id"))}</span>
            </label>
            <input
                id=id
                data-testid=id
                type="text"
                spellcheck="false"
                autocomplete="off"
                list=list.clone()
                aria-describedby=hints::id(field)
                title=live(title)
                prop:value=live(value)
                on:input=move |event| type_text(event_target_value(&event))
            />
            <datalist id=list>{dynamic(options)}</datalist>
            <span class="readings">{dynamic(readings)}</span>
            <Hints state field />
        </div>
    }
}

/// How one entry reads: as a token, or split, with the variant that would be one.
fn reading(
    state: AppState,
    field: Field,
    get: fn(&mut Experiment) -> &mut Vec<String>,
    place: usize,
    found: AnswerReading,
) -> impl IntoView {
    let one = found.pieces.len() == 1;
    let pieces: Vec<String> = found.pieces.iter().map(|piece| visible(piece)).collect();
    let offer = found.with_space.map(|text| {
        let label = format!("use “{}”", visible(&text));
        view! {
            <button
                type="button"
                class="chip offer"
                on:click=move |_event| {
                    let text = text.clone();
                    state.edit(true, |draft| {
                        if let Some(entry) = get(draft).get_mut(place) {
                            *entry = text;
                        }
                    });
                    focus(&format!("[aria-describedby={}]", hints::id(field)));
                }
            >
                {label}
            </button>
        }
    });
    view! {
        <span class="reading-of-answer" class:split=!one>
            {pieces
                .into_iter()
                .map(|piece| view! { <span class="token">{piece}</span> })
                .collect_view()}
            {(!one).then_some(" splits; an answer is one token ")}
            {offer}
        </span>
    }
}

/// Entries between bars, kept as typed: their spaces matter.
fn split(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { text.split('|').map(str::to_owned).collect() }
}
