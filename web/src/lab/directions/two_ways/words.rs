//! What there is to say and to list of both directions.

use twinbeam_core::statistics::{self, GateKind};
use twinbeam_core::words::{Component, Direction};

use super::TwoWays;
use crate::lab::claim::{Claim, Test, named, spelled};
use crate::lab::parts::{entry, number};
use crate::values::count;
use twinbeam_figure::scale::{signed, small};

/// More than a link can name are not replaced by a click.
const MOST_TOGETHER: usize = 200;
/// Entries of the list of the most asymmetric.
const LISTED: usize = 10;

/// What a kind is called.
const fn kind_name(kind: GateKind) -> &'static str {
    match kind {
        GateKind::And => "AND-like candidate",
        GateKind::Or => "OR-like candidate",
        GateKind::Both => "in both",
        GateKind::Neither => "in neither",
    }
}

impl TwoWays {
    /// The sentence of the chapter: what each direction finds, and whom they tell apart most. What acts like the inputs of
    /// an AND is tested together where one alone is not found, and likewise for an OR.
    pub(in crate::lab::directions) fn claim(&self, direction: Direction) -> Claim {
        let [and, or, both, _] = GateKind::ALL.map(|kind| self.of_kind(kind));
        let (method, kinds, unit) = (self.method, self.kind.id(), self.unit);
        let n =
            |of: &[Component]| if of.is_empty() { "none".to_owned() } else { spelled(of.len()) };
        let be = if both.len() == 1 { "is" } else { "are" };
        let found = format!(
            "By {method}, {} of {} {kinds} {be} found in both directions, {} by noising only and {} by denoising only",
            n(&both),
            self.places.len(),
            n(&and),
            n(&or)
        );
        let words = match self.most_asymmetric().first() {
            Some(i) => {
                let of = self.component(*i);
                let scores = self.scores_in_words(of.layer, of.index);
                format!("{found}. {of} tells them apart most: {scores}.")
            }
            None => format!("{found}. Both say the same, in {unit}."),
        };
        let claim = Claim::new(words);
        let any = [and.clone(), or.clone(), both].concat();
        let (test, components, asked) = if and.len() > 1 {
            ("Test it: restore", and, Direction::Denoising)
        } else if or.len() > 1 {
            ("Test it: corrupt", or, Direction::Noising)
        } else {
            ("Test it: replace", any, direction)
        };
        if components.is_empty() || components.len() > MOST_TOGETHER {
            return claim;
        }
        // A click that turns the page's direction says so.
        let turn = if asked == direction { String::new() } else { format!(", by {}", asked.id()) };
        let words = format!("{test} {} together{turn}", named(&components));
        claim.with(words, Test::Together(components, asked))
    }

    /// The components of a kind, in their order.
    fn of_kind(&self, kind: GateKind) -> Vec<Component> {
        let places = (0..self.places.len()).filter(|i| self.kinds[*i] == kind);
        places.map(|i| self.component(i)).collect()
    }

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
            + &number(
                "kind-least",
                "Found: an absolute score of at least",
                Some(self.least.into()),
                &least,
            )
    }

    /// What the kinds say of this figure.
    pub(in crate::lab::directions) fn words(&self) -> String {
        let [and, or, both, _] = GateKind::ALL.map(|kind| self.count(kind));
        let of = |n: usize| if n == 0 { "None".to_owned() } else { count(n, self.kind.one()) };
        let like = |n: usize, gate: &str, words: &str| match n {
            0 => ".".to_owned(),
            1 => format!(": an {gate}-like candidate. {words}"),
            _ => format!(": {gate}-like candidates. {words}"),
        };
        format!(
            "{} found by noising only{} {} found by denoising only{} {} found by both.",
            of(and),
            like(
                and,
                "AND",
                "An AND breaks when one of its inputs is corrupted, and one clean input does not bring it back."
            ),
            of(or),
            like(
                or,
                "OR",
                "An OR comes back with one clean input, and one corrupted input does not break it."
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
                kind_name(self.kinds[i]),
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
