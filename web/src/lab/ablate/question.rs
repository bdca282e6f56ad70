//! What is asked of the worker: sets, what replaces them, and orders.

use twinbeam_core::link::{SetChoice, WithChoice};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::scores::ScoreTable;
use twinbeam_core::wire::probes::{Probe, Replacement};
use twinbeam_core::words::Component;

use super::curve;
use crate::lab::sets::Found;
use crate::state::AppState;

/// Pairs whose prompts a mean is taken over at most: 64 prompts.
const MOST_PAIRS: usize = 32;
/// What can be replaced: a set per choice, and how many each method has found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sets {
    pub(super) of: [Vec<Component>; 5],
    pub(super) found: [usize; 2],
}

/// The sets of the figure on the screen.
pub(super) fn sets(state: AppState) -> Option<Sets> {
    let lab = state.lab;
    let (kind, highlight, direction) = (lab.kind.get(), lab.highlight.get(), state.direction());
    let (found, shape) = state.committed.with(|committed| {
        let committed = committed.as_ref()?;
        let found = Found::of(committed, kind, direction, highlight)?;
        Some((found, committed.model.shape))
    })?;
    // A link may select what the model does not have.
    let is_there = |c: &Component| c.layer < shape.n_layers && c.index < c.kind.width(&shape);
    let selected =
        lab.selected.with(|selected| selected.iter().copied().filter(is_there).collect());
    let of = SetChoice::ALL.map(|choice| found.set(choice, &selected));
    let both = of[SetChoice::Both as usize].len();
    let found = [SetChoice::IgOnly, SetChoice::ApOnly].map(|only| of[only as usize].len() + both);
    Some(Sets { of, found })
}

/// The pairs that a mean is over: those whose prompts are text, not token ids.
pub(super) fn averaged(pairs: &[PromptPair]) -> impl Iterator<Item = &PromptPair> {
    pairs.iter().filter(|pair| !pair.written.prompts_are_ids()).take(MOST_PAIRS)
}

/// What takes the place of activations; `None`: there are no prompts for a mean.
pub(super) fn replacement(with: WithChoice, pairs: &[PromptPair]) -> Option<Replacement> {
    match with {
        WithChoice::OtherRun => Some(Replacement::OtherRun),
        WithChoice::Zero => Some(Replacement::Zero),
        WithChoice::Mean => {
            let both = |pair: &PromptPair| [pair.clean.clone(), pair.corrupted.clone()];
            let prompts: Vec<String> = averaged(pairs).flat_map(both).collect();
            (!prompts.is_empty()).then_some(Replacement::Mean { prompts })
        }
    }
}

/// The order of both methods, if all of the kind is scored and the runs differ enough.
pub(super) fn faithfulness(state: AppState, found: [usize; 2], with: Replacement) -> Option<Probe> {
    let (kind, direction) = (state.lab.kind.get(), state.direction());
    state.committed.with(|committed| {
        let committed = committed.as_ref()?;
        committed.basis.gap().ok()?;
        let [ig, ap] = committed.tables(kind, direction);
        let n = kind.width(&committed.model.shape) * committed.model.shape.n_layers;
        let order = |table: Option<&ScoreTable>| {
            let table = table.filter(|table| table.values().len() == n && table.n_exact() == n)?;
            Some(curve::order(table.values()))
        };
        let orders = vec![order(ig)?, order(ap)?];
        Some(Probe::Faithfulness { kind, orders, sizes: curve::sizes(kind, n, found), with })
    })
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::Written;

    use super::*;

    #[test]
    fn a_mean_is_over_both_prompts_of_the_first_pairs() {
        let pair = |n: usize| PromptPair {
            clean: format!("clean {n}"),
            corrupted: format!("corrupted {n}"),
            ..PromptPair::default()
        };
        let pairs: Vec<PromptPair> = (0..40).map(pair).collect();
        let Some(Replacement::Mean { prompts }) = replacement(WithChoice::Mean, &pairs) else {
            panic!("there are prompts");
        };
        assert_eq!((prompts.len(), prompts[1].as_str()), (64, "corrupted 0"));
        let ids = PromptPair { written: Written::Ids, ..pair(0) };
        assert_eq!(replacement(WithChoice::Mean, &[ids]), None, "ids are not text");
        assert_eq!(replacement(WithChoice::Mean, &[]), None);
        assert_eq!(replacement(WithChoice::Zero, &[]), Some(Replacement::Zero));
    }
}
