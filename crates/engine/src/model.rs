//! A model that is ready to run: loaded from its files, checked, and on its device.

use burn::tensor::{Device, Tensor, TensorCreationOptions};
use twinbeam_attribution::{Budget, RunPair};
use twinbeam_core::models::{ModelFiles, ModelShape};
use twinbeam_core::wire::Expected;
use twinbeam_core::wire::inspection::{TokenizerNote, TokenizerReport};
use twinbeam_core::words::PromptError;
use twinbeam_gpt2::{
    FileKind, Gpt2, Gpt2Config, NoBos, PrefixSpace, Reading, Tokenizer, TokenizerError,
    TokenizerFiles, json_object,
};

use crate::source::fetched;
use crate::watch::Watch;
use crate::weights::{Masks, Weights};
use crate::{ByteSource, DeviceKind, Error, Host, Keeper, Question};

const CONFIG: &str = ModelFiles::CONFIG;

/// Largest `config.json` that is read.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Largest file of a tokenizer that is read; GPT-2's `tokenizer.json` has 1.4 MB.
const MAX_TOKENIZER_BYTES: u64 = 16 << 20;

/// A model that is ready to run, from a Hugging Face directory.
#[derive(Debug)]
pub struct Model {
    pub(crate) gpt2: Gpt2,
    /// Whether the model says what it has computed, so that a sample can be computed again elsewhere.
    pub(crate) claims: bool,
    /// How much of the device a batch may take; `None`: what fits a CPU.
    budget: Option<Budget>,
    pub(crate) watch: Watch,
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) fingerprint: String,
    /// Number of files that the weights are in; `None`: one, as usual.
    shards: Option<usize>,
    as_expected: Option<bool>,
}

