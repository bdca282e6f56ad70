//! Why the methods differ for one component: from its patch to its gradient step by step, how the metric runs on the
//! way, what its layer does besides, and where a head attends to.

mod direct;
mod focus;
mod integrand;
mod ladder;
mod layers;
mod pattern;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::scores::Interaction;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::ComponentKind;

pub(super) use self::focus::{Focus, about, focus, lists};
pub(crate) use self::focus::{Tokens, tokens, unchecked};
pub(crate) use self::ladder::Steps;
pub(super) use self::layers::{least_read, meaning, read, word};
use super::claim::{Claim, Test};
use super::parts::go;
use super::sheet::{PlotRow, Sheet};
use super::{Chapter, Pending};
use crate::plot::{Drawn, PlotView};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::Slot;

const DEFINITION: &str = "AtP: the gradient at the run that is changed, times the change of activations. IG: the \
    same with the gradient averaged along the straight line on which all components of the layer move together. AP: \
    this component alone is replaced, at all positions, and the run is done again. Joint: the whole layer is \
    replaced. IG along a path that moves one component alone is exactly its AP (fundamental theorem of calculus), so \
    IG − AP is the interaction with the rest of the layer and nothing else; per layer, IG adds up to the joint \
    patch. All in the metric’s unit or as a share of the gap (only where it is at least 0.1, or 0.01 of probability); positive supports the \
    clean behaviour, in both directions. Split IG ends where the metric has made 90 % of its way between its \
    extremes on the line (Miglani et al. 2020, arXiv:2010.12697). Straight to the logits: the component’s change is added to the \
    end of the residual stream alone, and the final LayerNorm computed anew; direct logit attribution (DLA) keeps its \
    scale instead, and is defined for the logit difference.";

/// Why the methods differ for one component.
#[component]
pub(super) fn Why(state: AppState, sheet: Sheet) -> impl IntoView {
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
    let steps = memo(move || {
        let of = focus.get()?.component;
        let (direction, wanted) = (state.direction(), state.unit.get());
        state
            .committed
            .with(|committed| Some(Steps::of(committed.as_ref()?, of, direction, wanted)))
    });
    let claim = memo(move || match steps.get() {
        Some(steps) => tests(state, &steps),
        None => Claim::new(about(state, focus)),
    });
    view! {
        <Chapter state panel=Panel::Why testid="panel-why" claim definition=DEFINITION>
            <p class="hint" data-testid="focus">{dynamic(move || focus.with(Option::is_some).then(|| about(state, focus)))}</p>
            <ol class="panel-offers" aria-label="Those that differ most: pin one" on:click=move |event| go(state, &event)
                inner_html=live(move || lists(state))></ol>
            <Ladder state sheet steps />
            <Along state sheet />
            <Layers state sheet focus />
            <Straight state sheet />
            <Patterns state sheet />
        </Chapter>
    }
}

/// The sentence about a component, and what tests it: its layer, replaced as a whole, is a head's.
fn tests(state: AppState, steps: &Steps) -> Claim {
    let claim = Claim::new(steps.claim());
    let of = steps.of;
    let shape = state.shown_shape().filter(|_| of.kind == ComponentKind::Heads);
    let claim = match shape {
        Some(shape) => claim.with(
            format!("Test it: replace all {} heads of layer {} together", shape.n_heads, of.layer),
            Test::Together(of.kind.of_layer(of.layer, shape.n_heads).collect(), steps.direction),
        ),
        None => claim,
    };
    claim.with(format!("See at which token {of} acts"), Test::See(of, Panel::Positions))
}

/// From patch over integral to gradient.
#[component]
fn Ladder(state: AppState, sheet: Sheet, steps: Memo<Option<Steps>>) -> impl IntoView {
    let drawn = memo(move || steps.get()?.waterfall(sheet.column(2), true).map(Arc::new));
    view! {
        <PlotRow sheet n=2_usize>
            <PlotView pointer=state testid="ladder" label="From patch to gradient" drawn />
            <div class="beside">
                <p data-testid="ladder-reading">{dynamic(move || steps.get().map(|steps| steps.reading()))}</p>
                <dl class="panel-numbers" inner_html=live(move || steps.get().map(|steps| steps.numbers()))></dl>
            </div>
        </PlotRow>
    }
}

