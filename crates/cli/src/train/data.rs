//! Batches of tokens from the generated corpus.

use anyhow::Context as _;
use twinbeam_gpt2::Tokenizer;
use twinbeam_tasks::{Corpus, Mixture};

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
    balanced_from: usize,
    drawn: usize,
    tokens: usize,
}

impl<'t> Batches<'t> {
    /// The mixture changes after `balanced_from` batches.
    pub(super) fn new(tokenizer: &'t Tokenizer, seed: u64, balanced_from: usize) -> Self {
        let documents = Corpus::new(seed);
        Self { tokenizer, documents, balanced_from, drawn: 0, tokens: 0 }
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
        let full = self.drawn.is_multiple_of(FULL_ONE_IN);
        self.drawn += 1;
        let n_rows = if full { FULL_ROWS } else { SINGLE_ROWS };
        let mut rows = (0..n_rows)
            .map(|_| self.row(if full { ROW_TOKENS + 1 } else { 1 }))
            .collect::<anyhow::Result<Vec<_>>>()?;
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
}
