//! Marks beside a figure that keep its numbers from being taken at their word.

use leptos::prelude::*;
use twinbeam_core::scores::{GapRefused, ScoreTable, TableKey, Unit, UnitBasis};
use twinbeam_core::words::{ComponentKind, Method, Steps};

use super::trust::Trust;
use crate::explain;
use crate::reactive::{dynamic, live, memo};
use crate::session::Visitor;
use crate::state::AppState;
use crate::values::percent;
use twinbeam_figure::scale::{signed, small};

const MOST_POINTS: usize = Steps::MOST_POINTS;

/// Largest convergence delta of a layer that is not worth a word, as a share of the gap.
const CONVERGED: f32 = 0.01;

/// What keeps the figure from being taken at its word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// The two runs are the same to the bit.
    NothingDiffers,
    /// The clean run has less of the behaviour than the corrupted one, and no refusal says so.
    Reversed { gap: f32, unit: &'static str },
    /// Integrated gradients of a layer do not add up.
    NotConverged { layer: usize, off: String, share: f32, steps: Steps },
    /// Refining a layer has come to its end, and the delta alone does not say why.
    GivenUp { layer: usize, steps: Steps },
}

/// The layer whose scores are farthest from their sum, and by how much.
pub(super) fn worst(deltas: &[f32]) -> Option<(usize, f32)> {
    let deltas = deltas.iter().copied().enumerate();
    deltas.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))
}

/// How far scores are off their sum: in the unit on the screen, and as a share of the gap.
pub(super) fn off(basis: &UnitBasis, unit: Unit, ig: &ScoreTable, delta: f32) -> String {
    let unit = unit.or_metric(basis);
    // OK because the metric's own unit is never refused.
    let factor = unit.factor(basis, ig.key()).unwrap_or(1.0);
    let in_unit =
        format!("{} {}", small(factor * delta), unit.label(basis.metric, ig.method(), ig.kind()));
    let share = || format!("{} of the gap", percent(delta.abs() / basis.gap.abs()));
    match unit {
        _ if basis.gap == 0.0 => in_unit,
        Unit::ShareOfGap => share(),
        Unit::Metric | Unit::Notebook => format!("{in_unit}, {}", share()),
    }
}

pub(super) fn marks(
    basis: &UnitBasis,
    unit: Unit,
    steps: Steps,
    ig: Option<&ScoreTable>,
) -> Vec<Mark> {
    let gap = basis.gap;
    if gap == 0.0 {
        return vec![Mark::NothingDiffers];
    }
    let mut marks = Vec::new();
    let is_said = matches!(unit.of_result(basis), Err(GapRefused::Reversed { .. }));
    if gap < 0.0 && !is_said {
        marks.push(Mark::Reversed { gap, unit: basis.metric.unit() });
    }
    let deltas = ig.map(ScoreTable::convergence_delta).unwrap_or_default();
    let used = ig.map(ScoreTable::n_steps).unwrap_or_default();
    let given_up = match steps {
        Steps::Fixed(_) => None,
        Steps::Auto { .. } => used.iter().position(|points| *points >= MOST_POINTS),
    };
    // Where a smaller delta was asked for and not reached, that is worth a word too.
    let allowed = match (steps, given_up) {
        (Steps::Auto { tolerance_ppm }, Some(_)) => CONVERGED.min(tolerance_ppm as f32 * 1e-6),
        _ => CONVERGED,
    };
    if let Some(ig) = ig
        && let Some((layer, delta)) = worst(deltas)
        && delta.abs() > allowed * gap.abs()
    {
        let share = delta.abs() / gap.abs();
        marks.push(Mark::NotConverged { layer, off: off(basis, unit, ig, delta), share, steps });
    } else if let Some(layer) = given_up {
        marks.push(Mark::GivenUp { layer, steps });
    }
    marks
}

