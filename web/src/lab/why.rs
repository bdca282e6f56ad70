//! Why the methods differ for one component: from its gradient to its patch step by step, what its layer does
//! besides, how the metric runs on the way, and where a head attends to.

mod focus;
mod integrand;
mod ladder;
mod layers;
mod pattern;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::scores::{Interaction, Ladder};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::ComponentKind;

pub(super) use self::focus::{Focus, about, focus, labels, lists};
pub(crate) use self::focus::{Tokens, tokens, unchecked};
pub(super) use self::layers::{least_read, meaning, read, word};
use super::parts::{common_unit, go};
use super::{PanelFrame, Pending};
use crate::plot::{Drawn, PlotView};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::Slot;

const DEFINITION: &str = "AtP: the gradient at the run that is changed, times the change of activations. IG: the \
    same with the gradient averaged along the straight line on which all components of the layer move together. AP: \
    this component alone is replaced, at all positions, and the run is done again. Joint: the whole layer is \
    replaced. IG along a path that moves one component alone is exactly its AP (fundamental theorem of calculus), so \
    AP − IG is the interaction with the rest of the layer and nothing else; per layer, IG adds up to the joint \
    patch. All in the metric’s unit or as a share of the gap (only where it is at least 0.1, or 0.01 of probability); positive supports the \
    clean behaviour, in both directions. Split IG ends where the metric has made 90 % of its way between its \
    extremes on the line (Miglani et al. 2020, arXiv:2010.12697).";

/// Why the methods differ for one component.
#[component]
pub(super) fn Why(state: AppState) -> impl IntoView {
    let focus = focus(state, Panel::Why);
    state.ask(Slot::Integrand, move || {
        let Focus { component, .. } = focus.get()?;
        Some(Probe::Integrand { component, direction: state.direction() })
    });
    state.ask(Slot::Pattern, move || {
        let of = focus.get()?.component;
        let probe = Probe::Pattern { layer: of.layer, head: of.index };
        (of.kind == ComponentKind::Heads).then_some(probe)
    });
    view! {
        <PanelFrame
            state
            panel=Panel::Why
            testid="panel-why"
            title="Why they differ"
            look_for="Which is larger, curvature (IG − AtP) or interaction with the layer (AP − IG): the second alone is what IG − AP is made of."
            definition=DEFINITION
        >
            <p data-testid="focus">{dynamic(move || about(state, focus))}</p>
            <ol class="panel-offers" aria-label="Those that differ most: pin one" on:click=move |event| go(state, &event)
                inner_html=live(move || lists(state))></ol>
            <Steps state focus />
            <Layers state focus />
            <Along state />
            <Patterns state />
        </PanelFrame>
    }
}

/// From gradient to patch, and to the whole layer.
#[component]
fn Steps(state: AppState, focus: Memo<Option<Focus>>) -> impl IntoView {
    let steps = memo(move || {
        let of = focus.get()?.component;
        let direction = state.direction();
        let wanted = state.unit.get();
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let unit = common_unit(&committed.basis, wanted);
            let ladder = Ladder::of(&committed.tables, of, direction);
            Some(ladder::Steps {
                of,
                direction,
                metric: committed.experiment.metric,
                ladder: ladder::in_unit(ladder, unit.0),
                unit: unit.1,
            })
        })
    });
    let drawn = memo(move || steps.get()?.draw().map(Arc::new));
    view! {
        <PlotView pointer=state testid="ladder" label="From gradient to patch" drawn>
            <dl class="panel-numbers" inner_html=live(move || steps.get().map(|steps| steps.numbers()))></dl>
            <p data-testid="ladder-reading">{dynamic(move || steps.get().map(|steps| steps.reading()))}</p>
        </PlotView>
    }
}

