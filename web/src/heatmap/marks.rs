use leptos::prelude::*;
use twinbeam_core::{ComponentKind, Method, ScoreTable, UnitBasis};

use super::scale::signed;
use crate::bridge;
use crate::explain::percent;
use crate::state::AppState;

/// Largest convergence delta of a layer that is not worth a word, as a share of the gap.
const CONVERGED: f32 = 0.01;

/// What keeps the figure from being taken at its word.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    /// The two runs are the same to the bit.
    NothingDiffers,
    /// The clean run has less of the behaviour than the corrupted one.
    Reversed { gap: f32, unit: &'static str },
    /// Integrated gradients of a layer do not add up.
    NotConverged { layer: usize, delta: f32, share: f32, unit: &'static str },
}

fn marks(basis: &UnitBasis, ig: Option<&ScoreTable>) -> Vec<Mark> {
    let (gap, unit) = (basis.gap, basis.metric.unit());
    if gap == 0.0 {
        return vec![Mark::NothingDiffers];
    }
    let mut marks = Vec::new();
    if gap < 0.0 {
        marks.push(Mark::Reversed { gap, unit });
    }
    let deltas = ig.map(|table| table.convergence_delta.as_slice()).unwrap_or_default();
    let size = |(_, delta): &(usize, &f32)| delta.abs();
    let worst = deltas.iter().enumerate().max_by(|a, b| size(a).total_cmp(&size(b)));
    if let Some((layer, delta)) = worst
        && delta.abs() > CONVERGED * gap.abs()
    {
        let share = delta.abs() / gap.abs();
        marks.push(Mark::NotConverged { layer, delta: *delta, share, unit });
    }
    marks
}

/// The marks of the figure on the screen, each with its reason.
#[component]
pub(super) fn Marks(state: AppState) -> impl IntoView {
    let found = Memo::new(move |_| {
        state.committed.with(|committed| {
            let Some(committed) = committed else {
                return Vec::new();
            };
            let (kind, direction) = (ComponentKind::Heads, state.direction());
            let ig = ScoreTable::find(&committed.tables, kind, Method::Ig, direction);
            marks(&committed.basis, ig)
        })
    });
    let swap = move |_event| {
        state.draft.update(|draft| std::mem::swap(&mut draft.answer, &mut draft.wrong));
        bridge::inspect(state, true);
        bridge::run_again(state);
    };
    let line = move |mark: Mark| {
        match mark {
        Mark::NothingDiffers => {
            view! { <li>"The two runs are the same: nothing differs, so every score is 0."</li> }.into_any()
        }
        Mark::Reversed { gap, unit } => view! {
            <li>
                {format!(
                    "The clean run shows less of the behaviour than the corrupted one: the gap is {} {unit}. Shares of it have the \
                     opposite sign of the scores. Are the answers, or the prompts, the wrong way round? ",
                    signed(gap, 2),
                )}
                <button
                    type="button"
                    class="way-on"
                    data-testid="swap-answers"
                    disabled=move || state.job.get().is_some() || state.is_stale() != Some(false)
                    on:click=swap
                >
                    "Swap the answers"
                </button>
            </li>
        }
        .into_any(),
        Mark::NotConverged { layer, delta, share, unit } => view! {
            <li>
                {format!(
                    "Integrated gradients have not converged: the scores of layer {layer} are off their sum by {} {unit}, {} of the \
                     gap. Take more steps before reading anything into them, or into IG − AP.",
                    signed(delta, 3),
                    percent(share),
                )}
            </li>
        }
        .into_any(),
    }
    };
    move || {
        let found = found.get();
        (!found.is_empty()).then(|| {
            let lines = found.into_iter().map(line).collect_view();
            view! { <ul class="marks" data-testid="marks" role="status">{lines}</ul> }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::{Direction, Metric};

    fn table(convergence_delta: Vec<f32>) -> ScoreTable {
        ScoreTable {
            kind: ComponentKind::Heads,
            method: Method::Ig,
            direction: Direction::Noising,
            width: 1,
            values: vec![0.0; convergence_delta.len()],
            convergence_delta,
        }
    }

    #[test]
    fn what_can_be_believed_has_no_mark() {
        let basis = UnitBasis { metric: Metric::LogitDiff, gap: 4.0, n_pos: 3, d_model: 4 };
        assert_eq!(marks(&basis, Some(&table(vec![1e-6, -0.039]))), []);
        assert_eq!(marks(&basis, None), []);
    }

    #[test]
    fn a_gap_of_nothing_or_the_wrong_way_round_and_the_worst_layer_are_marked() {
        let basis = |gap| UnitBasis { metric: Metric::LogitDiff, gap, n_pos: 3, d_model: 4 };
        assert_eq!(marks(&basis(0.0), Some(&table(vec![0.0]))), [Mark::NothingDiffers]);
        let unit = "logits";
        let found = marks(&basis(-2.0), Some(&table(vec![0.1, -0.5, 0.3])));
        let not_converged = Mark::NotConverged { layer: 1, delta: -0.5, share: 0.25, unit };
        assert_eq!(found, [Mark::Reversed { gap: -2.0, unit }, not_converged]);
    }
}
