//! What the edges come to, in words: nothing here is reactive.

use std::fmt::Write as _;
use twinbeam_core::circuits::{Edge, Sender};
use twinbeam_core::link::{EdgesBy, Panel, Spot};
use twinbeam_core::scores::Coverage;
use twinbeam_core::words::{Component, ComponentKind, Direction};

use super::ranked::{Ranked, TOP};
use crate::lab::claim::{Claim, Test, spelled};
use crate::values::{count, percent};

/// Edges of a node that are named one by one, on either side of it.
const MOST_NAMED: usize = 4;

/// The sentence of the chapter. `kept`: what circuits have been found to keep, once that was asked.
pub(super) fn claim(ranked: &Ranked, kept: Option<String>, is_asked: bool) -> Claim {
    let first = ranked.order(EdgesBy::EapIg).first().copied();
    let Some(first) = first.filter(|edge| ranked.ig[*edge] != 0.0) else {
        return Claim::new("No edge carries anything: between these two runs nothing differs.");
    };
    let unit = ranked.unit;
    let mut words = match (ranked.coverage.exact, ranked.apart()) {
        (0, _) => format!(
            "EAP-IG puts {} first, at {} {unit}. What patching says of it is being worked out.",
            ranked.edge(first),
            ranked.written(ranked.ig[first])
        ),
        (n, Some(apart)) => {
            let of = match TOP.min(n) {
                1 => "the strongest edge".to_owned(),
                top => format!("{} of the {} strongest edges", spelled(ranked.shared()), ten(top)),
            };
            let so_far = if ranked.is_whole() {
                String::new()
            } else {
                format!("Of {n} edges patched so far: ")
            };
            format!(
                "{so_far}EAP-IG and path patching agree on {of}; they differ most on {}, which EAP-IG puts at {} {unit} \
                 and patching at {}.",
                ranked.edge(apart),
                ranked.written(ranked.ig[apart]),
                ranked.written(ranked.exact(apart).unwrap_or_default()),
            )
        }
        (_, None) => "EAP-IG and path patching agree on every edge.".to_owned(),
    };
    if let Some(kept) = &kept {
        words = format!("{words} {kept}");
    }
    let other = match ranked.direction {
        Direction::Noising => Direction::Denoising,
        Direction::Denoising => Direction::Noising,
    };
    let claim = Claim::new(words);
    let top = TOP.min(ranked.len());
    let claim = if is_asked {
        claim
    } else {
        claim.with(
            format!("Test it: keep the {} strongest, patch the rest", ten(top)),
            Test::Keep(top),
        )
    };
    let claim = claim.with(format!("Do they agree in {other}?"), Test::Turn(other));
    match ranked.apart().map(|edge| ranked.edge(edge)) {
        Some(Edge { from: Sender::Head { layer, head }, .. }) => {
            let of = Component { kind: ComponentKind::Heads, layer, index: head };
            claim.with(format!("Why do IG and AP differ for {of}?"), Test::See(of, Panel::Why))
        }
        _ => claim,
    }
}

fn ten(n: usize) -> String {
    if n == 10 { "ten".to_owned() } else { spelled(n) }
}

/// How much is patched, what the rest may hold, and how good the estimates are.
pub(super) fn coverage(coverage: &Coverage) -> String {
    let Coverage { exact, total, sampled, larger, .. } = *coverage;
    if coverage.rest() == 0 {
        return format!("All {total} edges are patched.");
    }
    let mut words = format!(
        "{exact} of {total} edges are patched ({}), the largest by EAP-IG first.",
        percent(exact as f32 / total.max(1) as f32)
    );
    if let Some(most) = coverage.most_missed().filter(|_| sampled > 0) {
        let belong = if larger == 1 { "belongs" } else { "belong" };
        write!(words, " Of {sampled} drawn at random from the rest, {larger} {belong} to the {} strongest so far: at most {most} of \
             the rest do, with 95 % confidence.",
            Coverage::TOP.min(exact)).ok();
    }
    words
}

