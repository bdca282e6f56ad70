//! Induction: a word that stood in a list before calls for the word that followed it there.

use std::sync::LazyLock;

use rand::Rng;

use crate::ioi;
use crate::words::{close, name_index, pick};
use crate::{Pair, Split, Task, vocabulary};

/// What a list begins with.
const OPENERS: [&str; 4] = ["Again:", "Once more:", "The words:", "Listen:"];

/// Words of a prompt's list, at least and at most.
const LENGTHS: [usize; 2] = [5, 9];

/// Words of a list that is read again and again, at most: there are more that may stand together, held-out ones too.
pub const MOST_REPEATED: usize = 40;

/// Words that a training sentence reads again after the one that is asked for, at most.
const READ_ON: usize = 3;

/// What lists are made of.
struct Word {
    /// The word with its leading space.
    text: String,
    /// The person of this name, if it is one.
    person: Option<usize>,
}

/// The words of the other tasks, less numbers and the shortest words.
static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let whole = |text: &String| text.len() > 3 && text[1..].chars().all(char::is_alphabetic);
    let word = |text: String| Word { person: name_index(text.trim()), text };
    vocabulary().into_iter().filter(whole).map(word).collect()
});

/// Whether one word never stands right before another in a list of the training text.
fn held_out(before: usize, after: usize) -> bool {
    (before * 31 + after * 17).is_multiple_of(5)
}

/// Whether a word may stand in a list of the split at `place`: it is not there yet, its neighbours are of the split, and
/// its name is not kept apart from another of the list.
fn fits(list: &[usize], place: usize, word: usize, split: Split) -> bool {
    let beside = |before: Option<&usize>, after: Option<&usize>| match (before, after) {
        (Some(&before), Some(&after)) => split.admits(held_out(before, after)),
        _ => true,
    };
    let apart = |&other: &usize| match (WORDS[word].person, WORDS[other].person) {
        (Some(one), Some(other)) => ioi::held_out(one, other),
        _ => false,
    };
    let before = place.checked_sub(1).map(|before| &list[before]);
    beside(before, Some(&word))
        && beside(Some(&word), list.get(place + 1))
        && !list.contains(&word)
        && !list.iter().any(apart)
}

/// A word for a place of a list, the one past its end too.
fn draw(list: &[usize], place: usize, split: Split, rng: &mut impl Rng) -> usize {
    loop {
        let word = rng.random_range(0..WORDS.len());
        if fits(list, place, word, split) {
            return word;
        }
    }
}

/// `n` different words, as places in [`WORDS`].
fn list(n: usize, split: Split, rng: &mut impl Rng) -> Vec<usize> {
    (0..n).fold(Vec::with_capacity(n), |mut list, place| {
        list.push(draw(&list, place, split, rng));
        list
    })
}

/// A list like [`list`] that has a property.
fn list_with(
    n: usize,
    split: Split,
    rng: &mut impl Rng,
    has_it: impl Fn(&[usize]) -> bool,
) -> Vec<usize> {
    loop {
        let drawn = list(n, split, rng);
        if has_it(&drawn) {
            return drawn;
        }
    }
}

/// Words one after the other, each with its leading space.
fn text(words: &[usize]) -> String {
    words.iter().map(|&word| WORDS[word].text.as_str()).collect()
}

/// A prompt pair, and the words of its list from the answer on.
fn drawn(split: Split, rng: &mut impl Rng) -> (Pair, Vec<usize>) {
    let opener = pick(&OPENERS, rng);
    let n = rng.random_range(LENGTHS[0]..=LENGTHS[1]);
    let list = list_with(n, split, rng, |list| {
        let (last, keys) = (list[n - 1], &list[..n - 2]);
        split == Split::HeldOut || keys.iter().any(|key| !held_out(last, *key))
    });
    // Not the last word, which nothing follows, nor the one before it: its answer would be the word just read. No list of
    // the training text has two words side by side that are held out from each other, here either.
    let key = loop {
        let key = rng.random_range(0..n - 2);
        if split == Split::HeldOut || !held_out(list[n - 1], list[key]) {
            break key;
        }
    };
    let mut other = list.clone();
    other[key] = draw(&list, key, split, rng);
    let wrong = loop {
        let word = list[rng.random_range(0..n)];
        if word != list[key] && word != list[key + 1] {
            break word;
        }
    };
    let prompt = |words: &[usize]| format!("{opener}{}{}", text(words), text(&[list[key]]));
    let pair = Pair {
        task: Task::Induction,
        clean: prompt(&list),
        corrupted: prompt(&other),
        answer: vec![text(&[list[key + 1]])],
        wrong: vec![text(&[wrong])],
    };
    (pair, list[key + 1..].to_vec())
}

