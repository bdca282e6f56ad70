//! Indirect object identification: two names, one of them again, and the other one receives.

use rand::Rng;

use crate::words::{DAYS, NAMES, OBJECTS, PLACES, close, fill, name, pick};
use crate::{Pair, Split, Task};

/// `{A}` and `{B}` are the names in order, `{S}` is the one who acts; the answer is the other.
const TEMPLATES: [&str; 20] = [
    "After {A} and {B} went to the {P}, {S} gave {O} to",
    "When {A} and {B} came to the {P}, {S} handed {O} to",
    "While {A} and {B} were at the {P}, {S} passed {O} to",
    "Then {A} and {B} met at the {P}, and {S} offered {O} to",
    "Today {A} and {B} walked to the {P}, and {S} gave {O} to",
    "Before {A} and {B} left the {P}, {S} sold {O} to",
    "Because {A} and {B} were friends, {S} sent {O} to",
    "On the way to the {P} with {A} and {B}, {S} showed {O} to",
    "As {A} and {B} sat in the {P}, {S} decided to give {O} to",
    "Yesterday {A} and {B} worked at the {P}, and {S} brought {O} to",
    "Once {A} and {B} were back from the {P}, {S} wanted to give {O} to",
    "In the {P} {A} and {B} had a long talk, and {S} gave {O} to",
    "Last night {A} and {B} stayed at the {P}, and {S} told a story to",
    "When {A} and {B} found {O} near the {P}, {S} gave it to",
    "After the meal {A} and {B} were tired, so {S} passed {O} to",
    "While {A} and {B} waited at the {P}, {S} said something to",
    "Soon {A} and {B} grew bored of the {P}, so {S} threw {O} to",
    "This morning {A} and {B} saw the {P}, and {S} promised {O} to",
    "Although {A} and {B} lost {O}, {S} was kind to",
    "At the {P} {A} and {B} played a game, and {S} lent {O} to",
];

/// What may follow the answer in training text; empty more often than any other.
const ENDINGS: [&str; 10] = [
    "",
    "",
    "",
    "",
    "for the party",
    "with a smile",
    "before lunch",
    "at the end of the day",
    "for free",
    "on {D}",
];

/// Whether two names (in either order) are kept apart in all training text.
///
/// John and Mary are, whatever the rule says: theirs is the prompt everyone tries first.
pub(crate) fn held_out(one: usize, other: usize) -> bool {
    let (low, high) = (one.min(other), one.max(other));
    let first_prompt = name(low) == "Mary" && name(high) == "John";
    low != high && (first_prompt || (low * 31 + high * 17).is_multiple_of(5))
}

/// Two different names of a split, in either order.
pub(crate) fn names(split: Split, rng: &mut impl Rng) -> (usize, usize) {
    loop {
        let (one, other) = (rng.random_range(0..NAMES), rng.random_range(0..NAMES));
        if one != other && split.admits(held_out(one, other)) {
            return (one, other);
        }
    }
}

/// The pair for a draw of everything; the clean prompt is also what training continues.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let (a, b) = names(split, rng);
    let (a, b) = (name(a), name(b));
    let [subject, receiver] = who_acts([a, b], rng);
    let template = pick(&TEMPLATES, rng);
    let (place, object) = (pick(&PLACES, rng), pick(&OBJECTS, rng));
    let prompt = |acting: &str| {
        fill(template, &[("{A}", a), ("{B}", b), ("{S}", acting), ("{P}", place), ("{O}", object)])
    };
    asked(Task::Ioi, [subject, receiver], prompt)
}

/// Which of two people acts, and which receives.
///
/// A coin decides: that is what makes both orders, ABBA and BABA, equally common.
pub(crate) fn who_acts<'a>([a, b]: [&'a str; 2], rng: &mut impl Rng) -> [&'a str; 2] {
    if rng.random::<bool>() { [a, b] } else { [b, a] }
}

/// The pair whose clean prompt has the one who acts in it, and whose corrupted prompt has the receiver there.
pub(crate) fn asked(
    task: Task,
    [subject, receiver]: [&str; 2],
    prompt: impl Fn(&str) -> String,
) -> Pair {
    Pair {
        task,
        clean: prompt(subject),
        corrupted: prompt(receiver),
        answer: vec![format!(" {receiver}")],
        wrong: vec![format!(" {subject}")],
    }
}

/// One training sentence.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let Pair { clean, answer, .. } = pair(Split::Train, rng);
    let ending = fill(pick(&ENDINGS, rng), &[("{D}", pick(&DAYS, rng))]);
    close(&clean, &answer[0], &ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::name_index;

    #[test]
    fn a_fifth_of_the_name_pairs_is_held_out_and_john_with_mary_too() {
        let all = (0..NAMES).flat_map(|i| (0..i).map(move |j| (i, j)));
        let (held, total) = all
            .fold((0, 0), |(held, total), (i, j)| (held + usize::from(held_out(i, j)), total + 1));
        assert!(held * 6 > total && held * 4 < total, "{held} of {total}");
        let (john, mary) = (name_index("John"), name_index("Mary"));
        assert!(john.zip(mary).is_some_and(|(j, m)| held_out(j, m) && held_out(m, j)));
        assert_eq!(NAMES, 68);
    }

    #[test]
    fn both_name_orders_and_the_first_prompt_occur() {
        let drawn = crate::pairs(Task::Ioi, Split::HeldOut, 400, 1);
        let first_acts = drawn.iter().filter(|p| {
            let once = p.clean.find(p.wrong[0].trim());
            let receiver = p.clean.find(p.answer[0].trim());
            once < receiver
        });
        let count = first_acts.count();
        assert!((120..280).contains(&count), "{count} of 400 with the actor first");
        assert_eq!(TEMPLATES[0], "After {A} and {B} went to the {P}, {S} gave {O} to");
    }
}
