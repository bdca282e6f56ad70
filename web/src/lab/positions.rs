//! Effects by position: of one component, and of the streams of all layers.

mod effects;
mod maps;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::scores::Ladder;
use twinbeam_core::wire::probes::{Finding, Probe};

use self::effects::Effects;
use super::parts::common_unit;
use super::why::{about, focus, one, tokens, unchecked};
use super::{PanelFrame, Pending};
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
pub(super) fn Positions(state: AppState) -> impl IntoView {
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
    view! {
        <PanelFrame
            state
            panel=Panel::Positions
            testid="panel-positions"
            title="Token by token"
            look_for="At which token and in which layer the two runs are told apart, and whether both methods say the same."
            definition=DEFINITION
        >
            <p>{dynamic(move || about(state, focus))}</p>
            <OfComponent state />
            <p class="hint">
                "Where the two runs differ in the residual stream, and what attention and MLPs add there, layer by layer. "
                {dynamic(move || {
                    let offers = !is_wanted.get() && focus.with(Option::is_some);
                    offers.then(|| view! {
                        <button type="button" data-testid="streams-run" on:click=begin>"Compute the maps"</button>
                        " Every token of every layer is patched: on a model of this size that takes a while."
                    })
                })}
            </p>
            <OfStreams state />
        </PanelFrame>
    }
}

/// One component, token by token.
#[component]
fn OfComponent(state: AppState) -> impl IntoView {
    let tokens = tokens(state);
    let effects = memo(move || {
        let answer = state.answer(Slot::Positions)?;
        let Ok(Finding::Positions(found)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        let (ladder, is_last_layer, (factor, unit)) = state.committed.with(|committed| {
            let committed = committed.as_ref()?;
            let ladder = Ladder::of(&committed.tables, found.component, found.direction);
            let is_last_layer = found.component.layer + 1 == committed.model.shape.n_layers;
            Some((ladder, is_last_layer, common_unit(&committed.basis, wanted)))
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
    });
    let drawn = memo(move || {
        let drawn = |effects: Effects| tokens.with(|tokens| effects.draw(tokens.as_ref()));
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

/// Three streams by two methods.
#[component]
fn OfStreams(state: AppState) -> impl IntoView {
    let tokens = tokens(state);
    let maps = memo(move || {
        let answer = state.answer(Slot::Streams)?;
        let Ok(Finding::Streams(maps)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        let unit = state
            .committed
            .with(|committed| Some(common_unit(&committed.as_ref()?.basis, wanted)))?;
        let drawn = tokens.with(|tokens| maps::draw(maps, tokens.as_ref(), unit))?;
        Some((drawn.map(Arc::new), maps::worst_delta(maps, unit)))
    });
    let plots = memo(move || maps.with(|maps| maps.as_ref().map(|(plots, _)| plots.clone())));
    let rows = maps::TESTIDS.into_iter().enumerate().map(|(row, testids)| {
        let [ap, ig] = testids;
        view! {
            <div class="plot-row plot-pairs">
                <PlotView pointer=state testid=ap label="Patched token by token" drawn=one(plots, 2 * row) />
                <PlotView pointer=state testid=ig label="Integrated, token by token" drawn=one(plots, 2 * row + 1) />
            </div>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Pending state of=Slot::Streams />
        <div data-testid="streams" hidden=live(move || plots.with(Option::is_none))>
            {rows}
            <dl class="panel-numbers" inner_html=live(move || maps.with(|maps| maps.as_ref().map(|(_, delta)| delta.clone())))></dl>
            <p class="hint">{dynamic(move || unchecked(state, Slot::Streams))}</p>
        </div>
    }
}
