//! What a head attends to at the last token, in both runs.

use std::sync::Arc;

use twinbeam_core::wire::probes::{AttentionPattern, Finding, Probe};
use twinbeam_core::words::{Component, ComponentKind, Side};

use crate::lab::Tokens;
use crate::plot::LEAST;
use crate::state::AppState;
use crate::values::{Answer, Slot, visible};

/// Where whoever has asked finds the answer.
const SLOTS: [Slot; 3] = [Slot::Pinned, Slot::Pattern, Slot::Pointed];

/// The question where a component attends to, if it is a head.
pub(crate) fn question(of: Component) -> Option<Probe> {
    let Component { kind, layer, index } = of;
    (kind == ComponentKind::Heads).then_some(Probe::Pattern { layer, head: index })
}

/// The answer for a head of the figure on the screen, whoever has asked for it.
pub(crate) fn answer(state: AppState, of: Component) -> Option<Arc<Answer>> {
    let asked = question(of)?;
    let answers = SLOTS.into_iter().filter_map(|slot| state.last_answer(slot));
    answers.into_iter().find(|answer| answer.probe == asked && answer.found.is_ok())
}

/// The last token's attention in the clean and in the corrupted run.
pub(crate) fn of_last(answer: &Answer) -> Option<[Vec<f32>; 2]> {
    match &answer.found {
        Ok(Finding::Pattern(pattern)) => Some(last_row(pattern)),
        _ => None,
    }
}

fn last_row(pattern: &AttentionPattern) -> [Vec<f32>; 2] {
    let AttentionPattern { n_pos, clean, corrupted, .. } = pattern;
    [clean, corrupted].map(|run| {
        let last = run.len().saturating_sub(*n_pos);
        run.get(last..).unwrap_or_default().to_vec()
    })
}

/// The tokens that are attended to most, as far as they count, with their shares.
pub(crate) fn in_words(
    weights: &[f32],
    side: Side,
    tokens: Option<&Tokens>,
    most: usize,
) -> String {
    let mut places: Vec<usize> = (0..weights.len()).filter(|at| weights[*at] >= LEAST).collect();
    places.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    let texts = tokens.map(|tokens| match side {
        Side::Clean => &tokens.clean,
        Side::Corrupted => &tokens.corrupted,
    });
    let name = |at: usize| match texts.and_then(|texts| texts.get(at)) {
        // The one in front of every prompt, and no text of it.
        Some(text) if text == "BOS" => text.clone(),
        Some(text) => format!("“{}”", visible(text)),
        None => format!("position {at}"),
    };
    let said = |at: &usize| format!("{} {:.0} %", name(*at), 100.0 * weights[*at]);
    places.iter().take(most).map(said).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_is_read_and_the_largest_shares_are_named() {
        let pattern = AttentionPattern {
            layer: 0,
            head: 0,
            n_pos: 3,
            clean: vec![1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.2, 0.77, 0.03],
            corrupted: vec![1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.995, 0.005, 0.0],
        };
        let [clean, corrupted] = last_row(&pattern);
        let texts = |last: &str| ["BOS", " the", last].map(str::to_owned).to_vec();
        let tokens = Tokens { clean: texts(" key"), corrupted: texts(" keys") };
        let says = |weights: &[f32], side| in_words(weights, side, Some(&tokens), 2);
        assert_eq!(says(&clean, Side::Clean), "“·the” 77 %, BOS 20 %");
        assert_eq!(
            says(&corrupted, Side::Corrupted),
            "BOS 100 %",
            "what does not count is left out"
        );
        assert_eq!(in_words(&[0.1, 0.9], Side::Clean, None, 1), "position 1 90 %");
        assert_eq!(in_words(&[], Side::Clean, None, 2), "");
    }
}
