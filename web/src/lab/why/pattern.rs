//! Where a head attends to.

use twinbeam_core::wire::probes::AttentionPattern;
use twinbeam_core::words::{Component, ComponentKind};

use super::focus::{Tokens, labels};
use crate::plot::{Drawn, Matrix, Shades};

/// Clean, corrupted, and clean minus corrupted; queries are rows.
pub(super) fn draw(pattern: &AttentionPattern, tokens: Option<&Tokens>, width: f64) -> [Drawn; 3] {
    let AttentionPattern { layer, head, n_pos, clean, corrupted } = pattern;
    let n_pos = *n_pos;
    let of = Component { kind: ComponentKind::Heads, layer: *layer, index: *head };
    let name = of.to_string();
    let difference: Vec<f32> = clean.iter().zip(corrupted).map(|(a, b)| a - b).collect();
    let axis =
        |title: &str, which: fn(&Tokens) -> Vec<String>| labels(title, tokens.map(which), n_pos);
    let matrix = |title: &str, values: &[f32], which: fn(&Tokens) -> Vec<String>, of_run: bool| {
        Matrix {
            title: format!("{title}, {name}"),
            summary: summary(values, n_pos, tokens.map(which).as_deref(), of_run),
            unit: "probability".to_owned(),
            // Each run's own tokens; of the difference both, shortened, so that it stays as large as the others.
            rows: axis("from", if of_run { which } else { Tokens::both_short }),
            columns: axis("to", if of_run { which } else { Tokens::both_short }),
            values: below(values, n_pos),
            // Probabilities have a scale of their own.
            limit: of_run.then_some(1.0),
            shades: if of_run { Shades::Sequential } else { Shades::Diverging },
            width,
            ..Matrix::default()
        }
        .draw()
    };
    [
        matrix("Clean", clean, |tokens| tokens.clean.clone(), true),
        matrix("Corrupted", corrupted, |tokens| tokens.corrupted.clone(), true),
        matrix("Clean − corrupted", &difference, Tokens::both, false),
    ]
}

/// Without what lies ahead of its query.
fn below(values: &[f32], n_pos: usize) -> Vec<f32> {
    let is_seen = |place: usize| place % n_pos <= place / n_pos;
    let seen = |(place, value): (usize, &f32)| if is_seen(place) { *value } else { f32::NAN };
    values.iter().enumerate().map(seen).collect()
}

/// What stands out in the last row, at which the metric is read, or in the difference of the two runs.
fn summary(values: &[f32], n_pos: usize, tokens: Option<&[String]>, of_run: bool) -> String {
    let start = if of_run { n_pos.saturating_sub(1) * n_pos } else { 0 };
    let places = start..values.len();
    let Some(most) = places.max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs())) else {
        return String::new();
    };
    let place = |at: usize| match tokens.and_then(|tokens| tokens.get(at)) {
        Some(token) => format!("position {at} “{}”", crate::values::visible(token)),
        None => format!("position {at}"),
    };
    let (query, key) = (most / n_pos, most % n_pos);
    if of_run {
        return format!("the last token attends most to {}, {:.2}.", place(key), values[most]);
    }
    if values[most] == 0.0 {
        return "the two runs attend alike.".to_owned();
    }
    let written = twinbeam_figure::scale::signed(values[most], 2);
    format!("they differ most from {} to {}, {written}.", place(query), place(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern() -> AttentionPattern {
        AttentionPattern {
            layer: 1,
            head: 2,
            n_pos: 2,
            clean: vec![1.0, 0.0, 0.25, 0.75],
            corrupted: vec![1.0, 0.0, 0.5, 0.5],
        }
    }

    #[test]
    fn tokens_are_named_where_they_are_known() {
        let tokens = Tokens {
            clean: vec!["BOS".to_owned(), " a".to_owned()],
            corrupted: vec!["BOS".to_owned(), " b".to_owned()],
        };
        let [clean, corrupted, difference] = draw(&pattern(), Some(&tokens), 360.0);
        assert!(clean.summary.contains("position 1 “·a”, 0.75"), "{}", clean.summary);
        assert!(corrupted.summary.contains("position 1 “·b”, 0.50"), "{}", corrupted.summary);
        assert!(
            difference.summary.contains("to position 1 “·a/·b”, +0.25")
                || difference.summary.contains("to position 0 “BOS”, −0.25"),
            "{}",
            difference.summary
        );
        let says = |drawn: &Drawn, row: &str| drawn.table.rows[1][0].contains(row);
        assert!(says(&clean, "·a") && says(&corrupted, "·b"), "{:?}", corrupted.table);
        assert!(says(&difference, "·a/…"), "{:?}", difference.table);
        assert_eq!(difference.size[0], clean.size[0]);
        let [clean, ..] = draw(&pattern(), None, 360.0);
        assert!(clean.summary.contains("position 1, 0.75"), "{}", clean.summary);
    }

    #[test]
    fn nothing_lies_ahead() {
        let seen = below(&pattern().clean, 2);
        assert!(seen[1].is_nan() && seen[0] == 1.0 && seen[3] == 0.75);
    }
}
