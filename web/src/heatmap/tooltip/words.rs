//! What a tooltip says of a component: both methods in both directions, where it stands, and what it attends to.

use std::fmt::Write as _;

use twinbeam_core::words::{Component, Direction};

use super::super::shown::{MapKind, Standing};
use crate::explain;
use crate::heatmap::shown_of;
use crate::plot::escape;
use crate::values::{Committed, Look};

/// What there is to say.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    pub(super) of: Component,
    pub(super) committed: &'a Committed,
    pub(super) look: Look,
    /// What the head is known as.
    pub(super) known: Option<String>,
    /// What it attends to; `None`: that is not said of it.
    pub(super) attends: Option<String>,
}

impl Words<'_> {
    /// The same as a page holds it.
    pub(super) fn html(&self) -> String {
        let Self { of, committed, look, known, attends } = self;
        let other = match look.direction {
            Direction::Noising => Direction::Denoising,
            Direction::Denoising => Direction::Noising,
        };
        let here = shown_of(committed, *look, of.kind);
        let there = shown_of(committed, Look { direction: other, ..*look }, of.kind);
        let known = known.as_ref().map_or_else(String::new, |known| {
            format!(" <span class=\"tooltip-soft\">{}</span>", escape(known))
        });
        let mut out = format!(
            "<p><strong>{of}</strong>{known}</p><table><thead><tr><td></td><th scope=\"col\">IG</th>\
             <th scope=\"col\">AP</th></tr></thead><tbody>"
        );
        for (shown, direction, testid) in
            [(&here, look.direction, "tooltip"), (&there, other, "tooltip-other")]
        {
            let score = |map, method| {
                let value = shown.score(map, *of);
                let value = value.map_or_else(String::new, |v| format!(" data-value=\"{v}\""));
                let written = shown.written(map, *of);
                let written = written.unwrap_or_else(|| shown.missing(map, *of).to_owned());
                format!("<td data-testid=\"{testid}-{method}\"{value}>{written}</td>")
            };
            let [ig, ap] = [score(MapKind::Ig, "ig"), score(MapKind::Ap, "ap")];
            out += &line(direction.id(), &[ig, ap]);
        }
        let standings = [MapKind::Ig, MapKind::Ap]
            .map(|map| here.table(map).and_then(|table| Standing::of(table, *of)));
        let cells = |read: fn(Standing) -> Option<String>| {
            standings.map(|standing| {
                let words = standing.and_then(read).unwrap_or_default();
                format!("<td>{words}</td>")
            })
        };
        out += &line("part of its layer", &cells(Standing::share_in_words));
        out += &line("rank by size", &cells(|standing| Some(standing.words())));
        out += "</tbody></table>";
        let [ig, ap] = [MapKind::Ig, MapKind::Ap].map(|map| here.unit(map));
        let unit = if ig == ap {
            format!("Scores {}.", explain::in_unit(ig))
        } else {
            format!("IG: {ig}; AP: {ap}.")
        };
        // OK because writing to a string does not fail.
        write!(out, "<p class=\"tooltip-soft\">{}</p>", escape(&unit)).ok();
        if let Some(attends) = attends {
            let attends = if attends.is_empty() { "…" } else { attends };
            write!(
                out,
                "<p class=\"tooltip-attends\">Attends to <span data-testid=\"tooltip-attends\">{}</span></p>",
                escape(attends)
            )
            .ok();
        }
        out
    }
}

fn line(name: &str, cells: &[String; 2]) -> String {
    format!("<tr><th scope=\"row\">{name}</th>{}</tr>", cells.concat())
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::ComponentKind;

    use super::*;
    use crate::values::committed;

    #[test]
    fn both_methods_and_directions_are_said_with_their_numbers_in_full() {
        let committed = committed();
        let words = |of, attends| Words {
            of,
            committed: &committed,
            look: Look::default(),
            known: Some("<b>".to_owned()),
            attends,
        };
        let head = Component { kind: ComponentKind::Heads, layer: 1, index: 1 };
        let html = words(head, Some("“·a<b>” 90 %".to_owned())).html();
        for part in [
            "<strong>L1H1</strong>",
            "data-testid=\"tooltip-ig\" data-value=\"1\">+1.00</td>",
            "data-testid=\"tooltip-ap\" data-value=\"2\">+2.00</td>",
            "data-testid=\"tooltip-other-ig\">not computed</td>",
            "<td>1 of 4</td>",
            "<td>100 %</td>",
            "Scores in logits.",
            "·a&lt;b&gt;” 90 %",
            "&lt;b&gt;</span>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<b>"), "{html}");
        let neuron = Component { kind: ComponentKind::Neurons, layer: 0, index: 3 };
        let html = words(neuron, None).html();
        assert!(
            html.contains("L0N3") && html.contains("not computed") && !html.contains("Attends")
        );
    }
}
