//! Circuits: edges that are kept while the rest is patched, as questions of a visitor.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::wire::probes::Finding;

use super::curves::{self, Curves};
use super::kept::{self, MOST_MINIMAL};
use super::ranked::Ranked;
use super::seen::{Lists, ends, found};
use super::words;
use crate::components::chosen;
use crate::lab::Pending;
use crate::lab::sheet::{PlotRow, Sheet};
use crate::lab::why::unchecked;
use crate::plot::PlotView;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::Slot;

/// Whose edges are left out one by one.
const SETS: [&str; 3] = ["eap_ig", "exact", "by_hand"];

/// What circuits keep of the gap.
#[component]
pub(super) fn Circuits(
    state: AppState,
    sheet: Sheet,
    ranked: Memo<Option<Arc<Ranked>>>,
    sets: Memo<Lists>,
) -> impl IntoView {
    let is_quick =
        memo(move || state.lab.edges(state.direction()).is_some_and(|edges| edges.is_quick()));
    let refused = move || {
        let why = state.committed.with(|committed| committed.as_ref()?.ends().err())?;
        let why = crate::explain::refused(&why);
        Some(format!("There is no faithfulness, which is a share of the gap. {why}"))
    };
    let is_asked = memo(move || !sets.with(Vec::is_empty));
    let numbers = move || {
        let (sets, found) = found(state, Slot::Kept)?;
        Some(kept::faithful(&sets, ends(state)?, &found))
    };
    let size = move || words::edges(state.lab.paths.with(|paths| paths.n));
    view! {
        <div class="circuits" hidden=live(move || ranked.with(Option::is_none))>
            <h4>"Circuits: these edges kept, the rest patched"</h4>
            <p class="refusal">{dynamic(refused)}</p>
            <div class="panel-tools" hidden=live(move || ends(state).is_none())>
                <button
                    type="button"
                    data-testid="paths-keep"
                    disabled=live(move || is_asked.get())
                    on:click=move |_event| state.ask_for_figure(state.lab.kept)
                >
                    {dynamic(move || format!("Keep {}, patch the rest", size()))}
                </button>
                <span class="hint">
                    "A circuit has at least so many edges, all of them on a path from embed to logits. What is chosen by hand \
                     is run beside it."
                </span>
            </div>
            <Pending state of=Slot::Kept />
            <dl class="panel-numbers" inner_html=live(numbers)></dl>
            <p class="hint">{dynamic(move || unchecked(state, Slot::Kept))}</p>
            <PlotRow sheet n=2>
                <Growing state sheet ranked is_quick />
                <Minimal state sheet ranked sets is_quick />
            </PlotRow>
        </div>
    }
    .into_any()
}

/// Faithfulness by size.
#[component]
fn Growing(
    state: AppState,
    sheet: Sheet,
    ranked: Memo<Option<Arc<Ranked>>>,
    is_quick: Memo<bool>,
) -> impl IntoView {
    let asked: RwSignal<Option<Arc<Ranked>>> = RwSignal::new(None);
    let can = memo(move || {
        let has = |ranked: &Ranked| ranked.has_exact();
        ends(state).is_some() && ranked.with(|ranked| ranked.as_deref().is_some_and(has))
    });
    // A ranking grows from round to round: a curve is of what was known when it was asked for, or of all.
    let of = memo(move || {
        let ranked = ranked.get().filter(|_| can.get())?;
        if is_quick.get() {
            return Some(ranked).filter(|ranked| ranked.is_whole());
        }
        asked.get().filter(|asked| asked.is_of(&ranked))
    });
    state.ask(Slot::CircuitCurves, move || of.with(|of| of.as_deref().map(curves::question)));
    let found = move || {
        let answer = state.answer(Slot::CircuitCurves)?;
        let Ok(Finding::CircuitCurves(found)) = &answer.found else {
            return None;
        };
        Curves::of(ends(state)?, &*of.get()?, found)
    };
    let drawn = memo(move || Some(Arc::new(found()?.draw(sheet.column(2)))));
    let offer = move || {
        let known = |ranked: Option<&Arc<Ranked>>| ranked.map_or(0, |ranked| ranked.coverage.exact);
        let n = ranked.with(|ranked| known(ranked.as_ref()));
        let is_new = of.with(|of| known(of.as_ref()) < n);
        (can.get() && !is_quick.get() && is_new).then(|| {
            view! {
                <p>
                    <button
                        type="button"
                        data-testid="paths-curves"
                        on:click=move |_event| asked.set(ranked.get_untracked())
                    >
                        "Compute faithfulness by size"
                    </button>
                    <span class="hint">" Ten sizes of seven rankings: on a model of this size that takes a while."</span>
                </p>
            }
        })
    };
    view! {
        <div>
            {dynamic(offer)}
            <Pending state of=Slot::CircuitCurves />
            <PlotView pointer=state testid="paths-curve" label="Faithfulness of circuits" drawn>
                <dl
                    class="panel-numbers"
                    inner_html=live(move || found().map(|curves| curves.numbers()))
                ></dl>
                <p>
                    {dynamic(move || found().map(|curves| curves.reading()))} " "
                    {dynamic(move || unchecked(state, Slot::CircuitCurves))}
                </p>
            </PlotView>
        </div>
    }
    .into_any()
}

