use anyhow::Context as _;
use twinbeam_gpt2::Tokenizer;
use twinbeam_tasks::Corpus;

use super::vocabulary::BOS_ID;

/// Rows per step. Few, since the copying of names appears after a number of steps more than of tokens:
/// 500 steps of 64 rows had not learnt it.
pub(super) const ROWS: usize = 16;
/// Tokens per row that are predicted.
pub(super) const ROW_TOKENS: usize = 64;

/// Rows of `ROW_TOKENS + 1` token ids: documents one after the other, `<|endoftext|>` before each.
/// A row begins with a document, as prompts do, and cuts its last one off.
pub(super) struct Batches<'t> {
    tokenizer: &'t Tokenizer,
    documents: Corpus,
}

impl<'t> Batches<'t> {
    pub(super) fn new(tokenizer: &'t Tokenizer, seed: u64) -> Self {
        Self { tokenizer, documents: Corpus::new(seed) }
    }

    /// Passes over the batches of a run that was stopped.
    pub(super) fn skip(&mut self, batches: usize) {
        for _ in 0..batches {
            // The tokens are not needed, only the place in the corpus that they lead to.
            self.next().ok();
        }
    }

    pub(super) fn next(&mut self) -> anyhow::Result<Vec<Vec<u32>>> {
        (0..ROWS).map(|_| self.row()).collect()
    }

    fn row(&mut self) -> anyhow::Result<Vec<u32>> {
        let mut row = Vec::with_capacity(2 * ROW_TOKENS);
        while row.len() <= ROW_TOKENS {
            let document = self.documents.next().context("the corpus is endless")?;
            row.push(BOS_ID);
            row.extend(self.tokenizer.encode(&document)?);
        }
        row.truncate(ROW_TOKENS + 1);
        Ok(row)
    }
}