impl Model {
    /// Reads `config.json`, `model.safetensors` and, if they are there, the files of a tokenizer. Where there is no
    /// `model.safetensors`, weights are those of the files that `model.safetensors.index.json` lists. They are
    /// read part by part, straight to the device.
    ///
    /// Where the weights are not the expected ones, damage in what is kept is looked for, then the causal
    /// masks are read, which are taken for granted at first, then everything is read anew, once.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what a GPT-2 needs, or not the expected one; nothing is half
    /// loaded.
    pub async fn load(
        source: &impl ByteSource,
        expected: &Expected,
        device: &DeviceKind,
        host: &mut impl Host,
    ) -> Result<Self, Error> {
        let keeper = source.keeper();
        let heal = || keeper.is_some_and(Keeper::heal);
        let discard = || keeper.is_some_and(Keeper::discard);
        let mut masks = Masks::Known;
        let mut discarded = false;
        loop {
            let (mut model, has_masks) = match read(source, device, masks, host).await {
                Ok(read) => read,
                Err(error) if error.is_of_bytes() && heal() => continue,
                // What an earlier visit has kept may have been mended where it came from.
                Err(error) if error.is_of_bytes() && fetched(source) == 0 && !discarded => {
                    discarded = true;
                    if discard() {
                        continue;
                    }
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
            let got = &model.fingerprint;
            let before = keeper.and_then(Keeper::completed);
            if before.is_some_and(|before| before.sha256 != *got) && heal() {
                continue;
            }
            model.as_expected = expected.sha256.as_ref().map(|expected| expected == got);
            match &expected.sha256 {
                Some(expected_sha256) if expected_sha256 != got && !expected.any_digest => {
                    if heal() {
                        continue;
                    }
                    if has_masks && masks == Masks::Known {
                        masks = Masks::Read;
                        continue;
                    }
                    if !discarded && discard() {
                        discarded = true;
                        continue;
                    }
                    let (expected, got) = (expected_sha256.clone(), got.clone());
                    return Err(Error::Digest { expected, got });
                }
                _ => {}
            }
            if let Some(keeper) = keeper {
                keeper.complete(got, model.as_expected);
            }
            return Ok(model);
        }
    }

    /// A model without files, that says what it has computed.
    #[cfg(test)]
    pub(crate) fn without_files(gpt2: Gpt2) -> Self {
        Self {
            gpt2,
            claims: true,
            budget: None,
            watch: Watch::default(),
            tokenizer: None,
            fingerprint: String::new(),
            shards: None,
            as_expected: None,
        }
    }

    /// Both prompts of a question, run once, with batches that fit the device.
    pub(crate) async fn runs(&self, question: &Question) -> Result<RunPair<'_>, Error> {
        let Question { tokens, answers, metric, .. } = question;
        let pair = RunPair::new(&self.gpt2, tokens, answers.clone(), *metric).await?;
        Ok(match self.budget {
            Some(budget) => pair.within(budget),
            None => pair,
        })
    }

    /// This model cut off after its first layers, at least one: what a benchmark grows with.
    #[must_use]
    pub fn cut_after(&self, n_layers: usize) -> Self {
        Self {
            gpt2: self.gpt2.cut_after(n_layers),
            claims: self.claims,
            budget: self.budget,
            watch: self.watch.clone(),
            tokenizer: None,
            fingerprint: self.fingerprint.clone(),
            shards: self.shards,
            as_expected: self.as_expected,
        }
    }

    /// Whether the weights have the expected digest; `None`: none was expected.
    pub const fn as_expected(&self) -> Option<bool> {
        self.as_expected
    }

    /// Whether a GPU runs the model.
    pub(crate) fn is_on_gpu(&self) -> bool {
        self.gpt2.device() != Device::flex()
    }

    /// Sizes of the model.
    pub fn shape(&self) -> &ModelShape {
        self.gpt2.shape()
    }

    /// SHA-256 of `model.safetensors`, in hexadecimal. Of weights in several files it is that of what `sha256sum`
    /// prints of them in the order of their names: a line for each with its digest, two spaces and its name.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Number of files that the weights are in, where an index lists them.
    pub const fn shards(&self) -> Option<usize> {
        self.shards
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
        let d_vocab = self.shape().d_vocab;
        let of_config = self.gpt2.config().bos_token_id.as_ref();
        let of_tokenizer = self.tokenizer.as_ref().and_then(Tokenizer::bos);
        let id = match (of_config, of_tokenizer) {
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
        let of_config = self.gpt2.config().bos_token_id.as_ref().ok().copied();
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

/// A model on the CPU without its blocks, with what reads them. Its digest is not known: nobody has read all of it.
pub(crate) async fn without_blocks(
    source: &impl ByteSource,
    device: &DeviceKind,
) -> Result<(Model, Weights), Error> {
    let (config, tokenizer) = read_small(source).await?;
    let options = device.options(&config.shape);
    let weights = Weights::open(source, config).await?;
    let gpt2 = weights.read_without_blocks(source, &options).await?;
    let model = Model {
        gpt2,
        claims: false,
        budget: None,
        watch: device.watch().clone(),
        tokenizer,
        fingerprint: String::new(),
        shards: weights.shards(),
        as_expected: None,
    };
    Ok((model, weights))
}

/// A model from its files, and whether its weights come with causal masks.
async fn read(
    source: &impl ByteSource,
    device: &DeviceKind,
    masks: Masks,
    host: &mut impl Host,
) -> Result<(Model, bool), Error> {
    let (config, tokenizer) = read_small(source).await?;
    let shape = config.shape;
    let weights = Weights::open(source, config).await?;
    let options = device.options(&shape);
    let mut step = device.watch().begin();
    let read = weights.read(source, masks, &options, host).await;
    let (gpt2, fingerprint) = step.settle(read).await?;
    let watch = device.watch().clone();
    let (budget, as_expected) = (device.budget(), None);
    let model = Model {
        gpt2,
        claims: device.is_checked(),
        budget,
        watch,
        tokenizer,
        fingerprint,
        shards: weights.shards(),
        as_expected,
    };
    Ok((model, weights.has_masks()))
}

/// Waits until the device has what was sent to it: a read comes after everything that was written.
pub(crate) async fn arrival(options: &TensorCreationOptions) -> Result<(), Error> {
    let sign = Tensor::<1>::from_data([0.0], options.clone());
    sign.into_data_async().await.map_err(|source| Error::Device(source.to_string()))?;
    Ok(())
}

/// Sizes of the model in a folder, from its `config.json` alone.
///
/// # Errors
/// A file that cannot be read or is no configuration of a GPT-2.
pub async fn shape_of(source: &impl ByteSource) -> Result<ModelShape, Error> {
    Ok(read_config(source).await?.shape)
}

async fn read_config(source: &impl ByteSource) -> Result<Gpt2Config, Error> {
    let config = source.read_all(CONFIG, MAX_CONFIG_BYTES).await;
    let config = config.map_err(|cause| Error::Source { file: CONFIG.to_owned(), cause })?;
    Gpt2Config::from_json(&config).map_err(Error::Config)
}

async fn read_small(source: &impl ByteSource) -> Result<(Gpt2Config, Option<Tokenizer>), Error> {
    let config = read_config(source).await?;
    let tokenizer = read_tokenizer(source, config.bos_token_id.as_ref().ok().copied()).await?;
    Ok((config, tokenizer))
}

/// The tokenizer, from one file or from the two that GPT-2 was published with, and from those beside them; `None`
/// where there is none.
async fn read_tokenizer(
    source: &impl ByteSource,
    bos: Option<u32>,
) -> Result<Option<Tokenizer>, Error> {
    let tokenizer = optional(source, ModelFiles::TOKENIZER).await?;
    let mut files = TokenizerFiles { tokenizer, ..TokenizerFiles::default() };
    if files.tokenizer.is_none() {
        files.vocab = optional(source, ModelFiles::VOCAB).await?;
        if files.vocab.is_none() {
            return Ok(None);
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
            return Ok(tokenizer);
        }
    }
    files.special_tokens_map = extra(source, special_tokens_map).await?;
    files.added_tokens = extra(source, added_tokens).await?;
    Tokenizer::from_files(&files).map_err(Error::Tokenizer)
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
