//! Eight tasks of the interpretability field as seeded generators of prompt pairs and training text.
//!
//! A [`Pair`] is a clean prompt and a corrupted one that differ in exactly one word, with the words
//! that should follow the clean prompt and the words that should not. Every task keeps some
//! combinations of its fillers out of the training text ([`Split::HeldOut`]), so a model trained
//! on [`Corpus`] can be asked for prompts that it has never seen.
//!
//! Conventions that a tokeniser relies on:
//! - the word that differs never stands first in a prompt, so it always has a leading space;
//! - a year is written as two groups of digits, `17 45`. The GPT-2 pre-tokeniser would keep `1745`
//!   as one piece, and the two digits that the task asks for would not be a token of their own.
//!
//! The crate does no I/O and reads no clock: the same seed gives the same text everywhere.
//!
//! # Rooms
//! One file per task: `ioi.rs`, `ioi_long.rs`, `greater_than.rs`, `subject_verb.rs`, `pronoun.rs`, `capital.rs`,
//! `hypernym.rs`, `induction.rs`. `corpus.rs` mixes training text of all of them with the sentences of `filler.rs`;
//! `words.rs` has the fillers that they share.
//!
//! # Example
//! ```
//! use twinbeam_tasks::{Split, Task, pairs};
//!
//! let drawn = pairs(Task::Ioi, Split::HeldOut, 3, 1);
//! assert_eq!(drawn, pairs(Task::Ioi, Split::HeldOut, 3, 1), "the same seed draws the same pairs");
//! let differing = drawn[0].clean.split(' ').zip(drawn[0].corrupted.split(' ')).filter(|(a, b)| a != b);
//! assert_eq!(differing.count(), 1, "one word tells the two prompts apart");
//! assert!(drawn[0].answer[0].starts_with(' '));
//! ```

mod capital;
mod corpus;
mod filler;
mod greater_than;
mod hypernym;
mod induction;
mod ioi;
mod ioi_long;
mod pronoun;
mod subject_verb;
mod words;

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use corpus::{Corpus, Mixture};
pub use filler::filler;
pub use induction::{MOST_REPEATED, repeated};

/// A task that a model is asked to solve by its next word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Indirect object identification: who receives the object.
    Ioi,
    /// Indirect object identification among three or four people.
    IoiLong,
    /// Greater-than: a span of years ends after it starts.
    GreaterThan,
    /// Subject-verb agreement: the verb agrees with its subject and not with a nearer noun.
    SubjectVerb,
    /// Gendered pronouns: a pronoun agrees with the gender of a name.
    Pronoun,
    /// Capitals: countries and their capitals, in both directions.
    Capital,
    /// Hypernyms: the class that a thing belongs to.
    Hypernym,
    /// Induction: a word of a list calls for the word that followed it there.
    Induction,
}

impl Task {
    /// Every task, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Ioi,
        Self::IoiLong,
        Self::GreaterThan,
        Self::SubjectVerb,
        Self::Pronoun,
        Self::Capital,
        Self::Hypernym,
        Self::Induction,
    ];

    /// The name used in files and addresses.
    pub fn id(self) -> &'static str {
        match self {
            Self::Ioi => "ioi",
            Self::IoiLong => "ioi-long",
            Self::GreaterThan => "greater-than",
            Self::SubjectVerb => "subject-verb",
            Self::Pronoun => "pronoun",
            Self::Capital => "capital",
            Self::Hypernym => "hypernym",
            Self::Induction => "induction",
        }
    }

    /// The name shown to a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ioi => "Indirect object identification",
            Self::IoiLong => "Indirect objects among several people",
            Self::GreaterThan => "Greater-than",
            Self::SubjectVerb => "Subject-verb agreement",
            Self::Pronoun => "Gendered pronouns",
            Self::Capital => "Capitals and countries",
            Self::Hypernym => "Hypernyms",
            Self::Induction => "Induction",
        }
    }

    /// One sentence on what is asked.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ioi => {
                "Two people are named, one of them acts, and the other is the one who receives."
            }
            Self::IoiLong => {
                "One of a pair acts and the other receives, while others are named just as often."
            }
            Self::GreaterThan => {
                "Something starts in a year, and the year in which it ends must be later."
            }
            Self::SubjectVerb => {
                "The verb must agree with its subject, not with the noun just before it."
            }
            Self::Pronoun => "The pronoun must agree with the name of the person who acted.",
            Self::Capital => "A country calls for its capital, or a capital for its country.",
            Self::Hypernym => "A thing is named, and the class that it belongs to must follow.",
            Self::Induction => {
                "A word of a list is read again, and the word that followed it there must follow."
            }
        }
    }
}

