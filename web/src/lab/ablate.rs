//! Sets of components, replaced together: whether what the methods say of them one by one holds for the set.

mod curve;
mod question;
mod table;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::{Panel, SetChoice, WithChoice};
use twinbeam_core::wire::probes::{Finding, Probe, Replacement};
use twinbeam_core::words::ComponentKind;

use self::curve::Curve;
use self::question::{Sets, averaged, faithfulness, replacement, sets};
use self::table::Rows;
use super::claim::{Claim, Test, named, spelled};
use super::parts::KindSelect;
use super::sheet::Sheet;
use super::why::unchecked;
use super::{Chapter, Pending};
use crate::components::chosen;
use crate::plot::PlotView;
use crate::reactive::{dynamic, live, memo};
use crate::session::OfPairs;
use crate::state::AppState;
use crate::values::{Slot, count};

/// Pairs that are drawn where there are none.
const DRAWN_PAIRS: usize = 16;

const DEFINITION: &str = "All components of a set are replaced at all positions, in one run. Joint effect: noising, \
    the metric before minus after; denoising, after minus before (of KL the reverse); positive: the clean behaviour \
    is better off with the clean side’s values, or, with a mean or zero, with what was there (noising) or with what \
    is put in (denoising). Beside it the sum of the AP scores of the same components, each replaced alone by the \
    other run’s values; within 5 % they are additive. Found: at or above the threshold chosen under Agreement. The \
    random set, always the same, is drawn from those that neither method finds, or from all where these are too few. \
    Faithfulness: (m − m_corrupted) / (m_clean − m_corrupted), m the metric of the clean run with all of a kind \
    replaced but the strongest by absolute score; 1 is the clean run, 0 the corrupted one. With none kept it need \
    not be 0, for embeddings and the other kind stay clean. Area: under the curve over the share that is kept, from \
    0 to 1, by trapezoids between the points (as CPR in MIB, on this grid). Mean: over prompts and positions, \
    without BOS (Wang et al. 2022, arXiv:2211.00593; Marks et al. 2024, arXiv:2403.19647).";

/// Sets of components, replaced together.
#[component]
pub(super) fn Ablate(state: AppState, sheet: Sheet) -> impl IntoView {
    let lab = state.lab;
    let is_open = memo(move || lab.is_open(Panel::Ablate));
    let sets = memo(move || is_open.get().then(|| sets(state)).flatten());
    let replacement = memo(move || {
        is_open.get().then(|| lab.pairs.with(|pairs| replacement(lab.with.get(), pairs))).flatten()
    });
    let is_asked = memo(move || state.is_ablated());
    state.ask(Slot::Ablate, move || {
        let (sets, with) = (sets.get()?, replacement.get()?);
        // Nothing replaced must change nothing.
        let sets = sets.of.into_iter().chain([Vec::new()]).collect();
        let direction = state.direction();
        is_asked.get().then_some(Probe::Ablate { sets, with, direction })
    });
    state.ask(Slot::Faithfulness, move || {
        let (sets, with) = (sets.get()?, replacement.get()?);
        is_asked.get().then(|| faithfulness(state, sets.found, with)).flatten()
    });
    let rows = memo(move || {
        let answer = state.answer(Slot::Ablate)?;
        let (Ok(Finding::Ablate(found)), Probe::Ablate { sets, with, .. }) =
            (&answer.found, &answer.probe)
        else {
            return None;
        };
        state.committed.with(|committed| Rows::of(committed.as_ref()?, sets, with, found))
    });
    let claim = memo(move || {
        let chosen = lab.set.get();
        sets.with(|sets| match (sets, rows.with(|rows| rows.as_ref().map(|r| r.claim(chosen)))) {
            (None, _) => Claim::new(super::parts::missing(state)),
            (Some(sets), Some(words)) => after(sets, chosen, words),
            (Some(sets), None) if is_asked.get() => {
                Claim::new(format!("What {} do together is being worked out.", those(sets, chosen)))
            }
            (Some(sets), None) => before(sets, chosen),
        })
    });
    view! {
        <Chapter state panel=Panel::Ablate testid="panel-ablate" claim definition=DEFINITION>
            <Tools state sets replacement is_asked />
            <Table state rows />
            <Kept state sheet sets />
        </Chapter>
    }
}

