//! What of a model reads text: its tokenizer, and of its configuration what says which tokens it takes. All of it is known
//! without a weight, so that what is typed can be looked at where no model is, and nothing that a model does is in the way.

use twinbeam_core::models::{ModelFiles, ModelShape};
use twinbeam_core::wire::inspection::{TokenizerNote, TokenizerReport};
use twinbeam_core::words::PromptError;
use twinbeam_gpt2::{
    FileKind, Gpt2Config, NoBos, PrefixSpace, Reading, Tokenizer, TokenizerError, TokenizerFiles,
    json_object,
};

use crate::{ByteSource, Error};

const CONFIG: &str = ModelFiles::CONFIG;

/// Largest `config.json` that is read.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Largest file of a tokenizer that is read; GPT-2's `tokenizer.json` has 1.4 MB.
const MAX_TOKENIZER_BYTES: u64 = 16 << 20;

/// What of a model reads text.
#[derive(Debug)]
pub struct Words {
    pub(crate) shape: ModelShape,
    bos_token_id: Result<u32, NoBos>,
    pub(crate) tokenizer: Option<Tokenizer>,
    /// The files that this was read from, by their names.
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Words {
    /// Reads `config.json` and, if they are there, the files of a tokenizer.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what it should be.
    pub async fn read(source: &impl ByteSource) -> Result<Self, Error> {
        read_small(source).await.map(|(_, words)| words)
    }

    /// What a configuration says, without a tokenizer.
    pub(crate) fn without_tokenizer(config: &Gpt2Config) -> Self {
        let bos_token_id = config.bos_token_id.clone();
        Self { shape: config.shape, bos_token_id, tokenizer: None, files: Vec::new() }
    }

    /// The files that this was read from, by their names; none once they were given away.
    pub fn files(&self) -> &[(&'static str, Vec<u8>)] {
        &self.files
    }

    /// The files that this was read from, by their names, for others to read: they are given away once.
    pub fn take_files(&mut self) -> Vec<(&'static str, Vec<u8>)> {
        std::mem::take(&mut self.files)
    }

    /// Sizes of the model.
    pub const fn shape(&self) -> &ModelShape {
        &self.shape
    }

    /// Text of one token; its number where the tokenizer has none for it, or there is no tokenizer.
    pub(crate) fn token_text(&self, id: u32) -> String {
        match &self.tokenizer {
            Some(tokenizer) if tokenizer.contains(id) => tokenizer.decode(&[id]),
            _ => format!("#{id}"),
        }
    }

    /// Whether a token is found in texts as it stands: a special or an added one.
    pub(crate) fn is_special(&self, id: u32) -> bool {
        self.tokenizer.as_ref().is_some_and(|tokenizer| tokenizer.is_added(id))
    }

    /// The token that goes in front of prompts: the tokenizer's, as TransformerLens has it, else that of `config.json`.
    ///
    /// # Errors
    /// [`PromptError::BosNotInModel`] and [`PromptError::NoBos`]: one that the model does not have. A `bos_token_id`
    /// that cannot be is refused even where the tokenizer names another: something is wrong with these files.
    pub fn bos(&self) -> Result<u32, PromptError> {
        let d_vocab = self.shape.d_vocab;
        let of_tokenizer = self.tokenizer.as_ref().and_then(Tokenizer::bos);
        let id = match (self.bos_token_id.as_ref(), of_tokenizer) {
            (Ok(_) | Err(NoBos { is_named: false, .. }), Some(id)) => id,
            (Ok(id), None) => *id,
            (Err(NoBos { got, .. }), _) => {
                return Err(PromptError::NoBos { got: got.clone(), d_vocab });
            }
        };
        if id as usize >= d_vocab {
            return Err(PromptError::BosNotInModel { text: self.token_text(id), id, d_vocab });
        }
        Ok(id)
    }

    /// What there is to say of the tokenizer; `None`: there is none.
    pub fn tokenizer_report(&self) -> Option<TokenizerReport> {
        let tokenizer = self.tokenizer.as_ref()?;
        let of_config = self.bos_token_id.as_ref().ok().copied();
        let named = tokenizer.bos().or(of_config);
        let bos = named.map_or_else(String::new, |id| self.token_text(id));
        let mut notes = Vec::new();
        if let (Some(used_id), Some(other_id)) = (tokenizer.bos(), of_config)
            && used_id != other_id
        {
            notes.push(TokenizerNote::Bos { used: bos.clone(), used_id, other_id });
        }
        match tokenizer.prefix_space() {
            PrefixSpace::Agreed => {}
            PrefixSpace::OfConfig(used) => notes.push(TokenizerNote::PrefixSpace { used }),
            PrefixSpace::OfFile => notes.push(TokenizerNote::PrefixSpaceOfFile),
        }
        Some(TokenizerReport { bos, notes })
    }

    /// Token ids of a prompt, the beginning-of-sequence token in front if wanted.
    pub(crate) fn encode(&self, text: &str, prepend_bos: bool) -> Result<Vec<u32>, Error> {
        let mut ids = self.read_text(text)?.ids;
        if prepend_bos {
            ids.insert(0, self.bos()?);
        }
        Ok(ids)
    }

    /// A text in tokens, and what was made of it first.
    pub(crate) fn read_text(&self, text: &str) -> Result<Reading, Error> {
        let tokenizer = self.tokenizer.as_ref().ok_or(Error::NoTokenizer)?;
        tokenizer.read(text).map_err(|error| match error {
            TokenizerError::NotReversible { text, decoded: spelt } => {
                PromptError::NotSpelt { text, spelt }.into()
            }
            error => Error::Tokenizer(error),
        })
    }
}

/// Sizes of the model in a folder, from its `config.json` alone.
///
/// # Errors
/// A file that cannot be read or is no configuration of a GPT-2.
pub async fn shape_of(source: &impl ByteSource) -> Result<ModelShape, Error> {
    let config = read_config(source).await?;
    Ok(parse_config(&config)?.shape)
}

/// The configuration of a model, and what reads text for it.
pub(crate) async fn read_small(source: &impl ByteSource) -> Result<(Gpt2Config, Words), Error> {
    let bytes = read_config(source).await?;
    let config = parse_config(&bytes)?;
    let (tokenizer, files) =
        read_tokenizer(source, config.bos_token_id.as_ref().ok().copied()).await?;
    let mut words = Words { tokenizer, ..Words::without_tokenizer(&config) };
    words.files.push((CONFIG, bytes));
    words.files.extend(named(files));
    Ok((config, words))
}

async fn read_config(source: &impl ByteSource) -> Result<Vec<u8>, Error> {
    let config = source.read_all(CONFIG, MAX_CONFIG_BYTES).await;
    config.map_err(|cause| Error::Source { file: CONFIG.to_owned(), cause })
}

fn parse_config(bytes: &[u8]) -> Result<Gpt2Config, Error> {
    Gpt2Config::from_json(bytes).map_err(Error::Config)
}

/// The tokenizer, from one file or from the two that GPT-2 was published with, and from those beside them; `None`
/// where there is none.
async fn read_tokenizer(
    source: &impl ByteSource,
    bos: Option<u32>,
) -> Result<(Option<Tokenizer>, TokenizerFiles), Error> {
    let tokenizer = optional(source, ModelFiles::TOKENIZER).await?;
    let mut files = TokenizerFiles { tokenizer, ..TokenizerFiles::default() };
    if files.tokenizer.is_none() {
        files.vocab = optional(source, ModelFiles::VOCAB).await?;
        if files.vocab.is_none() {
            return Ok((None, files));
        }
        files.merges = optional(source, ModelFiles::MERGES).await?;
    }
    let [config, special_tokens_map, added_tokens] = ModelFiles::TOKENIZER_EXTRAS;
    // It decides whether a space goes in front, whatever the tokenizer's own file says.
    files.config = extra(source, config).await?;
    if files.tokenizer.is_some() && source.downloads().is_some() {
        let tokenizer = Tokenizer::from_files(&files).map_err(Error::Tokenizer)?;
        // A question to a server costs a moment, and an error on the console where there is no such file: it is not
        // asked for what would change nothing.
        if tokenizer.as_ref().is_some_and(|tokenizer| bos.is_some() && tokenizer.bos() == bos) {
            return Ok((tokenizer, files));
        }
    }
    files.special_tokens_map = extra(source, special_tokens_map).await?;
    files.added_tokens = extra(source, added_tokens).await?;
    let tokenizer = Tokenizer::from_files(&files).map_err(Error::Tokenizer)?;
    Ok((tokenizer, files))
}

/// A file that says more of a tokenizer, if it is there and worth asking for.
async fn extra(source: &impl ByteSource, file: &str) -> Result<Option<Vec<u8>>, Error> {
    let is_worth_it = source.keeper().is_none_or(|keeper| keeper.may_have(file));
    if is_worth_it { optional(source, file).await } else { Ok(None) }
}

/// A file of a tokenizer, if it is there. One that is something else, by its first bytes, is refused by its name.
async fn optional(source: &impl ByteSource, file: &str) -> Result<Option<Vec<u8>>, Error> {
    let bytes = match source.read_all(file, MAX_TOKENIZER_BYTES).await {
        Ok(bytes) => bytes,
        Err(error) if error.is_absent() => return Ok(None),
        Err(cause) => return Err(Error::Source { file: file.to_owned(), cause }),
    };
    let looked_at = match file {
        ModelFiles::MERGES => FileKind::Text.text(&bytes).map(drop),
        _ => json_object(&bytes).map(drop),
    };
    looked_at.map_err(|cause| Error::NotTheFile { file: file.to_owned(), cause })?;
    Ok(Some(bytes))
}

/// The files of a tokenizer that are there, by their names.
fn named(files: TokenizerFiles) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let TokenizerFiles { tokenizer, vocab, merges, config, special_tokens_map, added_tokens } =
        files;
    let files = [tokenizer, vocab, merges, config, special_tokens_map, added_tokens];
    ModelFiles::OF_TEXT.into_iter().zip(files).filter_map(|(name, file)| Some((name, file?)))
}
