//! Effects by position: of one component, and of the streams of all layers.

mod effects;
mod maps;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::scores::Ladder;
use twinbeam_core::wire::probes::{Finding, Probe};

use self::effects::Effects;
use super::claim::Claim;
use super::sheet::Sheet;
use super::why::{Focus, Tokens, about, focus, tokens, unchecked};
use super::{Chapter, Pending};
use crate::plot::PlotView;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::{Committed, Slot};

const DEFINITION: &str = "One component: AP replaces its activation at one position and runs the rest again; IG’s \
    share of a position is that position’s part of the integral, in which the whole layer moves at all positions. \
    The shares add up to its IG; the patches need not add up to its AP at all positions, for positions interact too. \
    Layer by position: resid_pre is the residual stream that a layer reads, attn_out and mlp_out what its attention \
    and its MLP add; AP replaces one position of one layer, IG moves all positions of one layer together. Metric’s \
    unit or share of the gap (only where the gap is at least 0.1, or 0.01 of probability); positive supports the clean behaviour. Before the \
    first token that differs both runs are equal, so all effects there are exactly 0; of what the last layer’s heads \
    and MLPs do, only the last token is read. As in causal tracing (Meng et al. 2022, arXiv:2202.05262) and \
    TransformerLens.";

/// Effects by position.
#[component]
pub(super) fn Positions(state: AppState, sheet: Sheet) -> impl IntoView {
    let focus = focus(state, Panel::Positions);
    state.ask(Slot::Positions, move || {
        let component = focus.get()?.component;
        Some(Probe::Positions { component, direction: state.direction() })
    });
    let is_wanted = memo(move || {
        let is_quick = |c: &Committed| maps::are_quick(&c.model.shape, c.basis.n_pos);
        state.committed.with(|committed| committed.as_deref().is_some_and(is_quick))
            || state.is_figures(state.lab.streamed)
    });
    state.ask(Slot::Streams, move || {
        focus.with(Option::is_some).then_some(())?;
        is_wanted.get().then(|| Probe::Streams { direction: state.direction() })
    });
    let begin = move |_event| {
        state.ask_for_figure(state.lab.streamed);
    };
    let tokens = tokens(state);
    let effects = memo(move || effects(state, tokens));
    let claim = memo(move || match effects.get() {
        Some(effects) => tokens.with(|tokens| effects.claim(tokens.as_ref())),
        None => Claim::new(match focus.get() {
            Some(Focus { component, .. }) => {
                format!("At which token {component} acts is being worked out.")
            }
            None => about(state, focus),
        }),
    });
    view! {
        <Chapter state panel=Panel::Positions testid="panel-positions" claim definition=DEFINITION>
            <p class="hint">{dynamic(move || focus.with(Option::is_some).then(|| about(state, focus)))}</p>
            <OfComponent state sheet effects tokens />
            <h4>"All of the model, layer by layer"</h4>
            <p class="hint">
                "Where the two runs differ in the residual stream, and what attention and MLPs add there. "
                {dynamic(move || {
                    let offers = !is_wanted.get() && focus.with(Option::is_some);
                    offers.then(|| view! {
                        <button type="button" data-testid="streams-run" on:click=begin>"Compute the map"</button>
                        " Every token of every layer is patched: on a model of this size that takes a while."
                    })
                })}
            </p>
            <OfStreams state sheet tokens />
        </Chapter>
    }
}

/// What the component that is looked at does at each token, once that is known.
fn effects(state: AppState, tokens: Memo<Option<Tokens>>) -> Option<Effects> {
    let answer = state.answer(Slot::Positions)?;
    let Ok(Finding::Positions(found)) = &answer.found else {
        return None;
    };
    let wanted = state.unit.get();
    let (ladder, is_last_layer, (factor, unit)) = state.committed.with(|committed| {
        let committed = committed.as_ref()?;
        let ladder = Ladder::of(&committed.tables, found.component, found.direction);
        let is_last_layer = found.component.layer + 1 == committed.model.shape.n_layers;
        Some((ladder, is_last_layer, wanted.common(&committed.basis)))
    })?;
    let scaled = |values: &[f32]| values.iter().map(|value| factor * value).collect();
    Some(Effects {
        component: found.component,
        direction: found.direction,
        ap: scaled(&found.ap),
        ig: scaled(&found.ig),
        joint_ap: ladder.ap.map(|ap| factor * ap),
        first_difference: tokens.with(|tokens| tokens.as_ref()?.first_difference()),
        is_last_layer,
        unit,
    })
}

/// One component, token by token.
#[component]
fn OfComponent(
    state: AppState,
    sheet: Sheet,
    effects: Memo<Option<Effects>>,
    tokens: Memo<Option<Tokens>>,
) -> impl IntoView {
    let drawn = memo(move || {
        let width = sheet.whole();
        let drawn = |effects: Effects| tokens.with(|tokens| effects.draw(tokens.as_ref(), width));
        Some(Arc::new(drawn(effects.get()?)))
    });
    view! {
        <Pending state of=Slot::Positions />
        <PlotView pointer=state testid="positions" label="One component by token" drawn>
            <dl class="panel-numbers" inner_html=live(move || effects.get().map(|effects| effects.numbers()))></dl>
            <p>
                {dynamic(move || effects.get().map(|effects| effects.reading()))} " "
                {dynamic(move || unchecked(state, Slot::Positions))}
            </p>
        </PlotView>
    }
}

/// Three streams by two methods, in one picture with one axis and one scale.
#[component]
fn OfStreams(state: AppState, sheet: Sheet, tokens: Memo<Option<Tokens>>) -> impl IntoView {
    let maps = memo(move || {
        let answer = state.answer(Slot::Streams)?;
        let Ok(Finding::Streams(maps)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        let unit =
            state.committed.with(|committed| Some(wanted.common(&committed.as_ref()?.basis)))?;
        let width = sheet.whole();
        let drawn = tokens.with(|tokens| maps::draw(maps, tokens.as_ref(), unit, width))?;
        Some((Arc::new(drawn), maps::worst_delta(maps, unit)))
    });
    let drawn = memo(move || maps.with(|maps| maps.as_ref().map(|(drawn, _)| drawn.clone())));
    let delta = move || maps.with(|maps| maps.as_ref().map(|(_, delta)| delta.clone()));
    view! {
        <Pending state of=Slot::Streams />
        <div data-testid="streams" hidden=live(move || drawn.with(Option::is_none))>
            <PlotView pointer=state testid="streams-map" label="Streams by layer and token" drawn />
            <dl class="panel-numbers" inner_html=live(delta)></dl>
            <p class="hint">{dynamic(move || unchecked(state, Slot::Streams))}</p>
        </div>
    }
}
