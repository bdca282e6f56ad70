use leptos::prelude::*;
use twinbeam_core::{ComponentKind, Method, ScoreTable, Steps, UnitBasis};

use super::scale::signed;
use super::trust::Trust;
use crate::bridge;
use crate::explain::{self, percent};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

const MOST_POINTS: usize = Steps::MOST_POINTS;

/// Largest convergence delta of a layer that is not worth a word, as a share of the gap.
const CONVERGED: f32 = 0.01;

/// What keeps the figure from being taken at its word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    /// The two runs are the same to the bit.
    NothingDiffers,
    /// The clean run has less of the behaviour than the corrupted one.
    Reversed { gap: f32, unit: &'static str },
    /// Integrated gradients of a layer do not add up.
    NotConverged { layer: usize, delta: f32, share: f32, unit: &'static str, steps: Steps },
    /// Refining a layer has come to its end, and the delta alone does not say why.
    GivenUp { layer: usize, steps: Steps },
}

/// The layer whose scores are farthest from their sum, and by how much.
pub(super) fn worst(deltas: &[f32]) -> Option<(usize, f32)> {
    let deltas = deltas.iter().copied().enumerate();
    deltas.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))
}

pub(super) fn marks(basis: &UnitBasis, steps: Steps, ig: Option<&ScoreTable>) -> Vec<Mark> {
    let (gap, unit) = (basis.gap, basis.metric.unit());
    if gap == 0.0 {
        return vec![Mark::NothingDiffers];
    }
    let mut marks = Vec::new();
    if gap < 0.0 {
        marks.push(Mark::Reversed { gap, unit });
    }
    let deltas = ig.map(|table| table.convergence_delta.as_slice()).unwrap_or_default();
    let used = ig.map(|table| table.n_steps.as_slice()).unwrap_or_default();
    let given_up = match steps {
        Steps::Fixed(_) => None,
        Steps::Auto { .. } => used.iter().position(|points| *points >= MOST_POINTS),
    };
    // Where a smaller delta was asked for and not reached, that is worth a word too.
    let allowed = match (steps, given_up) {
        (Steps::Auto { tolerance_ppm }, Some(_)) => CONVERGED.min(tolerance_ppm as f32 * 1e-6),
        _ => CONVERGED,
    };
    if let Some((layer, delta)) = worst(deltas)
        && delta.abs() > allowed * gap.abs()
    {
        let share = delta.abs() / gap.abs();
        marks.push(Mark::NotConverged { layer, delta, share, unit, steps });
    } else if let Some(layer) = given_up {
        marks.push(Mark::GivenUp { layer, steps });
    }
    marks
}

/// The marks of the figure on the screen, each with its reason.
#[component]
pub(super) fn Marks(state: AppState) -> impl IntoView {
    let found = memo(move || {
        state.committed.with(|committed| {
            let Some(committed) = committed else {
                return Vec::new();
            };
            let (kind, direction) = (ComponentKind::Heads, state.direction());
            let ig = ScoreTable::find(&committed.tables, kind, Method::Ig, direction);
            marks(&committed.basis, committed.experiment.n_steps, ig)
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
                    "The clean run shows less of the behaviour than the corrupted one: the gap is {} {unit}. Shares of it would have \
                     the opposite sign of the scores, so they are refused. Are the answers, or the prompts, the wrong way round? ",
                    signed(gap, 2),
                )}
                <button
                    type="button"
                    class="way-on"
                    data-testid="swap-answers"
                    disabled=live(move || state.job.get().is_some() || state.is_stale() != Some(false))
                    on:click=swap
                >
                    "Swap the answers"
                </button>
            </li>
        }
        .into_any(),
        Mark::NotConverged { layer, delta, share, unit, steps } => view! {
            <li>
                {format!(
                    "Integrated gradients have not converged: the scores of layer {layer} are off their sum by {} {unit}, {} of the \
                     gap{}",
                    signed(delta, 3),
                    percent(share),
                    way_on(steps, share),
                )}
            </li>
        }
        .into_any(),
        Mark::GivenUp { layer, steps } => view! {
            <li>
                {format!(
                    "Integrated gradients of layer {layer} took all {MOST_POINTS} points that auto may take. Its scores add up, but \
                     single ones may be off by more than {} of the gap.",
                    explain::tolerance(steps).unwrap_or_default(),
                )}
            </li>
        }
        .into_any(),
    }
    };
    let warnings = move || {
        let found = found.get();
        (!found.is_empty()).then(|| {
            let lines = found.into_iter().map(line).collect_view();
            view! { <ul class="marks" data-testid="marks" role="status">{lines}</ul> }
        })
    };
    view! {
        {dynamic(warnings)}
        <Trust state kind=ComponentKind::Heads />
    }
}

