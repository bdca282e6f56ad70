//! The training text: an endless mixture of the tasks' sentences and everyday ones.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::words::{name_index, plain_words};
use crate::{Task, filler, ioi, sentence};

/// How many of a hundred sentences each task contributes; the rest are everyday ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mixture {
    /// Shares of the tasks, in the order of [`Task::ALL`].
    tasks: [u32; Task::ALL.len()],
}

impl Mixture {
    /// For the start: mostly names to copy, which is what takes a model longest to learn.
    pub const COPYING: Self = Self { tasks: [26, 16, 6, 6, 11, 6, 5, 6] };
    /// For the end: mostly years to compare, which come next.
    pub const BALANCED: Self = Self { tasks: [12, 14, 28, 6, 7, 6, 5, 6] };

    /// Hundredths of the tasks, and of the everyday sentences.
    fn tickets(self) -> impl Iterator<Item = (Option<Task>, u32)> {
        let everyday = 100 - self.tasks.iter().sum::<u32>();
        let tasks = Task::ALL.into_iter().map(Some).zip(self.tasks);
        tasks.chain([(None, everyday)])
    }
}

/// One document in so many says one sentence twice. Copying from the context is learnt there first, on
/// every token, and the tasks that copy one name among many learn several times sooner.
const REFRAIN_ONE_IN: u32 = 8;

/// An endless seeded sequence of documents, each of one to three sentences on one line.
#[derive(Debug, Clone)]
pub struct Corpus {
    rng: ChaCha8Rng,
    mixture: Mixture,
}

impl Corpus {
    /// The corpus of a seed, in the mixture [`Mixture::COPYING`].
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), mixture: Mixture::COPYING }
    }

    /// Draws from another mixture from now on.
    pub fn mix(&mut self, mixture: Mixture) {
        self.mixture = mixture;
    }

    fn sentence(&mut self) -> String {
        let mut ticket = self.rng.random_range(0..100);
        for (task, tickets) in self.mixture.tickets() {
            if ticket < tickets {
                return match task {
                    Some(task) => sentence(task, &mut self.rng),
                    None => filler(&mut self.rng),
                };
            }
            ticket -= tickets;
        }
        unreachable!("the tickets are a hundred")
    }
}

/// Adds the sentence's names, or refuses it if one of them must not meet one already there.
fn admit(names: &mut Vec<usize>, sentence: &str) -> bool {
    let new: Vec<usize> = plain_words(sentence).filter_map(name_index).collect();
    let meets = new.iter().any(|&one| names.iter().any(|&other| ioi::held_out(one, other)));
    if !meets {
        names.extend(new);
    }
    !meets
}

impl Iterator for Corpus {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.rng.random_range(0..REFRAIN_ONE_IN) == 0 {
            let sentence = self.sentence();
            return Some(format!("{sentence} {sentence}"));
        }
        // Mostly one: in a longer document the names of other sentences stand in the way.
        let wanted = [1, 1, 1, 1, 2, 3][self.rng.random_range(0..6)];
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
    fn a_mixture_is_what_it_says() {
        let mut corpus = Corpus::new(8);
        corpus.mix(Mixture::BALANCED);
        let with_years =
            corpus.take(3_000).filter(|text| text.chars().any(|c| c.is_ascii_digit())).count();
        assert!((900..1_600).contains(&with_years), "{with_years} of 3000");
        for mixture in [Mixture::COPYING, Mixture::BALANCED] {
            assert_eq!(mixture.tickets().map(|(_, tickets)| tickets).sum::<u32>(), 100);
        }
    }
}
