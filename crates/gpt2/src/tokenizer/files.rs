//! A tokenizer from the files that it is published as.
//!
//! What is made of them is what transformers 5 makes of them, where `tests/reference/make_tokens.py` asks it.

use serde_json::{Map, Value, json};
use tokenizers::AddedToken;
use tokenizers::models::ModelWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use twinbeam_core::models::ModelFiles;

use super::{PrefixSpace, Tokenizer, TokenizerError};

const TOKENIZER: &str = ModelFiles::TOKENIZER;
const VOCAB: &str = ModelFiles::VOCAB;
const MERGES: &str = ModelFiles::MERGES;
const CONFIG: &str = ModelFiles::TOKENIZER_EXTRAS[0];
const SPECIAL: &str = ModelFiles::TOKENIZER_EXTRAS[1];
const ADDED: &str = ModelFiles::TOKENIZER_EXTRAS[2];

/// GPT-2's only special token.
const END_OF_TEXT: &str = "<|endoftext|>";
/// Fields that name a special token, in the order in which those that are missing are added.
const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
/// Fields that hold lists of further ones, by the release that wrote them.
const LISTED: [&str; 2] = ["extra_special_tokens", "additional_special_tokens"];

/// The files of a tokenizer, as far as they are there. Each may begin with a byte order mark.
#[derive(Debug, Clone, Default)]
pub struct TokenizerFiles {
    /// `tokenizer.json`: all of it in one file.
    pub tokenizer: Option<Vec<u8>>,
    /// `vocab.json`: ids by token. Where there is a `tokenizer.json` that is read instead.
    pub vocab: Option<Vec<u8>>,
    /// `merges.txt`: a pair of pieces per line, the first to be merged first.
    pub merges: Option<Vec<u8>>,
    /// `tokenizer_config.json`.
    pub config: Option<Vec<u8>>,
    /// `special_tokens_map.json`.
    pub special_tokens_map: Option<Vec<u8>>,
    /// `added_tokens.json`: ids by token.
    pub added_tokens: Option<Vec<u8>>,
}

impl Tokenizer {
    /// Reads a tokenizer; `None`: there is neither a `tokenizer.json` nor a `vocab.json`.
    ///
    /// # Errors
    /// A file that is not what it should be, by its name; a `vocab.json` without its `merges.txt`.
    pub fn from_files(files: &TokenizerFiles) -> Result<Option<Self>, TokenizerError> {
        let settings = Settings::read(files)?;
        let mut inner = match (&files.tokenizer, &files.vocab) {
            (Some(json), _) => parse(TOKENIZER, without_mark(json))?,
            (None, Some(vocab)) => {
                let missing = TokenizerError::Missing { file: MERGES, with: VOCAB };
                let merges = files.merges.as_ref().ok_or(missing)?;
                parse(VOCAB, whole(vocab, merges)?.to_string().as_bytes())?
            }
            (None, None) => return Ok(None),
        };
        // Both are for batches. Without a limit there is none that could be impossible.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|source| malformed(TOKENIZER, source))?;
        if let ModelWrapper::BPE(bpe) = inner.get_model() {
            let mut bpe = bpe.clone();
            // It is for training, and makes tokens of a text differ from one time to the next.
            if bpe.dropout.take().is_some() {
                inner.with_model(ModelWrapper::BPE(bpe));
            }
        }
        inner.set_encode_special_tokens(settings.flag("split_special_tokens").unwrap_or(false));
        let mut prefix_space = settings.prefix_space(&mut inner);
        if files.tokenizer.is_none() {
            // Tokens apart say nothing of it.
            prefix_space = PrefixSpace::Agreed;
        }
        if let (Some(PreTokenizerWrapper::ByteLevel(_)), None) =
            (inner.get_pre_tokenizer(), inner.get_decoder())
        {
            // It is the way back of the same, and is left out by some who never need it.
            inner.with_decoder(Some(ByteLevel::default()));
        }
        settings.add_tokens(&mut inner, files)?;
        let bos = settings.bos(&inner);
        Ok(Some(Self { inner, bos, prefix_space }))
    }
}

/// What stands beside the tokens themselves.
struct Settings {
    /// `tokenizer_config.json`, or nothing.
    config: Map<String, Value>,
    /// The special tokens, by the fields that name them.
    special: Map<String, Value>,
}