/// Which combinations of fillers to draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// Combinations that the training text may contain.
    Train,
    /// Combinations that the training text never contains.
    HeldOut,
}

impl Split {
    /// Whether a combination with this verdict of its task's rule belongs to the split.
    pub(crate) fn admits(self, held_out: bool) -> bool {
        held_out == (self == Self::HeldOut)
    }
}

/// A clean and a corrupted prompt with what should and should not follow the clean one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The task that the prompts pose.
    pub task: Task,
    /// The prompt for which `answer` is right.
    pub clean: String,
    /// The clean prompt with one word replaced.
    pub corrupted: String,
    /// The right next words of the clean prompt, each with its leading space.
    pub answer: Vec<String>,
    /// The wrong next words of the clean prompt, each with its leading space.
    pub wrong: Vec<String>,
}

/// One prompt pair of a task, drawn from a split.
pub fn pair(task: Task, split: Split, rng: &mut impl Rng) -> Pair {
    match task {
        Task::Ioi => ioi::pair(split, rng),
        Task::IoiLong => ioi_long::pair(split, rng),
        Task::GreaterThan => greater_than::pair(split, rng),
        Task::SubjectVerb => subject_verb::pair(split, rng),
        Task::Pronoun => pronoun::pair(split, rng),
        Task::Capital => capital::pair(split, rng),
        Task::Hypernym => hypernym::pair(split, rng),
        Task::Induction => induction::pair(split, rng),
    }
}

/// How many draws in a row may repeat an earlier pair before a repeat is accepted: far more than
/// chance needs while new pairs are left, and few enough to end when none are.
const REPEATS: usize = 2_000;

/// `n` prompt pairs of a task, the same for the same seed, distinct while the split has new ones.
pub fn pairs(task: Task, split: Split, n: usize, seed: u64) -> Vec<Pair> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = BTreeSet::new();
    let mut exhausted = false;
    let mut drawn = Vec::with_capacity(n);
    while drawn.len() < n {
        let mut next = pair(task, split, &mut rng);
        let mut repeats = 0;
        while !exhausted && !seen.insert((next.clean.clone(), next.corrupted.clone())) {
            repeats += 1;
            exhausted = repeats == REPEATS;
            next = pair(task, split, &mut rng);
        }
        drawn.push(next);
    }
    drawn
}

/// One sentence of training text for a task: a prompt of the training split, its right answer and
/// usually a short ending, closed by a full stop.
pub fn sentence(task: Task, rng: &mut impl Rng) -> String {
    match task {
        Task::Ioi => ioi::sentence(rng),
        Task::IoiLong => ioi_long::sentence(rng),
        Task::GreaterThan => greater_than::sentence(rng),
        Task::SubjectVerb => subject_verb::sentence(rng),
        Task::Pronoun => pronoun::sentence(rng),
        Task::Capital => capital::sentence(rng),
        Task::Hypernym => hypernym::sentence(rng),
        Task::Induction => induction::sentence(rng),
    }
}

/// Every word of the tasks' fillers and answers that has to be a single token, each with its
/// leading space, sorted and without repeats.
pub fn vocabulary() -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for words in [
        words::vocabulary(),
        greater_than::vocabulary(),
        subject_verb::vocabulary(),
        pronoun::vocabulary(),
        capital::vocabulary(),
        hypernym::vocabulary(),
    ] {
        all.extend(words.iter().map(|word| format!(" {word}")));
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests;
