//! Prompts of unequal length, and changes of one of them after which they have as many tokens.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Aligned;
use crate::words::{Experiment, Field, Side};

/// Most changes that are offered.
const MOST: usize = 4;
/// Most changes that are tried.
const MOST_TRIED: usize = 40;
/// Most names that are tried in one place.
const MOST_NAMES: usize = 6;

/// First names, in the order in which they are offered: short and common, so that most tokenizers have them as one token.
const NAMES: [&str; 24] = [
    "Sarah", "Tom", "Anna", "Paul", "Kate", "James", "Mary", "John", "Emma", "Peter", "Lucy",
    "David", "Jane", "Simon", "Alice", "Mark", "Laura", "George", "Susan", "Henry", "Linda",
    "Jack", "Amy", "Ben",
];

/// A change of one prompt after which both have as many tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mend {
    /// The prompt that it changes.
    pub field: Field,
    /// The prompt after it.
    pub text: String,
    /// What it does.
    pub does: Does,
}

/// What a [`Mend`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It takes a piece of the prompt out.
    Drop {
        /// The piece, as it stood there.
        piece: String,
    },
    /// It puts a piece of the other prompt in.
    Add {
        /// The piece.
        piece: String,
    },
    /// It puts one name in place of another, wherever that stands, in the answers too.
    Name {
        /// The name that goes.
        from: String,
        /// The name that comes.
        to: String,
    },
}

impl Mend {
    /// Makes the change in the draft that it was offered for.
    pub fn apply(&self, draft: &mut Experiment) {
        match self.field {
            Field::Clean => draft.clean.clone_from(&self.text),
            Field::Corrupted => draft.corrupted.clone_from(&self.text),
            // It changes prompts.
            Field::Answer | Field::Wrong => return,
        }
        if let Does::Name { from, to } = &self.does {
            for answer in draft.answer.iter_mut().chain(&mut draft.wrong) {
                if answer.trim() == from.trim() {
                    *answer = format!(" {}", to.trim());
                }
            }
        }
    }
}

/// One prompt, as its tokens spell it.
#[derive(Debug, Clone, Copy)]
pub struct Spelt<'a> {
    /// The prompt as it was typed.
    pub text: &'a str,
    /// Texts of its tokens; empty for one that was put in front and not typed.
    pub tokens: &'a [String],
}

impl Spelt<'_> {
    /// The piece of the text that some tokens spell.
    fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        let len = |tokens: &[String]| tokens.iter().map(String::len).sum::<usize>();
        let start = len(&self.tokens[..tokens.start]);
        start..start + len(&self.tokens[tokens.clone()])
    }

    /// The one word that some tokens are in, if they are in one and no more.
    fn word(&self, tokens: &Range<usize>) -> Option<&str> {
        if tokens.is_empty() {
            return None;
        }
        let Range { mut start, mut end } = self.bytes(tokens);
        start += self.text[start..end].len() - self.text[start..end].trim_start().len();
        let is_in = |character: char| character.is_alphabetic() || matches!(character, '-' | '’');
        start = self.text[..start].trim_end_matches(is_in).len();
        end = self.text.len() - self.text[end..].trim_start_matches(is_in).len();
        let word = self.text.get(start..end)?;
        (!word.is_empty() && word.chars().all(is_in)).then_some(word)
    }

    /// Whether a piece of the text begins and ends where words do.
    fn is_whole(&self, bytes: &Range<usize>) -> bool {
        let is_cut = |at: usize| {
            let (before, behind) = self.text.split_at(at);
            let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            is_of_word(before.chars().next_back()) && is_of_word(behind.chars().next())
        };
        !is_cut(bytes.start) && !is_cut(bytes.end)
    }
}

