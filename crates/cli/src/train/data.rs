//! Batches of tokens from the generated corpus.

use anyhow::Context as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use twinbeam_gpt2::Tokenizer;
use twinbeam_tasks::{Corpus, Mixture, Split, repeated};

use super::vocabulary::BOS_ID;

/// Tokens per row that are predicted.
pub(super) const ROW_TOKENS: usize = 64;
/// Rows of a step whose rows hold one document each, as prompts do: what stands there can be explained
/// by that document alone.
const SINGLE_ROWS: usize = 48;
/// Rows of a step whose rows are filled up with documents, so that late positions are trained too.
const FULL_ROWS: usize = 16;
/// Steps of which one has full rows.
const FULL_ONE_IN: usize = 4;
/// Steps at the start of which every second one has nothing but lists of random words that are read again and again: there a
/// model gets the heads that copy what came after a word before, sooner than from sentences, and the tasks that copy names
/// build on them.
pub(super) const LISTS_UNTIL: usize = 2500;
/// Full rows of a step that hold such a list later on, so that it keeps those heads.
const LATER_LISTS: usize = 2;
/// Words of such a list, at least and at most. It is read again until the row is full: a short one soon teaches that a word
/// is followed by what followed it before, and were all of one length, places could be copied instead of words.
const LIST_WORDS: [usize; 2] = [5, 31];

/// Token ids of the rows of one step, all of one length, and how many of each row are real: the first
/// is given, the others are predicted.
pub(super) struct Batch {
    pub(super) rows: Vec<Vec<u32>>,
    pub(super) lengths: Vec<usize>,
}

/// An endless sequence of batches; `<|endoftext|>` stands before each document.
pub(super) struct Batches<'t> {
    tokenizer: &'t Tokenizer,
    documents: Corpus,
    lists: ChaCha8Rng,
    balanced_from: usize,
    drawn: usize,
    tokens: usize,
}

impl<'t> Batches<'t> {
    /// The mixture changes after `balanced_from` batches.
    pub(super) fn new(tokenizer: &'t Tokenizer, seed: u64, balanced_from: usize) -> Self {
        let documents = Corpus::new(seed);
        let lists = ChaCha8Rng::seed_from_u64(seed);
        Self { tokenizer, documents, lists, balanced_from, drawn: 0, tokens: 0 }
    }

    /// Passes over the batches of a run that was stopped.
    ///
    /// # Errors
    /// The corpus cannot be tokenised.
    pub(super) fn skip(&mut self, batches: usize) -> anyhow::Result<()> {
        // The tokens are not needed, only the place in the corpus that they lead to.
        (0..batches).try_for_each(|_| self.next().map(drop))
    }

    /// Predicted tokens so far.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    pub(super) fn next(&mut self) -> anyhow::Result<Batch> {
        if self.drawn == self.balanced_from {
            self.documents.mix(Mixture::BALANCED);
        }
        let only_lists = self.drawn < LISTS_UNTIL && self.drawn % 2 == 1;
        let full = self.drawn.is_multiple_of(FULL_ONE_IN);
        self.drawn += 1;
        let mut rows = if only_lists {
            (0..FULL_ROWS).map(|_| self.list()).collect::<anyhow::Result<Vec<_>>>()?
        } else if full {
            (0..FULL_ROWS)
                .map(|row| if row < LATER_LISTS { self.list() } else { self.row(ROW_TOKENS + 1) })
                .collect::<anyhow::Result<Vec<_>>>()?
        } else {
            (0..SINGLE_ROWS).map(|_| self.row(1)).collect::<anyhow::Result<Vec<_>>>()?
        };
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        self.tokens += lengths.iter().map(|length| length - 1).sum::<usize>();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        for row in &mut rows {
            row.resize(longest, BOS_ID);
        }
        Ok(Batch { rows, lengths })
    }

    /// The tokens of as many documents as it takes to reach `least`, cut off at a row's end.
    fn row(&mut self, least: usize) -> anyhow::Result<Vec<u32>> {
        let mut row = Vec::with_capacity(2 * ROW_TOKENS);
        while row.len() < least {
            let document = self.documents.next().context("the corpus is endless")?;
            row.push(BOS_ID);
            row.extend(self.tokenizer.encode(&document)?);
        }
        row.truncate(ROW_TOKENS + 1);
        Ok(row)
    }

    /// A list of random words, read again and again.
    fn list(&mut self) -> anyhow::Result<Vec<u32>> {
        let n = self.lists.random_range(LIST_WORDS[0]..=LIST_WORDS[1]);
        let times = ROW_TOKENS.div_ceil(n);
        let mut row = vec![BOS_ID];
        row.extend(self.tokenizer.encode(&repeated(n, times, Split::Train, &mut self.lists))?);
        row.truncate(ROW_TOKENS + 1);
        Ok(row)
    }
}
