/// GPT-2's byte-level BPE, read from a `tokenizer.json`.
///
/// Text of a visitor is never special: `<|endoftext|>` typed into a prompt is not the token.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

/// Why text could not be tokenised.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The bytes are not a tokenizer.
    #[error("not a tokenizer.json: {0}")]
    Malformed(String),
    /// The tokenizer gave up on a text.
    #[error("the text cannot be tokenised: {0}")]
    Encode(String),
    /// The tokens do not spell the text: something was dropped in silence.
    #[error("the tokens of {text:?} spell {decoded:?}")]
    NotReversible {
        /// What was to be tokenised.
        text: String,
        /// What its tokens say.
        decoded: String,
    },
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// Bytes that are not one.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes)
            .map_err(|source| TokenizerError::Malformed(source.to_string()))?;
        inner.set_encode_special_tokens(true);
        Ok(Self { inner })
    }

    /// Token ids of a text, without a beginning-of-sequence token.
    ///
    /// # Errors
    /// A text that the tokenizer cannot take, or does not give back.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding = self
            .inner
            .encode(text, false)
            .map_err(|source| TokenizerError::Encode(source.to_string()))?;
        let ids = encoding.get_ids().to_vec();
        // The pre-tokeniser's regular expression can stop early without an error.
        let decoded = self.decode(&ids);
        if decoded == text {
            Ok(ids)
        } else {
            Err(TokenizerError::NotReversible { text: text.to_owned(), decoded })
        }
    }

    /// Text of token ids; bytes that are no whole character become replacement characters.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, false).unwrap_or_default()
    }

    /// Number of token ids.
    pub fn len(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Whether there are no tokens at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