/// One prompt pair: the last word of the clean prompt stands in its list, before the answer. In the corrupted prompt
/// another word stands there, so that nothing says what should follow.
pub(crate) fn pair(split: Split, rng: &mut impl Rng) -> Pair {
    drawn(split, rng).0
}

/// One training sentence: a prompt, its answer, and a few more words of the list.
pub(crate) fn sentence(rng: &mut impl Rng) -> String {
    let (Pair { clean, answer, .. }, rest) = drawn(Split::Train, rng);
    let on = rng.random_range(0..=READ_ON.min(rest.len() - 1));
    close(&clean, &answer[0], text(&rest[1..=on]).trim_start())
}

/// `n` different words of a split, read a number of times, with a leading space: the text on which the heads are found that
/// look at the token before, and at the token after the same word's earlier reading (Elhage et al. 2021, Olsson et al. 2022).
///
/// # Panics
/// If no word is asked for, or more than [`MOST_REPEATED`].
pub fn repeated(n: usize, times: usize, split: Split, rng: &mut impl Rng) -> String {
    assert!((1..=MOST_REPEATED).contains(&n), "a list of {n} words");
    // The first word follows the last one.
    let joins = |list: &[usize]| split.admits(held_out(list[n - 1], list[0]));
    text(&list_with(n, split, rng, joins)).repeat(times)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_answer_follows_the_word_that_is_read_again_and_only_in_the_clean_prompt() {
        for pair in crate::pairs(Task::Induction, Split::HeldOut, 500, 5) {
            let asked = pair.clean.rsplit(' ').next().expect("a word");
            let said = format!(" {asked}{} ", pair.answer[0]);
            assert!(pair.clean.contains(&said), "{pair:?}");
            assert!(
                !pair.corrupted.contains(&said) && pair.corrupted.contains(&pair.answer[0]),
                "{pair:?}"
            );
            assert!(pair.clean.contains(&format!("{} ", pair.wrong[0])), "{pair:?}");
        }
    }

    #[test]
    fn a_list_that_is_read_twice_has_different_words_of_the_split() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let place = |word: &str| {
            WORDS.iter().position(|known| known.text.trim() == word).expect("a known word")
        };
        for (split, n) in [(Split::Train, 31), (Split::HeldOut, 24), (Split::Train, 5)] {
            for _ in 0..100 {
                let said = repeated(n, 2, split, &mut rng);
                let words: Vec<usize> = said.split_whitespace().map(place).collect();
                let (first, second) = words.split_at(n);
                assert_eq!(first, second);
                assert!(
                    words.windows(2).all(|two| split.admits(held_out(two[0], two[1]))),
                    "{said}"
                );
            }
        }
        assert!(WORDS.len() > 200, "{} words", WORDS.len());
    }

    #[test]
    fn no_list_of_the_training_text_has_held_out_neighbours() {
        let place = |word: &str| WORDS.iter().position(|known| known.text.trim() == word);
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let sentences: Vec<String> = (0..2_000).map(|_| sentence(&mut rng)).collect();
        let mut seen = 0;
        for document in crate::Corpus::new(6).take(10_000).chain(sentences) {
            for said in document.split(['.', ':']).filter(|said| said.starts_with(' ')) {
                let words: Option<Vec<usize>> = said.split_whitespace().map(place).collect();
                // A sentence of another task has words that stand in no list.
                let Some(words) = words else { continue };
                seen += words.len();
                assert!(!words.windows(2).any(|two| held_out(two[0], two[1])), "{document}");
            }
        }
        assert!(seen > 20_000, "only {seen} words of lists");
    }
}
