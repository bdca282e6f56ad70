//! Indirect object identification among three or four people, where counting names does not give the answer: who acts
//! is one of a pair, and only the other one of that pair can be meant.

use rand::Rng;

use crate::ioi;
use crate::words::{NAMES, OBJECTS, PLACES, close, fill, name, pick};
use crate::{Pair, Split, Task};

/// Two pairs of people, `{A}` with `{B}` and `{C}` with `{E}`; `{S}` acts. In the clean prompt all but `{S}` are named
/// once.
const TWO_PAIRS: [&str; 8] = [
    "When {A} and {B} met {C} and {E} at the {P}, {S} gave {O} to",
    "After {A} and {B} left {C} and {E} in the {P}, {S} sent {O} to",
    "While {A} and {B} played with {C} and {E}, {S} threw {O} to",
    "Then {A} and {B} saw {C} and {E} near the {P}, and {S} showed {O} to",
    "Today {A} and {B} came with {C} and {E} to the {P}, and {S} handed {O} to",
    "At the {P} {A} and {B} sat beside {C} and {E}, and {S} passed {O} to",
    "Because {A} and {B} were late, {C} and {E} went to the {P}, and {S} lent {O} to",
    "Soon {A} and {B} were at the {P} and {C} and {E} at home, so {S} brought {O} to",
];

/// A pair and a third person `{C}`, with a clause in between that names `{C}` and the receiver `{R}` again, in either
/// order. In the clean prompt all three are named twice.
const THIRD: [&str; 10] = [
    "When {C} was at the {P}, {A} and {B} came in, {R} spoke to {C}, and {S} gave {O} to",
    "After {A} and {B} went with {C} to the {P}, {R} thanked {C}, and {S} handed {O} to",
    "While {A} and {B} were at the {P} near {C}, {C} called {R}, and then {S} passed {O} to",
    "Then {A} and {B} met {C}, who had a story for {R}, and {C} left, so {S} sent {O} to",
    "Today {C} saw {A} and {B} at the {P}, {C} waved at {R}, and {S} offered {O} to",
    "Before {A} and {B} left the {P}, {C} came, {R} looked at {C}, and {S} sold {O} to",
    "Because {C} was tired, {A} and {B} went to the {P}, {R} wrote to {C}, and {S} brought {O} to",
    "As {A} and {B} sat with {C}, {C} laughed, {R} was quiet, and {S} decided to give {O} to",
    "Last night {C} and not {R} was tired when {A} and {B} talked of {C}, and {S} promised {O} to",
    "In the {P} {A} and {B} had a talk, {C} heard {R}, {C} was happy, and {S} lent {O} to",
];

/// What may follow the answer in training text; empty more often than not.
const ENDINGS: [&str; 5] = ["", "", "", "with a smile", "for free"];

/// Two people who go together, of the split, and two others: no two of the four are held out from each other, except
/// the pair of a held-out prompt.
fn people(split: Split, rng: &mut impl Rng) -> [usize; 4] {
    let (a, b) = ioi::names(split, rng);
    let mut people = vec![a, b];
    while people.len() < 4 {
        let other = rng.random_range(0..NAMES);
        if people.iter().all(|&one| one != other && !ioi::held_out(one, other)) {
            people.push(other);
        }
    }
    [a, b, people[2], people[3]]
}

/// The pair for a draw of everything; the clean prompt is also what training continues.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let two_pairs = rng.random::<bool>();
    let template = if two_pairs { pick(&TWO_PAIRS, rng) } else { pick(&THIRD, rng) };
    let [a, b, c, e] = people(split, rng).map(name);
    // The pair that acts stands first or second, and either one of it acts.
    let second = two_pairs && rng.random::<bool>();
    let [first, other] = if second { [[c, e], [a, b]] } else { [[a, b], [c, e]] };
    let [subject, receiver] = ioi::who_acts([a, b], rng);
    let (place, object) = (pick(&PLACES, rng), pick(&OBJECTS, rng));
    let prompt = |acting: &str| {
        let [[a, b], [c, e]] = [first, other];
        let people = [("{A}", a), ("{B}", b), ("{C}", c), ("{E}", e), ("{R}", receiver)];
        let rest = [("{S}", acting), ("{P}", place), ("{O}", object)];
        fill(&fill(template, &people), &rest)
    };
    ioi::asked(Task::IoiLong, [subject, receiver], prompt)
}

/// One training sentence.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let Pair { clean, answer, .. } = pair(Split::Train, rng);
    close(&clean, &answer[0], pick(&ENDINGS, rng))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::words::{name_index, plain_words};

    #[test]
    fn the_answer_is_not_the_name_that_stands_there_least() {
        let mut forms = [0, 0];
        for pair in crate::pairs(Task::IoiLong, Split::HeldOut, 500, 3) {
            let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
            plain_words(&pair.clean)
                .filter_map(name_index)
                .for_each(|name| *counts.entry(name).or_default() += 1);
            let answer = name_index(pair.answer[0].trim()).expect("a name");
            let others =
                counts.iter().filter(|(name, n)| **name != answer && **n == counts[&answer]);
            assert!(others.count() >= 2, "counting must leave at least two others: {}", pair.clean);
            forms[usize::from(counts.len() == 4)] += 1;
        }
        assert!(forms.iter().all(|form| *form > 150), "three and four people: {forms:?}");
    }
}
