//! What goes straight to the logits, of all heads and MLPs: exactly, by direct logit attribution, and the difference.

use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::circuits::{DirectEffects, DirectMap};
use twinbeam_core::words::{Component, ComponentKind};

use crate::plot::{Bar, Bars, Drawn, Ink, Labels, Matrix};
use twinbeam_figure::scale::{Scale, small};

/// What is drawn of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// All heads, the LayerNorm computed anew.
    Exact,
    /// All heads by direct logit attribution.
    Dla,
    /// How far that is off.
    Off,
    /// Each layer's MLP, by both.
    Mlps,
}

/// Direct effects in a unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Direct {
    heads: DirectMap,
    mlps: DirectMap,
    n_heads: usize,
    direction: &'static str,
    unit: &'static str,
}

impl Direct {
    pub(super) fn of(
        found: &DirectEffects,
        shape: &ModelShape,
        (factor, unit): (f32, &'static str),
    ) -> Self {
        let scaled = |values: &[f32]| values.iter().map(|value| factor * value).collect::<Vec<_>>();
        let map = |map: &DirectMap| DirectMap {
            exact: scaled(&map.exact),
            dla: map.dla.as_deref().map(scaled),
        };
        Self {
            heads: map(&found.heads),
            mlps: map(&found.mlps),
            n_heads: shape.n_heads.max(1),
            direction: found.direction.id(),
            unit,
        }
    }

    /// One of the plots; those of heads are on one scale. The metric may have no direct logit attribution.
    pub(super) fn draw(&self, which: Plot, width: f64) -> Option<Drawn> {
        let exact = &self.heads.exact;
        let dla = self.heads.dla.as_ref();
        Some(match which {
            Plot::Exact => self.map("Exact", exact.clone(), width),
            Plot::Dla => self.map("DLA", dla?.clone(), width),
            Plot::Off => {
                let off = dla?.iter().zip(exact).map(|(dla, exact)| dla - exact).collect();
                self.map("DLA − exact", off, width)
            }
            Plot::Mlps => self.bars(width),
        })
    }

    fn head(&self, at: usize) -> Component {
        Component::at(ComponentKind::Heads, at, self.n_heads)
    }

    /// The end of the scale of the heads' maps.
    fn limit(&self) -> f32 {
        Scale::of(self.heads.exact.iter().chain(self.heads.dla.iter().flatten())).limit()
    }

    fn written(&self, value: f32) -> String {
        format!("{} {}", Scale::of(&[self.limit()]).written(value), self.unit)
    }

    fn map(&self, name: &str, values: Vec<f32>, width: f64) -> Drawn {
        let of = |layer: usize, index: usize| {
            Some(Component { kind: ComponentKind::Heads, layer, index })
        };
        let most = (0..values.len()).max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()));
        let most =
            most.map(|at| format!("most is {}, {}.", self.head(at), self.written(values[at])));
        Matrix {
            title: format!("{name}, heads, {}", self.direction),
            summary: most.unwrap_or_default(),
            unit: self.unit.to_owned(),
            rows: Labels::numbers("layer", values.len() / self.n_heads),
            columns: Labels::numbers("head", self.n_heads),
            values,
            limit: Some(self.limit()),
            component: Some(&of),
            width,
            ..Matrix::default()
        }
        .draw()
    }

    fn bars(&self, width: f64) -> Drawn {
        let DirectMap { exact, dla } = &self.mlps;
        let most = (0..exact.len()).max_by(|a, b| exact[*a].abs().total_cmp(&exact[*b].abs()));
        let bar = |(layer, exact): (usize, &f32)| Bar {
            label: format!("MLP of layer {layer}"),
            values: [*exact].into_iter().chain(dla.as_ref().map(|dla| dla[layer])).collect(),
            ..Bar::default()
        };
        let names = ["exact", "DLA"].into_iter().take(1 + usize::from(dla.is_some()));
        Bars {
            title: format!("MLPs, {}", self.direction),
            summary: most.map_or_else(String::new, |layer| {
                format!("most is that of layer {layer}, {} {}.", small(exact[layer]), self.unit)
            }),
            unit: self.unit.to_owned(),
            names: names.map(str::to_owned).collect(),
            inks: [Ink::Plain, Ink::Soft],
            rows: exact.iter().enumerate().map(bar).collect(),
            signed: true,
            width,
            ..Bars::default()
        }
        .draw()
    }

    /// How far direct logit attribution is off where it is off most.
    pub(super) fn reading(&self) -> String {
        let exact = &self.heads.exact;
        let Some(dla) = &self.heads.dla else {
            return "Direct logit attribution is defined for the logit difference only.".to_owned();
        };
        let off = |at: &usize| (dla[*at] - exact[*at]).abs();
        let most = (0..dla.len().min(exact.len())).max_by(|a, b| off(a).total_cmp(&off(b)));
        let Some(at) = most else { return String::new() };
        format!(
            "Of the heads, direct logit attribution is off most for {}: it reads {}, and exactly {} go straight to the \
             logits. The difference is what the change does to the final LayerNorm’s scale.",
            self.head(at),
            self.written(dla[at]),
            self.written(exact[at])
        )
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::Direction;

    use super::*;

    const SHAPE: ModelShape = ModelShape {
        n_layers: 2,
        n_heads: 2,
        d_model: 4,
        d_head: 2,
        d_mlp: 2,
        n_ctx: 8,
        d_vocab: 10,
    };

    fn direct(has_dla: bool, unit: (f32, &'static str)) -> Direct {
        let map = |exact: &[f32], off: f32| DirectMap {
            exact: exact.to_vec(),
            dla: has_dla.then(|| exact.iter().map(|value| value * off).collect()),
        };
        let found = DirectEffects {
            direction: Direction::Noising,
            heads: map(&[0.0, 1.0, -2.0, 0.5], 1.25),
            mlps: map(&[0.25, 3.0], 0.5),
            neurons: map(&[0.0; 4], 1.0),
        };
        Direct::of(&found, &SHAPE, unit)
    }

    #[test]
    fn heads_are_maps_on_one_scale_and_mlps_pairs_of_bars() {
        let direct = direct(true, (2.0, "logits"));
        let [exact, dla, off, mlps] = [Plot::Exact, Plot::Dla, Plot::Off, Plot::Mlps]
            .map(|plot| direct.draw(plot, 360.0).expect("it is there"));
        for (map, label) in [
            (&exact, "L1H0: −4.00 logits"),
            (&dla, "L1H0: −5.00 logits"),
            (&off, "L1H0: −1.00 logits"),
        ] {
            assert_eq!(map.points[2].label, label);
            assert!(map.svg.contains(">+5.00 logits<"), "one scale: {}", map.svg);
        }
        assert!(exact.summary.contains("most is L1H0, −4.00 logits."), "{}", exact.summary);
        assert!(mlps.points[1].label.contains("exact +6"), "{:?}", mlps.points[1]);
        let words = direct.reading();
        assert!(words.contains("L1H0: it reads −5.00 logits, and exactly −4.00 logits"), "{words}");
    }

    #[test]
    fn another_metric_has_what_is_exact_alone() {
        let direct = direct(false, (1.0, "nats"));
        assert!(direct.draw(Plot::Dla, 360.0).is_none() && direct.draw(Plot::Off, 360.0).is_none());
        let mlps = direct.draw(Plot::Mlps, 360.0).expect("it is there");
        assert!(!mlps.svg.contains("DLA") && mlps.points.len() == 2, "{}", mlps.svg);
        assert!(direct.reading().contains("logit difference only"));
    }
}
