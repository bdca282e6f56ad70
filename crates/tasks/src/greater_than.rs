//! Greater-than: a span of years ends in a later year of the same century.
//!
//! A year is written as two groups, `17 45`, so that its last two digits are one token.

use rand::Rng;

use crate::words::{fill, pick};
use crate::{Pair, Split, Task};

const NOUNS: [&str; 24] = [
    "war", "siege", "voyage", "reign", "famine", "plague", "revolt", "truce", "drought", "feud",
    "strike", "trial", "journey", "rule", "crisis", "battle", "peace", "conflict", "project",
    "debate", "treaty", "empire", "campaign", "union",
];

const TEMPLATES: [&str; 5] = [
    "The {N} lasted from the year {C} {Y} to the year {C}",
    "The {N} began in the year {C} {Y} and ended in the year {C}",
    "The long {N} went on from {C} {Y} until {C}",
    "In this country the {N} started in {C} {Y} and was over by {C}",
    "People still talk about the {N} of {C} {Y} to {C}",
];

/// The last two digits of the corrupted prompt's year, after which every answer is later.
const EARLY: usize = 1;
const FIRST: usize = 2;
const LAST: usize = 99;

/// Empty more often than not: the full stop is the usual end.
const ENDINGS: [&str; 6] = ["", "", "", "", " and was soon forgotten", " and then life was quiet"];

/// Whether a noun never starts in this year (of any century) in training text.
///
/// The corrupted year is always trained: the comparison needs a prompt that the model knows.
fn held_out(noun: usize, start: usize) -> bool {
    start >= FIRST && (noun * 7 + start * 3).is_multiple_of(5)
}

/// A noun and a start year from `first` on, of a split.
fn combination(split: Split, first: usize, rng: &mut impl Rng) -> (usize, usize) {
    loop {
        let (noun, start) = (rng.random_range(0..NOUNS.len()), rng.random_range(first..LAST));
        if split.admits(held_out(noun, start)) {
            return (noun, start);
        }
    }
}

fn two_digits(year: usize) -> String {
    format!("{year:02}")
}

fn prompt(template: &str, noun: usize, century: usize, start: usize) -> String {
    let (century, start) = (two_digits(century), two_digits(start));
    fill(template, &[("{N}", NOUNS[noun]), ("{C}", &century), ("{Y}", &start)])
}

fn century(rng: &mut impl Rng) -> usize {
    rng.random_range(11..=18)
}

/// One prompt pair: the corrupted prompt starts in the year 01.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let (noun, start) = combination(split, FIRST, rng);
    let (template, century) = (pick(&TEMPLATES, rng), century(rng));
    let tokens = |years: std::ops::RangeInclusive<usize>| {
        years.map(|year| format!(" {}", two_digits(year))).collect()
    };
    Pair {
        task: Task::GreaterThan,
        clean: prompt(template, noun, century, start),
        corrupted: prompt(template, noun, century, EARLY),
        answer: tokens(start + 1..=LAST),
        wrong: tokens(FIRST..=start),
    }
}

/// One training sentence; the end is uniform over the later years of the century.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let (noun, start) = combination(Split::Train, EARLY, rng);
    let prompt = prompt(pick(&TEMPLATES, rng), noun, century(rng), start);
    let end = two_digits(rng.random_range(start + 1..=LAST));
    format!("{prompt} {end}{}.", pick(&ENDINGS, rng))
}

/// The nouns and every two-digit number.
pub(crate) fn vocabulary() -> Vec<String> {
    NOUNS.iter().map(|&noun| noun.to_owned()).chain((EARLY..=LAST).map(two_digits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Corpus, Mixture, words::plain_words};

    #[test]
    fn years_in_the_corpus_are_later_and_never_held_out() {
        let mut seen = 0;
        let mut corpus = Corpus::new(5);
        corpus.mix(Mixture::BALANCED);
        for document in corpus.take(10_000) {
            for sentence in document.split_inclusive('.') {
                let words: Vec<_> = plain_words(sentence).collect();
                let noun = NOUNS.iter().position(|noun| words.contains(noun));
                let years: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
                if let (Some(noun), [early, start, late, end]) = (noun, years.as_slice()) {
                    assert_eq!(early, late, "{sentence}");
                    assert!(end > start, "{sentence}");
                    assert!(!held_out(noun, *start), "{sentence}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 2_000, "only {seen}");
    }

    #[test]
    fn the_answer_is_every_later_year() {
        for pair in crate::pairs(Task::GreaterThan, Split::HeldOut, 200, 3) {
            assert_eq!(pair.answer.len() + pair.wrong.len(), LAST - FIRST + 1);
            let start = pair.wrong.last().map_or("", String::as_str);
            assert!(pair.clean.contains(start) && pair.corrupted.contains(" 01"), "{pair:?}");
        }
    }
}
