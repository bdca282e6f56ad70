//! How far a figure can be believed: one mark per reason, each with its explanation.

use std::fmt::Write as _;

use leptos::prelude::*;
use twinbeam_core::link::Snapshot;
use twinbeam_core::scores::{GapRefused, ScoreTable, SideSummary, TableKey, Unit};
use twinbeam_core::wire::devices::CheckReport;
use twinbeam_core::words::{ComponentKind, Direction, Method};

use super::marks::{Mark, marks, off, worst};
use crate::explain::steps;
use crate::plot::escape;
use crate::reactive::memo;
use crate::state::AppState;
use crate::values::{Committed, Origin, count, percent};
use twinbeam_figure::scale::signed;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Caution,
}

impl Verdict {
    /// A sign that is no colour, and a word, which is `data-verdict` too.
    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Fine => ["✓", "ok"],
            Self::Caution => ["!", "caution"],
        }
    }
}

/// A mark.
#[derive(Debug, Clone, PartialEq)]
struct Chip {
    /// `data-mark`.
    id: &'static str,
    verdict: Verdict,
    label: String,
    /// Why, with numbers, and what is meant.
    words: String,
}

impl Chip {
    fn new(id: &'static str, is_fine: bool, label: impl Into<String>, words: String) -> Self {
        let verdict = if is_fine { Verdict::Fine } else { Verdict::Caution };
        Self { id, verdict, label: label.into(), words }
    }

    fn html(&self, out: &mut String) {
        let Self { id, verdict, label, words } = self;
        let [sign, said] = verdict.words();
        let (label, words) = (escape(label), escape(words));
        // OK because writing to a string does not fail.
        write!(
            out,
            "<details name=\"trust\" data-mark=\"{id}\" data-verdict=\"{said}\"><summary><span aria-hidden=\"true\">{sign}\
             </span> {said}: {label}</summary><p>{words}</p></details>"
        )
        .ok();
    }
}

/// The marks of a figure that is complete.
fn chips(
    committed: &Committed,
    kind: ComponentKind,
    direction: Direction,
    unit: Unit,
) -> Vec<Chip> {
    let ig = committed.tables.get(TableKey { kind, method: Method::Ig, direction });
    let mut chips = Vec::new();
    chips.extend(ig.and_then(|ig| convergence(committed, unit, ig)));
    chips.push(gap(committed));
    chips.push(solved(committed));
    let experiment = &committed.experiment;
    let n_answers = experiment.answer.len() + experiment.wrong.len();
    chips.push(Chip::new(
        "one-token",
        true,
        "answers are one token",
        format!(
            "Checked when they were entered: each of the {} is exactly one token, and one that is several is refused. The metric \
             is read at one place, so it would not see the rest of a longer answer.",
            count(n_answers, "answer")
        ),
    ));
    let n_pos = committed.sides.0.n_pos;
    chips.push(Chip::new(
        "length",
        true,
        "equal lengths",
        format!(
            "Checked when they were entered: both prompts have {}, and unequal ones are refused. Patching pairs positions: \
             of a shorter prompt it would put in what belongs to another token.",
            count(n_pos, "token")
        ),
    ));
    chips.push(device(committed, kind));
    if committed.origin == Origin::Link {
        chips.push(Chip::new(
            "link",
            false,
            "from a link",
            format!(
                "Nothing of this was computed here. The scores came with the link, rounded to {} of a map’s largest; as soon as its \
                 model is there, they are computed again and compared.",
                percent(Snapshot::ROUNDING)
            ),
        ));
    }
    chips
}

fn convergence(committed: &Committed, unit: Unit, ig: &ScoreTable) -> Option<Chip> {
    let (layer, delta) = worst(ig.convergence_delta())?;
    let n_steps = committed.experiment.n_steps;
    let found = marks(&committed.basis, unit, n_steps, Some(ig));
    let is_off = |mark: &Mark| matches!(mark, Mark::NotConverged { .. } | Mark::GivenUp { .. });
    let is_fine = !found.iter().any(is_off);
    let label = if is_fine { "IG has converged" } else { "IG has not converged" };
    let words = format!(
        "The largest convergence delta is {}, of layer {layer}, by {}. It is the sum of IG over a layer minus the effect of \
         replacing the whole layer, which the sum must come to; up to 1 % of the gap counts as converged.",
        off(&committed.basis, unit, ig, delta),
        steps(n_steps, ig.n_steps()),
    );
    Some(Chip::new("convergence", is_fine, label, words))
}