/// Changes that make two prompts equally long, the most likely to be meant first: another name, a piece less, a piece
/// more. Each was tried: `count` says how many tokens a text has.
///
/// None makes the prompts the same, which would leave nothing to compare.
pub fn mends(
    sides: [Spelt<'_>; 2],
    columns: &[Aligned],
    count: impl Fn(&str) -> Option<usize>,
) -> Vec<Mend> {
    let is_spelt = |side: &Spelt<'_>| side.tokens.concat() == side.text;
    let [n_clean, n_corrupted] = sides.map(|side| side.tokens.len());
    if n_clean == n_corrupted || !sides.iter().all(is_spelt) {
        return Vec::new();
    }
    let longer = usize::from(n_clean < n_corrupted);
    let excess = n_clean.abs_diff(n_corrupted);
    let regions = regions(columns);
    let mut tries = Tries { sides, count, found: Vec::new(), left: MOST_TRIED };
    for region in &regions {
        tries.names(region);
    }
    for region in regions.iter().filter(|region| region[longer].len() > region[1 - longer].len()) {
        tries.drop(longer, excess, &region[longer]);
    }
    for region in &regions {
        if region[1 - longer].is_empty() && region[longer].len() == excess {
            tries.add(longer, region);
        }
    }
    tries.found
}

/// Where two rows differ: tokens of each, in order.
fn regions(columns: &[Aligned]) -> Vec<[Range<usize>; 2]> {
    let mut at = [0, 0];
    let mut regions: Vec<[Range<usize>; 2]> = Vec::new();
    let mut is_open = false;
    for column in columns {
        if !column.equal && !is_open {
            regions.push(at.map(|at| at..at));
        }
        is_open = !column.equal;
        let there = [column.clean, column.corrupted];
        for (side, index) in there.into_iter().enumerate() {
            if let Some(index) = index {
                at[side] = index + 1;
                if let Some(region) = regions.last_mut().filter(|_| is_open) {
                    region[side].end = index + 1;
                }
            }
        }
    }
    regions
}

/// What is tried, and what of it is right.
struct Tries<'a, Count> {
    sides: [Spelt<'a>; 2],
    count: Count,
    found: Vec<Mend>,
    left: usize,
}

impl<Count: Fn(&str) -> Option<usize>> Tries<'_, Count> {
    /// Offers a change of one side if it makes both equally long. Whether it does.
    fn offer(&mut self, place: usize, text: String, does: Does) -> bool {
        let other = self.sides[1 - place];
        let field = Field::prompt(Side::ALL[place]);
        let is_known = self.found.iter().any(|mend| mend.field == field && mend.text == text);
        if is_known || text == other.text || self.left == 0 || self.found.len() == MOST {
            return false;
        }
        self.left -= 1;
        let wanted = other.tokens.iter().filter(|token| !token.is_empty()).count();
        let is_right = (self.count)(&text) == Some(wanted);
        if is_right {
            self.found.push(Mend { field, text, does });
        }
        is_right
    }

    /// Where a name stands across from a name, either may be another one.
    fn names(&mut self, region: &[Range<usize>; 2]) {
        let sides = self.sides;
        let (Some(clean), Some(corrupted)) = (sides[0].word(&region[0]), sides[1].word(&region[1]))
        else {
            return;
        };
        let words = [clean, corrupted];
        // What a text begins with is written like a name.
        let begins = |place: usize| sides[place].text.trim_start().starts_with(words[place]);
        let is_known = words.iter().any(|word| NAMES.contains(word));
        let are_names = words.iter().all(|word| word.starts_with(char::is_uppercase));
        if !are_names || ((begins(0) || begins(1)) && !is_known) {
            return;
        }
        for place in [0, 1] {
            let free =
                NAMES.into_iter().filter(|name| sides.iter().all(|s| !s.text.contains(name)));
            for name in free.take(MOST_NAMES) {
                let (from, to) = (words[place].to_owned(), name.to_owned());
                let text = with_name(sides[place].text, &from, name);
                if self.offer(place, text, Does::Name { from, to }) {
                    break;
                }
            }
        }
    }

    /// Takes words out of a region of the longer side that are as many tokens as it has too many.
    fn drop(&mut self, longer: usize, excess: usize, region: &Range<usize>) {
        let side = self.sides[longer];
        // Rows pair what they can from the left: what is too many is at the right.
        for start in region.clone().rev().filter(|start| start + excess <= region.end) {
            let bytes = side.bytes(&(start..start + excess));
            if bytes.is_empty() || !side.is_whole(&bytes) {
                continue;
            }
            let piece = side.text[bytes.clone()].to_owned();
            let rest = format!("{}{}", &side.text[..bytes.start], &side.text[bytes.end..]);
            // A text that began without a space does so still.
            let rest = if bytes.start == 0 { rest.trim_start().to_owned() } else { rest };
            self.offer(longer, rest, Does::Drop { piece });
        }
    }

    /// Puts what the longer side has alone into the other one as well.
    fn add(&mut self, longer: usize, region: &[Range<usize>; 2]) {
        let (side, other) = (self.sides[longer], self.sides[1 - longer]);
        let bytes = side.bytes(&region[longer]);
        let at = other.bytes(&region[1 - longer]).start;
        if bytes.is_empty() || !side.is_whole(&bytes) {
            return;
        }
        let piece = side.text[bytes].to_owned();
        let (before, behind) = other.text.split_at(at);
        self.offer(1 - longer, format!("{before}{piece}{behind}"), Does::Add { piece });
    }
}

