//! How far integrated gradients and activation patching agree: correlations, overlap, differences over means.

mod compared;
mod plots;
mod tools;
mod words;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::{Component, ComponentKind, Direction};

use self::compared::{Compared, FromZero};
use self::tools::{Selection, Threshold};
use super::claim::Claim;
use super::parts::{self, KindSelect};
use super::sheet::{PlotRow, Sheet};
use super::{Chapter, Pending};
use crate::models;
use crate::plot::{Drawn, Pick, PlotView};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::Slot;

const DEFINITION: &str = "Each point is a head or a neuron, with its effect on the metric by activation patching (AP: it alone is \
    replaced, exactly) and by integrated gradients (IG: all of its layer move together), both in one unit (a \
    share of the gap only where that is at least 0.1, or 0.01 of probability); positive supports the clean \
    behaviour. On the diagonal the two are equal; off it, IG − AP is what the component does together with the \
    others of its layer. Pearson is the correlation of the scores, Spearman that of their ranks; the slope is \
    the least-squares slope of IG on AP. A component is found by a method if its absolute score there is at or \
    above the threshold; as a start that is the 90th percentile. Overlap at k is the share of the k largest \
    absolute scores of one method that are among the k largest of the other; by chance it is k / n. Jaccard is \
    found by both over found by either. Bland-Altman: IG − AP over the mean of both, with its mean and the \
    limits of agreement at 1.96 standard deviations (by n − 1) on either side.";

/// How far the two methods agree.
#[component]
pub(super) fn Agreement(state: AppState, sheet: Sheet) -> impl IntoView {
    let compared = memo(move || {
        let (kind, direction) = (state.lab.kind.get(), state.direction());
        let (unit, highlight) = (state.unit.get(), state.lab.highlight.get());
        state.committed.with(|committed| {
            Compared::of(committed.as_ref()?, kind, direction, unit, highlight).map(Arc::new)
        })
    });
    // From zero there are the heads in the clean run only, and the answer follows the figure.
    let asks_zero = memo(move || {
        state.lab.is_open(Panel::Agreement)
            && state.lab.zero_baseline.get()
            && state.lab.kind.get() == ComponentKind::Heads
            && state.direction() == Direction::Noising
            && compared.with(Option::is_some)
    });
    state.ask(Slot::ZeroBaseline, move || asks_zero.get().then_some(Probe::ZeroBaseline));
    let zero = memo(move || {
        let answer = asks_zero.get().then(|| state.answer(Slot::ZeroBaseline))??;
        let (compared, unit) = (compared.get()?, state.unit.get());
        state.committed.with(|committed| {
            FromZero::of(&answer, committed.as_ref()?, unit, &compared).map(Arc::new)
        })
    });
    let claim = memo(move || match compared.get() {
        Some(compared) => words::claim(&compared),
        None => Claim::new(parts::missing(state)),
    });
    view! {
        <Chapter state panel=Panel::Agreement testid="panel-agreement" claim definition=DEFINITION>
            <Parts state sheet compared zero />
        </Chapter>
    }
}

