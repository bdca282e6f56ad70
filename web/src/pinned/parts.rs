//! Queries, keys, values and patterns: of all heads as small maps, and of the pinned head as numbers.

use std::fmt::Write as _;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::circuits::{Part, Port};
use twinbeam_core::link::{PartsBy, ScaleChoice};
use twinbeam_core::scores::{Ladder, Unit};
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Component, ComponentKind, Direction};

use super::pieces::{WIDTH, is_asked, paragraph, section, table, waits};
use crate::explain;
use crate::heatmap::MapKind;
use crate::heatmap::shown_on_screen;
use crate::plot::{Drawn, Pane, Panes, PlotView, escape};
use crate::reactive::{live, memo};
use crate::state::AppState;
use crate::story::Term;
use crate::values::{Answer, Committed, Slot};
use twinbeam_figure::scale::{Scale, small};

/// What of a head is shown, and `data-testid` of each map.
const SHOWN: [(Part, &str); 4] = [
    (Part::Port(Port::Query), "parts-q"),
    (Part::Port(Port::Key), "parts-k"),
    (Part::Port(Port::Value), "parts-v"),
    (Part::Pattern, "parts-pattern"),
];

/// What is asked, as long as a head is pinned.
pub(super) fn question(state: AppState) -> Option<Probe> {
    let is_head = state.pinned.get()?.kind == ComponentKind::Heads;
    let wanted = is_head && is_asked(state, patches);
    wanted.then(|| Probe::Parts { direction: state.direction() })
}

/// How many patches that takes.
fn patches(committed: &Committed) -> usize {
    let shape = committed.model.shape;
    SHOWN.len() * shape.n_layers * shape.n_heads
}

/// A part of all heads by each method.
#[derive(Debug, Clone, PartialEq)]
struct Scores {
    ap: Vec<f32>,
    ig: Vec<f32>,
    atp: Vec<f32>,
    /// Layer by layer.
    delta: Vec<f32>,
}

impl Scores {
    fn of(map: &PartMap, factor: f32) -> Self {
        let [ap, ig, atp, delta] = [&map.ap, &map.ig, &map.atp, &map.convergence_delta]
            .map(|values| values.iter().map(|value| factor * value).collect());
        Self { ap, ig, atp, delta }
    }

    fn by(&self, by: PartsBy) -> Vec<f32> {
        match by {
            PartsBy::Ap => self.ap.clone(),
            PartsBy::Ig => self.ig.clone(),
            PartsBy::Diff => self.ig.iter().zip(&self.ap).map(|(ig, ap)| ig - ap).collect(),
        }
    }
}

const fn short(by: PartsBy) -> &'static str {
    match by {
        PartsBy::Ap => "AP",
        PartsBy::Ig => "IG",
        PartsBy::Diff => "IG − AP",
    }
}

/// What is known of the parts of heads, in a unit. Nothing of it is reactive.
#[derive(Debug, Clone, PartialEq)]
struct Parts {
    of: Component,
    direction: Direction,
    /// Layers, and heads of each.
    size: [usize; 2],
    unit: &'static str,
    /// In the order of [`SHOWN`]; empty as long as they are not known.
    scores: Vec<Scores>,
    /// The whole head.
    whole: Ladder,
    by: PartsBy,
    /// The end of the scale that the figure's maps have in common, where they have one.
    common: Option<f32>,
}

impl Parts {
    fn new(committed: &Committed, found: Option<&Answer>, of: Component, look: Looked) -> Self {
        let Looked { direction, unit, by, common } = look;
        let (factor, unit) = unit.common(&committed.basis);
        let maps = match found.map(|answer| &answer.found) {
            Some(Ok(Finding::Parts(maps))) => maps.as_slice(),
            _ => &[],
        };
        let is_it = |map: &&PartMap, part| map.part == part && map.direction == direction;
        let scores: Option<Vec<Scores>> = SHOWN
            .iter()
            .map(|(part, _)| maps.iter().find(|map| is_it(map, *part)))
            .map(|map| map.map(|map| Scores::of(map, factor)))
            .collect();
        let shape = committed.model.shape;
        Self {
            of,
            direction,
            size: [shape.n_layers, shape.n_heads],
            unit,
            scores: scores.unwrap_or_default(),
            whole: Ladder::of(&committed.tables, of, direction).scaled(factor),
            by,
            common: common.filter(|(_, of)| *of == unit).map(|(limit, _)| limit),
        }
    }