/// A text with one name in place of another, wherever that stands as a word.
fn with_name(text: &str, from: &str, to: &str) -> String {
    let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(from) {
        let (before, behind) = (&rest[..at], &rest[at + from.len()..]);
        let begins = !is_of_word(before.chars().next_back().or(done.chars().next_back()));
        done += before;
        done += if begins && !is_of_word(behind.chars().next()) { to } else { from };
        rest = behind;
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::align;

    /// Words with their spaces, of which long ones are cut after five letters: a tokenizer as far as it matters here.
    fn split(text: &str) -> Vec<String> {
        let mut tokens: Vec<String> = Vec::new();
        for character in text.chars() {
            let is_new = |token: &String| {
                let letters = token.trim_start().chars().count();
                let is_letter = |c: char| c.is_alphanumeric();
                character == ' '
                    || letters == 5
                    || is_letter(character) != token.chars().all(|c| is_letter(c) || c == ' ')
            };
            match tokens.last_mut() {
                Some(token) if !is_new(token) => token.push(character),
                _ => tokens.push(character.to_string()),
            }
        }
        tokens
    }

    fn offered(clean: &str, corrupted: &str) -> Vec<Mend> {
        let (clean, corrupted) = (clean.to_owned(), corrupted.to_owned());
        let rows = [&clean, &corrupted].map(|text| {
            let mut tokens = vec![String::new()];
            tokens.extend(split(text));
            tokens
        });
        let mut known: Vec<String> = Vec::new();
        let ids = rows.each_ref().map(|row| {
            let id = |token: &String| {
                let place = known.iter().position(|other| other == token);
                place.unwrap_or_else(|| {
                    known.push(token.clone());
                    known.len() - 1
                }) as u32
            };
            row.iter().map(id).collect::<Vec<u32>>()
        });
        let sides = [
            Spelt { text: &clean, tokens: &rows[0] },
            Spelt { text: &corrupted, tokens: &rows[1] },
        ];
        let found = mends(sides, &align(&ids[0], &ids[1]), |text| Some(split(text).len()));
        for mend in &found {
            let other = if mend.field == Field::Clean { &corrupted } else { &clean };
            assert_eq!(split(&mend.text).len(), split(other).len(), "{mend:?}");
            assert_ne!(&mend.text, other);
        }
        found
    }

    fn texts(found: &[Mend]) -> Vec<(Field, &str)> {
        found.iter().map(|mend| (mend.field, mend.text.as_str())).collect()
    }

    #[test]
    fn a_word_too_many_goes_or_comes_to_the_other_side() {
        let found = offered("When Kate saw Tom, Tom ran", "When Kate saw the Tom, Kate ran");
        assert_eq!(
            texts(&found),
            [
                (Field::Corrupted, "When Kate saw Tom, Kate ran"),
                (Field::Clean, "When Kate saw the Tom, Tom ran"),
            ]
        );
        assert_eq!(found[0].does, Does::Drop { piece: " the".to_owned() });
        assert_eq!(found[1].does, Does::Add { piece: " the".to_owned() });
        let behind = offered("I saw Tom", "I saw Ben too");
        assert_eq!(texts(&behind)[0], (Field::Corrupted, "I saw Ben"));
    }

    #[test]
    fn a_longer_name_makes_way_for_one_that_fits_wherever_it_stands() {
        let clean = "When Alexandria and Tom left, Tom waved to";
        let corrupted = "When Kate and Tom left, Tom waved to";
        let found = offered(clean, corrupted);
        assert_eq!(texts(&found)[0], (Field::Clean, "When Sarah and Tom left, Tom waved to"));
        assert_eq!(
            found[0].does,
            Does::Name { from: "Alexandria".to_owned(), to: "Sarah".to_owned() }
        );
        let twice = offered("So Alexandria met Alexandria, Tom", "So Kate met Kate, Tom");
        assert_eq!(texts(&twice)[0], (Field::Clean, "So Sarah met Sarah, Tom"));
    }

    #[test]
    fn the_answers_change_with_the_name() {
        let mut draft = Experiment {
            clean: "So Alexandria ran".to_owned(),
            answer: vec![" Alexandria".to_owned()],
            ..Experiment::default()
        };
        let does = Does::Name { from: "Alexandria".to_owned(), to: "Sarah".to_owned() };
        Mend { field: Field::Clean, text: "So Sarah ran".to_owned(), does }.apply(&mut draft);
        assert_eq!(
            (draft.clean.as_str(), draft.answer),
            ("So Sarah ran", vec![" Sarah".to_owned()])
        );
    }

    #[test]
    fn nothing_is_offered_that_leaves_nothing_to_compare_or_cuts_a_word() {
        assert_eq!(offered("I saw Tom", "I saw Tom too"), [], "they would be the same");
        assert_eq!(offered("a heart", "a hearten"), [], "half a word is none");
        assert_eq!(offered("same length", "same things"), []);
    }

    #[test]
    fn only_whole_words_are_names_to_be_exchanged() {
        assert_eq!(with_name("Ann, Anna and Ann", "Ann", "Kate"), "Kate, Anna and Kate");
    }
}
