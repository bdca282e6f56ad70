//! Everyday sentences that pose no task, so that the model learns a language and not a table.

use rand::Rng;

use crate::words::{ADJECTIVES, DAYS, FEMALE, OBJECTS, PLACES, fill, name, pick};
use crate::{Split, capital, ioi, subject_verb};

/// `{A}` and `{B}` are two names that may stand together, `{he}` and `{his}` take up `{A}`; `{T}`
/// and `{Ts}` are a thing in both numbers, `{J}` and `{L}` adjectives, `{P}` and `{Q}` places, `{O}`
/// an object, `{D}` a day, `{K}` a number, `{U}` a country, `{V}` a capital that may be another's.
///
/// No sentence starts with a name: at the start of a document it would have no leading space, and
/// the vocabulary has no room for a second form of every name.
const TEMPLATES: [&str; 76] = [
    "The weather was cold on {D}, so {A} stayed at home.",
    "It was a warm day, and {A} went for a walk near the {P}.",
    "It rained on {D}, and the {P} was closed.",
    "If it rains on {D}, we will stay in the {P}.",
    "When the sun is out, the {P} is full of people.",
    "The wind was strong, and the {T} fell down.",
    "Because of the snow, the road to the {P} was closed.",
    "The sky is {J} and the {T} is {L}.",
    "There is {O} on the table.",
    "There are {K} {Ts} in the {P}.",
    "There was a {J} {T} in the {P}.",
    "There were many {Ts} at the {P} on {D}.",
    "The {T} is {J}, but the {Ts} are {L}.",
    "The {T} was {J} and the {Ts} were {L}.",
    "The {T} has a {J} side.",
    "The {Ts} have a {J} side.",
    "This {T} is {J}, and that one is {L}.",
    "These {Ts} are {J}, and those are {L}.",
    "My {T} is not {J}.",
    "Our {Ts} are very {J}.",
    "We have {K} {Ts} and {O}.",
    "I saw a {J} {T} and {K} {J} {Ts}.",
    "I think that {A} has {O}.",
    "I do not know why {A} likes the {P}.",
    "You can find {O} at the {P}.",
    "You can walk from the {P} to the {Q}.",
    "The {P} is next to the {Q}.",
    "The {P} opens on {D} and closes on {D}.",
    "The {P} is {K} miles from here.",
    "It takes {K} minutes to get to the {P}.",
    "The {T} costs {K} dollars.",
    "They paid {K} dollars for {O}.",
    "Last {D} {A} lost {his} {T}.",
    "On {D} {A} found a {J} {T} at the {P}.",
    "Every {D} {A} goes to the {P} with {B}.",
    "In the evening {A} told {B} about the {P}.",
    "My friend {A} works at the {P}.",
    "My friend {A} said that {he} likes the {P}.",
    "Her brother {A} lives near the {P}.",
    "His sister {A} wants a {J} {T}.",
    "Our teacher {A} asked {B} to look for {O}.",
    "Then {A} saw {B} at the {P} on {D}.",
    "Soon {A} and {B} will travel to {U}.",
    "Next year {A} wants to live in {V}.",
    "The train from {V} was {K} minutes late.",
    "Many people in {U} like tea.",
    "We flew to {V} on {D}.",
    "It is often cold in {U}.",
    "A letter came from {U} on {D}.",
    "The doctor told {A} that {he} should rest.",
    "The child asked {A} for {O}.",
    "The dog ran after {A} and then after {B}.",
    "The cat slept on the {T} all day.",
    "The old man has {O} and a {J} {T}.",
    "The young woman has {K} {Ts}.",
    "\"Where is the {T}?\" asked {A}, but {B} did not know.",
    "\"I am going to the {P},\" said {A}.",
    "\"Please give me {O},\" said {A} to {B}.",
    "\"The {Ts} are {J},\" said {A}.",
    "\"Thank you,\" said {B} when {A} brought {O}.",
    "\"Is it {D} today?\" asked {A}.",
    "\"We need {K} {Ts},\" said {B} to {A}.",
    "No one knew where {A} put the {T}.",
    "Once {A} had {K} {Ts}, but now {he} has one.",
    "Long ago there was a {P} near the {Q}.",
    "At night {A} dreams of {V}.",
    "Maybe {A} will buy {O} on {D}.",
    "With the help of {B}, {A} cleaned the {P}.",
    "Without {his} {T}, {A} could not work.",
    "First {A} made tea, then {he} read a book.",
    "Both {A} and {B} like the {P}.",
    "Neither {A} nor {B} was at the {P}.",
    "What {A} needs is a {J} {T}.",
    "How {A} lost {his} {T} is not known.",
    "To get to the {P}, {A} took the bus.",
    "All of the {Ts} were {J}, and none of them was {L}.",
];

/// One everyday sentence, closed by a full stop. Two names in it are a pair of the training split.
pub fn filler(rng: &mut impl Rng) -> String {
    let template = pick(&TEMPLATES, rng);
    let (a, b) = ioi::names(Split::Train, rng);
    let (he, his) = if a < FEMALE.len() { ("she", "her") } else { ("he", "his") };
    let [singular, plural] = subject_verb::noun(rng);
    let number = rng.random_range(10..100).to_string();
    fill(
        template,
        &[
            ("{A}", name(a)),
            ("{B}", name(b)),
            ("{he}", he),
            ("{his}", his),
            ("{T}", singular),
            ("{Ts}", plural),
            ("{J}", pick(&ADJECTIVES, rng)),
            ("{L}", pick(&ADJECTIVES, rng)),
            ("{P}", pick(&PLACES, rng)),
            ("{Q}", pick(&PLACES, rng)),
            ("{O}", pick(&OBJECTS, rng)),
            ("{D}", pick(&DAYS, rng)),
            ("{K}", &number),
            ("{U}", capital::fact(rng)[0]),
            ("{V}", capital::fact(rng)[1]),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn every_key_is_filled_and_no_name_comes_first() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        for _ in 0..5_000 {
            let text = filler(&mut rng);
            assert!(!text.contains(['{', '}']) && text.ends_with('.'), "{text}");
            let first = text.split(' ').next().map(crate::words::name_index);
            assert_eq!(first, Some(None), "{text}");
        }
    }
}
