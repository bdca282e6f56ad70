//! Streams by layer and position: nothing here is reactive.

use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::{Stream, StreamMap};
use twinbeam_core::words::Method;

use crate::lab::parts::number;
use crate::lab::why::Tokens;
use crate::plot::{Drawn, Group, Ink, Labels, Matrix};
use twinbeam_figure::scale::small;

/// Positions that are left out in front, where all of them are exactly 0, but for this many.
const KEPT: usize = 1;

/// `data-testid` of each stream's rows, by AP and by IG.
const fn testids(stream: Stream) -> [&'static str; 2] {
    match stream {
        Stream::ResidPre => ["streams-resid-pre-ap", "streams-resid-pre-ig"],
        Stream::AttnOut => ["streams-attn-out-ap", "streams-attn-out-ig"],
        Stream::MlpOut => ["streams-mlp-out-ap", "streams-mlp-out-ig"],
    }
}

/// Whether a visitor would wait for the maps anyway.
pub(super) fn are_quick(shape: &ModelShape, n_pos: usize) -> bool {
    shape.is_quick(Stream::ALL.len() * shape.n_layers * n_pos)
}

/// All streams by both methods in one picture: a group of rows each, one axis of tokens, one scale. Tokens in front at
/// which nothing can differ are left out. `None` where a map is missing.
pub(super) fn draw(
    maps: &[StreamMap],
    tokens: Option<&Tokens>,
    (factor, unit): (f32, &'static str),
    width: f64,
) -> Option<Drawn> {
    let n_pos = maps.first()?.n_pos.max(1);
    let direction = maps.first()?.direction;
    let (mut values, mut layers, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    let mut said = Vec::new();
    for stream in Stream::ALL {
        for ((method, ink, name), id) in [(Method::Ap, Ink::Ap, "AP"), (Method::Ig, Ink::Ig, "IG")]
            .into_iter()
            .zip(testids(stream))
        {
            let find =
                |m: &&StreamMap| m.stream == stream && m.method == method && m.n_pos == n_pos;
            let map = maps.iter().find(find)?;
            groups.push(Group {
                first: layers.len(),
                name: format!("{} by {name}", stream.id()),
                ink,
                id,
            });
            said.extend(
                strongest(map, factor, unit).map(|at| format!("{} by {name} {at}", stream.id())),
            );
            layers.extend((0..map.values.len() / n_pos).map(|layer| layer.to_string()));
            values.extend(map.values.iter().map(|value| factor * value));
        }
    }
    let is_zero = |at: &usize| values.iter().skip(*at).step_by(n_pos).all(|value| *value == 0.0);
    let n_zero = (0..n_pos).take_while(is_zero).count().min(n_pos - 1);
    let start = n_zero.saturating_sub(KEPT);
    let shown: Vec<f32> = values.chunks(n_pos).flat_map(|row| row[start..].to_vec()).collect();
    let texts = tokens.map(Tokens::both).filter(|both| both.len() == n_pos);
    let numbers = || (0..n_pos).map(|at| at.to_string()).collect();
    let same = match n_zero {
        0 => String::new(),
        n => format!(" The first {n} positions are exactly 0: both runs are the same there."),
    };
    let drawn = Matrix {
        title: format!("By layer and token, {direction}"),
        summary: format!("most is {}.{same}", said.join("; ")),
        unit: unit.to_owned(),
        rows: Labels::texts("layer", layers),
        columns: Labels::tokens("position", texts.unwrap_or_else(numbers)).from(start),
        values: shown,
        groups,
        eye: Some(n_zero - start),
        width,
        ..Matrix::default()
    };
    Some(drawn.draw())
}

/// Where a map has its largest effect.
fn strongest(map: &StreamMap, factor: f32, unit: &str) -> Option<String> {
    let values = &map.values;
    let most = (0..values.len()).max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()))?;
    let (layer, at) = (most / map.n_pos.max(1), most % map.n_pos.max(1));
    Some(format!("in layer {layer} at position {at}, {} {unit}", small(factor * values[most])))
}

/// The largest amount by which a layer's integrated gradients miss the effect of replacing all of its positions.
pub(super) fn worst_delta(maps: &[StreamMap], (factor, unit): (f32, &'static str)) -> String {
    let deltas = maps.iter().flat_map(|map| &map.convergence_delta);
    let worst = deltas.max_by(|a, b| a.abs().total_cmp(&b.abs())).map(|worst| factor * worst);
    worst.map_or_else(String::new, |worst| {
        let name = "worst convergence delta of the IG maps";
        number("streams-delta", name, Some(worst.into()), &format!("{} {unit}", small(worst)))
    })
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::Direction;

    use super::*;

    fn maps() -> Vec<StreamMap> {
        let of = |stream, method| StreamMap {
            stream,
            method,
            direction: Direction::Noising,
            n_pos: 2,
            values: vec![0.0, 1.0, 0.0, if method == Method::Ap { -4.0 } else { 2.0 }],
            convergence_delta: if method == Method::Ig { vec![0.01, -0.02] } else { Vec::new() },
        };
        let both = |stream| [of(stream, Method::Ap), of(stream, Method::Ig)];
        Stream::ALL.into_iter().flat_map(both).collect()
    }

    #[test]
    fn six_maps_are_one_picture_with_a_group_each_and_one_scale() {
        let drawn = draw(&maps(), None, (0.5, "of the gap"), 360.0).expect("all are there");
        for id in Stream::ALL.into_iter().flat_map(testids) {
            assert_eq!(drawn.svg.matches(&format!("data-testid=\"{id}\"")).count(), 1, "{id}");
        }
        assert_eq!(drawn.points.len(), 6 * 2 * 2);
        assert!(
            drawn.summary.contains("resid_pre by AP in layer 1 at position 1, −2.000 of the gap"),
            "{}",
            drawn.summary
        );
        assert_eq!(drawn.svg.matches(">position<").count(), 1, "one axis");
        assert_eq!(draw(&maps()[..5], None, (1.0, "logits"), 360.0), None);
    }

    #[test]
    fn tokens_in_front_at_which_nothing_differs_are_left_out() {
        let wide = |map: StreamMap| {
            let values = map.values.chunks(2).flat_map(|row| [&[0.0; 10], row].concat()).collect();
            StreamMap { n_pos: 12, values, ..map }
        };
        let maps: Vec<StreamMap> = maps().into_iter().map(wide).collect();
        let drawn = draw(&maps, None, (1.0, "logits"), 360.0).expect("all are there");
        // Of the eleven the last is kept, and the one at which they differ.
        assert_eq!(drawn.table.head.len(), 1 + 2);
        assert!(drawn.points[0].label.contains("position 10"), "{}", drawn.points[0].label);
        assert!(
            drawn.summary.contains("The first 11 positions are exactly 0"),
            "{}",
            drawn.summary
        );
    }

    #[test]
    fn the_worst_delta_counts_whatever_its_sign() {
        let html = worst_delta(&maps(), (1.0, "logits"));
        assert!(html.contains("data-value=\"-0.0"), "{html}");
        assert!(html.contains("−0.020 logits"), "{html}");
        assert_eq!(worst_delta(&[], (1.0, "logits")), "");
    }

    #[test]
    fn large_models_wait_to_be_asked() {
        let tiny = ModelShape {
            n_layers: 2,
            n_heads: 2,
            d_model: 64,
            d_head: 32,
            d_mlp: 256,
            n_ctx: 128,
            d_vocab: 1000,
        };
        assert!(are_quick(&tiny, 20));
        assert!(!are_quick(&ModelShape::GPT2_SMALL, 17));
    }
}