/// Sums of solo patches beside joint patches, layer by layer, first of the component's kind.
#[component]
fn Layers(state: AppState, focus: Memo<Option<Focus>>) -> impl IntoView {
    let of_kind = move |is_own: bool| {
        memo(move || {
            let own = focus.get()?.component.kind;
            let kind = ComponentKind::ALL.into_iter().find(|kind| (*kind == own) == is_own)?;
            let direction = state.direction();
            let wanted = state.unit.get();
            state.committed.with(|committed| {
                let committed = committed.as_ref()?;
                let layers = Interaction::of_layers(&committed.tables, kind, direction);
                let unit = common_unit(&committed.basis, wanted);
                let size = committed.basis.size();
                layers::draw(&layers, kind, direction, unit, size).map(Arc::new)
            })
        })
    };
    let (own, other) = (of_kind(true), of_kind(false));
    view! {
        <p class="hint">{dynamic(move || layers::how_to_read(state.direction()))}</p>
        <div class="plot-row">
            <PlotView pointer=state testid="interaction" label="Solo patches and the joint patch" drawn=own />
            <PlotView pointer=state testid="interaction-other" label="The same of the other kind" drawn=other />
        </div>
    }
}

/// The metric and its slope along the line of the layer.
#[component]
fn Along(state: AppState) -> impl IntoView {
    let along = memo(move || {
        let answer = state.answer(Slot::Integrand)?;
        let Ok(Finding::Integrand(integrand)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let (factor, unit) = common_unit(&committed.basis, wanted);
            Some(integrand::Along {
                integrand: integrand.clone(),
                metric: committed.experiment.metric,
                factor,
                unit,
            })
        })
    });
    let split = state.lab.split;
    let plots = memo(move || along.get().map(|along| along.draw(split.get()).map(Arc::new)));
    view! {
        <Pending state of=Slot::Integrand />
        <div data-testid="integrand" hidden=live(move || plots.with(Option::is_none))>
            <label class="switch">
                <input
                    type="checkbox"
                    data-testid="split"
                    prop:checked=live(move || split.get())
                    on:change=move |event| split.set(event_target_checked(&event))
                />
                " Cut off where the metric saturates (split IG)"
            </label>
            <div class="plot-row">
                <PlotView pointer=state testid="integrand-metric" label="The metric along the line" drawn=one(plots, 0) />
                <PlotView pointer=state testid="integrand-slope" label="The integrand of IG" drawn=one(plots, 1) />
            </div>
            <dl class="panel-numbers" inner_html=live(move || along.get().map(|along| along.numbers(split.get())))></dl>
            <p>
                {dynamic(move || along.get().map(|along| along.reading()))} " "
                {dynamic(move || unchecked(state, Slot::Integrand))}
            </p>
        </div>
    }
}

/// Where the head attends to in both runs, and the difference.
#[component]
fn Patterns(state: AppState) -> impl IntoView {
    let tokens = tokens(state);
    let plots = memo(move || {
        let answer = state.answer(Slot::Pattern)?;
        let Ok(Finding::Pattern(pattern)) = &answer.found else {
            return None;
        };
        tokens.with(|tokens| Some(pattern::draw(pattern, tokens.as_ref()).map(Arc::new)))
    });
    view! {
        <Pending state of=Slot::Pattern />
        <div
            class="plot-row"
            data-testid="attention-pattern"
            hidden=live(move || plots.with(Option::is_none))
        >
            <PlotView pointer=state testid="pattern-clean" label="Attention, clean" drawn=one(plots, 0) />
            <PlotView pointer=state testid="pattern-corrupted" label="Attention, corrupted" drawn=one(plots, 1) />
            <PlotView pointer=state testid="pattern-difference" label="Attention, difference" drawn=one(plots, 2) />
        </div>
        <p class="hint">{dynamic(move || unchecked(state, Slot::Pattern))}</p>
    }
}

/// One of several plots.
pub(super) fn one<const N: usize>(
    plots: Memo<Option<[Arc<Drawn>; N]>>,
    which: usize,
) -> Signal<Option<Arc<Drawn>>> {
    Signal::derive(move || plots.with(|plots| plots.as_ref().map(|plots| plots[which].clone())))
}