/// What each edge of a small circuit adds.
#[component]
fn Minimal(
    state: AppState,
    sheet: Sheet,
    ranked: Memo<Option<Arc<Ranked>>>,
    sets: Memo<Lists>,
    is_quick: Memo<bool>,
) -> impl IntoView {
    let is_asked = RwSignal::new(false);
    let of = RwSignal::new(SETS[0]);
    let circuit = memo(move || -> Lists {
        let place = SETS.iter().position(|set| *set == of.get()).unwrap_or_default();
        sets.with(|sets| sets.get(place).cloned().into_iter().collect())
    });
    state.ask(Slot::Minimal, move || {
        let is_wanted = is_quick.get() || is_asked.get();
        is_wanted.then(|| circuit.with(|circuit| kept::minimal(circuit.first()?))).flatten()
    });
    let added = move || {
        let (sets, found) = found(state, Slot::Minimal)?;
        Some(kept::added(ends(state)?, &sets, &found))
    };
    let drawn = memo(move || {
        let (ranked, added) = (ranked.get()?, added()?);
        Some(Arc::new(kept::draw_added(&ranked, &added, sheet.column(2))))
    });
    let offer = move || {
        let n = circuit.with(|circuit| circuit.first().map(Vec::len))?;
        let can = (1..=MOST_MINIMAL).contains(&n);
        let words = match n {
            0 => "There is no edge in it.".to_owned(),
            n if !can => {
                format!("It has {}: choose one of at most {MOST_MINIMAL}.", words::edges(n))
            }
            _ => String::new(),
        };
        let asks = can && !is_quick.get() && !is_asked.get();
        Some(view! {
            <span class="hint">{words}</span>
            {asks.then(|| view! {
                <button type="button" data-testid="paths-minimal" on:click=move |_event| is_asked.set(true)>
                    "Leave out each edge"
                </button>
            })}
        })
    };
    let choose = move |event| {
        if let Some(set) = chosen(&event, &SETS, |set| set) {
            of.set(set);
        }
    };
    view! {
        <div hidden=live(move || sets.with(Vec::is_empty))>
            <div class="panel-tools">
                <label class="switch">
                    "Leave out one edge after the other of the circuit "
                    <select data-testid="paths-minimal-of" prop:value=live(move || of.get()) on:change=choose>
                        <option value="eap_ig">"by EAP-IG"</option>
                        <option value="exact">"by path patching"</option>
                        <option value="by_hand">"by hand"</option>
                    </select>
                </label>
                {dynamic(offer)}
            </div>
            <Pending state of=Slot::Minimal />
            <PlotView pointer=state testid="paths-added" label="Faithfulness that each edge adds" drawn>
                <p>
                    {dynamic(move || Some(kept::said(&*ranked.get()?, &added()?)))} " "
                    {dynamic(move || unchecked(state, Slot::Minimal))}
                </p>
            </PlotView>
        </div>
    }
    .into_any()
}
