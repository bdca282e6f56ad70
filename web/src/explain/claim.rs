//! What a figure says, in one sentence made from its numbers.

use twinbeam_core::scores::ScoreTable;
use twinbeam_core::words::Component;

/// A piece of the sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// A component that can be gone to.
    Name(Component),
}

/// Most components that are named one by one.
const MOST_NAMED: usize = 4;

/// A component that misses the last of a method's strongest by no more than this share is said to be near.
const NEAR: f32 = 0.05;

/// Who is among the strongest by both methods, by one of them only, and where the two part most, of two complete tables.
///
/// `found`: whether a component is among the strongest by IG and by AP. `number`: a score as the maps write it. `unit`:
/// the one that both tables are in.
pub(crate) fn claim(
    ig: &ScoreTable,
    ap: &ScoreTable,
    found: impl Fn(Component) -> [bool; 2],
    number: impl Fn(f32) -> String,
    unit: &str,
) -> Vec<Piece> {
    let all = || {
        let (kind, width) = (ig.kind(), ig.width());
        (0..ig.values().len()).map(move |place| Component::at(kind, place, width))
    };
    let size =
        |table: &ScoreTable, of: &Component| table.get(of.layer, of.index).unwrap_or(0.0).abs();
    let of = |wanted: [bool; 2]| -> Vec<Component> {
        let mut of: Vec<_> = all().filter(|component| found(*component) == wanted).collect();
        let larger = |of: &Component| size(ig, of).max(size(ap, of));
        of.sort_by(|a, b| larger(b).total_cmp(&larger(a)));
        of
    };
    // What the last of a method's strongest has.
    let last = |method: usize, table: &ScoreTable| {
        let strongest = all().filter(|component| found(*component)[method]);
        strongest.map(|of| size(table, &of)).fold(f32::INFINITY, f32::min)
    };
    let (both, by_ig, by_ap) = (of([true, true]), of([true, false]), of([false, true]));
    let mut said = Said::default();
    if both.is_empty() && by_ig.is_empty() && by_ap.is_empty() {
        said.text("Neither method finds a head: no score is large.");
        return said.0;
    }
    if !both.is_empty() {
        said.text("Both methods count ");
        said.names(&both);
        said.text(" among the strongest");
    }
    if by_ig.is_empty() && by_ap.is_empty() {
        said.text(", and no other head. ");
    } else {
        let mut first = both.is_empty();
        for (who, names, other, table, last) in
            [("IG", by_ig, "AP", ap, last(1, ap)), ("AP", by_ap, "IG", ig, last(0, ig))]
        {
            if names.is_empty() {
                continue;
            }
            said.text(if first { "Only " } else { ", only " });
            said.text(&format!("{who} "));
            said.names(&names);
            if first {
                said.text(" among the strongest");
            }
            if names.iter().all(|of| size(table, of) >= (1.0 - NEAR) * last) {
                said.text(&format!(" (which {other} just leaves out)"));
            }
            first = false;
        }
        said.text(". ");
    }
    if let Some(most) = ig.minus(ap).strongest(1).into_iter().next() {
        let score = |table: &ScoreTable| table.get(most.layer, most.index).unwrap_or(0.0);
        said.text("They part most at ");
        said.0.push(Piece::Name(most));
        said.text(&format!(
            ": moved together with its layer it counts for {}, swapped alone for {} {unit}.",
            number(score(ig)),
            number(score(ap))
        ));
    }
    said.0
}

#[derive(Default)]
struct Said(Vec<Piece>);

impl Said {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.0.push(Piece::Text(text.to_owned())),
        }
    }

    fn names(&mut self, all: &[Component]) {
        let n = all.len().min(MOST_NAMED);
        for (place, component) in all[..n].iter().enumerate() {
            if place > 0 {
                self.text(if place + 1 == all.len() { " and " } else { ", " });
            }
            self.0.push(Piece::Name(*component));
        }
        if all.len() > n {
            self.text(&format!(" and {} more", all.len() - n));
        }
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::{ComponentKind, Direction, Method};

    use super::*;

    fn table(method: Method, values: [f32; 4]) -> ScoreTable {
        let kind = ComponentKind::Heads;
        let key = TableKey { kind, method, direction: Direction::Noising };
        ScoreTable::new(key, 2, values.to_vec())
    }

    fn said(ig: [f32; 4], ap: [f32; 4], least: f32) -> String {
        let (ig, ap) = (table(Method::Ig, ig), table(Method::Ap, ap));
        let found = |of: Component| {
            [&ig, &ap].map(|table| {
                table.get(of.layer, of.index).is_some_and(|score| score.abs() >= least)
            })
        };
        let number = |score: f32| format!("{score:+.2}").replace('-', "−");
        let pieces =
            claim(&ig, &ap, found, number, "logits").into_iter().map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Name(of) => format!("<{},{}>", of.layer, of.index),
            });
        pieces.collect()
    }

    #[test]
    fn it_says_who_is_found_by_whom_and_where_they_part() {
        assert_eq!(
            said([2.0, 0.0, 0.1, 1.5], [2.0, 1.25, 0.0, 0.0], 1.0),
            "Both methods count <0,0> among the strongest, only IG <1,1>, only AP <0,1>. They part most at <1,1>: moved \
             together with its layer it counts for +1.50, swapped alone for +0.00 logits."
        );
        let agree = said([2.0, -1.5, 0.0, 0.0], [2.0, -1.0, 0.0, 0.0], 1.0);
        let both = "Both methods count <0,0> and <0,1> among the strongest, and no other head.";
        assert!(agree.starts_with(both), "{agree}");
        assert!(agree.contains("for −1.50, swapped alone for −1.00"), "{agree}");
        assert!(said([0.0; 4], [0.0; 4], 1.0).starts_with("Neither method"));
        let alone = said([2.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0], 1.0);
        assert!(alone.starts_with("Only IG <0,0> among the strongest. They"), "{alone}");
    }

    #[test]
    fn what_only_just_misses_is_said_to_be_near() {
        let near = said([2.0, 1.1, 0.0, 0.0], [2.0, 0.99, 1.02, 0.0], 1.0);
        let only = "only IG <0,1> (which AP just leaves out), only AP <1,0>.";
        assert!(near.contains(only), "{near}");
    }

    #[test]
    fn many_are_counted() {
        let many = said([1.0; 4], [1.0; 4], 0.5);
        assert!(many.contains("<0,0>, <0,1>, <1,0> and <1,1> among"), "{many}");
    }
}