/// What is said of what is pointed at or pinned.
pub(super) fn spot(ranked: &Ranked, spot: Spot) -> String {
    if let Spot::Edge(edge) = spot {
        let Some(number) = ranked.graph.number(edge) else { return String::new() };
        let exact = ranked.exact(number);
        let exact =
            exact.map_or_else(|| "not patched yet".to_owned(), |exact| ranked.written(exact));
        return format!(
            "{edge}: EAP {}, EAP-IG {}, path patching {exact}, in {}.",
            ranked.written(ranked.eap[number]),
            ranked.written(ranked.ig[number]),
            ranked.unit
        );
    }
    let side = |is_in: bool| -> Option<String> {
        let mine = |edge: Edge| match spot {
            Spot::Node(node) if is_in => edge.to.node() == Some(node),
            Spot::Node(node) => edge.from == node,
            Spot::Logits => is_in && edge.to.node().is_none(),
            Spot::Edge(_) => false,
        };
        let by = if ranked.is_whole() { EdgesBy::Exact } else { EdgesBy::EapIg };
        let order = ranked.order(by).into_iter().filter(|number| mine(ranked.edge(*number)));
        let named: Vec<String> = order
            .take(MOST_NAMED)
            .map(|number| {
                let Edge { from, to } = ranked.edge(number);
                let end = if is_in { from.to_string() } else { to.to_string() };
                // By which of its three ways a head reads.
                let to = to.to_string();
                let port = to.rsplit_once('.').filter(|_| is_in);
                let port = port.map_or_else(String::new, |(_, port)| format!(" through {port}"));
                let exact = ranked.exact(number).map(|exact| ranked.written(exact));
                let exact = exact.unwrap_or_else(|| "?".to_owned());
                format!("{end}{port} {} / {exact}", ranked.written(ranked.ig[number]))
            })
            .collect();
        (!named.is_empty()).then(|| named.join(", "))
    };
    let parts = [(side(true), "reads most from"), (side(false), "is read most by")];
    let said: Vec<String> =
        parts.into_iter().filter_map(|(side, verb)| Some(format!("{verb} {}", side?))).collect();
    format!("{spot} {} (EAP-IG / path patching, {}).", said.join(", and "), ranked.unit)
}

/// So many edges.
pub(super) fn edges(n: usize) -> String {
    count(n, "edge")
}

#[cfg(test)]
mod tests {
    use super::super::ranked::tests::{PATH, ranked};
    use super::*;

    #[test]
    fn the_sentence_says_how_far_they_agree_and_where_they_do_not() {
        let claim = claim(&ranked(&PATH, true), None, false);
        assert!(
            claim.words.ends_with(
                "they differ most on L0H0 → L1H1.k, which EAP-IG puts at +2.00 logits and patching at +1.00."
            ),
            "{}",
            claim.words
        );
        assert!(claim.words.starts_with("EAP-IG and path patching agree on "), "{}", claim.words);
        assert_eq!(claim.tests[0].1, Test::Keep(10));
        assert_eq!(claim.tests[1].1, Test::Turn(Direction::Denoising));
        assert!(claim.tests[2].0.contains("L0H0"), "{:?}", claim.tests);
    }

    #[test]
    fn what_is_known_in_part_is_said_to_be() {
        let part = claim(&ranked(&PATH, false), Some("It keeps all.".to_owned()), true);
        assert!(
            part.words.starts_with("Of 4 edges patched so far: EAP-IG and path patching agree on ")
        );
        assert!(part.words.ends_with(" It keeps all."), "{}", part.words);
        assert!(!part.tests.iter().any(|(_, test)| matches!(test, Test::Keep(_))), "it was asked");
        let none = claim(&ranked(&[], false), None, false);
        assert!(none.words.contains("is being worked out"), "{}", none.words);
    }

    #[test]
    fn coverage_is_as_of_neurons() {
        let part =
            Coverage { exact: 736, total: 32_491, sampled: 480, larger: 2, missed_share: None };
        let words = coverage(&part);
        assert!(
            words.starts_with(
                "736 of 32491 edges are patched (2.3 %), the largest by EAP-IG first."
            )
        );
        assert!(
            words.contains("Of 480 drawn at random from the rest, 2 belong to the 100 strongest")
        );
        assert_eq!(coverage(&Coverage { total: 736, ..part }), "All 736 edges are patched.");
    }

    #[test]
    fn a_node_is_said_with_its_edges_and_an_edge_with_its_numbers() {
        let ranked = ranked(&PATH, true);
        let of = |name: &str| spot(&ranked, name.parse().expect(name));
        assert_eq!(
            of("L0H0 -> L1H1.k"),
            "L0H0 → L1H1.k: EAP +4.00, EAP-IG +2.00, path patching +1.00, in logits."
        );
        let node = of("L1H1");
        assert!(node.starts_with("L1H1 reads most from L0H0 through k +2.00 / +1.00, "), "{node}");
        assert!(node.contains("and is read most by logits −1.00 / −1.25"), "{node}");
        assert!(of("logits").starts_with("logits reads most from L1H1 −1.00 / −1.25"));
    }
}