fn gap(committed: &Committed) -> Chip {
    let basis = &committed.basis;
    let (size, unit) = (signed(basis.gap, 3), basis.metric.unit());
    let definition = format!(
        "The gap, how much more of the behaviour the clean run has than the corrupted one, is {size} {unit}."
    );
    match basis.gap() {
        Err(GapRefused::TooSmall { .. }) => Chip::new(
            "gap",
            false,
            "gap too small to divide by",
            format!(
                "{definition} That is too little to divide by, so shares of it are refused; scores are differences of nearly equal \
                 numbers. Choose a pair that differs more."
            ),
        ),
        Err(GapRefused::Reversed { .. }) => Chip::new(
            "gap",
            false,
            "gap is negative",
            format!(
                "{definition} Shares of it are refused: they would have the other sign than their scores."
            ),
        ),
        Ok(_) => Chip::new(
            "gap",
            true,
            "gap is large enough",
            format!("{definition} That is enough to divide by."),
        ),
    }
}

fn solved(committed: &Committed) -> Chip {
    let SideSummary { metrics, top, .. } = &committed.sides.0;
    let experiment = &committed.experiment;
    let place = top.iter().position(|token| experiment.names(&experiment.answer, token));
    let difference = signed(metrics.logit_diff, 3);
    let prefers = metrics.logit_diff > 0.0;
    let is_likely = place.is_some() || top.is_empty();
    let (label, why) = if !prefers {
        (
            "clean prompt not solved",
            "The model prefers the wrong answer on the clean prompt, so there is no behaviour to attribute.".to_owned(),
        )
    } else if !is_likely {
        (
            "answer is not likely",
            format!(
                "The model prefers the answer to the wrong one, but neither may be what it would say: no answer is among its {} \
                 likeliest next tokens.",
                top.len()
            ),
        )
    } else {
        let said = match place {
            Some(0) => " and the answer is its likeliest next token".to_owned(),
            Some(place) => {
                format!(" and the answer is number {} of its likeliest next tokens", place + 1)
            }
            None => ". A link does not carry its likeliest next tokens".to_owned(),
        };
        (
            "clean prompt is solved",
            format!("The model prefers the answer to the wrong one on the clean prompt{said}."),
        )
    };
    let words = format!("{why} Its logit difference is {difference} logits.");
    Chip::new("solved", prefers && is_likely, label, words)
}

fn device(committed: &Committed, kind: ComponentKind) -> Chip {
    let device = committed.device(kind);
    let is_double = committed.model.shape.fits_double();
    let (is_fine, label, words) = match (committed.origin, device.gpu) {
        (Origin::Link, gpu) => {
            let on = if gpu { "GPU" } else { "CPU" };
            let words = format!(
                "Whoever made the link computed it on a {on}; how that was checked, the link does not say."
            );
            (!gpu, format!("computed elsewhere, {on}"), words)
        }
        (Origin::Device { .. }, false) if is_double => (
            true,
            "CPU, double precision".to_owned(),
            "Computed on the CPU in double precision (f64): rounding is far below what is shown.".to_owned(),
        ),
        (Origin::Device { .. }, false) => (
            true,
            "CPU, single precision".to_owned(),
            "Computed on the CPU in single precision (f32), as models of this size are: scores are within 0.01 % of a table’s largest."
                .to_owned(),
        ),
        (Origin::Device { .. }, true) if !committed.checking.is_empty() => (
            false,
            "GPU, being checked".to_owned(),
            "Computed on a GPU in single precision. The CPU is computing a sample of it again: what does not agree is withdrawn."
                .to_owned(),
        ),
        (Origin::Device { checked: Some(CheckReport { worst, values }) }, true) => (
            true,
            "GPU, checked".to_owned(),
            format!(
                "Computed on a GPU in single precision. A sample of {values} numbers was computed again on the CPU: the worst is \
                 off by {} of its table’s largest.",
                percent(worst)
            ),
        ),
        (Origin::Device { checked: None }, true) => (
            false,
            "GPU, unchecked".to_owned(),
            "Computed on a GPU in single precision, and nothing of it was compared with the CPU: there was no room for a second copy \
             of the model, or the run was stopped. Choose the CPU to be sure."
                .to_owned(),
        ),
    };
    Chip::new("device", is_fine, label, words)
}

