use leptos::prelude::*;
use twinbeam_core::{Aligned, Experiment, SideView};

use super::{edit, visible};
use crate::bridge;
use crate::reactive::{dynamic, live};
use crate::state::AppState;

/// The two prompts, and beneath them what the model sees of them.
#[component]
pub(crate) fn Prompts(state: AppState) -> impl IntoView {
    view! {
        <div class="prompts">
            <PromptField
                state id="prompt-clean" label="Clean prompt" hint="shows the behaviour"
                get=|draft| draft.clean.clone() set=|draft, text| draft.clean = text
            />
            <PromptField
                state id="prompt-corrupted" label="Corrupted prompt" hint="the same, without it"
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
    label: &'static str,
    hint: &'static str,
    get: fn(&Experiment) -> String,
    set: fn(&mut Experiment, String),
) -> impl IntoView {
    let run_on_enter = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && state.can_run() {
            event.prevent_default();
            bridge::run(state, true);
        }
    };
    view! {
        <div class="field">
            <label for=id>{label} " " <span class="hint">{hint}</span></label>
            <textarea
                id=id
                data-testid=id
                rows="2"
                spellcheck="false"
                autocomplete="off"
                prop:value=live(move || state.draft.with(get))
                on:input=move |event| {
                    edit(state, false, |draft| set(draft, event_target_value(&event)));
                }
                on:keydown=run_on_enter
            ></textarea>
        </div>
    }
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
    let bos = move || state.draft.with(|draft| draft.prepend_bos);
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
            <button
                type="button"
                class="chip bos"
                data-testid="bos"
                aria-pressed=live(move || bos().to_string())
                title="Whether the beginning-of-sequence token <|endoftext|> stands in front, as TransformerLens puts it"
                on:click=move |_event| edit(state, true, |draft| draft.prepend_bos = !draft.prepend_bos)
            >
                {dynamic(move || if bos() { "BOS in front: on" } else { "BOS in front: off" })}
            </button>
        </div>
    }
}

fn token(side: &SideView, column: Aligned, clean: bool) -> impl IntoView + use<> {
    let index = if clean { column.clean } else { column.corrupted };
    let token = index.and_then(|index| side.tokens.get(index));
    let (text, title) = match token {
        Some(token) if token.bos => ("BOS".to_owned(), format!("{}, id {}", token.text, token.id)),
        Some(token) => (visible(&token.text), format!("id {}", token.id)),
        None => ("–".to_owned(), "no token here".to_owned()),
    };
    let bos = token.is_some_and(|token| token.bos);
    view! {
        <td
            class="token"
            class:differs=!column.equal
            class:absent=token.is_none()
            class:bos=bos
            data-token-id=token.map(|token| token.id)
            title=title
        >
            {text}
        </td>
    }
}
