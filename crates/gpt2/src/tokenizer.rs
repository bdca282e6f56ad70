//! Text to token ids and back, as transformers' GPT-2 tokenizer does it. `files.rs` reads the files.

mod files;

use tokenizers::{
    Decoder as _, Model as _, NormalizedString, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer as _,
};

pub use self::files::TokenizerFiles;

/// GPT-2's byte-level BPE, with the tokens that were added to it.
///
/// A special or added token that stands in a text is that one token, as in transformers. Nothing is added to a text,
/// cut off it or padded: a post-processor, truncation and padding are for batches of others.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    bos: Option<u32>,
    prefix_space: PrefixSpace,
}

/// Whether a space is put in front of every text, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrefixSpace {
    /// All files that say something of it say the same.
    #[default]
    Agreed,
    /// `tokenizer_config.json` says this, `tokenizer.json` the opposite, and the former is followed.
    OfConfig(bool),
    /// `tokenizer.json` puts one there, and `tokenizer_config.json` says nothing of it.
    OfFile,
}

/// A text in tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Token ids, without a beginning-of-sequence token.
    pub ids: Vec<u32>,
    /// The text that the tokens spell, where that is not the text that was given: a normaliser has changed it, a token
    /// has taken the spaces beside it along, or a space was put in front.
    pub read_as: Option<String>,
}

/// Why there is no tokenizer, or why text could not be tokenised.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The bytes are not what the file should be.
    #[error("{file}: {message}")]
    Malformed {
        /// Name of the file.
        file: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A file is missing that belongs with another one.
    #[error("{file}: there is none, and {with} cannot be read without it")]
    Missing {
        /// Name of the file.
        file: &'static str,
        /// The file that is there.
        with: &'static str,
    },
    /// The tokenizer gave up on a text.
    #[error("the text cannot be tokenised: {0}")]
    Encode(String),
    /// The tokens do not spell the text, nor what the tokenizer makes of it: something was dropped in silence.
    #[error("the tokens of {text:?} spell {decoded:?}")]
    NotReversible {
        /// What was to be tokenised.
        text: String,
        /// What its tokens say.
        decoded: String,
    },
}

impl Tokenizer {
    /// Reads a `tokenizer.json` that comes alone.
    ///
    /// # Errors
    /// Bytes that are not one.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let files = TokenizerFiles { tokenizer: Some(bytes.to_vec()), ..TokenizerFiles::default() };
        let missing = TokenizerError::Missing { file: "tokenizer.json", with: "it" };
        Self::from_files(&files)?.ok_or(missing)
    }

    /// Token ids of a text, without a beginning-of-sequence token.
    ///
    /// # Errors
    /// A text that the tokenizer cannot take, or of which it has dropped a part.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.read(text).map(|reading| reading.ids)
    }

    /// Token ids of a text, and what was made of it first.
    ///
    /// # Errors
    /// A text that the tokenizer cannot take, or of which it has dropped a part.
    pub fn read(&self, text: &str) -> Result<Reading, TokenizerError> {
        let encoding = self.inner.encode_fast(text, false).map_err(failed)?;
        let ids = encoding.get_ids().to_vec();
        let decoded = self.decode(&ids);
        if decoded == text {
            return Ok(Reading { ids, read_as: None });
        }
        if self.spells_all(text)? {
            Ok(Reading { ids, read_as: Some(decoded) })
        } else {
            Err(TokenizerError::NotReversible { text: text.to_owned(), decoded })
        }
    }

    /// Whether there are tokens for all of a text, spaces apart, which some tokenizers leave out on purpose. A character
    /// without a token is dropped in silence, and an unknown token stands for anything.
    fn spells_all(&self, text: &str) -> Result<bool, TokenizerError> {
        let added = self.inner.get_added_vocabulary();
        let parts = added.extract_and_normalize(self.inner.get_normalizer(), text);
        let parts = parts.get_splits(OffsetReferential::Original, OffsetType::None);
        for (part, _, tokens) in parts {
            if tokens.is_some() {
                continue;
            }
            let mut pieces = PreTokenizedString::from(part);
            if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
                pre_tokenizer.pre_tokenize(&mut pieces).map_err(failed)?;
            }
            let mut whole = String::new();
            for (piece, _, _) in pieces.get_splits(OffsetReferential::Original, OffsetType::None) {
                let tokens = self.inner.get_model().tokenize(piece).map_err(failed)?;
                if tokens.iter().map(|token| token.value.as_str()).collect::<String>() != piece {
                    return Ok(false);
                }
                whole += piece;
            }
            let is_part = |spelt: &str| without_spaces(spelt).eq(without_spaces(part));
            if !is_part(&whole) && !is_part(&self.spell(vec![whole])) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Text of token ids; bytes that are no whole character become replacement characters.
    pub fn decode(&self, ids: &[u32]) -> String {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        let mut text = String::new();
        // Added tokens are text as it stands, and no bytes: a decoder would take the é of one for a byte.
        for run in ids.chunk_by(|a, b| !added.contains_key(a) && !added.contains_key(b)) {
            if let Some(token) = added.get(&run[0]) {
                text += &token.content;
            } else {
                let pieces = run.iter().filter_map(|id| self.inner.id_to_token(*id));
                text += &self.spell(pieces.collect());
            }
        }
        text
    }

    /// Text of tokens as they stand in the vocabulary.
    fn spell(&self, pieces: Vec<String>) -> String {
        match self.inner.get_decoder() {
            Some(decoder) => decoder.decode(pieces).unwrap_or_default(),
            None => pieces.join(" "),
        }
    }

    /// The beginning-of-sequence token: the one that the files name, as TransformerLens finds it, else
    /// `<|endoftext|>`; `None` where there is neither.
    pub const fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// Whether a space is put in front of every text, and who says so.
    pub const fn prefix_space(&self) -> PrefixSpace {
        self.prefix_space
    }

    /// Whether there is a token of an id.
    pub fn contains(&self, id: u32) -> bool {
        self.inner.id_to_token(id).is_some()
    }

    /// Whether a token is found in texts as it stands: a special or an added one.
    pub fn is_added(&self, id: u32) -> bool {
        self.inner.get_added_vocabulary().get_added_tokens_decoder().contains_key(&id)
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

/// A text with letters and their accents as one character each, where there is one (Unicode's NFC).
pub fn composed(text: &str) -> String {
    let mut text = NormalizedString::from(text);
    text.nfc();
    text.get().to_owned()
}

fn without_spaces(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !character.is_whitespace())
}

fn failed(source: tokenizers::Error) -> TokenizerError {
    TokenizerError::Encode(source.to_string())
}