    fn place(&self) -> usize {
        self.of.layer * self.size[1] + self.of.index
    }

    /// AP, IG, AtP and IG − AP of the pinned head's parts, and of the whole head.
    fn lines(&self) -> Vec<(&'static str, &'static str, [Option<f32>; 4])> {
        let at = self.place();
        let line = |id, name, ap: Option<f32>, ig: Option<f32>, atp| {
            (id, name, [ap, ig, atp, ig.zip(ap).map(|(ig, ap)| ig - ap)])
        };
        let mut lines: Vec<_> = SHOWN
            .iter()
            .enumerate()
            .map(|(which, (part, _))| {
                let scores = self.scores.get(which);
                let of = |values: fn(&Scores) -> &Vec<f32>| values(scores?).get(at).copied();
                line(part.id(), part.words(), of(|s| &s.ap), of(|s| &s.ig), of(|s| &s.atp))
            })
            .collect();
        let Ladder { ap, ig, atp, .. } = self.whole;
        lines.push(line("z", "the whole head", ap, ig, atp));
        lines
    }

    /// All maps on the scale of the figure, where that is one for all maps, as far as it reaches.
    fn draw(&self) -> Drawn {
        let shown: Vec<Vec<f32>> = self.scores.iter().map(|scores| scores.by(self.by)).collect();
        let limit = match self.common {
            Some(common) => {
                let of_all = |scores: &Scores| PartsBy::ALL.map(|by| scores.by(by)).concat();
                let all: Vec<f32> = self.scores.iter().flat_map(of_all).collect();
                Scale::of(&all).limit().max(common)
            }
            None => Scale::of(shown.iter().flatten()).limit(),
        };
        let n_heads = self.size[1].max(1);
        let component = |layer, index| Component { kind: ComponentKind::Heads, layer, index };
        let strongest = |(values, (part, _)): (&Vec<f32>, &(Part, &str))| {
            let most =
                (0..values.len()).max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()));
            most.map(|at| {
                let of = component(at / n_heads, at % n_heads);
                format!("{} of {of}, {}", part.words(), small(values[at]))
            })
        };
        let most: Vec<String> = shown.iter().zip(&SHOWN).filter_map(strongest).collect();
        let panes = SHOWN.iter().enumerate().map(|(at, (part, id))| Pane {
            name: part.words().to_owned(),
            id,
            values: shown.get(at).cloned().unwrap_or_default(),
        });
        let panes = Panes {
            title: format!("Parts of heads by {}, {}", short(self.by), self.direction),
            summary: if most.is_empty() {
                "not computed yet.".to_owned()
            } else {
                format!("the largest are {} {}.", most.join("; "), self.unit)
            },
            unit: self.unit.to_owned(),
            size: self.size,
            all: panes.collect(),
            limit,
            framed: Some([self.of.layer, self.of.index]),
            component: &component,
            width: WIDTH,
        };
        panes.draw()
    }

    /// The pinned head's own values.
    fn table(&self) -> String {
        let lines = self.lines();
        let known = lines.iter().flat_map(|(_, _, values)| values).flatten();
        let scale = Scale::of(known);
        let mut out = format!(
            "<table class=\"pinned-scores\" data-testid=\"parts-table\"><thead><tr><td></td>\
             <th scope=\"col\">AP</th><th scope=\"col\">IG</th><th scope=\"col\">AtP</th>\
             <th scope=\"col\">IG − AP</th></tr></thead><tbody><tr><th colspan=\"5\" scope=\"rowgroup\">{} \
             <span class=\"hint\">{}, {}</span></th></tr>",
            self.of,
            self.direction,
            escape(&explain::in_unit(self.unit)),
        );
        for (id, name, values) in lines {
            write!(out, "<tr><th scope=\"row\">{name}</th>").ok();
            for (method, value) in ["ap", "ig", "atp", "diff"].into_iter().zip(values) {
                if let Some(value) = value {
                    let written = scale.written(value);
                    write!(out, "<td data-testid=\"part-{id}-{method}\" data-value=\"{value}\">{written}</td>").ok();
                } else {
                    out.push_str("<td>…</td>");
                }
            }
            out += "</tr>";
        }
        out + "</tbody></table>"
    }

    /// What the parts have to do with the whole, and whether they add up to it here.
    fn reading(&self) -> String {
        let mut words =
            "Replacing queries, keys and values together is replacing the head’s output. Their \
            single effects need not add up to it"
                .to_owned();
        let lines = self.lines();
        let ap = |at: usize| lines.get(at).and_then(|(_, _, values)| values[0]);
        if let (Some(q), Some(k), Some(v), Some(whole)) = (ap(0), ap(1), ap(2), ap(4)) {
            let scale = Scale::of(&[q + k + v, whole, q, k, v]);
            let [sum, whole] = [q + k + v, whole].map(|value| scale.written(value));
            write!(
                words,
                ": here they come to {sum} by AP, the whole head to {whole} {}",
                self.unit
            )
            .ok();
        }
        words + ". The pattern is what queries and keys make together."
    }

    /// All of it that is said of the pinned head.
    fn html(&self) -> String {
        let deltas = self.deltas().unwrap_or_default();
        [
            table("Queries, keys and values of what is pinned", &self.table()),
            paragraph("", "parts-reading", &self.reading()),
            paragraph("hint", "parts-deltas", &deltas),
        ]
        .concat()
    }

    /// What integrated gradients of the pinned head's layer fail to add up to.
    fn deltas(&self) -> Option<String> {
        let of = |(scores, (part, _)): (&Scores, &(Part, &str))| {
            let delta = scores.delta.get(self.of.layer)?;
            Some(format!("{} {}", part.words(), small(*delta)))
        };
        let all: Option<Vec<String>> = self.scores.iter().zip(&SHOWN).map(of).collect();
        let all = all.filter(|all| !all.is_empty())?;
        Some(format!("Convergence deltas of IG in layer {}: {}.", self.of.layer, all.join(", ")))
    }
}

