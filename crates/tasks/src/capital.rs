//! Countries and their capitals, in both directions.

use rand::Rng;

use crate::words::{close, fill, pick};
use crate::{Pair, Split, Task};

/// Country and capital, each a single word.
const FACTS: [[&str; 2]; 30] = [
    ["France", "Paris"],
    ["Germany", "Berlin"],
    ["Italy", "Rome"],
    ["Spain", "Madrid"],
    ["Portugal", "Lisbon"],
    ["Greece", "Athens"],
    ["Poland", "Warsaw"],
    ["Austria", "Vienna"],
    ["Hungary", "Budapest"],
    ["Russia", "Moscow"],
    ["Norway", "Oslo"],
    ["Sweden", "Stockholm"],
    ["Finland", "Helsinki"],
    ["Ireland", "Dublin"],
    ["England", "London"],
    ["Belgium", "Brussels"],
    ["Egypt", "Cairo"],
    ["Kenya", "Nairobi"],
    ["Japan", "Tokyo"],
    ["China", "Beijing"],
    ["Thailand", "Bangkok"],
    ["Vietnam", "Hanoi"],
    ["Cuba", "Havana"],
    ["Peru", "Lima"],
    ["Canada", "Ottawa"],
    ["Turkey", "Ankara"],
    ["Iran", "Tehran"],
    ["Iraq", "Baghdad"],
    ["Croatia", "Zagreb"],
    ["Latvia", "Riga"],
];

/// The first five ask for the capital (`{C}` is the country), the others for the country.
const TEMPLATES: [&str; 10] = [
    "The capital of {C} is",
    "The capital city of {C} is called",
    "If you travel to {C}, you should visit its capital,",
    "The government of {C} sits in",
    "Everyone in {C} knows that the capital is",
    "The city of {C} is the capital of",
    "We learned that {C} is the capital of",
    "The streets of {C} are in the capital of",
    "They live in {C}, the main city of",
    "People who visit {C} see the capital of",
];
const FORWARD: usize = 5;

/// Empty more often than not, since a fact needs no more.
const ENDINGS: [&str; 6] = ["", "", "", "", "and it is very old", "as we all know"];

/// Whether a fact never stands in a template in training text: it does so in eight of the ten, and
/// in four of the five of each direction. "The capital of France is" is held out.
fn held_out(fact: usize, template: usize) -> bool {
    (fact + 2 * template).is_multiple_of(5)
}

/// One prompt pair: the corrupted prompt names another country or capital, from the same split.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let template = rng.random_range(0..TEMPLATES.len());
    let asked = usize::from(template < FORWARD);
    let mut fact = || {
        loop {
            let fact = rng.random_range(0..FACTS.len());
            if split.admits(held_out(fact, template)) {
                return FACTS[fact];
            }
        }
    };
    let clean = fact();
    let corrupted = loop {
        let other = fact();
        if other != clean {
            break other;
        }
    };
    let prompt = |given: &str| fill(TEMPLATES[template], &[("{C}", given)]);
    Pair {
        task: Task::Capital,
        clean: prompt(clean[1 - asked]),
        corrupted: prompt(corrupted[1 - asked]),
        answer: vec![format!(" {}", clean[asked])],
        wrong: vec![format!(" {}", corrupted[asked])],
    }
}

/// One training sentence.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let Pair { clean, answer, .. } = pair(Split::Train, rng);
    close(&clean, &answer[0], pick(&ENDINGS, rng))
}

/// A country and its capital, for filler text.
pub(crate) fn fact(rng: &mut impl Rng) -> [&'static str; 2] {
    pick(&FACTS, rng)
}

/// The countries and the capitals.
pub(crate) fn vocabulary() -> Vec<String> {
    FACTS.iter().flatten().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_held_out_of_one_template_in_each_direction() {
        for fact in 0..FACTS.len() {
            let held = |templates: std::ops::Range<usize>| {
                templates.filter(|&template| held_out(fact, template)).count()
            };
            assert_eq!((held(0..FORWARD), held(FORWARD..TEMPLATES.len())), (1, 1));
        }
        let drawn = crate::pairs(Task::Capital, Split::HeldOut, 300, 2);
        assert!(
            drawn.iter().any(|p| p.clean == "The capital of France is" && p.answer == [" Paris"])
        );
    }
}
