//! What there is to say and to list of both directions.

use twinbeam_core::statistics::{self, GateKind};

use super::TwoWays;
use crate::heatmap::scale::{signed, small};
use crate::lab::parts::{entry, number};
use crate::values::count;

/// Entries of the list of the most asymmetric.
const LISTED: usize = 10;

/// What a kind is called.
const fn named(kind: GateKind) -> &'static str {
    match kind {
        GateKind::And => "AND-like candidate",
        GateKind::Or => "OR-like candidate",
        GateKind::Both => "in both",
        GateKind::Neither => "in neither",
    }
}

impl TwoWays {
    /// How many there are of each kind, and what it takes to be found, for a `dl`.
    pub(in crate::lab::directions) fn counts(&self) -> String {
        let line = |kind: GateKind| {
            let n = self.count(kind);
            let name = match kind {
                GateKind::And => "AND-like candidates (noising only)",
                GateKind::Or => "OR-like candidates (denoising only)",
                GateKind::Both => "Found in both",
                GateKind::Neither => "Found in neither",
            };
            number(&format!("kind-{}", kind.id()), name, Some(n as f64), &n.to_string())
        };
        let least = small(self.least);
        let least = format!("{} {}", least.trim_start_matches('+'), self.unit);
        GateKind::ALL.map(line).concat()
            + &number("kind-least", "Found from, absolute", Some(self.least.into()), &least)
    }

    /// What the kinds say of this figure.
    pub(in crate::lab::directions) fn words(&self) -> String {
        let [and, or, both, _] = GateKind::ALL.map(|kind| self.count(kind));
        let of = |n: usize| if n == 0 { "None".to_owned() } else { count(n, self.kind.one()) };
        let like = |n: usize, gate: &str, words: &str| match n {
            0 => String::new(),
            1 => format!(": an {gate}-like candidate, for {words}"),
            _ => format!(": {gate}-like candidates, for {words}"),
        };
        format!(
            "{} found by noising only{}. {} found by denoising only{}. {} found by both.",
            of(and),
            like(
                and,
                "AND",
                "of an AND’s inputs one corrupted breaks it, and one clean does not restore it"
            ),
            of(or),
            like(
                or,
                "OR",
                "of an OR’s inputs one clean restores it, and one corrupted does not break it"
            ),
            of(both)
        )
    }

    /// Of how many components all this is, if not of all, and whether the threshold was too low.
    pub(in crate::lab::directions) fn coverage(&self) -> String {
        let (n, all, kinds) = (self.places.len(), self.n_all, self.kind.id());
        let mut words = String::new();
        if self.is_floor {
            words.push_str(
                "That is less than 1 % of the gap (where there is none to divide by, of the largest score), from \
                 which on something is found here. ",
            );
        }
        if n < all {
            let more = format!(
                "Of the {n} of {all} {kinds} that are patched in both directions, exact scores only."
            );
            words.push_str(&more);
        }
        words
    }

    /// The most asymmetric components, the farthest from 0 first.
    fn most_asymmetric(&self) -> Vec<usize> {
        let mut order: Vec<usize> =
            (0..self.places.len()).filter(|i| self.asymmetry[*i] != 0.0).collect();
        statistics::largest_first(&mut order, &|i| self.asymmetry[i].abs());
        order.truncate(LISTED);
        order
    }

    /// The same as entries.
    pub(in crate::lab::directions) fn list(&self) -> String {
        let line = |i: usize| {
            let of = self.component(i);
            let words = format!(
                "{}, {}; {}",
                signed(self.asymmetry[i], 2),
                named(self.kinds[i]),
                self.scores_in_words(of.layer, of.index)
            );
            entry(of, self.asymmetry[i], &words)
        };
        self.most_asymmetric().into_iter().map(line).collect()
    }

    /// For which of the list the asymmetry reads the other way round; empty where for none.
    pub(in crate::lab::directions) fn turned(&self) -> String {
        // The sign of the larger by size: there the higher score is the smaller one.
        let is_turned = |i: &usize| self.noising[*i] + self.denoising[*i] < 0.0;
        let name = |i: usize| self.component(i).to_string();
        let turned = self.most_asymmetric().into_iter().filter(is_turned);
        let names: Vec<String> = turned.map(name).collect();
        if names.is_empty() {
            return String::new();
        }
        format!(
            "For those with negative scores ({}) it reads the other way round: below 0, noising has the larger effect.",
            names.join(", ")
        )
    }
}
