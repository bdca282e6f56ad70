//! The two prompts, as text or as token ids, and the tokens that the model sees.

use leptos::prelude::*;
use twinbeam_core::prompts::Aligned;
use twinbeam_core::wire::inspection::{SideView, TokenizerNote};
use twinbeam_core::words::{Experiment, Field, Written};

use super::hints::{self, Hints};
use super::offers::Offers;
use crate::explain;
use crate::reactive::{dynamic, live};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::visible;

/// What token ids look like.
const IDS_FOR_EXAMPLE: &str = "464 262 1438";

/// The two prompts, and beneath them what the model sees of them.
#[component]
pub(crate) fn Prompts(state: AppState) -> impl IntoView {
    view! {
        <div class="prompts">
            <PromptField
                state id="prompt-clean" field=Field::Clean label="Clean prompt" hint="shows the behaviour"
                get=|draft| draft.clean.clone() set=|draft, text| draft.clean = text
            />
            <PromptField
                state id="prompt-corrupted" field=Field::Corrupted label="Corrupted prompt"
                hint="the same, without it"
                get=|draft| draft.corrupted.clone() set=|draft, text| draft.corrupted = text
            />
        </div>
        <Tokens state />
    }
}

#[component]
fn PromptField(
    state: AppState,
    id: &'static str,
    field: Field,
    label: &'static str,
    hint: &'static str,
    get: fn(&Experiment) -> String,
    set: fn(&mut Experiment, String),
) -> impl IntoView {
    let run_on_enter = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && state.can_run() {
            event.prevent_default();
            state.tell(Visitor::Run);
        }
    };
    view! {
        <div class="field">
            <label for=id>
                {label} " "
                <span class="hint">{hint} {dynamic(move || typed_in_ids(state).then_some(", in token ids"))}</span>
            </label>
            <textarea
                id=id
                data-testid=id
                rows="2"
                spellcheck="false"
                autocomplete="off"
                aria-describedby=hints::id(field)
                placeholder=live(move || typed_in_ids(state).then_some(IDS_FOR_EXAMPLE))
                prop:value=live(move || state.draft.with(get))
                on:input=move |event| {
                    state.edit(false, |draft| set(draft, event_target_value(&event)));
                }
                on:keydown=run_on_enter
            ></textarea>
            <Hints state field />
        </div>
    }
}

/// Whether prompts are typed as token ids.
fn typed_in_ids(state: AppState) -> bool {
    state.draft.with(|draft| draft.written.prompts_are_ids())
}

/// Both token rows in common columns.
#[component]
fn Tokens(state: AppState) -> impl IntoView {
    let columns = move || state.inspection.with(|inspection| inspection.columns.clone());
    let row = move |clean: bool| {
        let side = state.inspection.with(|inspection| {
            if clean { inspection.clean.clone() } else { inspection.corrupted.clone() }
        });
        columns().into_iter().map(|column| token(&side, column, clean)).collect_view()
    };
    let count = move |clean: bool| {
        state.inspection.with(|inspection| {
            let side = if clean { &inspection.clean } else { &inspection.corrupted };
            side.tokens.len()
        })
    };
    view! {
        <div class="tokens">
            <div class="tokens-scroll" tabindex="0" role="region" aria-label="Tokens of both prompts">
                <table class="token-table" class:waiting=live(move || !state.inspected.get())>
                    <tbody>
                        <tr data-testid="token-row-clean">
                            <th scope="row">"clean " <span class="count">{dynamic(move || count(true))}</span></th>
                            {dynamic(move || row(true))}
                        </tr>
                        <tr data-testid="token-row-corrupted">
                            <th scope="row">
                                "corrupted " <span class="count">{dynamic(move || count(false))}</span>
                            </th>
                            {dynamic(move || row(false))}
                        </tr>
                    </tbody>
                </table>
            </div>
            <Offers state />
            <TypedAs state />
        </div>
    }
}

/// What stands in front of the prompts, and whether they are text.
#[component]
fn TypedAs(state: AppState) -> impl IntoView {
    let bos = move || state.draft.with(|draft| draft.prepend_bos);
    let in_ids = move || state.draft.with(|draft| draft.written != Written::Text);
    let can_turn = move || state.inspected.get() && state.reads_text();
    let bos_title = move || {
        let of = |loaded: &crate::values::Loaded| explain::bos_title(loaded.tokenizer.as_ref());
        state.loaded.with(|loaded| loaded.as_deref().map_or_else(|| explain::bos_title(None), of))
    };
    let notes = move || {
        let notes = state.loaded.with(|loaded| {
            let report = loaded.as_ref().and_then(|loaded| loaded.tokenizer.as_ref());
            report.map(|report| report.notes.clone()).unwrap_or_default()
        });
        let matters = |note: &TokenizerNote| {
            !typed_in_ids(state) && (bos() || !matches!(note, TokenizerNote::Bos { .. }))
        };
        let notes = notes.into_iter().filter(matters);
        notes.map(|note| view! { <p>{explain::tokenizer_note(&note)}</p> }).collect_view()
    };
    view! {
        <div class="typed-as">
            <button
                type="button"
                class="chip bos"
                data-testid="bos"
                aria-pressed=live(move || bos().to_string())
                title=live(bos_title)
                // What is typed in ids is all there is.
                hidden=live(move || typed_in_ids(state))
                on:click=move |_event| state.edit(true, |draft| draft.prepend_bos = !draft.prepend_bos)
            >
                "BOS in front"
            </button>
            <button
                type="button"
                class="chip"
                data-testid="written"
                aria-pressed=live(move || in_ids().to_string())
                title=live(move || explain::written_title(state.reads_text()))
                disabled=live(move || !can_turn())
                on:click=move |_event| state.tell(Visitor::SwitchWriting)
            >
                {dynamic(move || explain::written_label(state.draft.with(|draft| draft.written)))}
            </button>
        </div>
        <div class="hints" data-testid="tokenizer-notes">{dynamic(notes)}</div>
    }
}

fn token(side: &SideView, column: Aligned, clean: bool) -> impl IntoView + use<> {
    let index = if clean { column.clean } else { column.corrupted };
    let token = index.and_then(|index| side.tokens.get(index));
    let (text, title) = match token {
        Some(token) if token.bos => ("BOS".to_owned(), format!("{}, id {}", token.text, token.id)),
        Some(token) if token.special => {
            (visible(&token.text), format!("a special or added token, id {}", token.id))
        }
        Some(token) => (visible(&token.text), format!("id {}", token.id)),
        None => ("–".to_owned(), "no token here".to_owned()),
    };
    let bos = token.is_some_and(|token| token.bos);
    let special = token.is_some_and(|token| token.special && !token.bos);
    view! {
        <td
            class="token"
            class:differs=!column.equal
            class:absent=token.is_none()
            class:bos=bos
            class:special=special
            data-token-id=token.map(|token| token.id)
            title=title
        >
            {special.then(|| view! { <span class="unseen">"special token "</span> })}
            {text}
        </td>
    }
}
