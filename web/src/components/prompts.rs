//! The two prompts, as text or as token ids: rows of the tokens that the model sees, which are typed in.

use leptos::prelude::*;
use twinbeam_core::prompts::Aligned;
use twinbeam_core::wire::inspection::{Inspection, SideView, TokenView};
use twinbeam_core::words::{Experiment, Field};
use wasm_bindgen::JsCast as _;
use web_sys::Element;

use super::answers::AnswerFields;
use super::controls::Examples;
use super::focus;
use super::hints::{self, Hints};
use super::likelihoods::Likelihoods;
use super::offers::Offers;
use super::rectangle;
use super::typed_as::{TokenizerNotes, typed_in_ids};
use crate::ports::screen;
use crate::reactive::{dynamic, effect, live, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::visible;

/// What token ids look like.
const IDS_FOR_EXAMPLE: &str = "464 262 1438";

/// The two prompts as rows of tokens in common columns, each of which is the field that it is typed in; at their ends
/// how likely the answers are.
///
/// On a narrow screen there is room for one of the two: the other is a tap away.
#[component]
pub(crate) fn Prompts(state: AppState) -> impl IntoView {
    let clean_first = RwSignal::new(true);
    let side = move || if clean_first.get() { "clean" } else { "corrupted" };
    view! {
        <div class="prompts" data-side=live(side)>
            <Examples state />
            <AnswerFields state />
            <TokenRows state clean_first />
            {[Field::Clean, Field::Corrupted].map(|field| view! { <Editor state field /> })}
            <Likelihoods state clean=true />
            <Likelihoods state clean=false />
        </div>
        <div class="beneath">
            <Hints state field=Field::Clean />
            <Hints state field=Field::Corrupted />
            <Offers state />
            <TokenizerNotes state />
        </div>
    }
}

/// Name and meaning of a prompt's row.
const fn named(field: Field) -> (&'static str, &'static str, &'static str) {
    match field {
        Field::Corrupted => ("prompt-corrupted", "corrupted", "the same, without the behaviour"),
        _ => ("prompt-clean", "clean", "shows the behaviour"),
    }
}

fn prompt(field: Field, draft: &Experiment) -> &String {
    if field == Field::Corrupted { &draft.corrupted } else { &draft.clean }
}

fn side(field: Field, inspection: &Inspection) -> &SideView {
    if field == Field::Corrupted { &inspection.corrupted } else { &inspection.clean }
}

/// The field in which a prompt is typed. It lies over its row of tokens, and is seen while it is in use: then the
/// tokens are marked in the text itself.
#[component]
fn Editor(state: AppState, field: Field) -> impl IntoView {
    let (id, name, meaning) = named(field);
    let run_on_enter = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && state.can_run() {
            event.prevent_default();
            state.tell(Visitor::Run);
        }
    };
    let text = memo(move || state.draft.with(|draft| prompt(field, draft).clone()));
    let marked = move || {
        let text = text.get();
        state.inspection.with(|inspection| {
            let columns = inspection.columns.iter().filter_map(|column| {
                let index = if field == Field::Corrupted { column.corrupted } else { column.clean };
                Some((index?, column.equal))
            });
            let tokens = &side(field, inspection).tokens;
            let pieces = columns.filter_map(|(index, equal)| {
                let token = tokens.get(index).filter(|token| !token.bos)?;
                Some((token.text.clone(), equal))
            });
            let (pieces, rest) = pieces_of(&text, pieces);
            let pieces = pieces.into_iter().map(|(piece, equal)| {
                view! { <span class="piece" class:differs=!equal>{piece}</span> }
            });
            // A line that ends in a break is as high as the field only if something follows it.
            view! { {pieces.collect_view()} {rest} "\u{200b}" }
        })
    };
    let label = move || {
        let ids = if typed_in_ids(state) { ", in token ids" } else { "" };
        format!("{} prompt: {meaning}{ids}", capital(name))
    };
    view! {
        <div class=format!("editor {name}")>
            <div class="backdrop" aria-hidden="true">{dynamic(marked)}</div>
            <textarea
                id=id
                data-testid=id
                rows="1"
                spellcheck="false"
                autocomplete="off"
                autocapitalize="off"
                aria-label=live(label)
                aria-describedby=hints::id(field)
                placeholder=live(move || typed_in_ids(state).then_some(IDS_FOR_EXAMPLE))
                prop:value=live(move || text.get())
                on:input=move |event| {
                    let text = event_target_value(&event);
                    state.edit(false, |draft| match field {
                        Field::Corrupted => draft.corrupted = text,
                        _ => draft.clean = text,
                    });
                }
                on:keydown=run_on_enter
            ></textarea>
        </div>
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A text cut where its tokens are, as far as they are the text's, and what is left of it: tokens of a text that has
/// been changed since are not those of what follows.
fn pieces_of(
    text: &str,
    tokens: impl Iterator<Item = (String, bool)>,
) -> (Vec<(String, bool)>, String) {
    let mut rest = text;
    let mut pieces = Vec::new();
    for (token, equal) in tokens {
        let Some(after) = rest.strip_prefix(token.as_str()) else { break };
        rest = after;
        pieces.push((token, equal));
    }
    (pieces, rest.to_owned())
}

/// Both token rows in common columns. A click in a row goes to its field.
#[component]
fn TokenRows(state: AppState, clean_first: RwSignal<bool>) -> impl IntoView {
    // What the model expects behind them comes later, and changes no token.
    let seen = memo(move || {
        state.inspection.with(|inspection| {
            let tokens = [Field::Clean, Field::Corrupted]
                .map(|field| side(field, inspection).tokens.clone());
            (inspection.columns.clone(), tokens)
        })
    });
    let row = move |field: Field| {
        let clean = field == Field::Clean;
        seen.with(|(columns, tokens)| {
            let tokens = &tokens[usize::from(!clean)];
            if tokens.is_empty() {
                // Until the model is there, and where a prompt has no tokens, it is its text.
                let text = state.draft.with(|draft| prompt(field, draft).clone());
                return view! { <td class="untold">{text}</td> }.into_any();
            }
            columns.iter().map(|column| token(tokens, *column, clean)).collect_view().into_any()
        })
    };
    let count = move |field: Field| {
        seen.with(|(_, tokens)| tokens[usize::from(field == Field::Corrupted)].len())
    };
    effect(move || {
        seen.track();
        // Once they are drawn.
        request_animation_frame(show_difference);
    });
    let swap = move || clean_first.update(|clean| *clean = !*clean);
    let line = move |field: Field, testid: &'static str| {
        let (id, name, meaning) = named(field);
        let go = move |event: leptos::ev::MouseEvent| {
            let on_difference = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok())
                .is_some_and(|element| element.class_list().contains("differs"));
            // Where only one prompt is seen, what differs leads to the other.
            if on_difference && is_narrow() {
                swap();
            } else {
                focus(&format!("#{id}"));
            }
        };
        view! {
            <tr class=name data-testid=testid on:click=go>
                <th scope="row" title=meaning>
                    {name} " " <span class="count">{dynamic(move || count(field))}</span>
                </th>
                {dynamic(move || row(field))}
            </tr>
        }
    };
    view! {
        <div class="tokens-scroll rows" tabindex="0" role="region" aria-label="Tokens of both prompts">
            <table class="token-table" class:waiting=live(move || !state.inspected.get())>
                <tbody>
                    {line(Field::Clean, "token-row-clean")} {line(Field::Corrupted, "token-row-corrupted")}
                </tbody>
            </table>
            <button
                type="button"
                class="chip swap"
                data-testid="swap-side"
                title="Shows the other prompt"
                on:click=move |_event| swap()
            >
                {dynamic(move || {
                    if clean_first.get() { "⇄ corrupted" } else { "⇄ clean" }
                })}
            </button>
        </div>
    }
}