/// The marks of the figure on the screen, each with its reason.
#[component]
pub(super) fn Marks(state: AppState) -> impl IntoView {
    let found = memo(move || {
        let unit = state.unit.get();
        state.committed.with(|committed| {
            let Some(committed) = committed else {
                return Vec::new();
            };
            let (kind, direction) = (ComponentKind::Heads, state.direction());
            let ig = committed.tables.get(TableKey { kind, method: Method::Ig, direction });
            marks(&committed.basis, unit, committed.experiment.n_steps, ig)
        })
    });
    let line = move |mark: Mark| {
        match mark {
        Mark::NothingDiffers => {
            view! { <li>"The two runs are the same: nothing differs, so every score is 0."</li> }.into_any()
        }
        Mark::Reversed { gap, unit } => view! {
            <li>
                {format!(
                    "The clean run shows less of the behaviour than the corrupted one: the gap is {} {unit}. Are the answers, or the \
                     prompts, the wrong way round? ",
                    signed(gap, 2),
                )}
                <SwapAnswers state />
            </li>
        }
        .into_any(),
        Mark::NotConverged { layer, off, share, steps } => view! {
            <li>
                {format!(
                    "Integrated gradients have not converged: the scores of layer {layer} are off their sum by {off}{}",
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

/// The way on where the clean run has less of the behaviour.
#[component]
pub(super) fn SwapAnswers(state: AppState) -> impl IntoView {
    let swap = move |_event| {
        state.edit(true, |draft| std::mem::swap(&mut draft.answer, &mut draft.wrong));
        state.tell(Visitor::RunAgain);
    };
    view! {
        <button
            type="button"
            class="way-on"
            data-testid="swap-answers"
            disabled=live(move || state.job.get().is_some() || state.is_stale() != Some(false))
            on:click=swap
        >
            "Swap the answers"
        </button>
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
    use twinbeam_core::words::{Direction, Metric};

    const FIFTY: Steps = Steps::Fixed(50);

    fn table(convergence_delta: Vec<f32>, n_steps: Vec<usize>) -> ScoreTable {
        ScoreTable::new(
            TableKey {
                kind: ComponentKind::Heads,
                method: Method::Ig,
                direction: Direction::Noising,
            },
            1,
            vec![0.0; convergence_delta.len()],
        )
        .with_convergence_delta(convergence_delta)
        .with_n_steps(n_steps)
    }

    const fn basis(gap: f32) -> UnitBasis {
        UnitBasis { metric: Metric::LogitDiff, gap, n_pos: 3, d_model: 4 }
    }

    #[test]
    fn what_can_be_believed_has_no_mark() {
        assert_eq!(
            marks(&basis(4.0), Unit::Metric, FIFTY, Some(&table(vec![1e-6, -0.039], vec![50; 2]))),
            []
        );
        assert_eq!(marks(&basis(4.0), Unit::Metric, FIFTY, None), []);
        let refined = table(vec![1e-6, -0.0039], vec![5, 129]);
        assert_eq!(marks(&basis(4.0), Unit::Metric, Steps::AUTO, Some(&refined)), []);
    }

    #[test]
    fn a_gap_of_nothing_or_the_wrong_way_round_and_the_worst_layer_are_marked() {
        let nothing = table(vec![0.0], Vec::new());
        assert_eq!(marks(&basis(0.0), Unit::Metric, FIFTY, Some(&nothing)), [Mark::NothingDiffers]);
        let (unit, steps) = ("logits", FIFTY);
        let found = marks(
            &basis(-2.0),
            Unit::Metric,
            steps,
            Some(&table(vec![0.1, -0.5, 0.3], Vec::new())),
        );
        let off = "−0.500 logits, 25 % of the gap".to_owned();
        let not_converged = Mark::NotConverged { layer: 1, off, share: 0.25, steps };
        assert_eq!(found, [Mark::Reversed { gap: -2.0, unit }, not_converged]);
        // Where shares are refused, the refusal says why.
        assert_eq!(marks(&basis(-2.0), Unit::ShareOfGap, steps, None), []);
        let small = [Mark::Reversed { gap: -0.05, unit }];
        assert_eq!(marks(&basis(-0.05), Unit::ShareOfGap, steps, None), small);
    }

    #[test]
    fn a_delta_is_in_the_unit_of_the_maps() {
        let ig = table(Vec::new(), Vec::new());
        let words = |unit, gap| off(&basis(gap), unit, &ig, -0.5);
        assert_eq!(words(Unit::Metric, 4.0), "−0.500 logits, 12 % of the gap");
        assert_eq!(words(Unit::ShareOfGap, 4.0), "12 % of the gap");
        // By three positions and a width of four.
        let notebook = "−0.042 mean over positions and d_model, 12 % of the gap";
        assert_eq!(words(Unit::Notebook, 4.0), notebook);
        assert_eq!(words(Unit::ShareOfGap, -4.0), words(Unit::Metric, -4.0), "it is refused");
        assert_eq!(words(Unit::Notebook, 0.0), "−0.500 logits");
    }

    #[test]
    fn refining_that_was_given_up_is_marked_however_small_the_delta() {
        let steps = Steps::AUTO;
        let found = marks(
            &basis(4.0),
            Unit::Metric,
            steps,
            Some(&table(vec![0.0, 0.02], vec![5, MOST_POINTS])),
        );
        let share = 0.02 / 4.0;
        let off = "+0.020 logits, 0.50 % of the gap".to_owned();
        assert_eq!(found, [Mark::NotConverged { layer: 1, off, share, steps }]);
        let said = way_on(steps, share);
        assert!(said.contains("not below the tolerance of 0.1 % after 257 points"), "{said}");
        let found = marks(
            &basis(4.0),
            Unit::Metric,
            steps,
            Some(&table(vec![0.0, 1e-4], vec![5, MOST_POINTS])),
        );
        assert_eq!(found, [Mark::GivenUp { layer: 1, steps }]);
        // So many that were asked for are not a sign of anything.
        let many = Steps::Fixed(300);
        assert_eq!(
            marks(&basis(4.0), Unit::Metric, many, Some(&table(vec![0.0, 1e-4], vec![300; 2]))),
            []
        );
    }
}
