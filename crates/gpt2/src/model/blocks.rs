//! Where a model's blocks are: all of them with it, or elsewhere, from where they are brought one at a time.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Block, Gpt2};
use crate::embedding::Embedding;
use crate::{Gpt2Config, LoadError, Params};

/// The blocks of a model.
#[derive(Debug, Clone)]
pub(super) enum Blocks {
    Held(Vec<Block>),
    /// The number of blocks, and the one that is here with its layer, which copies of the model share.
    OneByOne(usize, Arc<Mutex<Option<(usize, Block)>>>),
}

impl Blocks {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Held(blocks) => blocks.len(),
            Self::OneByOne(n, _) => *n,
        }
    }

    pub(super) fn truncate(&mut self, most: usize) {
        match self {
            Self::Held(blocks) => blocks.truncate(most),
            Self::OneByOne(n, _) => *n = most.min(*n),
        }
    }

    /// The block of a layer.
    ///
    /// # Panics
    /// If it is not the one that is here.
    pub(super) fn of(&self, layer: usize) -> Cow<'_, Block> {
        match self {
            Self::Held(blocks) => Cow::Borrowed(&blocks[layer]),
            Self::OneByOne(_, here) => {
                let here = here.lock().unwrap_or_else(PoisonError::into_inner);
                let block = here.as_ref().filter(|(brought, _)| *brought == layer);
                // OK because whoever runs such a model brings each block before its turn.
                Cow::Owned(block.expect("the block was brought").1.clone())
            }
        }
    }
}

impl Gpt2 {
    /// A model whose blocks are elsewhere: embeddings and the last LayerNorm. Each block has to be brought
    /// ([`Gpt2::bring`]) before it is run or asked for anything.
    ///
    /// # Errors
    /// A parameter that is missing.
    pub(crate) fn without_blocks(
        config: Gpt2Config,
        wte: Embedding,
        params: &Params,
    ) -> Result<Self, LoadError> {
        let blocks = Blocks::OneByOne(config.shape.n_layers, Arc::default());
        Self::with_blocks(config, wte, params, blocks)
    }

    /// Puts a block of some parameters in the place of the one that is here. A model that has all of its blocks is left
    /// as it is.
    ///
    /// # Errors
    /// A parameter that is missing; then no block is here.
    pub fn bring(&self, layer: usize, params: &Params) -> Result<(), LoadError> {
        if let Blocks::OneByOne(_, here) = &self.h {
            let mut here = here.lock().unwrap_or_else(PoisonError::into_inner);
            // The old one goes first: two need not fit.
            *here = None;
            *here = Some((layer, Block::of(&self.config, layer, params)?));
        }
        Ok(())
    }
}
