//! How much of what is pinned goes straight to the logits: exactly, and with the final LayerNorm frozen.

use leptos::prelude::*;
use twinbeam_core::link::Panel;
use twinbeam_core::scores::{Ladder, Unit};
use twinbeam_core::wire::probes::circuits::DirectEffects;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Component, ComponentKind, Direction};

use super::pieces::{WIDTH, is_asked, paragraph, section, waits};
use crate::plot::{Drawn, Fall, Ink, Waterfall};
use crate::state::AppState;
use crate::values::{Answer, Committed, Slot};
use twinbeam_figure::scale::Scale;

const HINT: &str = "Its change is added to the end of the residual stream alone, as if no later layer read it. AP counts \
    every way. Direct logit attribution (DLA) keeps the final LayerNorm’s scale. Positive supports the clean \
    behaviour.";
/// Under this share of the larger of two amounts, a third is next to nothing.
const LITTLE: f32 = 0.02;

/// What is asked, as long as something is pinned, or the chapter is open that has the map of all.
pub(super) fn question(state: AppState) -> Option<Probe> {
    let is_read = state.pinned.with(Option::is_some) || state.lab.is_open(Panel::Why);
    let wanted = is_read && is_asked(state, rows);
    wanted.then(|| Probe::Direct { direction: state.direction() })
}

/// What is pinned, and how much of it goes straight to the logits. Nothing of it is reactive.
#[derive(Debug, Clone, PartialEq)]
struct Straight {
    of: Component,
    direction: Direction,
    unit: &'static str,
    /// By patching, whatever way it takes; `None`: not patched.
    total: Option<f32>,
    /// `None`: not known yet.
    exact: Option<f32>,
    dla: Option<f32>,
    /// Whether there is direct logit attribution of the metric at all.
    has_dla: bool,
}

impl Straight {
    fn new(
        committed: &Committed,
        found: Option<&Answer>,
        of: Component,
        (direction, unit): (Direction, Unit),
    ) -> Self {
        let (factor, unit) = unit.common(&committed.basis);
        let found: Option<&DirectEffects> = match found.map(|answer| &answer.found) {
            Some(Ok(Finding::Direct(found))) if found.direction == direction => Some(found),
            _ => None,
        };
        let map = found.map(|found| match of.kind {
            ComponentKind::Heads => &found.heads,
            ComponentKind::Neurons => &found.neurons,
        });
        let at = of.layer * of.kind.width(&committed.model.shape) + of.index;
        let read = |values: &Vec<f32>| values.get(at).map(|value| factor * value);
        Self {
            of,
            direction,
            unit,
            total: Ladder::of(&committed.tables, of, direction).ap.map(|ap| factor * ap),
            exact: map.and_then(|map| read(&map.exact)),
            dla: map.and_then(|map| read(map.dla.as_ref()?)),
            has_dla: map.is_none_or(|map| map.dla.is_some()),
        }
    }

    fn written(&self, value: f32) -> String {
        let all = [self.total, self.exact, self.dla];
        Scale::of(all.iter().flatten()).written(value)
    }

    /// Amounts and the steps between them: names, what they are, and from where to where.
    fn falls(&self) -> Vec<Fall> {
        let whole = |label: &str, note, value: Option<f32>, ink, id| {
            Some(Fall { label: label.to_owned(), note, from: 0.0, to: value?, ink, id })
        };
        let step = |label: &str, from: Option<f32>, to: Option<f32>, id| {
            let (from, to) = (from?, to?);
            let ink = if to < from { Ink::Cold } else { Ink::Warm };
            Some(Fall { label: label.to_owned(), note: "", from, to, ink, id })
        };
        let Self { total, exact, dla, .. } = *self;
        let falls = [
            whole("AP", "by all ways", total, Ink::Ap, "direct-total"),
            step("without later layers", total, exact, "direct-later"),
            whole("straight to the logits", "", exact, Ink::Plain, "direct-exact"),
            step("LayerNorm frozen", exact, dla, "direct-frozen"),
            whole("DLA", "the estimate", dla, Ink::Soft, "direct-dla"),
        ];
        falls.into_iter().flatten().collect()
    }

