//! What goes straight to the logits, of all heads and MLPs: exactly, by direct logit attribution, and the difference.

use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::circuits::DirectEffects;
use twinbeam_core::words::{Component, ComponentKind};

use crate::heatmap::scale::{Scale, signed};
use crate::plot::{Drawn, Labels, Matrix};

/// Direct effects of all heads, and of each layer's MLP in a column of its own, in a unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Direct {
    /// Row by row.
    exact: Vec<f32>,
    dla: Option<Vec<f32>>,
    size: [usize; 2],
    direction: &'static str,
    unit: &'static str,
}

impl Direct {
    pub(super) fn of(
        found: &DirectEffects,
        shape: &ModelShape,
        (factor, unit): (f32, &'static str),
    ) -> Self {
        let n_heads = shape.n_heads;
        let with_mlps = |heads: &[f32], mlps: &[f32]| {
            let rows = heads.chunks(n_heads.max(1)).zip(mlps);
            rows.flat_map(|(heads, mlp)| heads.iter().chain([mlp]).map(|value| factor * value))
                .collect::<Vec<f32>>()
        };
        let dla = found.heads.dla.as_ref().zip(found.mlps.dla.as_ref());
        Self {
            exact: with_mlps(&found.heads.exact, &found.mlps.exact),
            dla: dla.map(|(heads, mlps)| with_mlps(heads, mlps)),
            size: [shape.n_layers, n_heads + 1],
            direction: found.direction.id(),
            unit,
        }
    }

    /// Exact, by direct logit attribution, and how far that is off: on one scale. The metric may have the first only.
    pub(super) fn draw(&self, width: f64) -> Vec<Drawn> {
        let limit = Scale::of(self.exact.iter().chain(self.dla.iter().flatten())).limit();
        let off = self.dla.as_ref().map(|dla| {
            dla.iter().zip(&self.exact).map(|(dla, exact)| dla - exact).collect::<Vec<f32>>()
        });
        let maps = [("Exact", Some(&self.exact)), ("DLA", self.dla.as_ref())];
        let maps = maps.into_iter().chain([("DLA − exact", off.as_ref())]);
        maps.filter_map(|(name, values)| Some(self.map(name, values?, limit, width))).collect()
    }

    /// The head of a column; `None`: it is the MLPs'.
    fn head(&self, layer: usize, index: usize) -> Option<Component> {
        let kind = ComponentKind::Heads;
        (index + 1 < self.size[1]).then_some(Component { kind, layer, index })
    }

    fn name(&self, layer: usize, index: usize) -> String {
        match self.head(layer, index) {
            Some(head) => head.to_string(),
            None => format!("the MLP of layer {layer}"),
        }
    }

    fn map(&self, name: &str, values: &[f32], limit: f32, width: f64) -> Drawn {
        let [n_layers, n_columns] = self.size;
        let of = |layer: usize, index: usize| self.head(layer, index);
        let heads = (1..n_columns).map(|head| format!("H{}", head - 1));
        let most = (0..values.len()).max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()));
        let most = most.map_or_else(String::new, |at| {
            let (layer, index) = (at / n_columns, at % n_columns);
            format!("most is {}, {}.", self.name(layer, index), self.written(values[at], limit))
        });
        Matrix {
            title: format!("{name}, {}", self.direction),
            summary: most,
            unit: self.unit.to_owned(),
            rows: Labels::numbers("layer", n_layers),
            columns: Labels::texts("", heads.chain(["MLP".to_owned()]).collect()),
            values: values.to_vec(),
            limit: Some(limit),
            component: Some(&of),
            width,
            ..Matrix::default()
        }
        .draw()
    }

    fn written(&self, value: f32, limit: f32) -> String {
        format!("{} {}", signed(value, Scale::of(&[limit]).decimals()), self.unit)
    }

    /// How far direct logit attribution is off where it is off most.
    pub(super) fn reading(&self) -> String {
        let Some(dla) = &self.dla else {
            return "Direct logit attribution is defined for the logit difference only.".to_owned();
        };
        let limit = Scale::of(self.exact.iter().chain(dla)).limit();
        let off = |at: &usize| (dla[*at] - self.exact[*at]).abs();
        let n = dla.len().min(self.exact.len());
        let Some(at) = (0..n).max_by(|a, b| off(a).total_cmp(&off(b))) else { return String::new() };
        let [layer, index] = [at / self.size[1], at % self.size[1]];
        let name = self.name(layer, index);
        format!(
            "Direct logit attribution is off most for {name}: it reads {}, and exactly {} go straight to the logits. \
             The difference is what the change does to the final LayerNorm’s mean and scale.",
            self.written(dla[at], limit),
            self.written(self.exact[at], limit)
        )
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::wire::probes::circuits::DirectMap;
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

    fn found(has_dla: bool) -> DirectEffects {
        let map = |exact: &[f32], off: f32| DirectMap {
            exact: exact.to_vec(),
            dla: has_dla.then(|| exact.iter().map(|value| value * off).collect()),
        };
        DirectEffects {
            direction: Direction::Noising,
            heads: map(&[0.0, 1.0, -2.0, 0.5], 1.25),
            mlps: map(&[0.25, 3.0], 1.0),
            neurons: map(&[0.0; 4], 1.0),
        }
    }

    #[test]
    fn mlps_stand_beside_the_heads_of_their_layer() {
        let direct = Direct::of(&found(true), &SHAPE, (2.0, "logits"));
        assert_eq!(direct.exact, [0.0, 2.0, 0.5, -4.0, 1.0, 6.0]);
        let drawn = direct.draw(360.0);
        assert_eq!(drawn.len(), 3);
        assert_eq!(drawn[0].points.len(), 6);
        let labels: Vec<&str> = drawn[2].points.iter().map(|point| point.label.as_str()).collect();
        assert_eq!(labels[3], "L1H0: −1.00 logits");
        assert_eq!(labels[5], "layer 1, MLP: 0.00 logits");
        assert!(drawn[0].points[5].component.is_none(), "an MLP cannot be pinned");
        assert!(drawn[0].summary.contains("most is the MLP of layer 1, +6.00 logits."));
        let words = direct.reading();
        assert!(words.contains("L1H0: it reads −5.00 logits, and exactly −4.00 logits"), "{words}");
    }

    #[test]
    fn another_metric_has_the_exact_map_alone() {
        let direct = Direct::of(&found(false), &SHAPE, (1.0, "nats"));
        assert_eq!(direct.draw(360.0).len(), 1);
        assert!(direct.reading().contains("logit difference only"));
    }
}