const fn set_name(choice: SetChoice) -> &'static str {
    match choice {
        SetChoice::IgOnly => "found by IG only",
        SetChoice::ApOnly => "found by AP only",
        SetChoice::Both => "found by both",
        SetChoice::Random => "drawn at random",
        SetChoice::Selected => "selected by hand",
    }
}

const fn with_name(with: WithChoice) -> &'static str {
    match with {
        WithChoice::OtherRun => "the other run’s values",
        WithChoice::Mean => "their mean over the prompts of the batch",
        WithChoice::Zero => "zero",
    }
}

/// The components of a set, as a sentence names them.
fn those(sets: &Sets, chosen: SetChoice) -> String {
    named(&sets.of[chosen as usize])
}

/// What a click would find out.
fn before(sets: &Sets, chosen: SetChoice) -> Claim {
    // Of an empty set there is nothing to find out: the first that is not.
    let is_there = |set: &SetChoice| !sets.of[*set as usize].is_empty();
    let Some(set) = [chosen].into_iter().chain(SetChoice::ALL).find(is_there) else {
        return Claim::new(
            "Nothing is found, and nothing is selected: choose a lower threshold under Agreement.",
        );
    };
    let (those, found) = (those(sets, set), set_name(set));
    Claim::new(format!(
        "One click replaces {those} ({found}) in one run, and says how much of the gap goes with them."
    ))
    .with("Test it: replace them together".to_owned(), Test::Replace(set))
}

/// What was found, and what to hold it against.
fn after(sets: &Sets, chosen: SetChoice, words: String) -> Claim {
    let claim = Claim::new(words);
    let n = |set: SetChoice| sets.of[set as usize].len();
    let other = if chosen == SetChoice::Random { SetChoice::Both } else { SetChoice::Random };
    let claim = match (other, n(other)) {
        (_, 0) => claim,
        (SetChoice::Random, n) => claim
            .with(format!("Hold it against {} drawn at random", spelled(n)), Test::Replace(other)),
        (_, n) => {
            claim.with(format!("Back to the {} that both find", spelled(n)), Test::Replace(other))
        }
    };
    let only = [SetChoice::IgOnly, SetChoice::ApOnly];
    match only.into_iter().find(|set| *set != chosen && n(*set) > 0) {
        Some(set) => claim.with(format!("Replace those {}", set_name(set)), Test::Replace(set)),
        None => claim,
    }
}

/// What is replaced, by what, and the button.
#[component]
fn Tools(
    state: AppState,
    sets: Memo<Option<Sets>>,
    replacement: Memo<Option<Replacement>>,
    is_asked: Memo<bool>,
) -> impl IntoView {
    let lab = state.lab;
    let choose_set = move |event| {
        if let Some(set) = chosen(&event, &SetChoice::ALL, SetChoice::id) {
            lab.set.set(set);
        }
    };
    let choose_with = move |event| {
        if let Some(with) = chosen(&event, &WithChoice::ALL, WithChoice::id) {
            lab.with.set(with);
        }
    };
    let size = move |set: SetChoice| {
        let n = sets.with(|sets| sets.as_ref().map(|sets| sets.of[set as usize].len()));
        n.map_or_else(|| set_name(set).to_owned(), |n| format!("{} ({n})", set_name(set)))
    };
    let run = move |_event| {
        state.ask_for_figure(lab.ablated);
    };
    let cannot_run = move || {
        let lacks = sets.with(Option::is_none) || replacement.with(Option::is_none);
        lacks || is_asked.get()
    };
    let lacks_prompts =
        memo(move || lab.with.get() == WithChoice::Mean && replacement.with(Option::is_none));
    view! {
        <div class="panel-tools">
            <KindSelect state testid="ablate-kind" />
            <label class="switch">
                "Replace those "
                <select data-testid="ablate-set" prop:value=live(move || lab.set.get().id()) on:change=choose_set>
                    {SetChoice::ALL
                        .map(|set| view! { <option value=set.id()>{dynamic(move || size(set))}</option> })
                        .collect_view()}
                </select>
            </label>
            <label class="switch">
                "by "
                <select data-testid="ablate-with" prop:value=live(move || lab.with.get().id()) on:change=choose_with>
                    {WithChoice::ALL
                        .map(|with| view! { <option value=with.id()>{with_name(with)}</option> })
                        .collect_view()}
                </select>
            </label>
            <button type="button" data-testid="ablate-run" disabled=live(cannot_run) on:click=run>
                "Replace them"
            </button>
        </div>
        <p class="hint" data-testid="ablate-note">
            {dynamic(move || note(state, sets, is_asked))}
            {dynamic(move || {
                lacks_prompts.get().then(|| view! {
                    " There are no prompts yet to take a mean over, and means over prompts of another task are no neutral replacement: \
                     enter pairs like yours under Many prompts, or "
                    <button
                        type="button"
                        class="way-on"
                        data-testid="ablate-draw"
                        disabled=live(move || state.loaded.with(Option::is_none))
                        on:click=move |_event| state.tell(OfPairs::Draw {
                            task: "ioi".to_owned(),
                            n: DRAWN_PAIRS,
                            seed: 1,
                        })
                    >
                        "draw 16 pairs of indirect object identification"
                    </button>
                })
            })}
        </p>
    }
}