/// Sums of solo patches beside joint patches, layer by layer, first of the component's kind.
#[component]
fn Layers(state: AppState, sheet: Sheet, focus: Memo<Option<Focus>>) -> impl IntoView {
    let of_kind = move |is_own: bool| {
        memo(move || {
            let own = focus.get()?.component.kind;
            let kind = ComponentKind::ALL.into_iter().find(|kind| (*kind == own) == is_own)?;
            let direction = state.direction();
            let wanted = state.unit.get();
            state.committed.with(|committed| {
                let committed = committed.as_ref()?;
                let layers = Interaction::of_layers(&committed.tables, kind, direction);
                let unit = wanted.common(&committed.basis);
                let size = committed.basis.size();
                layers::draw(&layers, kind, direction, unit, size, sheet.column(2)).map(Arc::new)
            })
        })
    };
    let (own, other) = (of_kind(true), of_kind(false));
    view! {
        <p class="hint">{dynamic(move || layers::how_to_read(state.direction()))}</p>
        <PlotRow sheet n=2_usize>
            <PlotView pointer=state testid="interaction" label="Solo patches and the joint patch" drawn=own />
            <PlotView pointer=state testid="interaction-other" label="The same of the other kind" drawn=other />
        </PlotRow>
    }
}

/// What goes straight to the logits, of all heads and MLPs: exactly, by an estimate, and the difference.
#[component]
fn Straight(state: AppState, sheet: Sheet) -> impl IntoView {
    let direct = move || {
        let answer = state.answer(Slot::Direct)?;
        let Ok(Finding::Direct(found)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let unit = wanted.common(&committed.basis);
            Some(direct::Direct::of(found, &committed.model.shape, unit))
        })
    };
    let plot = move |which: direct::Plot| {
        memo(move || Some(Arc::new(direct()?.draw(which, sheet.column(4))?)))
    };
    let plots = [
        ("direct-exact-map", "Direct effects", direct::Plot::Exact),
        ("direct-dla-map", "Direct logit attribution", direct::Plot::Dla),
        ("direct-off-map", "The difference of the two", direct::Plot::Off),
        ("direct-mlps", "Direct effects of MLPs", direct::Plot::Mlps),
    ];
    let plots: Vec<AnyView> = plots
        .into_iter()
        .map(|(testid, label, which)| {
            view! { <PlotView pointer=state testid label drawn=plot(which) /> }.into_any()
        })
        .collect();
    view! {
        <h4>"Straight to the logits"</h4>
        <p class="hint">
            "What each head, and each layer’s MLP, would do to the metric if no later layer read it: its change is added "
            "to the end of the residual stream, and the final LayerNorm is computed anew. DLA keeps that LayerNorm’s "
            "scale."
        </p>
        <Pending state of=Slot::Direct />
        <div data-testid="direct-maps">
            <PlotRow sheet n=4_usize>{plots}</PlotRow>
            <p data-testid="direct-reading">
                {dynamic(move || direct().map(|direct| direct.reading()))} " "
                {dynamic(move || unchecked(state, Slot::Direct))}
            </p>
        </div>
    }
}

/// The metric and its slope along the line of the layer: its area is IG.
#[component]
fn Along(state: AppState, sheet: Sheet) -> impl IntoView {
    let along = memo(move || {
        let answer = state.answer(Slot::Integrand)?;
        let Ok(Finding::Integrand(integrand)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let (factor, unit) = wanted.common(&committed.basis);
            Some(integrand::Along {
                integrand: integrand.clone(),
                metric: committed.experiment.metric,
                factor,
                unit,
            })
        })
    });
    let split = state.lab.split;
    let plots = memo(move || {
        along.get().map(|along| along.draw(split.get(), sheet.column(2)).map(Arc::new))
    });
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
            <PlotRow sheet n=2_usize>
                <PlotView pointer=state testid="integrand-metric" label="The metric along the line" drawn=one(plots, 0) />
                <PlotView pointer=state testid="integrand-slope" label="The integrand of IG" drawn=one(plots, 1) />
            </PlotRow>
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
fn Patterns(state: AppState, sheet: Sheet) -> impl IntoView {
    let tokens = tokens(state);
    let plots = memo(move || {
        let answer = state.answer(Slot::Pattern)?;
        let Ok(Finding::Pattern(pattern)) = &answer.found else {
            return None;
        };
        tokens.with(|tokens| {
            Some(pattern::draw(pattern, tokens.as_ref(), sheet.column(3)).map(Arc::new))
        })
    });
    view! {
        <Pending state of=Slot::Pattern />
        <div data-testid="attention-pattern" hidden=live(move || plots.with(Option::is_none))>
            <PlotRow sheet n=3_usize>
                <PlotView pointer=state testid="pattern-clean" label="Attention, clean" drawn=one(plots, 0) />
                <PlotView pointer=state testid="pattern-corrupted" label="Attention, corrupted" drawn=one(plots, 1) />
                <PlotView pointer=state testid="pattern-difference" label="Attention, difference" drawn=one(plots, 2) />
            </PlotRow>
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
