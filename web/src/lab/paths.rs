//! The model as a graph: which edges carry the behaviour by EAP-IG and by exact path patching, and what circuits of them
//! keep.

mod circuits;
mod csv;
mod curves;
mod edge;
mod graphs;
mod kept;
mod patching;
mod ranked;
mod seen;
mod table;
mod words;

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::ComponentKind;

use self::circuits::Circuits;
use self::edge::OfEdge;
use self::graphs::Graphs;
use self::patching::Patching;
use self::ranked::Ranked;
use self::seen::{Seen, ends, found};
use self::table::TableOfEdges;
use super::claim::Claim;
use super::sheet::Sheet;
use super::{Chapter, Pending};
use crate::reactive::memo;
use crate::state::AppState;
use crate::values::{Committed, Slot};

const DEFINITION: &str = "Senders are the token embedding, each head and each MLP; receivers are the queries, keys and \
    values of each head, each MLP, and the logits. There is an edge from each sender to each receiver that reads after \
    it has written. Path patching (Wang et al. 2022, arXiv:2211.00593): what the receiver reads takes the sender’s \
    change from the other run, all between them stays as it is, all after the receiver is computed anew; exact, at all \
    positions at once. EAP (Syed et al. 2023, arXiv:2310.10348): the sender’s change times the gradient at the \
    receiver’s input. EAP-IG (Hanna et al. 2024, arXiv:2403.17806): the same with the mean of the gradients while the \
    embeddings move from one run to the other. Metric’s unit or share of the gap; positive supports the clean behaviour. \
    A circuit that is looked at is what is connected, from the embedding to the logits, of the shortest beginning of a \
    ranking with at least so many connected edges; the curves take the first k edges. A circuit is run as MIB does (Mueller et al. 2025, arXiv:2504.13151): each receiver reads \
    the corrupted run plus what its edges in the circuit change; faithfulness is (m − m_corrupted) / (m_clean − \
    m_corrupted), so every edge makes 1 and none 0. CPR is the area under faithfulness over the share of edges, CMD that \
    of |1 − faithfulness|, over MIB’s shares from 0.001 to 1. What an edge adds is the faithfulness of the circuit minus \
    that without the edge.";

/// The chapter.
#[component]
pub(super) fn PathsOfModel(state: AppState, sheet: Sheet) -> impl IntoView {
    let is_ready = memo(move || {
        let is_whole = |c: &Committed| c.is_complete(ComponentKind::Heads);
        state.lab.is_open(Panel::Paths)
            && state.committed.with(|committed| committed.as_deref().is_some_and(is_whole))
    });
    state.ask(Slot::Edges, move || {
        let direction = state.direction();
        (is_ready.get() && state.lab.edges(direction).is_none())
            .then_some(Probe::Edges { direction })
    });
    let ranked = memo(move || {
        let edges = state.lab.edges(state.direction()).filter(|_| is_ready.get())?;
        let wanted = state.unit.get();
        let unit =
            state.committed.with(|committed| Some(wanted.common(&committed.as_ref()?.basis)))?;
        Some(Arc::new(Ranked::of(&edges, unit)))
    });
    let pinned = memo(move || {
        let pinned = || {
            let pinned = state.lab.paths.with(|paths| paths.pinned)?;
            ranked.with(|ranked| ranked.as_ref()?.spot(pinned))
        };
        pinned().map(|spot| spot.to_string()).unwrap_or_default()
    });
    let seen = Seen { ranked, pointed: RwSignal::new(String::new()), pinned };
    let sets = memo(move || {
        let is_asked = state.is_figures(state.lab.kept) && ends(state).is_some();
        let ranked = ranked.get().filter(|_| is_asked);
        let sets = |ranked: Arc<Ranked>| state.lab.paths.with(|paths| kept::sets(&ranked, paths));
        ranked.map(sets).unwrap_or_default()
    });
    state.ask(Slot::Kept, move || {
        let sets = sets.get();
        (!sets.is_empty()).then_some(Probe::Circuits { sets })
    });
    let claim = memo(move || {
        let Some(ranked) = ranked.get() else {
            return Claim::new(if is_ready.get() {
                "What each edge carries is being worked out."
            } else {
                "This follows when the figure is complete."
            });
        };
        let kept = || {
            let (sets, found) = found(state, Slot::Kept)?;
            kept::claim(&sets, ends(state)?, &found, ranked.is_whole())
        };
        words::claim(&ranked, kept(), state.is_figures(state.lab.kept))
    });
    view! {
        <Chapter state panel=Panel::Paths testid="panel-paths" claim definition=DEFINITION>
            <Pending state of=Slot::Edges />
            <Patching state ranked />
            <Graphs state sheet seen />
            <OfEdge state sheet seen />
            <TableOfEdges state seen />
            <Circuits state sheet ranked sets />
        </Chapter>
    }
}
