//! Streams by layer and position: nothing here is reactive.

use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::{Stream, StreamMap};
use twinbeam_core::words::Method;

use crate::heatmap::scale::{Scale, small};
use crate::lab::parts::number;
use crate::lab::why::{Tokens, labels};
use crate::plot::{Drawn, Labels, Matrix};

/// Of each stream: patched, integrated.
pub(super) const TESTIDS: [[&str; 2]; 3] = [
    ["streams-resid-pre-ap", "streams-resid-pre-ig"],
    ["streams-attn-out-ap", "streams-attn-out-ig"],
    ["streams-mlp-out-ap", "streams-mlp-out-ig"],
];

/// Whether a visitor would wait for the maps anyway.
pub(super) fn are_quick(shape: &ModelShape, n_pos: usize) -> bool {
    shape.is_quick(Stream::ALL.len() * shape.n_layers * n_pos)
}

/// Both methods of each stream, in the order of [`TESTIDS`]; a stream's two maps have one scale. `None` where one
/// is missing.
pub(super) fn draw(
    maps: &[StreamMap],
    tokens: Option<&Tokens>,
    (factor, unit): (f32, &'static str),
) -> Option<[Drawn; 6]> {
    let mut drawn = Vec::new();
    for stream in Stream::ALL {
        let find = |method| maps.iter().find(|m| m.stream == stream && m.method == method);
        let both = [find(Method::Ap)?, find(Method::Ig)?];
        let limit = factor.abs() * Scale::of(both.iter().flat_map(|map| &map.values)).limit();
        drawn.extend(both.map(|map| matrix(map, tokens, factor, unit, limit)));
    }
    drawn.try_into().ok()
}

fn matrix(
    map: &StreamMap,
    tokens: Option<&Tokens>,
    factor: f32,
    unit: &'static str,
    limit: f32,
) -> Drawn {
    let (name, method) = match map.method {
        Method::Ap => ("AP", "one token of one layer is replaced"),
        _ => ("IG", "all tokens of one layer move together"),
    };
    let values: Vec<f32> = map.values.iter().map(|value| factor * value).collect();
    let n_pos = map.n_pos.max(1);
    let most = (0..values.len()).max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()));
    let strongest = most.map_or_else(String::new, |most| {
        let (layer, at) = (most / n_pos, most % n_pos);
        format!("most in layer {layer} at position {at}, {} {unit}", small(values[most]))
    });
    let first = tokens.and_then(Tokens::first_difference).filter(|first| *first > 0);
    let equal = first.map_or_else(String::new, |first| {
        format!(" Before position {first} both runs are the same: exactly 0.")
    });
    Matrix {
        title: format!("{} by {name}, {}", map.stream.id(), map.direction),
        summary: format!("{method}; {strongest}.{equal}"),
        unit: unit.to_owned(),
        rows: Labels::numbers("layer", values.len() / n_pos),
        columns: labels("position", tokens.map(Tokens::both), map.n_pos),
        values,
        limit: Some(limit),
        ..Matrix::default()
    }
    .draw()
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
    fn six_maps_in_the_order_of_their_places() {
        let drawn = draw(&maps(), None, (0.5, "of the gap")).expect("all are there");
        assert!(drawn[0].summary.contains("resid_pre by AP"), "{}", drawn[0].summary);
        assert!(drawn[5].summary.contains("mlp_out by IG"), "{}", drawn[5].summary);
        assert!(
            drawn[0].summary.contains("layer 1 at position 1, −2.000 of the gap"),
            "{}",
            drawn[0].summary
        );
        assert_eq!(draw(&maps()[..5], None, (1.0, "logits")), None);
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