impl Settings {
    fn read(files: &TokenizerFiles) -> Result<Self, TokenizerError> {
        let config = object(CONFIG, files.config.as_ref())?;
        let mut special = config.clone();
        // Releases that write all added tokens into the one file have no use for the other.
        if !config.contains_key("added_tokens_decoder") {
            special.extend(object(SPECIAL, files.special_tokens_map.as_ref())?);
        }
        Ok(Self { config, special })
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.config.get(name).and_then(Value::as_bool)
    }

    /// Whether the tokenizer is of transformers' class for GPT-2, which it is unless it says otherwise.
    fn is_gpt2(&self) -> bool {
        let class = self.config.get("tokenizer_class").and_then(Value::as_str);
        class.is_none_or(|class| class.trim_end_matches("Fast") == "GPT2Tokenizer")
    }

    /// Transformers' class for GPT-2 goes by `tokenizer_config.json`, its general one by `tokenizer.json`.
    fn prefix_space(&self, inner: &mut tokenizers::Tokenizer) -> PrefixSpace {
        let Some(PreTokenizerWrapper::ByteLevel(byte_level)) = inner.get_pre_tokenizer() else {
            return PrefixSpace::Agreed;
        };
        let (byte_level, is) = (*byte_level, byte_level.add_prefix_space);
        if !self.is_gpt2() {
            return PrefixSpace::Agreed;
        }
        match self.flag("add_prefix_space") {
            Some(wanted) if wanted != is => {
                inner.with_pre_tokenizer(Some(byte_level.add_prefix_space(wanted)));
                PrefixSpace::OfConfig(wanted)
            }
            None if is => PrefixSpace::OfFile,
            _ => PrefixSpace::Agreed,
        }
    }

    /// Adds the tokens that the other files know. One that is there already is taken as they describe it, one that is
    /// not gets the next id, whatever they say: so does transformers.
    fn add_tokens(
        &self,
        inner: &mut tokenizers::Tokenizer,
        files: &TokenizerFiles,
    ) -> Result<(), TokenizerError> {
        let mut tokens = self.with_ids(inner, files)?;
        let is_known = |tokens: &[AddedToken], inner: &tokenizers::Tokenizer, name: &str| {
            tokens.iter().any(|token| token.content == name) || is_added(inner, name)
        };
        let mut named: Vec<AddedToken> = NAMED
            .into_iter()
            .filter_map(|name| self.special.get(name))
            .chain(LISTED.into_iter().filter_map(|name| self.special.get(name)).flat_map(listed))
            .filter_map(|value| added_token(value, true))
            .collect();
        // What the class takes for its own where nothing is said, if the model has learned it.
        if self.is_gpt2() && inner.token_to_id(END_OF_TEXT).is_some() {
            named.push(AddedToken::from(END_OF_TEXT, true));
        }
        for token in named {
            if !is_known(&tokens, inner, &token.content) {
                tokens.push(token);
            }
        }
        let file = if files.tokenizer.is_some() { TOKENIZER } else { VOCAB };
        inner.add_tokens(tokens).map(drop).map_err(|source| malformed(file, source))
    }

    /// Added tokens that a file has an id for, by that id.
    fn with_ids(
        &self,
        inner: &tokenizers::Tokenizer,
        files: &TokenizerFiles,
    ) -> Result<Vec<AddedToken>, TokenizerError> {
        let mut tokens: Vec<(u64, AddedToken)> = Vec::new();
        if let Some(decoder) = self.config.get("added_tokens_decoder") {
            let wrong = || {
                let message = "added_tokens_decoder: expected tokens by their ids".to_owned();
                TokenizerError::Malformed { file: CONFIG, message }
            };
            for (id, token) in decoder.as_object().ok_or_else(wrong)? {
                let id = id.parse().map_err(|_source| wrong())?;
                tokens.push((id, added_token(token, false).ok_or_else(wrong)?));
            }
        } else {
            let names: Vec<&str> = NAMED
                .into_iter()
                .filter_map(|name| self.special.get(name))
                .chain(LISTED.into_iter().filter_map(|n| self.special.get(n)).flat_map(listed))
                .filter_map(content)
                .collect();
            for (name, id) in object(ADDED, files.added_tokens.as_ref())? {
                let Some(id) = id.as_u64() else {
                    let message = format!("{name:?}: expected a token id, got {id}");
                    return Err(TokenizerError::Malformed { file: ADDED, message });
                };
                // A tokenizer.json says more of its own tokens than this file can.
                if files.tokenizer.is_none() || !is_added(inner, &name) {
                    let is_special = names.contains(&name.as_str());
                    tokens.push((id, AddedToken::from(name, is_special)));
                }
            }
        }
        tokens.sort_by_key(|(id, _)| *id);
        Ok(tokens.into_iter().map(|(_, token)| token).collect())
    }

