//! The pinned edge, token by token.

use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::circuits::Edge;
use twinbeam_core::wire::probes::circuits::EdgePositions;
use twinbeam_core::wire::probes::{Finding, Probe};

use super::ranked::Ranked;
use super::seen::Seen;
use crate::lab::Pending;
use crate::lab::sheet::Sheet;
use crate::lab::why::{Tokens, tokens, unchecked};
use crate::plot::{Drawn, Labels, Matrix, PlotView};
use crate::reactive::{dynamic, memo};
use crate::state::AppState;
use crate::values::{Slot, visible};
use twinbeam_figure::scale::Scale;

/// What the pinned edge carries at each token.
#[component]
pub(super) fn OfEdge(state: AppState, sheet: Sheet, seen: Seen) -> impl IntoView {
    let Seen { ranked, pinned, .. } = seen;
    let number = move || {
        let edge: Edge = pinned.get().parse().ok()?;
        ranked.with(|ranked| ranked.as_ref()?.graph.number(edge))
    };
    state.ask(Slot::EdgePositions, move || {
        let (edge, direction) = (number()? as u32, state.direction());
        Some(Probe::EdgePositions { edge, direction })
    });
    let tokens = tokens(state);
    let seen_at = move || {
        let answer = state.answer(Slot::EdgePositions)?;
        let Ok(Finding::EdgePositions(found)) = &answer.found else {
            return None;
        };
        let wanted = state.unit.get();
        let unit =
            state.committed.with(|committed| Some(wanted.common(&committed.as_ref()?.basis)))?;
        let ranked = ranked.get()?;
        (found.edge as usize == number()?).then_some(())?;
        let drawn =
            |tokens: &Option<Tokens>| draw(&ranked, found, tokens.as_ref(), unit, sheet.whole());
        Some(tokens.with(drawn))
    };
    let words = move || seen_at().map(|(_, words)| words);
    let drawn = memo(move || seen_at().map(|(drawn, _)| Arc::new(drawn)));
    view! {
        <Pending state of=Slot::EdgePositions />
        <PlotView pointer=state testid="paths-positions" label="The pinned edge by token" drawn>
            <p>
                {dynamic(words)} " "
                {dynamic(move || unchecked(state, Slot::EdgePositions))}
            </p>
        </PlotView>
    }
    .into_any()
}

fn draw(
    ranked: &Ranked,
    found: &EdgePositions,
    tokens: Option<&Tokens>,
    (factor, unit): (f32, &str),
    width: f64,
) -> (Drawn, String) {
    let rows = [("path patching", &found.exact), ("EAP-IG", &found.eap_ig), ("EAP", &found.eap)];
    let n_pos = rows.iter().map(|(_, values)| values.len()).min().unwrap_or_default();
    let texts = match tokens.map(Tokens::both).filter(|both| both.len() == n_pos) {
        Some(both) => both,
        None => (0..n_pos).map(|at| at.to_string()).collect(),
    };
    let values: Vec<f32> = rows
        .iter()
        .flat_map(|(_, values)| values[..n_pos].iter().map(|value| factor * value))
        .collect();
    let written = |value: f32| Scale::of(&values).written(value);
    let exact = &values[..n_pos];
    let edge = ranked.edge(found.edge as usize);
    let most = (0..n_pos).max_by(|a, b| exact[*a].abs().total_cmp(&exact[*b].abs()).then(b.cmp(a)));
    let summary = match most.filter(|at| exact[*at] != 0.0) {
        Some(at) => {
            let all = match ranked.exact(found.edge as usize) {
                Some(all) => format!(", and at all tokens together {}", written(all)),
                None => String::new(),
            };
            format!(
                "{edge} carries most at position {at}, “{}”: {} {unit} by path patching there alone, {} by EAP-IG. One \
                 by one the tokens add up to {}{all}.",
                visible(&texts[at]),
                written(exact[at]),
                written(values[n_pos + at]),
                written(exact.iter().sum()),
            )
        }
        None => format!("{edge} carries nothing at any token."),
    };
    let drawn = Matrix {
        title: format!("{edge} by token, {}", ranked.direction),
        summary: summary.clone(),
        unit: unit.to_owned(),
        rows: Labels::texts("", rows.map(|(name, _)| name.to_owned()).to_vec()),
        columns: Labels::tokens("position", texts),
        eye: most,
        values,
        width,
        ..Matrix::default()
    };
    (drawn.draw(), summary)
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::Direction;

    use super::super::ranked::tests::{PATH, ranked};
    use super::*;

    #[test]
    fn an_edge_is_said_with_its_strongest_token() {
        let ranked = ranked(&PATH, true);
        let number = ranked.graph.number("L0H0 -> L1H1.k".parse().expect("an edge"));
        let mut found = EdgePositions {
            edge: number.expect("of this model") as u32,
            direction: Direction::Noising,
            exact: vec![0.0, -0.5, 1.25],
            eap: vec![0.0, 0.0, 4.0],
            eap_ig: vec![0.0, -1.0, 3.0],
        };
        let texts = |last: &str| vec!["BOS".to_owned(), " a".to_owned(), last.to_owned()];
        let tokens = Tokens { clean: texts(" b"), corrupted: texts(" c") };
        let (drawn, words) = draw(&ranked, &found, Some(&tokens), (2.0, "logits"), 400.0);
        assert!(
            words.contains(
                "L0H0 → L1H1.k carries most at position 2, “·b/·c”: +2.50 logits by path patching there alone, +6.00 by \
                 EAP-IG. One by one the tokens add up to +1.50, and at all tokens together +1.00."
            ),
            "{words}"
        );
        assert_eq!(drawn.points.len(), 9);
        found.exact.fill(0.0);
        let nothing = draw(&ranked, &found, None, (1.0, "logits"), 400.0).1;
        assert!(nothing.contains("carries nothing at any token"), "{nothing}");
    }
}