/// What the choice means, or why nothing can be run.
fn note(state: AppState, sets: Memo<Option<Sets>>, is_asked: Memo<bool>) -> String {
    let lab = state.lab;
    if sets.with(Option::is_none) {
        return super::parts::missing(state).to_owned();
    }
    let mut words = if is_asked.get() {
        "Each choice above is computed at once.".to_owned()
    } else {
        "All five sets are replaced, each in a run of its own, so that they can be compared."
            .to_owned()
    };
    if lab.with.get() == WithChoice::Mean {
        let n = 2 * lab.pairs.with(|pairs| averaged(pairs).count());
        if n > 0 {
            let more = format!(" The mean is over {}.", count(n, "prompt"));
            words.push_str(&more);
        }
    }
    words
}

/// All sets, the chosen one emphasised.
#[component]
fn Table(state: AppState, rows: Memo<Option<Rows>>) -> impl IntoView {
    let html = move || rows.with(|rows| rows.as_ref().map(|rows| rows.html(state.lab.set.get())));
    let reading =
        move || rows.with(|rows| rows.as_ref().map(|rows| rows.reading(state.lab.set.get())));
    view! {
        <Pending state of=Slot::Ablate />
        <div hidden=live(move || rows.with(Option::is_none))>
            <div
                class="tokens-scroll"
                data-testid="ablation"
                tabindex="0"
                role="region"
                aria-label="Sets replaced together"
                inner_html=live(html)
            ></div>
            <p data-testid="ablate-reading">{dynamic(reading)} " " {dynamic(move || unchecked(state, Slot::Ablate))}</p>
        </div>
    }
}

/// How few components carry the behaviour.
#[component]
fn Kept(state: AppState, sheet: Sheet, sets: Memo<Option<Sets>>) -> impl IntoView {
    let curve = memo(move || {
        let answer = state.answer(Slot::Faithfulness)?;
        let (Ok(Finding::Faithfulness(found)), Probe::Faithfulness { with, .. }) =
            (&answer.found, &answer.probe)
        else {
            return None;
        };
        let n_found = sets.with(|sets| sets.as_ref().map(|sets| sets.found))?;
        let direction = state.direction();
        state
            .committed
            .with(|committed| Curve::of(committed.as_ref()?, found, with, direction, n_found))
    });
    let drawn =
        memo(move || curve.with(|curve| Some(Arc::new(curve.as_ref()?.draw(sheet.column(1))))));
    let refused = move || {
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            if let Err(refused) = committed.basis.gap() {
                return Some(format!(
                    "There is no faithfulness, which is a share of the gap. {}",
                    crate::explain::refused(&refused),
                ));
            }
            let kind = state.lab.kind.get();
            let waits = kind == ComponentKind::Neurons
                && sets.with(Option::is_some)
                && !committed.is_complete(kind);
            waits.then(|| "Faithfulness follows when all neurons have been patched.".to_owned())
        })
    };
    let numbers = move || curve.with(|curve| curve.as_ref().map(Curve::numbers));
    let reading = move || curve.with(|curve| curve.as_ref().map(Curve::reading));
    view! {
        <p class="refusal">{dynamic(refused)}</p>
        <Pending state of=Slot::Faithfulness />
        <PlotView pointer=state testid="faithfulness" label="Faithfulness" drawn>
            <dl class="panel-numbers" inner_html=live(numbers)></dl>
            <p>{dynamic(reading)} " " {dynamic(move || unchecked(state, Slot::Faithfulness))}</p>
        </PlotView>
    }
}