    /// The beginning-of-sequence token as TransformerLens finds it: the one that is named, else the end-of-sequence
    /// token, else `<|endoftext|>`.
    fn bos(&self, inner: &tokenizers::Tokenizer) -> Option<u32> {
        let named = |name: &str| self.special.get(name).and_then(content);
        let of_class = (self.is_gpt2() && !self.special.contains_key("bos_token"))
            .then_some(END_OF_TEXT)
            .filter(|name| inner.token_to_id(name).is_some());
        let name = named("bos_token").or(of_class).or_else(|| named("eos_token"));
        inner.token_to_id(name.unwrap_or(END_OF_TEXT))
    }
}

fn is_added(inner: &tokenizers::Tokenizer, name: &str) -> bool {
    inner.get_added_vocabulary().get_vocab().contains_key(name)
}

/// Entries of a list of special tokens, which may also be a table of them.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(entries) => entries.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    }
}

/// Text of a token that is given by its text, or as an object with it.
fn content(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

/// A token as transformers describes it; what is not said is as it is there by itself.
fn added_token(value: &Value, is_special: bool) -> Option<AddedToken> {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool);
    let is_special = is_special || flag("special").unwrap_or(false);
    let token = AddedToken::from(content(value)?, is_special)
        .single_word(flag("single_word").unwrap_or(false))
        .lstrip(flag("lstrip").unwrap_or(false))
        .rstrip(flag("rstrip").unwrap_or(false));
    Some(token.normalized(flag("normalized").unwrap_or(!is_special)))
}

/// A `tokenizer.json` of the two files that there were before it, as GPT-2 was published.
fn whole(vocab: &[u8], merges: &[u8]) -> Result<Value, TokenizerError> {
    let vocab = object(VOCAB, Some(&vocab.to_vec()))?;
    if let Some((name, id)) = vocab.iter().find(|(_, id)| id.as_u64().is_none()) {
        let message = format!("{name:?}: expected a token id, got {id}");
        return Err(TokenizerError::Malformed { file: VOCAB, message });
    }
    let merges = std::str::from_utf8(without_mark(merges))
        .map_err(|source| malformed(MERGES, source.to_string()))?;
    let mut pairs = Vec::new();
    for (place, line) in merges.lines().enumerate() {
        if line.starts_with("#version") || line.is_empty() {
            continue;
        }
        let wrong = |expected: &str| TokenizerError::Malformed {
            file: MERGES,
            message: format!("line {}: expected {expected}, got {}", place + 1, quoted(line)),
        };
        let pair = line.split_once(' ').filter(|(_, second)| !second.contains(' '));
        let Some((first, second)) = pair else {
            return Err(wrong("two pieces with a space between them"));
        };
        let is_token = |piece: &str| vocab.contains_key(piece);
        if !is_token(first) || !is_token(second) || !is_token(&format!("{first}{second}")) {
            return Err(wrong("pieces of vocab.json that make another of its tokens"));
        }
        pairs.push(json!([first, second]));
    }
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    Ok(json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocab, "merges": pairs},
    }))
}

/// The beginning of a line, which may be of any length.
fn quoted(line: &str) -> String {
    format!("{:?}", line.chars().take(40).collect::<String>())
}

fn parse(file: &'static str, json: &[u8]) -> Result<tokenizers::Tokenizer, TokenizerError> {
    // The library panics where JSON breaks off inside of a decoder.
    if let Err(source) = serde_json::from_slice::<Value>(json) {
        return Err(malformed(file, format!("not JSON: {source}")));
    }
    tokenizers::Tokenizer::from_bytes(json).map_err(|source| malformed(file, source))
}

/// A JSON object; an empty one where there is no file.
fn object(
    file: &'static str,
    bytes: Option<&Vec<u8>>,
) -> Result<Map<String, Value>, TokenizerError> {
    let Some(bytes) = bytes else {
        return Ok(Map::new());
    };
    match serde_json::from_slice(without_mark(bytes)) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(malformed(file, "expected a JSON object".to_owned())),
        Err(source) => Err(malformed(file, format!("not JSON: {source}"))),
    }
}

/// The bytes without a byte order mark, which some editors put in front of UTF-8, where it means nothing.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn malformed(file: &'static str, message: impl ToString) -> TokenizerError {
    TokenizerError::Malformed { file, message: message.to_string() }
}