/// What the sentence rests on.
#[component]
fn Parts(
    state: AppState,
    sheet: Sheet,
    compared: Memo<Option<Arc<Compared>>>,
    zero: Memo<Option<Arc<FromZero>>>,
) -> impl IntoView {
    let selected = state.lab.selected;
    let known = memo(move || {
        let heads = state.lab.kind.get() == ComponentKind::Heads;
        heads.then(|| models::heads(state)).flatten()
    });
    // Of nothing but zeros there is nothing to see.
    let drawable = memo(move || compared.get().filter(|compared| !compared.is_blank()));
    // Three plots, and a fourth with the other baseline.
    let n = memo(move || if zero.with(Option::is_some) { 4 } else { 3 });
    let scatter = memo(move || {
        let compared = drawable.get()?;
        let drawn = selected.with(|selected| {
            known.with(|known| {
                plots::scatter(&compared, selected, known.as_ref(), sheet.column(n.get()))
            })
        });
        Some(Arc::new(drawn))
    });
    let zero_scatter = memo(move || {
        let (compared, zero) = (compared.get()?, zero.get()?);
        let drawn = selected.with(|selected| {
            known.with(|known| {
                plots::zero_scatter(&compared, &zero, selected, known.as_ref(), sheet.column(4))
            })
        });
        Some(Arc::new(drawn))
    });
    let overlap: Memo<Option<Arc<Drawn>>> =
        memo(move || plots::overlap(&*compared.get()?, sheet.column(n.get())).map(Arc::new));
    let bland_altman = memo(move || {
        let compared = drawable.get()?;
        let width = sheet.column(n.get());
        Some(Arc::new(selected.with(|selected| plots::bland_altman(&compared, selected, width))))
    });
    let brush = Callback::new(move |(picked, how): (Vec<Component>, Pick)| {
        selected.update(|selected| how.apply(selected, &picked));
    });
    let of = move |html: fn(&Compared) -> String| {
        move || drawable.with(|compared| compared.as_deref().map(html).unwrap_or_default())
    };
    let numbers = move || {
        let (compared, zero) = (compared.get(), zero.get());
        compared.map(|compared| words::numbers(&compared, zero.as_deref())).unwrap_or_default()
    };
    let says = move || match compared.get() {
        Some(compared) => words::coverage(&compared, state.unit.get()),
        None => parts::missing(state).to_owned(),
    };
    view! {
        <div class="panel-tools">
            <KindSelect state testid="agreement-kind" />
            <Threshold state compared />
            <ZeroSwitch state />
        </div>
        <p class="hint" role="status" data-testid="agreement-says">{dynamic(says)}</p>
        <dl class="panel-numbers" inner_html=live(numbers)></dl>
        <dl class="panel-numbers" inner_html=of(words::counts)></dl>
        <ZeroWords state compared zero />
        <PlotRow sheet n>
            <PlotView pointer=state testid="scatter" label="IG against AP" drawn=scatter brush=Some(brush) />
            <PlotView
                pointer=state
                testid="scatter-zero"
                label="IG from zero against AP"
                drawn=zero_scatter
                brush=Some(brush)
            />
            <PlotView pointer=state testid="overlap-curve" label="Overlap" drawn=overlap />
            <PlotView
                pointer=state
                testid="bland-altman"
                label="Difference over mean"
                drawn=bland_altman
                brush=Some(brush)
            />
        </PlotRow>
        <dl class="panel-numbers" inner_html=of(words::bland_altman)></dl>
        <Selection state compared />
        <div
            class="signed-lists"
            data-testid="signed-lists"
            on:click=move |event| parts::go(state, &event)
            inner_html=of(words::signed_lists)
        ></div>
    }
}

/// IG once more, from activations of zero.
#[component]
fn ZeroSwitch(state: AppState) -> impl IntoView {
    let on = state.lab.zero_baseline;
    view! {
        <label class="switch">
            <input
                type="checkbox"
                data-testid="zero-baseline"
                prop:checked=live(move || on.get())
                on:change=move |event| on.set(event_target_checked(&event))
            />
            " IG from a zero baseline"
        </label>
    }
}

/// What the other baseline changes, or why that is not there.
#[component]
fn ZeroWords(
    state: AppState,
    compared: Memo<Option<Arc<Compared>>>,
    zero: Memo<Option<Arc<FromZero>>>,
) -> impl IntoView {
    let says = move || {
        if !state.lab.zero_baseline.get() {
            return String::new();
        }
        if state.lab.kind.get() != ComponentKind::Heads {
            return "From a zero baseline there are heads only.".to_owned();
        }
        if state.direction() != Direction::Noising {
            return "From a zero baseline there is noising only: choose that direction.".to_owned();
        }
        match (compared.get(), zero.get()) {
            (Some(compared), Some(zero)) => words::of_zero(&compared, &zero),
            _ => String::new(),
        }
    };
    view! {
        <p data-testid="zero-says" role="status">{dynamic(says)}</p>
        <Pending state of=Slot::ZeroBaseline />
    }
}