/// Scrolls long rows to where they begin to differ, unless that is in sight.
fn show_difference() {
    let find = |selector: &str| document().query_selector(selector).ok().flatten();
    let place = |selector: &str| rectangle(&find(selector)?);
    let places = [".rows", ".rows th", ".rows .differs"].map(place);
    let (Some(rows), [Some(frame), Some(name), Some(at)]) = (find(".rows"), places) else { return };
    let ([left, _, room, _], [_, _, names, _], [from, _, wide, _]) = (frame, name, at);
    if from < left + names || from + wide > left + room {
        // In the middle, so that what stands around it is seen.
        let middle = from - left - f64::midpoint(names, room);
        rows.set_scroll_left(rows.scroll_left() + middle as i32);
    }
}

/// Whether the screen has room for one prompt only, as `styles/inputs.css` has it.
fn is_narrow() -> bool {
    screen::matches("(max-width: 40rem)") == Some(true)
}

fn token(tokens: &[TokenView], column: Aligned, clean: bool) -> impl IntoView + use<> {
    let index = if clean { column.clean } else { column.corrupted };
    let token = index.and_then(|index| tokens.get(index));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_tokens_as_far_as_they_are_its_own() {
        let tokens = || [("The", true), (" keys", false), (" near", true)];
        let cut = |text| {
            pieces_of(text, tokens().into_iter().map(|(token, equal)| (token.to_owned(), equal)))
        };
        let (pieces, rest) = cut("The keys near");
        assert_eq!((pieces.len(), rest.as_str()), (3, ""));
        assert_eq!(pieces[1], (" keys".to_owned(), false));
        let (pieces, rest) = cut("The key");
        assert_eq!((pieces.len(), rest.as_str()), (1, " key"), "the tokens are of what was before");
        assert_eq!(cut(""), (Vec::new(), String::new()));
    }
}