/// Why integrals have not converged, and what to do.
fn way_on(steps: Steps, share: f32) -> String {
    match steps {
        Steps::Fixed(_) => {
            ". Take more steps, or auto, before reading anything into them, or into IG − AP."
                .to_owned()
        }
        Steps::Auto { tolerance_ppm } => {
            let tolerance = explain::tolerance(steps).unwrap_or_default();
            if share > tolerance_ppm as f32 * 1e-6 {
                format!(
                    ", which is not below the tolerance of {tolerance} after {MOST_POINTS} points, the most that auto takes. Read \
                     nothing into them, or into IG − AP; a metric that saturates less, such as the logit difference, may converge."
                )
            } else {
                format!(
                    ", and the tolerance of {tolerance} allows that. Take a number of steps, or choose auto anew, before reading \
                     anything into them, or into IG − AP."
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::{Direction, Metric};

    const FIFTY: Steps = Steps::Fixed(50);

    fn table(convergence_delta: Vec<f32>, n_steps: Vec<usize>) -> ScoreTable {
        ScoreTable {
            kind: ComponentKind::Heads,
            method: Method::Ig,
            direction: Direction::Noising,
            width: 1,
            values: vec![0.0; convergence_delta.len()],
            exact: Vec::new(),
            convergence_delta,
            n_steps,
        }
    }

    const fn basis(gap: f32) -> UnitBasis {
        UnitBasis { metric: Metric::LogitDiff, gap, n_pos: 3, d_model: 4 }
    }

    #[test]
    fn what_can_be_believed_has_no_mark() {
        assert_eq!(marks(&basis(4.0), FIFTY, Some(&table(vec![1e-6, -0.039], vec![50; 2]))), []);
        assert_eq!(marks(&basis(4.0), FIFTY, None), []);
        let refined = table(vec![1e-6, -0.0039], vec![5, 129]);
        assert_eq!(marks(&basis(4.0), Steps::AUTO, Some(&refined)), []);
    }

    #[test]
    fn a_gap_of_nothing_or_the_wrong_way_round_and_the_worst_layer_are_marked() {
        let nothing = table(vec![0.0], Vec::new());
        assert_eq!(marks(&basis(0.0), FIFTY, Some(&nothing)), [Mark::NothingDiffers]);
        let (unit, steps) = ("logits", FIFTY);
        let found = marks(&basis(-2.0), steps, Some(&table(vec![0.1, -0.5, 0.3], Vec::new())));
        let not_converged = Mark::NotConverged { layer: 1, delta: -0.5, share: 0.25, unit, steps };
        assert_eq!(found, [Mark::Reversed { gap: -2.0, unit }, not_converged]);
    }

    #[test]
    fn refining_that_was_given_up_is_marked_however_small_the_delta() {
        let (unit, steps) = ("logits", Steps::AUTO);
        let found = marks(&basis(4.0), steps, Some(&table(vec![0.0, 0.02], vec![5, MOST_POINTS])));
        let share = 0.02 / 4.0;
        assert_eq!(found, [Mark::NotConverged { layer: 1, delta: 0.02, share, unit, steps }]);
        let said = way_on(steps, share);
        assert!(said.contains("not below the tolerance of 0.1 % after 257 points"), "{said}");
        let found = marks(&basis(4.0), steps, Some(&table(vec![0.0, 1e-4], vec![5, MOST_POINTS])));
        assert_eq!(found, [Mark::GivenUp { layer: 1, steps }]);
        // So many that were asked for are not a sign of anything.
        let many = Steps::Fixed(300);
        assert_eq!(marks(&basis(4.0), many, Some(&table(vec![0.0, 1e-4], vec![300; 2]))), []);
    }
}
