//! Subject-verb agreement across a noun that may have the other number.

use rand::Rng;

use crate::words::{close, fill, pick};
use crate::{Pair, Split, Task};

/// Singular and plural; each is one word, so both have the same number of tokens.
const NOUNS: [[&str; 2]; 32] = [
    ["key", "keys"],
    ["cabinet", "cabinets"],
    ["door", "doors"],
    ["box", "boxes"],
    ["chair", "chairs"],
    ["table", "tables"],
    ["lamp", "lamps"],
    ["letter", "letters"],
    ["book", "books"],
    ["picture", "pictures"],
    ["coat", "coats"],
    ["hat", "hats"],
    ["window", "windows"],
    ["bridge", "bridges"],
    ["tower", "towers"],
    ["boat", "boats"],
    ["wagon", "wagons"],
    ["ticket", "tickets"],
    ["map", "maps"],
    ["clock", "clocks"],
    ["bottle", "bottles"],
    ["basket", "baskets"],
    ["mirror", "mirrors"],
    ["ladder", "ladders"],
    ["flag", "flags"],
    ["statue", "statues"],
    ["cup", "cups"],
    ["plate", "plates"],
    ["desk", "desks"],
    ["wall", "walls"],
    ["bed", "beds"],
    ["gate", "gates"],
];

const PREPOSITIONS: [&str; 6] = ["near", "behind", "beside", "by", "under", "next to"];

/// Prompt beginnings, each with the verb (an index into [`VERBS`]) that its time calls for: with
/// the tense settled, only the number of the subject is left to decide.
const TEMPLATES: [(&str, usize); 8] = [
    ("The {S} {R} the {A}", 0),
    ("Today the {S} {R} the {A}", 0),
    ("I know that the {S} {R} the {A}", 0),
    ("Yesterday the {S} {R} the {A}", 1),
    ("Last year the {S} {R} the {A}", 1),
    ("Long ago the {S} {R} the {A}", 1),
    ("For years the {S} {R} the {A}", 2),
    ("Since then the {S} {R} the {A}", 2),
];

/// Singular and plural of each verb.
const VERBS: [[&str; 2]; 3] = [["is", "are"], ["was", "were"], ["has", "have"]];

/// Predicates that follow a verb; they fit both numbers.
const STATES: [&str; 12] = [
    "new",
    "old",
    "broken",
    "lost",
    "clean",
    "very small",
    "too big",
    "still here",
    "not for sale",
    "quite heavy",
    "white",
    "full of dust",
];
const CHANGES: [&str; 5] =
    ["been lost", "been very useful", "been in the way", "not been used", "been clean"];

/// Whether two nouns (in any number) never stand as subject and attractor in training text.
///
/// The remainder is chosen so that the well-known key and cabinets are held out.
fn held_out(subject: usize, attractor: usize) -> bool {
    (subject * 7 + attractor * 3) % 5 == 3
}

struct Draw {
    template: &'static str,
    verb: usize,
    preposition: &'static str,
    subject: usize,
    plural: usize,
    attractor: &'static str,
}

impl Draw {
    fn new(split: Split, rng: &mut impl Rng) -> Self {
        let (subject, attractor) = loop {
            let (one, other) = (rng.random_range(0..NOUNS.len()), rng.random_range(0..NOUNS.len()));
            if one != other && split.admits(held_out(one, other)) {
                break (one, other);
            }
        };
        let (template, verb) = pick(&TEMPLATES, rng);
        // Only a key is a key "to" something.
        let to = NOUNS[subject][0] == "key" && rng.random::<bool>();
        Self {
            template,
            verb,
            preposition: if to { "to" } else { pick(&PREPOSITIONS, rng) },
            subject,
            plural: rng.random_range(0..2),
            attractor: NOUNS[attractor][rng.random_range(0..2)],
        }
    }

    fn prompt(&self, plural: usize) -> String {
        let subject = NOUNS[self.subject][plural];
        fill(self.template, &[("{S}", subject), ("{R}", self.preposition), ("{A}", self.attractor)])
    }
}

/// One prompt pair: the corrupted prompt has its subject in the other number.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    let draw = Draw::new(split, rng);
    let other = 1 - draw.plural;
    Pair {
        task: Task::SubjectVerb,
        clean: draw.prompt(draw.plural),
        corrupted: draw.prompt(other),
        answer: vec![format!(" {}", VERBS[draw.verb][draw.plural])],
        wrong: vec![format!(" {}", VERBS[draw.verb][other])],
    }
}

/// One training sentence.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let draw = Draw::new(Split::Train, rng);
    let verb = format!(" {}", VERBS[draw.verb][draw.plural]);
    let ending = if draw.verb == 2 { pick(&CHANGES, rng) } else { pick(&STATES, rng) };
    close(&draw.prompt(draw.plural), &verb, ending)
}

/// A noun in both numbers, for filler text.
pub(crate) fn noun(rng: &mut impl Rng) -> [&'static str; 2] {
    pick(&NOUNS, rng)
}

/// The nouns and the verbs, in both numbers.
pub(crate) fn vocabulary() -> Vec<String> {
    NOUNS.iter().chain(&VERBS).flatten().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Corpus, words::plain_words};

    fn index(word: &str) -> Option<usize> {
        NOUNS.iter().position(|noun| noun.contains(&word))
    }

    #[test]
    fn no_held_out_nouns_stand_together_in_the_corpus() {
        let mut seen = 0;
        for document in Corpus::new(6).take(20_000) {
            let words: Vec<_> = plain_words(&document).filter(|&word| word != "next").collect();
            for window in words.windows(4) {
                let links = PREPOSITIONS.contains(&window[1]) || window[1] == "to";
                let nouns = index(window[0]).zip(index(window[3]));
                if let (true, "the", Some((subject, attractor))) = (links, window[2], nouns) {
                    assert!(!held_out(subject, attractor), "{document}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 2_000, "only {seen}");
        assert_eq!(index("key").zip(index("cabinets")).map(|(s, a)| held_out(s, a)), Some(true));
    }
}
