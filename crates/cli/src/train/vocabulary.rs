//! The tokenizer of the bundled model, trained on the corpus.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, TokenizerBuilder};
use twinbeam_gpt2::Tokenizer;
use twinbeam_tasks::{Corpus, vocabulary};

/// GPT-2's only special token.
const END_OF_TEXT: &str = "<|endoftext|>";
/// Id of [`END_OF_TEXT`], which comes first in the vocabulary.
pub(super) const BOS_ID: u32 = 0;

const MAX_TOKENS: usize = 2048;
/// Documents that the merges are learnt from.
const DOCUMENTS: usize = 60_000;

/// Trains the byte-level BPE, or takes the one that is there from an earlier start of the same run.
pub(super) fn train(seed: u64, path: &Path) -> anyhow::Result<Tokenizer> {
    let json = tokenizer_json(seed)?;
    if let Ok(existing) = fs::read(path)
        && existing != json
    {
        bail!("{} is of another seed: choose another folder, or delete it", path.display());
    }
    fs::write(path, &json).with_context(|| format!("writing {}", path.display()))?;
    let tokenizer = Tokenizer::from_json(&json)?;
    for word in vocabulary() {
        let ids = tokenizer.encode(&word)?;
        if ids.len() != 1 {
            bail!("{word:?} is {} tokens, and the tasks need it to be one", ids.len());
        }
    }
    Ok(tokenizer)
}

/// `tokenizer_config.json`: what the tokenizer is, as transformers and the page ask for it.
pub(super) fn settings(n_ctx: usize) -> String {
    let value = serde_json::json!({
        "add_prefix_space": false,
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "model_max_length": n_ctx,
        "tokenizer_class": "GPT2Tokenizer",
    });
    format!("{value:#}\n")
}

fn tokenizer_json(seed: u64) -> anyhow::Result<Vec<u8>> {
    let failed = |source: tokenizers::Error| anyhow::anyhow!("training the tokenizer: {source}");
    // GPT-2's pre-tokenisation: no space put in front, words split by its regular expression.
    let byte_level = ByteLevel::new(false, true, true);
    let mut tokenizer =
        TokenizerBuilder::<BPE, tokenizers::NormalizerWrapper, _, ByteLevel, ByteLevel>::new()
            .with_model(BPE::default())
            .with_pre_tokenizer(Some(byte_level))
            .with_post_processor(Some(byte_level))
            .with_decoder(Some(byte_level))
            .build()
            .map_err(failed)?;
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(MAX_TOKENS)
        .min_frequency(2)
        .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    tokenizer.train(&mut trainer, Corpus::new(seed).take(DOCUMENTS)).map_err(failed)?;
    Ok(tokenizer.to_string(false).map_err(failed)?.into_bytes())
}
