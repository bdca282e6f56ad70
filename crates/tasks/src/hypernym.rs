//! Hypernyms: the class that a thing belongs to.

use rand::Rng;

use crate::words::{close, fill, pick};
use crate::{Pair, Split, Task};

/// Classes and members. Every member takes "a" (never "an"), so the article tells nothing, and
/// belongs to one class only.
const CLASSES: [(&str, [&str; 8]); 9] = [
    ("bird", ["robin", "sparrow", "crow", "pigeon", "swan", "hawk", "parrot", "duck"]),
    ("fish", ["salmon", "trout", "tuna", "cod", "carp", "shark", "herring", "pike"]),
    ("tree", ["pine", "birch", "maple", "willow", "cedar", "beech", "poplar", "fir"]),
    ("flower", ["rose", "tulip", "daisy", "lily", "poppy", "violet", "daffodil", "primrose"]),
    ("fruit", ["banana", "pear", "peach", "plum", "cherry", "lemon", "mango", "grape"]),
    ("vegetable", ["carrot", "potato", "cabbage", "turnip", "radish", "leek", "bean", "pea"]),
    ("tool", ["hammer", "wrench", "drill", "chisel", "shovel", "rake", "spade", "screwdriver"]),
    ("instrument", ["piano", "guitar", "violin", "flute", "drum", "trumpet", "harp", "cello"]),
    ("vehicle", ["truck", "bus", "bicycle", "van", "taxi", "tram", "car", "train"]),
];
const MEMBERS: usize = CLASSES.len() * 8;

const TEMPLATES: [&str; 10] = [
    "A {M} is a kind of",
    "A {M} is a type of",
    "Everyone knows that a {M} is a kind of",
    "The word {M} means a kind of",
    "We learned that the {M} is a sort of",
    "If you see a {M}, you see a type of",
    "My favourite is the {M}, which is a kind of",
    "They say the {M} is a very common type of",
    "In this book a {M} is a sort of",
    "Some people think that a {M} is the best kind of",
];

/// Empty more often than not, since a definition needs no more.
const ENDINGS: [&str; 6] = ["", "", "", "", "that you may know", "and not a rare one"];

/// Whether a member never stands in a template in training text: it does so in eight of the ten.
/// "A robin is a kind of" is held out.
fn held_out(member: usize, template: usize) -> bool {
    (member + 2 * template).is_multiple_of(5)
}

/// The class and the member with an index below [`MEMBERS`].
fn member(index: usize) -> (&'static str, &'static str) {
    let (class, members) = CLASSES[index / 8];
    (class, members[index % 8])
}

/// One prompt pair: the corrupted prompt has a member of another class, from the same split.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let template = rng.random_range(0..TEMPLATES.len());
    let mut draw = || {
        loop {
            let index = rng.random_range(0..MEMBERS);
            if split.admits(held_out(index, template)) {
                return member(index);
            }
        }
    };
    let clean = draw();
    let corrupted = loop {
        let other = draw();
        if other.0 != clean.0 {
            break other;
        }
    };
    let prompt = |name: &str| fill(TEMPLATES[template], &[("{M}", name)]);
    Pair {
        task: Task::Hypernym,
        clean: prompt(clean.1),
        corrupted: prompt(corrupted.1),
        answer: vec![format!(" {}", clean.0)],
        wrong: vec![format!(" {}", corrupted.0)],
    }
}

/// One training sentence.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let Pair { clean, answer, .. } = pair(Split::Train, rng);
    close(&clean, &answer[0], pick(&ENDINGS, rng))
}

/// The classes and their members.
pub(crate) fn vocabulary() -> Vec<String> {
    let classes = CLASSES.iter().map(|(class, _)| (*class).to_owned());
    classes.chain((0..MEMBERS).map(|index| member(index).1.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn members_are_distinct_and_take_the_same_article() {
        let members: BTreeSet<_> = (0..MEMBERS).map(|index| member(index).1).collect();
        assert_eq!(members.len(), MEMBERS);
        assert!(members.iter().all(|name| !name.starts_with(['a', 'e', 'i', 'o', 'u'])));
    }

    #[test]
    fn the_first_prompt_is_held_out() {
        let drawn = crate::pairs(Task::Hypernym, Split::HeldOut, 1_000, 2);
        assert!(drawn.iter().any(|p| p.clean == "A robin is a kind of" && p.answer == [" bird"]));
    }
}