    fn waterfall(&self) -> Option<Drawn> {
        let plot = Waterfall {
            title: format!("{}, {}", self.of, self.direction),
            summary: self.claim(),
            unit: self.unit.to_owned(),
            component: Some(self.of),
            falls: self.falls().into_iter().map(|fall| Fall { id: "", ..fall }).collect(),
            width: WIDTH,
        };
        self.exact.map(|_| plot.draw())
    }

    /// The same for those who do not see it, with the numbers in full.
    fn list(&self) -> String {
        if self.exact.is_none() {
            return String::new();
        }
        let line = |fall: Fall| {
            let value = fall.to - fall.from;
            format!(
                "<div><dt>{}</dt><dd data-testid=\"{}\" data-value=\"{value}\">{} {}</dd></div>",
                fall.label,
                fall.id,
                self.written(value),
                self.unit
            )
        };
        self.falls().into_iter().map(line).collect()
    }

    fn html(&self) -> String {
        format!(
            "<div class=\"pinned-svg pinned-falls\" aria-hidden=\"true\">{}</div><dl class=\"unseen\">{}</dl>{}{}",
            self.waterfall().map(|drawn| drawn.svg).unwrap_or_default(),
            self.list(),
            paragraph("", "direct-claim", &self.claim()),
            paragraph("hint", "direct-hint", HINT)
        )
    }

    /// How much goes straight to the logits, in a sentence.
    fn claim(&self) -> String {
        let (of, unit) = (self.of, self.unit);
        let Some(exact) = self.exact else {
            return format!("How much of {of} goes straight to the logits is not computed yet.");
        };
        let straight = self.written(exact);
        let is_little = |value: f32, of: f32| value.abs() <= LITTLE * of.abs();
        let mut words = match self.total {
            Some(0.0) if exact == 0.0 => format!("{of} does nothing to the metric"),
            None => format!("{straight} {unit} go from {of} straight to the logits"),
            Some(total) => {
                let whole = self.written(total);
                let later = self.written(total - exact);
                if is_little(exact, total) {
                    format!(
                        "Next to nothing of {of} goes straight to the logits ({straight}): its {whole} {unit} go by \
                         way of later layers"
                    )
                } else if exact * total > 0.0 && exact.abs() <= (1.0 + LITTLE) * total.abs() {
                    format!("{straight} of its {whole} {unit} go straight to the logits")
                } else {
                    format!(
                        "{straight} {unit} go straight to the logits and {later} by way of later layers, {whole} in all"
                    )
                }
            }
        };
        let frozen = self.dla.map(|dla| {
            if is_little(dla - exact, exact) {
                "about the same".to_owned()
            } else {
                self.written(dla)
            }
        });
        if let Some(frozen) = frozen {
            words.push_str("; with the LayerNorm frozen it would read ");
            words.push_str(&frozen);
        }
        if !self.has_dla {
            words += ". Direct logit attribution is defined for the logit difference only";
        }
        words + "."
    }
}

/// How many final LayerNorms are computed anew for it: what comes of them costs as much as a patch.
fn rows(committed: &Committed) -> usize {
    let shape = committed.model.shape;
    shape.n_layers * (shape.n_heads + 1 + shape.d_mlp)
}

/// What is pinned, from its whole effect to direct logit attribution.
pub(super) fn straight(state: AppState, of: Memo<Option<Component>>) -> AnyView {
    let looked = move || {
        let look = (state.direction(), state.unit.get());
        let of = of.get()?;
        let found = state.last_answer(Slot::Direct);
        state.committed.with(|c| Some(Straight::new(c.as_deref()?, found.as_deref(), of, look)))
    };
    let html = move || looked().map(|of| of.html());
    let waits = waits(state, Slot::Direct, Some((rows, "direct effects")));
    section("pinned-direct", ["direct", "Straight to the logits"], html, Some(waits))
}

#[cfg(test)]
mod tests {
    use twinbeam_core::wire::probes::circuits::DirectMap;
    use twinbeam_core::words::Experiment;

    use super::*;
    use crate::values::committed;

    fn straight(total: Option<f32>, exact: f32, dla: Option<f32>) -> Straight {
        Straight {
            of: Component { kind: ComponentKind::Heads, layer: 9, index: 6 },
            direction: Direction::Noising,
            unit: "logits",
            total,
            exact: Some(exact),
            dla,
            has_dla: dla.is_some(),
        }
    }

