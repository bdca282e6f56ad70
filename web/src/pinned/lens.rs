//! The tokens that a pinned head writes: those that it raises most and lowers most, in both runs.

use leptos::prelude::*;
use std::fmt::Write as _;
use twinbeam_core::wire::probes::circuits::{HeadLens, LensSide, LensToken};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Component, ComponentKind, Experiment};

use super::pieces::{paragraph, section, table, waits};
use crate::plot::escape;
use crate::state::AppState;
use crate::values::{Answer, Slot, visible};
use twinbeam_figure::scale::{Scale, signed};

/// Tokens of each kind that are shown.
const SHOWN: usize = 5;

const HINT: &str = "What it adds at the last token, read off through the final LayerNorm’s scale of each run and the \
    unembedding: how much of a token’s logit is this head’s, in logits whatever the metric.";

/// What is asked of a pinned head.
pub(super) fn question(state: AppState) -> Option<Probe> {
    let Component { kind, layer, index } = state.pinned.get()?;
    (kind == ComponentKind::Heads).then_some(Probe::Lens { layer, head: index })
}

/// The answer, if it is of this head.
fn of_head(answer: &Answer, of: Component) -> Option<&HeadLens> {
    match &answer.found {
        Ok(Finding::Lens(lens)) if (lens.layer, lens.head) == (of.layer, of.index) => Some(lens),
        _ => None,
    }
}

/// Both runs beside each other, what is raised and what is lowered; without a finding as many empty lines.
fn tables(lens: Option<&HeadLens>, experiment: &Experiment) -> String {
    let logits = |side: &LensSide| {
        let all = side.raised.iter().chain(&side.lowered);
        all.map(|token| token.logits).collect::<Vec<f32>>()
    };
    let all = lens.map(|lens| [&lens.clean, &lens.corrupted].map(logits).concat());
    let decimals = Scale::of(all.iter().flatten()).decimals();
    let mut out = String::from("<div class=\"lens\" data-testid=\"lens\">");
    for name in ["raises", "lowers"] {
        let list = |side: &LensSide, at: usize| {
            let list = if name == "raises" { &side.raised } else { &side.lowered };
            list.get(at).cloned()
        };
        write!(out, "<table><thead><tr><th scope=\"col\">{name}</th><th colspan=\"2\" scope=\"col\">clean</th>\
             <th colspan=\"2\" scope=\"col\">corrupted</th></tr></thead><tbody>").ok();
        for at in 0..SHOWN {
            write!(out, "<tr><th scope=\"row\">{}</th>", at + 1).ok();
            for run in ["clean", "corrupted"] {
                let side =
                    lens.map(|lens| if run == "clean" { &lens.clean } else { &lens.corrupted });
                let Some(token) = side.and_then(|side| list(side, at)) else {
                    out += "<td><span class=\"token\">…</span></td><td></td>";
                    continue;
                };
                let LensToken { id, text, logits } = token;
                let is_in = |answers: &[String]| answers.contains(&text);
                let [class, said] = match (is_in(&experiment.answer), is_in(&experiment.wrong)) {
                    (true, _) => [" right", ", the answer"],
                    (_, true) => [" wrong", ", the wrong answer"],
                    _ => ["", ""],
                };
                write!(out, "<td><span class=\"token{class}\" title=\"token {id}{said}\">{}</span></td>\
                     <td data-testid=\"lens-{run}-{name}\" data-id=\"{id}\" data-value=\"{logits}\">{}</td>",
                    escape(&visible(&text)),
                    signed(logits, decimals)).ok();
            }
            out += "</tr>";
        }
        out += "</tbody></table>";
    }
    out + "</div>"
}

/// What the head writes, as tokens.
pub(super) fn written(state: AppState, of: Memo<Option<Component>>) -> AnyView {
    let html = move || {
        let of = of.get()?;
        let answer = state.last_answer(Slot::Lens);
        let lens = answer.as_deref().and_then(|answer| of_head(answer, of));
        let tables = state.committed.with(|c| Some(tables(lens, &c.as_ref()?.experiment)))?;
        let tables = table("Tokens that it raises and lowers most", &tables);
        Some(tables + &paragraph("hint", "lens-hint", HINT))
    };
    let waits = waits(state, Slot::Lens, None);
    section("pinned-lens", ["lens", "What it writes, as tokens"], html, Some(waits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens() -> HeadLens {
        let token = |id, text: &str, logits| LensToken { id, text: text.to_owned(), logits };
        let side = |sign: f32| LensSide {
            raised: vec![token(7, " Mary", sign * 1.5), token(8, "<b>", 0.25)],
            lowered: vec![token(9, " John", -2.0)],
        };
        HeadLens { layer: 1, head: 2, clean: side(1.0), corrupted: side(0.5) }
    }

    #[test]
    fn tokens_stand_with_their_logits_in_both_runs_and_answers_stand_out() {
        let experiment = Experiment {
            answer: vec![" Mary".to_owned()],
            wrong: vec![" John".to_owned()],
            ..Experiment::default()
        };
        let html = tables(Some(&lens()), &experiment);
        for part in [
            "<span class=\"token right\" title=\"token 7, the answer\">·Mary</span>",
            "data-testid=\"lens-clean-raises\" data-id=\"7\" data-value=\"1.5\">+1.50<",
            "data-testid=\"lens-corrupted-raises\" data-id=\"7\" data-value=\"0.75\">+0.75<",
            "data-testid=\"lens-clean-lowers\" data-id=\"9\" data-value=\"-2\">−2.00<",
            "&lt;b&gt;",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<b>"), "{html}");
        // As many lines before the answer as after it.
        let waiting = tables(None, &experiment);
        assert_eq!(waiting.matches("<tr>").count(), html.matches("<tr>").count());
        assert!(!waiting.contains("data-value"), "{waiting}");
    }

    #[test]
    fn an_answer_is_of_one_head() {
        let of = |index| Component { kind: ComponentKind::Heads, layer: 1, index };
        let answer = Answer {
            experiment: Experiment::default(),
            fingerprint: String::new(),
            probe: Probe::Lens { layer: 1, head: 2 },
            found: Ok(Finding::Lens(lens())),
            unchecked: false,
        };
        assert_eq!(of_head(&answer, of(2)), Some(&lens()));
        assert_eq!(of_head(&answer, of(3)), None);
    }
}
