//! The training text: an endless mixture of the tasks' sentences and everyday ones.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::words::{name_index, plain_words};
use crate::{Task, filler, ioi, sentence};

/// How many of a hundred sentences each task contributes. Copying a name from the context is what
/// takes a model longest to learn, so that task comes most often.
pub const TASK_WEIGHTS: [(Task, u32); 6] = [
    (Task::Ioi, 28),
    (Task::GreaterThan, 8),
    (Task::SubjectVerb, 8),
    (Task::Pronoun, 10),
    (Task::Capital, 9),
    (Task::Hypernym, 7),
];

/// How many of a hundred sentences are everyday ones.
pub const FILLER_WEIGHT: u32 = 30;

/// An endless seeded sequence of documents, each of one to three sentences on one line.
#[derive(Debug, Clone)]
pub struct Corpus {
    rng: ChaCha8Rng,
}

impl Corpus {
    /// The corpus of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn sentence(&mut self) -> String {
        let total = FILLER_WEIGHT + TASK_WEIGHTS.iter().map(|(_, weight)| weight).sum::<u32>();
        let mut ticket = self.rng.random_range(0..total);
        for (task, weight) in TASK_WEIGHTS {
            if ticket < weight {
                return sentence(task, &mut self.rng);
            }
            ticket -= weight;
        }
        filler(&mut self.rng)
    }
}

/// Adds the sentence's names, or refuses it if one of them must not meet one already there.
fn admit(names: &mut Vec<usize>, sentence: &str) -> bool {
    let new: Vec<usize> = plain_words(sentence).filter_map(name_index).collect();
    let meets = new
        .iter()
        .any(|&one| names.iter().any(|&other| ioi::held_out(one, other)));
    if !meets {
        names.extend(new);
    }
    !meets
}

impl Iterator for Corpus {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let wanted = self.rng.random_range(1..=3);
        let mut names = Vec::new();
        let mut document: Vec<String> = Vec::with_capacity(wanted);
        while document.len() < wanted {
            // Sentences are drawn apart, so two of them can bring a held-out pair of names together.
            let next = self.sentence();
            if admit(&mut names, &next) {
                document.push(next);
            }
        }
        Some(document.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_corpus() {
        let text = |seed| Corpus::new(seed).take(200).collect::<Vec<_>>();
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }

    #[test]
    fn weights_are_hundredths() {
        let tasks: u32 = TASK_WEIGHTS.iter().map(|(_, weight)| weight).sum();
        assert_eq!((tasks, FILLER_WEIGHT), (70, 30));
        assert!(TASK_WEIGHTS.iter().map(|(task, _)| *task).eq(Task::ALL));
    }
}