    #[test]
    fn the_share_that_goes_straight_is_said_with_its_whole_and_its_estimate() {
        let claim = |total, exact, dla| straight(total, exact, dla).claim();
        assert_eq!(
            claim(Some(0.42), 0.31, Some(0.35)),
            "+0.310 of its +0.420 logits go straight to the logits; with the LayerNorm frozen it would read +0.350."
        );
        let same = claim(Some(0.42), 0.42, Some(0.42));
        assert!(same.ends_with("it would read about the same."), "{same}");
        let none = claim(Some(0.5), 0.0, Some(0.0));
        assert!(
            none.starts_with("Next to nothing of ") && none.contains("its +0.500 logits go by"),
            "{none}"
        );
        let turned = claim(Some(-0.25), 0.5, Some(0.5));
        assert!(turned.contains("−0.750 by way of later layers, −0.250 in all;"), "{turned}");
        let more = claim(Some(0.25), 0.5, Some(0.5));
        assert!(more.contains("−0.250 by way of later layers, +0.250 in all;"), "{more}");
        let unpatched = claim(None, 0.5, Some(0.5));
        assert!(unpatched.contains("+0.500 logits go from"), "{unpatched}");
        assert!(claim(Some(0.0), 0.0, Some(0.0)).contains("does nothing to the metric"));
    }

    #[test]
    fn another_metric_has_no_estimate_and_says_so() {
        let probability = Straight { unit: "probability", ..straight(Some(0.5), 0.25, None) };
        assert!(probability.claim().ends_with("defined for the logit difference only."));
        assert!(!probability.list().contains("direct-dla"));
        assert_eq!(probability.falls().len(), 3);
    }

    #[test]
    fn steps_lead_from_the_whole_effect_to_the_estimate() {
        let html = straight(Some(0.5), 0.25, Some(0.75)).list();
        for line in [
            "\"direct-total\" data-value=\"0.5\">+0.500 logits",
            "\"direct-later\" data-value=\"-0.25\"",
            "\"direct-exact\" data-value=\"0.25\"",
            "\"direct-frozen\" data-value=\"0.5\"",
            "\"direct-dla\" data-value=\"0.75\"",
        ] {
            assert!(html.contains(line), "{line} in {html}");
        }
        let drawn = straight(Some(0.5), 0.25, None).waterfall().expect("it is known");
        assert!(!drawn.svg.contains("data-testid"), "the numbers are in the list");
    }

    #[test]
    fn effects_are_of_the_component_in_the_unit_and_direction_of_the_screen() {
        let map = |values: &[f32]| DirectMap {
            exact: values.to_vec(),
            dla: Some(values.iter().map(|value| 2.0 * value).collect()),
        };
        let neurons: Vec<f32> = (0..16).map(|at| at as f32).collect();
        let direction = Direction::Noising;
        let found = DirectEffects {
            direction,
            heads: map(&[0.0, 1.0, 2.0, 3.0]),
            mlps: map(&[0.0, 0.0]),
            neurons: map(&neurons),
        };
        let answer = Answer {
            experiment: Experiment::default(),
            fingerprint: String::new(),
            probe: Probe::Direct { direction },
            found: Ok(Finding::Direct(found)),
            unchecked: false,
        };
        let of = |kind, layer, index, direction, unit| {
            let of = Component { kind, layer, index };
            let straight = Straight::new(&committed(), Some(&answer), of, (direction, unit));
            (straight.total, straight.exact, straight.dla)
        };
        let (heads, neurons) = (ComponentKind::Heads, ComponentKind::Neurons);
        assert_eq!(of(heads, 1, 1, direction, Unit::Metric), (Some(2.0), Some(3.0), Some(6.0)));
        assert_eq!(of(heads, 1, 0, direction, Unit::ShareOfGap).1, Some(0.5));
        // Neurons of this figure are not patched.
        assert_eq!(of(neurons, 1, 3, direction, Unit::Metric), (None, Some(11.0), Some(22.0)));
        assert_eq!(of(heads, 1, 1, Direction::Denoising, Unit::Metric), (None, None, None));
        let nothing = Straight::new(
            &committed(),
            None,
            Component { kind: heads, layer: 0, index: 0 },
            (direction, Unit::Metric),
        );
        assert!(nothing.claim().contains("is not computed yet") && nothing.waterfall().is_none());
    }
}