/// How parts are looked at.
struct Looked {
    direction: Direction,
    unit: Unit,
    by: PartsBy,
    /// The end of the scale of the figure's maps, and its unit.
    common: Option<(f32, &'static str)>,
}

/// What is known of the parts of heads, as the page looks at it.
fn looked(state: AppState, of: Memo<Option<Component>>) -> Option<Parts> {
    let of = of.get()?;
    let shown = shown_on_screen(state, ComponentKind::Heads);
    let look = Looked {
        direction: state.direction(),
        unit: state.unit.get(),
        by: state.lab.parts_by.get(),
        common: (state.scale.get() == ScaleChoice::Shared)
            .then(|| (shown.scale(MapKind::Ap).limit(), shown.unit(MapKind::Ap))),
    };
    let found = state.last_answer(Slot::Parts);
    state.committed.with(|c| Some(Parts::new(c.as_deref()?, found.as_deref(), of, look)))
}

/// The maps of all heads, with their choice of method.
pub(super) fn maps(state: AppState, of: Memo<Option<Component>>) -> AnyView {
    let drawn = memo(move || looked(state, of).map(|parts| Arc::new(parts.draw())));
    let buttons = PartsBy::ALL.map(|by| {
        view! {
            <button
                type="button"
                data-testid=["parts-by-", by.id()].concat()
                aria-pressed=live(move || (state.lab.parts_by.get() == by).to_string())
                on:click=move |_event| state.lab.parts_by.set(by)
            >
                {short(by)}
            </button>
        }
    });
    view! {
        <div class="pinned-part" data-testid="pinned-parts">
            <h4><Term id="parts" says="Queries, keys and values" /></h4>
            <div class="pinned-choice" role="group" aria-label="Method of the maps">{buttons}</div>
            <PlotView pointer=state testid="parts-map" label="Parts of heads" drawn />
            {waits(state, Slot::Parts, Some((patches, "queries, keys, values and patterns")))}
        </div>
    }
    .into_any()
}

/// The pinned head's own values.
pub(super) fn numbers(state: AppState, of: Memo<Option<Component>>) -> AnyView {
    let html = move || looked(state, of).map(|parts| parts.html());
    section("pinned-part-numbers", ["", "What its parts come to"], html, None)
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::Experiment;

    use super::*;
    use crate::values::committed;

    /// Two layers of two heads, of which one is pinned.
    fn answer(direction: Direction) -> Answer {
        let map = |part, scale: f32| {
            let of = |values: [f32; 4]| values.map(|value| scale * value).to_vec();
            PartMap {
                part,
                direction,
                width: 2,
                ap: of([0.0, 0.25, -0.5, 0.75]),
                ig: of([0.0, 0.5, -0.5, 0.25]),
                atp: of([0.0, 0.0, 0.0, 1.0]),
                joint: vec![0.0; 2],
                convergence_delta: vec![0.0, 0.01 * scale],
            }
        };
        let maps = [1.0, 2.0, 0.25, 4.0].into_iter().zip(SHOWN);
        Answer {
            experiment: Experiment::default(),
            fingerprint: String::new(),
            probe: Probe::Parts { direction },
            found: Ok(Finding::Parts(maps.map(|(scale, (part, _))| map(part, scale)).collect())),
            unchecked: false,
        }
    }

    fn parts(found: Option<&Answer>, unit: Unit, by: PartsBy, common: Option<f32>) -> Parts {
        let of = Component { kind: ComponentKind::Heads, layer: 1, index: 1 };
        let common = common.map(|limit| (limit, "logits"));
        let look = Looked { direction: Direction::Noising, unit, by, common };
        Parts::new(&committed(), found, of, look)
    }

    #[test]
    fn the_pinned_heads_values_stand_beside_the_whole_head_and_need_not_add_up() {
        let answer = answer(Direction::Noising);
        let parts = parts(Some(&answer), Unit::Metric, PartsBy::Ap, None);
        let html = parts.table();
        for cell in [
            "\"part-q-ap\" data-value=\"0.75\">+0.75<",
            "\"part-k-ig\" data-value=\"0.5\">+0.50<",
            "\"part-v-atp\" data-value=\"0.25\">",
            "\"part-pattern-diff\" data-value=\"-2\">−2.00<",
            "\"part-z-ap\" data-value=\"2\">+2.00<",
            "noising, in logits",
        ] {
            assert!(html.contains(cell), "{cell} in {html}");
        }
        // Its AtP is not in the figure.
        assert_eq!(html.matches("<td>…</td>").count(), 1, "{html}");
        let words = parts.reading();
        assert!(
            words.contains("they come to +2.44 by AP, the whole head to +2.00 logits."),
            "{words}"
        );
        let deltas = parts.deltas().expect("they are known");
        assert!(deltas.contains("layer 1: queries +0.010, keys +0.020"), "{deltas}");
    }

    #[test]
    fn units_are_those_of_the_page_and_a_refused_one_is_the_metrics() {
        let answer = answer(Direction::Noising);
        let share = parts(Some(&answer), Unit::ShareOfGap, PartsBy::Ap, None);
        assert!(share.table().contains("\"part-q-ap\" data-value=\"0.1875\""), "{}", share.table());
        assert!(share.reading().ends_with("keys make together.") && share.unit == "of the gap");
        let notebook = parts(Some(&answer), Unit::Notebook, PartsBy::Ap, None);
        assert_eq!(notebook.unit, "logits");
    }

    #[test]
    fn maps_are_on_the_figures_scale_as_far_as_it_reaches() {
        let answer = answer(Direction::Noising);
        let end = |common, by| {
            let drawn = parts(Some(&answer), Unit::Metric, by, common).draw();
            assert_eq!(drawn.svg.matches("plot-framed").count(), 4, "the pinned head in each");
            assert_eq!(drawn.points.len(), 16);
            let (_, rest) = drawn.svg.split_once("x=\"152\"").expect("a scale");
            rest.split(['>', '<']).nth(1).expect("its end").to_owned()
        };
        assert_eq!(end(Some(8.0), PartsBy::Ap), "+8.00 logits");
        assert_eq!(end(Some(1.0), PartsBy::Ap), "+3.00 logits");
        // Each on its own: the largest difference is smaller.
        assert_eq!(end(None, PartsBy::Diff), "+2.00 logits");
        let drawn = parts(Some(&answer), Unit::Metric, PartsBy::Ig, None).draw();
        assert!(drawn.points[3].label.contains("queries: +0.25 logits"), "{:?}", drawn.points[3]);
        assert!(drawn.summary.contains("by IG, noising"), "{}", drawn.summary);
    }

    #[test]
    fn what_is_not_computed_yet_takes_the_same_room() {
        let other = answer(Direction::Denoising);
        for found in [None, Some(&other)] {
            let waiting = parts(found, Unit::Metric, PartsBy::Ap, None);
            let drawn = waiting.draw();
            assert!(drawn.points.is_empty() && !drawn.svg.contains("plot-framed"));
            let found = answer(Direction::Noising);
            let there = parts(Some(&found), Unit::Metric, PartsBy::Ap, Some(1.0)).draw();
            assert_eq!(drawn.size[0], there.size[0]);
            assert_eq!(waiting.deltas(), None);
            assert!(waiting.reading().contains("need not add up to it. The pattern"));
            assert!(
                waiting.table().contains("\"part-z-ap\" data-value=\"2\""),
                "the whole is known"
            );
        }
    }
}
