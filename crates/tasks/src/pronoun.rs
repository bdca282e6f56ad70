//! Gendered pronouns: the pronoun that takes up a first name.

use rand::Rng;

use crate::words::{FEMALE, MALE, OBJECTS, PLACES, close, fill, pick};
use crate::{Pair, Split, Task};

const TEMPLATES: [&str; 10] = [
    "Yesterday {N} went to the {P} because",
    "Today {N} stayed at the {P} because",
    "In the morning {N} ran to the {P} because",
    "Last week {N} bought {O} because",
    "At the {P} {N} was very happy because",
    "That evening {N} left the {P} before",
    "This time {N} took {O} because",
    "After lunch {N} looked for {O} because",
    "When {N} came home from the {P},",
    "Every day {N} walked to the {P} until",
];

/// Training sentences in which the pronoun follows its name closely, so that a name's gender is learnt
/// before it has to be carried over a distance.
const NEAR: [&str; 8] = [
    "My friend {N} said {X}",
    "I know that {N} thinks {X}",
    "The teacher asked {N} whether {X}",
    "We hope that {N} says {X}",
    "It was {N} who said that {X}",
    "They like {N} because {X}",
    "No one asked {N} if {X}",
    "The doctor told {N} that {X}",
];

/// What the person did or felt; it fits every template.
const ENDINGS: [&str; 10] = [
    "was hungry",
    "was tired",
    "was late",
    "had a plan",
    "wanted to see a friend",
    "felt cold",
    "needed some help",
    "was ready for a rest",
    "had to work",
    "found a new job",
];

const PRONOUNS: [&str; 2] = ["she", "he"];
const NAMES: [[&str; 34]; 2] = [FEMALE, MALE];

/// Whether a name (an index into the list of its gender) never stands in a template in training
/// text. Mary and John are held out of the first one.
fn held_out(name: usize, template: usize) -> bool {
    (name + 2 * template).is_multiple_of(5)
}

/// A name of a split for a template.
fn name(gender: usize, template: usize, split: Split, rng: &mut impl Rng) -> &'static str {
    loop {
        let name = rng.random_range(0..NAMES[gender].len());
        if split.admits(held_out(name, template)) {
            return NAMES[gender][name];
        }
    }
}

/// One prompt pair: the corrupted prompt has a name of the other gender, from the same split.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let gender = rng.random_range(0..2);
    let template = rng.random_range(0..TEMPLATES.len());
    let (place, object) = (pick(&PLACES, rng), pick(&OBJECTS, rng));
    let mut prompt = |gender: usize| {
        let name = name(gender, template, split, rng);
        fill(TEMPLATES[template], &[("{N}", name), ("{P}", place), ("{O}", object)])
    };
    Pair {
        task: Task::Pronoun,
        clean: prompt(gender),
        corrupted: prompt(1 - gender),
        answer: vec![format!(" {}", PRONOUNS[gender])],
        wrong: vec![format!(" {}", PRONOUNS[1 - gender])],
    }
}

/// One training sentence.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    if rng.random::<bool>() {
        let gender = rng.random_range(0..2);
        let (name, pronoun) = (pick(&NAMES[gender], rng), PRONOUNS[gender]);
        let opening = fill(pick(&NEAR, rng), &[("{N}", name), ("{X}", pronoun)]);
        return close(&opening, "", pick(&ENDINGS, rng));
    }
    let Pair { clean, answer, .. } = pair(Split::Train, rng);
    close(&clean, &answer[0], pick(&ENDINGS, rng))
}

/// The pronouns; the names are among the shared words.
pub(crate) fn vocabulary() -> Vec<String> {
    PRONOUNS.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pronoun_fits_the_name() {
        for pair in crate::pairs(Task::Pronoun, Split::Train, 500, 4) {
            let female = pair.clean.split(' ').any(|word| FEMALE.contains(&word));
            assert_eq!(pair.answer[0] == " she", female, "{pair:?}");
        }
    }

    #[test]
    fn every_name_is_trained_in_most_templates() {
        for name in 0..FEMALE.len() {
            let held = (0..TEMPLATES.len()).filter(|&template| held_out(name, template)).count();
            assert_eq!(held, 2);
        }
    }
}