/// How far the figure of a kind of component can be believed.
#[component]
pub(crate) fn Trust(state: AppState, kind: ComponentKind) -> impl IntoView {
    let html = memo(move || {
        let (direction, unit) = (state.direction(), state.unit.get());
        let is_running = state.job.get().is_some();
        state.committed.with(|committed| {
            // What is in the making is not judged, but what came with a link stands there meanwhile.
            let committed = committed
                .as_ref()
                .filter(|c| c.is_complete(kind) && (!is_running || c.origin == Origin::Link))?;
            let mut html = String::new();
            for chip in chips(committed, kind, direction, unit) {
                chip.html(&mut html);
            }
            Some(html)
        })
    });
    let testid = if kind == ComponentKind::Heads { "trust" } else { "trust-neurons" };
    move || {
        html.get().map(|html| {
            view! {
                <div
                    class="trust"
                    data-testid=testid
                    role="group"
                    aria-label="How far this can be believed"
                    inner_html=html
                ></div>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::TopToken;

    use super::*;
    use crate::values::committed as own;

    fn set_deltas(committed: &mut Committed, deltas: [f32; 2]) {
        let (kind, method) = (ComponentKind::Heads, Method::Ig);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let ig = committed.tables.get(key).expect("it is there").clone();
        committed.tables.insert(ig.with_convergence_delta(deltas.to_vec()));
    }

    fn committed() -> Committed {
        let mut committed = own();
        set_deltas(&mut committed, [1e-6, -0.002]);
        let token = |text: &str| TopToken { id: 1, text: text.to_owned(), prob: 0.5, logit: 1.0 };
        committed.sides.0.top = vec![token(" the"), token(" John")];
        committed
    }

    fn found(committed: &Committed) -> Vec<(&'static str, Verdict)> {
        let chips = chips(committed, ComponentKind::Heads, Direction::Noising, Unit::Metric);
        chips.iter().map(|chip| (chip.id, chip.verdict)).collect()
    }

    #[test]
    fn a_figure_in_order_has_every_mark_and_no_caution() {
        let committed = committed();
        let ids = ["convergence", "gap", "solved", "one-token", "length", "device"];
        assert_eq!(found(&committed), ids.map(|id| (id, Verdict::Fine)));
        let chips = chips(&committed, ComponentKind::Heads, Direction::Noising, Unit::Metric);
        assert!(
            chips[0].words.contains("−0.002 logits, 0.050 % of the gap, of layer 1"),
            "{}",
            chips[0].words
        );
        assert!(chips[2].words.contains("number 2 of its likeliest"), "{}", chips[2].words);
        let mut html = String::new();
        chips[0].html(&mut html);
        assert!(html.contains("data-mark=\"convergence\" data-verdict=\"ok\""), "{html}");
    }

    #[test]
    fn each_reason_for_caution_is_found() {
        let cautions = |change: fn(&mut Committed)| -> Vec<&'static str> {
            let mut committed = committed();
            change(&mut committed);
            let found = found(&committed).into_iter();
            found.filter(|(_, verdict)| *verdict == Verdict::Caution).map(|(id, _)| id).collect()
        };
        assert_eq!(cautions(|c| set_deltas(c, [0.5, -0.002])), ["convergence"]);
        assert_eq!(cautions(|c| c.basis.gap = 0.05), ["convergence", "gap"]);
        assert_eq!(cautions(|c| c.basis.gap = -4.0), ["gap"]);
        assert_eq!(cautions(|c| c.sides.0.metrics.logit_diff = 0.0), ["solved"]);
        assert_eq!(cautions(|c| c.sides.0.top.truncate(1)), ["solved"]);
        assert_eq!(cautions(|c| c.model.device.gpu = true), ["device"]);
        assert_eq!(cautions(|c| c.origin = Origin::Link), ["link"]);
        let checked = |c: &mut Committed| {
            c.model.device.gpu = true;
            c.origin = Origin::Device { checked: Some(CheckReport { worst: 1e-6, values: 90 }) };
        };
        assert_eq!(cautions(checked), [""; 0]);
    }
}
