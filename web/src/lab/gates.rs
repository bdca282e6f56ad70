//! Two inputs are enough to see why the directions differ: an AND and an OR, in closed form.

use std::fmt::Write as _;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::statistics::{GateEffects, GateNetwork};
use twinbeam_core::words::Direction;

use super::sheet::{PlotRow, Sheet};
use crate::plot::{Bar, Bars, Drawn, Ink, PlotView};
use crate::reactive::memo;
use crate::state::AppState;

/// A network with its name.
#[derive(Debug, Clone, Copy)]
struct Gate {
    id: &'static str,
    name: &'static str,
    network: GateNetwork,
}

const AND: Gate = Gate { id: "and", name: "AND", network: GateNetwork::AND };
const OR: Gate = Gate { id: "or", name: "OR", network: GateNetwork::OR };

impl Gate {
    /// Its inputs' scores as shares of the gap: noising, denoising.
    fn shares(self) -> [GateEffects; 2] {
        let gap = self.network.gap();
        Direction::ALL.map(|direction| self.network.effects(direction).over(gap))
    }

    /// AP and IG of both inputs, a bar per direction.
    fn drawn(self, width: f64) -> Drawn {
        let [noising, denoising] = self.shares();
        let bar = |name: &str, input: usize, values: [f64; 2]| Bar {
            label: format!("{name} of input {}", input + 1),
            values: values.map(|value| value as f32).to_vec(),
            component: None,
            note: String::new(),
            then: String::new(),
        };
        let ap = [0, 1].map(|i| bar("AP", i, [noising.ap[i], denoising.ap[i]]));
        let ig = [0, 1].map(|i| bar("IG", i, [noising.ig[i], denoising.ig[i]]));
        Bars {
            title: format!("{} of two inputs", self.name),
            summary: self.reading(),
            unit: "of the gap".to_owned(),
            names: Direction::ALL.map(|direction| direction.id().to_owned()).to_vec(),
            inks: [Ink::Plain, Ink::Soft],
            rows: ap.into_iter().chain(ig).collect(),
            range: Some((0.0, 1.0)),
            signed: false,
            width,
        }
        .draw()
    }

    /// What its numbers say.
    fn reading(self) -> String {
        let [noising, denoising] = self.shares();
        let both = |values: [f64; 2]| {
            let [first, second] = values.map(|value| (100.0 * value).round());
            if first.to_bits() == second.to_bits() {
                format!("{first} %")
            } else {
                format!("{first} and {second} %")
            }
        };
        let says = if noising.ap[0] > denoising.ap[0] {
            "either loss breaks it, and one input alone does not bring it back: noising finds both inputs, denoising \
             nearly none"
        } else {
            "one input alone nearly brings it back, and so neither loss breaks it: denoising finds both inputs, noising \
             nearly none"
        };
        format!(
            "{}: one corrupted input costs {} of the gap, and one clean input restores {}: {says}. IG gives each input its \
             half in both directions ({}), because it moves them together.",
            self.name,
            both(noising.ap),
            both(denoising.ap),
            both(noising.ig)
        )
    }
}

/// All numbers of both gates.
fn table() -> String {
    let mut rows = String::new();
    for gate in [AND, OR] {
        let shares = gate.shares();
        for input in 0..2 {
            write!(rows, "<tr><th scope=\"row\">{}, input {}</th>", gate.name, input + 1).ok();
            for (method, pick) in
                [("ap", (|e| e.ap) as fn(GateEffects) -> [f64; 2]), ("ig", |e| e.ig)]
            {
                for (direction, effects) in Direction::ALL.into_iter().zip(shares) {
                    let value = pick(effects)[input];
                    let testid =
                        format!("gate-{}-{method}-{}-{}", gate.id, direction.id(), input + 1);
                    write!(
                        rows,
                        "<td data-testid=\"{testid}\" data-value=\"{value}\">{value:.4}</td>"
                    )
                    .ok();
                }
            }
            rows.push_str("</tr>");
        }
    }
    let head: String = ["input", "AP noising", "AP denoising", "IG noising", "IG denoising"]
        .map(|name| format!("<th scope=\"col\">{name}</th>"))
        .concat();
    format!(
        "<table class=\"list\"><caption>Scores as shares of the gap</caption><thead><tr>{head}</tr></thead>\
         <tbody>{rows}</tbody></table>"
    )
}

/// The smallest case of what the panel is about.
#[component]
pub(super) fn Gates(state: AppState, sheet: Sheet) -> impl IntoView {
    let plots = [(AND, "gates-and"), (OR, "gates-or")].map(|(gate, testid)| {
        let drawn = memo(move || Some(Arc::new(gate.drawn(sheet.column(2)))));
        view! { <PlotView pointer=state testid label=gate.name drawn /> }
    });
    let [and, or] = [AND, OR].map(|gate| view! { <p>{gate.reading()}</p> });
    view! {
        <details class="gates" data-testid="gates">
            <summary>"The same with two inputs, an AND and an OR, on paper"</summary>
            <p>
                "One sigmoid unit with two inputs, clean (1, 1) and corrupted (0, 0), small enough to be worked out on paper. As an \
                 AND it is on only if both inputs are, as an OR if one of them is."
            </p>
            <PlotRow sheet n=2_usize>{plots}</PlotRow>
            {and}
            {or}
            <div inner_html=table()></div>
            <p>
                "In a model the same shows in the two directions: a component that noising finds and denoising does not needs \
                 others, as the inputs of an AND do; one that denoising finds and noising does not has others that stand in for \
                 it, as the inputs of an OR do."
            </p>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_numbers_are_those_of_the_closed_form() {
        let html = table();
        let value = |testid: &str| -> f64 {
            let from = html.split(&format!("\"{testid}\" data-value=\"")).nth(1).expect(testid);
            from.split('"').next().and_then(|value| value.parse().ok()).expect("a number")
        };
        for (testid, expected) in [
            ("gate-and-ap-noising-1", 0.8187),
            ("gate-and-ap-noising-2", 0.8200),
            ("gate-and-ap-denoising-1", 0.1800),
            ("gate-and-ap-denoising-2", 0.1813),
            ("gate-or-ap-denoising-1", 0.8187),
            ("gate-or-ap-noising-2", 0.1813),
            ("gate-and-ig-noising-1", 0.4994),
            ("gate-or-ig-denoising-2", 0.5006),
        ] {
            // The published numbers are of weights that are known to four digits.
            assert!((value(testid) - expected).abs() < 1e-4, "{testid} {}", value(testid));
        }
    }

    #[test]
    fn sentences_read_the_values() {
        let and = AND.reading();
        assert!(and.contains("costs 82 % of the gap") && and.contains("restores 18 %"), "{and}");
        assert!(and.contains("noising finds both inputs") && and.contains("(50 %)"), "{and}");
        let or = OR.reading();
        assert!(or.contains("costs 18 % of the gap") && or.contains("restores 82 %"), "{or}");
        assert!(or.contains("denoising finds both inputs"), "{or}");
        assert_eq!(AND.drawn(360.0).points.len(), OR.drawn(360.0).points.len());
    }
}
