//! Rules that hold for every task.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::words::{name_index, plain_words};

/// Documents that are looked through, as many as the bundled model's tokenizer is trained on.
const TOKENIZER_DOCUMENTS: usize = 60_000;

/// Documents of the start and of the end of training.
fn both_mixtures(seed: u64) -> impl Iterator<Item = String> {
    let mut balanced = Corpus::new(seed);
    balanced.mix(Mixture::BALANCED);
    Corpus::new(seed).take(20_000).chain(balanced.take(10_000))
}

fn each_split() -> impl Iterator<Item = (Task, Split)> {
    Task::ALL.into_iter().flat_map(|task| [(task, Split::Train), (task, Split::HeldOut)])
}

/// What the GPT-2 pre-tokeniser makes of a text, up to how it groups punctuation.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices().skip(1) {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        let joins = before == ' ' || (before.is_alphanumeric() && c.is_alphanumeric());
        if !joins || c == ' ' {
            pieces.push(&text[start..at]);
            start = at;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[test]
fn clean_and_corrupted_differ_in_one_known_word_that_is_not_the_first() {
    let known: BTreeSet<String> = vocabulary().into_iter().collect();
    for (task, split) in each_split() {
        for pair in pairs(task, split, 1_000, 11) {
            let (clean, corrupted) = (pieces(&pair.clean), pieces(&pair.corrupted));
            assert_eq!(clean.len(), corrupted.len(), "{pair:?}");
            assert!(clean.len() <= 40, "{pair:?}");
            let changed: Vec<_> = clean.iter().zip(&corrupted).filter(|(a, b)| a != b).collect();
            assert_eq!(changed.len(), 1, "{pair:?}");
            assert!(known.contains(*changed[0].0) && known.contains(*changed[0].1), "{pair:?}");
        }
    }
}

#[test]
fn answers_are_known_words_and_never_wrong() {
    let known: BTreeSet<String> = vocabulary().into_iter().collect();
    for (task, split) in each_split() {
        for pair in pairs(task, split, 500, 12) {
            assert_eq!(pair.task, task);
            assert!(!pair.answer.is_empty() && !pair.wrong.is_empty(), "{pair:?}");
            assert!(pair.answer.iter().all(|word| !pair.wrong.contains(word)), "{pair:?}");
            assert!(
                pair.answer.iter().chain(&pair.wrong).all(|word| known.contains(word)),
                "{pair:?}"
            );
            assert!(!pair.clean.contains(['{', '}']) && !pair.clean.ends_with(' '), "{pair:?}");
        }
    }
}

#[test]
fn pairs_are_seeded_and_distinct() {
    for (task, split) in each_split() {
        let drawn = pairs(task, split, 300, 13);
        assert_eq!(drawn, pairs(task, split, 300, 13));
        let distinct: BTreeSet<_> = drawn.iter().map(|p| (&p.clean, &p.corrupted)).collect();
        assert_eq!(distinct.len(), 300, "{task:?} {split:?}");
        assert_ne!(drawn, pairs(task, split, 300, 14));
    }
}

#[test]
fn an_exhausted_split_still_gives_as_many_as_asked() {
    assert_eq!(pairs(Task::Capital, Split::HeldOut, 400, 1).len(), 400);
}

#[test]
fn sentences_end_in_a_full_stop_and_hold_their_answer() {
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    for task in Task::ALL {
        for _ in 0..300 {
            let text = sentence(task, &mut rng);
            assert!(text.ends_with('.') && !text.contains(['{', '}', '\n']), "{text}");
            assert!(pieces(&text).len() <= 40, "{text}");
        }
    }
}

#[test]
fn held_out_names_never_meet_in_a_document() {
    for document in both_mixtures(1) {
        let names: Vec<_> = plain_words(&document).filter_map(name_index).collect();
        let meet = names.iter().any(|&one| names.iter().any(|&other| ioi::held_out(one, other)));
        assert!(!meet, "{document}");
    }
}

#[test]
fn held_out_prompts_never_start_a_sentence_of_the_corpus() {
    let mut held: BTreeSet<String> = BTreeSet::new();
    let mut trained: BTreeSet<String> = BTreeSet::new();
    for task in Task::ALL {
        held.extend(pairs(task, Split::HeldOut, 4_000, 2).into_iter().map(|pair| pair.clean));
        trained.extend(pairs(task, Split::Train, 4_000, 2).into_iter().map(|pair| pair.clean));
    }
    assert!(held.is_disjoint(&trained));
    let mut found = 0;
    for document in both_mixtures(2) {
        for sentence in document.split(". ") {
            for (end, _) in sentence.match_indices(' ') {
                assert!(!held.contains(&sentence[..end]), "{sentence}");
                found += usize::from(trained.contains(&sentence[..end]));
            }
        }
    }
    // The same search does find the prompts that were trained.
    assert!(found > 3_000, "only {found}");
}

#[test]
fn the_vocabulary_is_sorted_distinct_and_common_in_the_corpus() {
    let words = vocabulary();
    assert!(words.is_sorted_by(|a, b| a < b));
    assert!(words.iter().all(|word| word.starts_with(' ') && !word[1..].contains(' ')));

    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for document in Corpus::new(3).take(TOKENIZER_DOCUMENTS) {
        for piece in pieces(&document) {
            *counts.entry(piece.to_owned()).or_default() += 1;
        }
    }
    assert!(counts.len() < 1_400, "{} distinct words", counts.len());
    for word in &words {
        assert!(
            counts.get(word).is_some_and(|&count| count >= 15),
            "{word}: {:?}",
            counts.get(word)
        );
    }
}
